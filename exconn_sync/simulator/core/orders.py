"""Orders and fills as values: a changed order is a new value, never an altered one."""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from exconn_sync.simulator.core.symbols import ZERO


class Side(Enum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The side this one trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Enum):
    """How an order finds its price."""

    LIMIT = "limit"
    LIMIT_MAKER = "limit_maker"
    MARKET = "market"


class TimeInForce(Enum):
    """What happens to the part of an order that does not trade at once."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"


class OrderStatus(Enum):
    """Where an order stands."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"


OPEN_STATUSES = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


class ExpiryReason(Enum):
    """Why the venue itself ended an order."""

    UNFILLED_IOC = "unfilled_ioc"
    UNFILLED_FOK = "unfilled_fok"
    NO_LIQUIDITY = "no_liquidity"


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
    """The id the order had before a cancel gave it another one."""
    expiry_reason: ExpiryReason | None = None

    @property
    def remaining(self) -> Decimal:
        """The quantity that has not traded."""
        return self.quantity - self.filled_quantity

    @property
    def is_open(self) -> bool:
        """Whether the order can still trade."""
        return self.status in OPEN_STATUSES


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

    @property
    def quote(self) -> Decimal:
        """What the quantity cost."""
        return self.price * self.quantity
