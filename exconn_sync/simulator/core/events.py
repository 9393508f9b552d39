"""What the venue tells its listeners, in the order in which it happened."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.order_lists import SimOrderList
from exconn_sync.simulator.core.orders import Fill, PreventedMatch, Side, SimOrder

Level = tuple[Decimal, Decimal]
"""A price and the quantity that stands there."""


class Execution(Enum):
    """What happened to an order."""

    NEW = "new"
    ACTIVATED = "activated"
    """A pending order of a list was placed."""
    TRIGGERED = "triggered"
    TRADE = "trade"
    TRADE_PREVENTION = "trade_prevention"
    CANCELED = "canceled"
    REPLACED = "replaced"
    EXPIRED = "expired"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class BookChange:
    """One level has a new total quantity; zero means that the level is gone."""

    symbol: str
    update_id: int
    side: Side
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """Two orders met."""

    symbol: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    time: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True)
class TradeBurst:
    """Many trades of the house with itself, at one price; their ids follow each other."""

    symbol: str
    first_trade_id: int
    count: int
    price: Decimal
    quantity: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """An order changed; ``order`` is its state right after the change."""

    execution: Execution
    execution_id: int
    order: SimOrder
    fill: Fill | None
    time: int
    prevented: PreventedMatch | None = None


class ListChange(Enum):
    """What happened to an order list."""

    STARTED = "started"
    RENAMED = "renamed"
    """An order of it has another client id."""
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ListEvent:
    """An order list changed; ``orders`` are its orders right after the change."""

    change: ListChange
    order_list: SimOrderList
    orders: tuple[SimOrder, ...]
    time: int


@dataclass(frozen=True, slots=True)
class BalanceEvent:
    """Balances of an account changed; all new values of the touched assets."""

    account: str
    balances: Mapping[str, Balance]
    time: int


@dataclass(frozen=True, slots=True)
class Deposited:
    """An account got an amount from outside; its new balance follows."""

    account: str
    asset: str
    amount: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class LockedOutside:
    """Something outside the venue's markets locked an amount of an account, or released it (negative)."""

    account: str
    asset: str
    amount: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command on a symbol is complete; the book is consistent and uncrossed at ``update_id``."""

    symbol: str
    update_id: int
    best_bid: Level | None
    best_ask: Level | None
    top_changed: bool
    time: int


Event = (
    BookChange
    | PublicTrade
    | TradeBurst
    | OrderEvent
    | ListEvent
    | BalanceEvent
    | Deposited
    | LockedOutside
    | CommandEnded
)
Listener = Callable[[Event], None]
