"""Short ways to make facts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import JournalError
from exconn_sync.model.account import Balance, Fact
from exconn_sync.model.enums import Channel, FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.persistence import MemoryJournal

SYMBOL = "BTC-USDT"


def order(
    client_id: str = "c1",
    status: OrderStatus | None = OrderStatus.NEW,
    source: FactSource = FactSource.STREAM,
    exchange_id: str | None = None,
    **more: Any,
) -> OrderFact:
    xid = None if exchange_id is None else ExchangeOrderId(exchange_id)
    fact = OrderFact("binance", SYMBOL, ClientOrderId(client_id), source, 1, status=status, exchange_order_id=xid)
    return replace(fact, **more)


def intent(client_id: str = "c1") -> OrderFact:
    return order(client_id, OrderStatus.PENDING_NEW, FactSource.LOCAL, quantity=Decimal(10), side=Side.BUY, is_own=True)


def fill(
    trade: str = "1", quantity: str = "1", exchange_id: str = "x1", client_id: str | None = None, **more: Any
) -> Fill:
    made = Fill("binance", SYMBOL, TradeId(trade), ExchangeOrderId(exchange_id), Decimal(100), Decimal(quantity),
                Side.BUY, Decimal("0.1"), "USDT", False, int(trade), 1, FactSource.STREAM,
                None if client_id is None else ClientOrderId(client_id))  # fmt: skip
    return replace(made, **more)


def balance(asset: str, free: str, at: int, source: FactSource = FactSource.STREAM) -> Balance:
    return Balance("binance", asset, Decimal(free), Decimal(0), at, at, source)


class Kept:
    """A store with everything that it tells the outside."""

    def __init__(self, journal: Any = None) -> None:
        self.journal = MemoryJournal() if journal is None else journal
        self.events: list[tuple[Channel, str, Any]] = []
        self.reports: list[tuple[str, Exception]] = []
        self.store = AccountStore("binance", self.journal, self._publish, lambda *report: self.reports.append(report))

    def _publish(self, channel: Channel, symbol: str, values: list[Any]) -> None:
        self.events.extend((channel, symbol, value) for value in values)

    def of(self, channel: Channel) -> list[Any]:
        return [value for kind, _, value in self.events if kind is channel]


class BrokenJournal(MemoryJournal):
    """Keeps nothing."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.error = error or JournalError("disk full")

    def append(self, fact: Fact) -> None:
        raise self.error
