"""Balances and positions of the account."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ExchangeOrderId, TradeId
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact


@dataclass(frozen=True)
class Balance:
    """Amounts of one asset as the exchange stated them; ``exchange_time`` is when, in ns since the epoch.

    As a fact it is absolute: the newest statement of the exchange wins, whatever the order of arrival. ``reserved`` is
    what orders of ours that are under way will take of ``free``, as far as the statement does not know them yet; facts
    have none. ``sequence`` counts the events of one asset from 1; it is 0 elsewhere, and no part of the value.
    """

    exchange: str
    asset: str
    free: Decimal
    locked: Decimal
    exchange_time: int
    received_at: int
    source: FactSource
    reserved: Decimal = ZERO
    sequence: int = field(default=0, compare=False)

    @property
    def available(self) -> Decimal:
        """What a new order may take: free less reserved, at least zero."""
        return max(ZERO, EXACT.subtract(self.free, self.reserved))

    @property
    def total(self) -> Decimal:
        """Free plus locked."""
        return EXACT.add(self.free, self.locked)


@dataclass(frozen=True)
class Position:
    """What the account's fills of one symbol add up to, counted from the first fill known to this library.

    ``quantity`` is in the base asset after fees paid in it, negative where more was sold than bought.
    ``average_price`` is the mean entry price in quote per base, None for a flat position. ``realized`` is the profit
    in the quote asset, fees paid in base or quote included; fees in another asset stand in ``other_fees``. What it
    would bring at the prices of now: ``Connector.profit``. ``sequence`` counts the events of one symbol from 1; it is 0
    elsewhere, and no part of the value.
    """

    exchange: str
    symbol: str
    quantity: Decimal = ZERO
    average_price: Decimal | None = None
    realized: Decimal = ZERO
    other_fees: tuple[tuple[str, Decimal], ...] = ()
    received_at: int = 0
    sequence: int = field(default=0, compare=False)


@dataclass(frozen=True)
class BalanceChange:
    """An amount of an asset that came or went without a trade: a deposit, withdrawal or transfer.

    With ``is_lock`` it was locked, or let go where ``amount`` is negative, from outside of trading. ``exchange_time``
    is when, in ns since the epoch. It is news only: balances are never added up from changes (fault F116).
    """

    exchange: str
    asset: str
    amount: Decimal
    exchange_time: int
    received_at: int
    is_lock: bool = False


@dataclass(frozen=True)
class FillDelivery:
    """Says that a fill was delivered to everybody who had subscribed to it; the library's own note for its journal.

    ``received_at`` is when, in ns since the epoch. A fill without such a note is delivered at the next start.
    """

    exchange: str
    symbol: str
    trade_id: TradeId
    exchange_order_id: ExchangeOrderId
    received_at: int


Fact: TypeAlias = OrderFact | Fill | Balance | OrderListFact | BalanceChange | FillDelivery | Carried | Archived
"""One statement about the account, from whatever source, or a note of the library's own."""
