"""What the store has to tell after facts were joined."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from exconn_sync._machines.order_fold import OrderRecord
from exconn_sync.model.account import Balance, BalanceChange, Fact, FillDelivery, Position
from exconn_sync.model.enums import Channel, FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.order_lists import OrderListState
from exconn_sync.model.orders import Fill, OrderState

Value: TypeAlias = OrderState | Fill | Balance | Position | OrderListState | BalanceChange


@dataclass
class Told:
    """What one call of ``apply`` has to tell: facts for the journal, then events by channel and symbol or asset.

    ``records`` are the orders that were touched: each is told once, when all facts of the call are joined. ``kept`` and
    ``published`` say how many of both are done, for whoever goes on where another thread was stopped.
    """

    facts: list[Fact] = field(default_factory=list)
    events: list[tuple[Channel, str, Value]] = field(default_factory=list)
    records: dict[ClientOrderId, OrderRecord] = field(default_factory=dict)
    kept: int = 0
    published: int = 0


class EventNumbers:
    """Numbers events of fills, balances and positions by symbol or asset; orders count their own. Not thread-safe."""

    def __init__(self) -> None:
        self._numbers: Counter[tuple[Channel, str]] = Counter()

    def put(self, told: Told, channel: Channel, name: str, value: Fill | Balance | Position) -> None:
        """Put an event among those to tell, with the next number."""
        self._numbers[channel, name] += 1
        told.events.append((channel, name, replace(value, sequence=self._numbers[channel, name])))


def fill_key(fact: Fill | FillDelivery) -> tuple[str, TradeId, ExchangeOrderId]:
    """Return what a fill is known by; a trade between two orders of one account is a fill of each."""
    return fact.symbol, fact.trade_id, fact.exchange_order_id


def shown(fill: Fill, client_order_id: ClientOrderId | None, record: OrderRecord | None) -> Fill:
    """Return a fill with what is known of its order: our id of it, and the id of the command that placed it."""
    of_command = None if record is None else record.correlation_id
    return replace(fill, client_order_id=client_order_id, correlation_id=of_command)


def is_newer(fact: Balance, known: Balance) -> bool:
    """Return whether a statement replaces the known one.

    The exchange's time decides. At the same time the stream, which arrives in order, is believed rather than an answer,
    which may be older than it looks.
    """
    if fact.exchange_time != known.exchange_time:
        return fact.exchange_time > known.exchange_time
    if (fact.free, fact.locked) == (known.free, known.locked):
        return False
    return fact.source is FactSource.STREAM
