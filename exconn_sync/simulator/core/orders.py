"""Orders and fills as values: a changed order is a new value, never an altered one."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exconn_sync.simulator.core.order_words import OrderType, PegPrice, PreventionMode, Side, TimeInForce
from exconn_sync.simulator.core.symbols import ZERO

__all__ = [
    "OPEN_STATUSES",
    "Amendment",
    "Change",
    "ExpiryReason",
    "Fill",
    "Floor",
    "NewOrder",
    "OrderStatus",
    "OrderType",
    "Peg",
    "PegPrice",
    "PreventedMatch",
    "PreventionMode",
    "Side",
    "SimOrder",
    "TimeInForce",
]


class OrderStatus(Enum):
    """Where an order stands."""

    NEW = "new"
    PENDING_NEW = "pending_new"
    """Known, and placed once the working order of its list is filled."""
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    EXPIRED_IN_MATCH = "expired_in_match"
    """Ended because it would have traded with its own side."""
    REJECTED = "rejected"
    """Taken in, and then found not fit to work."""


OPEN_STATUSES = frozenset({OrderStatus.NEW, OrderStatus.PENDING_NEW, OrderStatus.PARTIALLY_FILLED})


class ExpiryReason(Enum):
    """Why the venue itself ended an order."""

    UNFILLED_IOC = "unfilled_ioc"
    UNFILLED_FOK = "unfilled_fok"
    NO_LIQUIDITY = "no_liquidity"
    REJECTED = "rejected"
    """Its turn came, by its stop price or by its list, and then it was not fit to work."""
    PRICE_RANGE = "price_range"
    """It would have traded too far away from the reference price."""
    OTHER_CAME_FIRST = "other_came_first"
    """The other order of its pair traded or fired."""
    NEVER_PLACED = "never_placed"
    """The working order of its list ended without being filled."""
    BY_VENUE = "by_venue"
    """The venue did not want it any more, for reasons of its own."""


class Floor(Enum):
    """Where an order that is routed was last at work (Binance: 5.10)."""

    SOR = "sor"
    """On several books at once."""
    EXCHANGE = "exchange"
    """On the book of its own symbol."""


@dataclass(frozen=True, slots=True)
class Peg:
    """A price that comes from the book, so many existing levels away from its best one."""

    price: PegPrice
    levels: int | None = None


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What somebody asks the venue to do."""

    symbol: str
    side: Side
    type: OrderType
    client_order_id: str
    time_in_force: TimeInForce = TimeInForce.GTC
    quantity: Decimal | None = None
    price: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop_price: Decimal | None = None
    trailing_delta: int | None = None
    """How far the price must turn back before a trailing stop fires, in hundredths of a per cent."""
    strategy_id: int | None = None
    strategy_type: int | None = None
    prevention: PreventionMode = PreventionMode.NONE
    iceberg_quantity: Decimal | None = None
    """How much of it may be seen at a time."""
    peg: Peg | None = None
    is_routed: bool = False
    """Whether it may take from the books of other symbols too."""
    holds_funds: bool = True
    """Whether a stop order sets aside what it may need while it waits."""
    worst_price: Decimal | None = None
    """How far a market order may go; what is left at that price ends."""


@dataclass(frozen=True, slots=True)
class SimOrder:
    """An order the venue accepted, as it stood at ``updated_at``."""

    order_id: int
    account: str
    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    client_order_id: str
    quantity: Decimal
    price: Decimal
    quote_quantity: Decimal
    created_at: int
    updated_at: int
    status: OrderStatus = OrderStatus.NEW
    filled_quantity: Decimal = ZERO
    filled_quote: Decimal = ZERO
    original_client_order_id: str = ""
    """The id the order had before a cancel or an amendment gave it another one."""
    expiry_reason: ExpiryReason | None = None
    amendments: int = 0
    """How often its quantity was reduced."""
    locked: Decimal = ZERO
    """What its account has set aside for it."""
    working_at: int | None = None
    """Since when it has been at work; None while a stop order waits."""
    stop_price: Decimal = ZERO
    trailing_delta: int | None = None
    trailing_since: int | None = None
    """Since when a trailing stop follows the price; None until then."""
    strategy_id: int | None = None
    strategy_type: int | None = None
    iceberg_quantity: Decimal = ZERO
    peg: Peg | None = None
    pegged_price: Decimal | None = None
    """The price the peg gave, once the order was at work."""
    prevention: PreventionMode = PreventionMode.NONE
    prevented_quantity: Decimal = ZERO
    """What did not trade because it met its own side."""
    prevented_match_id: int | None = None
    """The last time that happened."""
    floor: Floor | None = None
    """None for an order that is not routed."""
    list_id: int | None = None
    """The list of which it is a part."""
    keeps_received: bool = False
    """Whether what it buys stays locked for other orders of its list."""
    received: Decimal = ZERO
    """How much is locked so."""
    holds_funds: bool = True
    """Whether it sets aside what it may need while it waits for its price."""
    worst_price: Decimal | None = None
    """How far it may go where it is a market order; None for any price."""

    @property
    def remaining(self) -> Decimal:
        """The quantity that can still trade."""
        return self.quantity - self.filled_quantity - self.prevented_quantity

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.status in OPEN_STATUSES

    @property
    def is_pending(self) -> bool:
        """Whether the order still has to be placed, by another one of its list."""
        return self.status is OrderStatus.PENDING_NEW

    def has_client_id(self, client_order_id: str) -> bool:
        """Whether that is its id, or was until a cancel gave it another one."""
        if client_order_id == self.client_order_id:
            return True
        return not self.is_open and client_order_id == self.original_client_order_id

    @property
    def limit(self) -> Decimal | None:
        """The worst price it accepts, or None when it takes any, or when its peg has no price yet."""
        if self.peg is not None:
            return self.pegged_price
        return self.price if self.type.has_limit else self.worst_price

    @property
    def resting_price(self) -> Decimal:
        """Where it stands on the book."""
        if self.limit is None:
            raise LookupError(f"order {self.order_id} has no price and cannot rest")
        return self.limit


@dataclass(frozen=True, slots=True)
class Change:
    """New terms for an open order; None leaves one as it is."""

    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One order's part in one trade."""

    trade_id: int
    order_id: int
    account: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    is_maker: bool
    time: int
    allocation_id: int | None = None
    """What the venue itself gave a routed order has this in place of a trade, whose id is then -1."""
    list_id: int | None = None

    @property
    def quote(self) -> Decimal:
        """What the quantity cost."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class PreventedMatch:
    """A trade that did not happen, because both orders belong to one trader or one group of traders."""

    match_id: int
    symbol: str
    maker_symbol: str
    taker_order_id: int
    maker_order_id: int
    accounts: frozenset[str]
    trade_group: int | None
    mode: PreventionMode
    price: Decimal
    quantity: Decimal
    """What would have traded."""
    taker_prevented: Decimal
    maker_prevented: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class Amendment:
    """An order was made smaller and kept its place."""

    symbol: str
    order_id: int
    execution_id: int
    old_client_order_id: str
    new_client_order_id: str
    old_quantity: Decimal
    new_quantity: Decimal
    time: int
