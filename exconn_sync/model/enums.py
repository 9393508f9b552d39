"""Words with a fixed meaning, the same for every exchange."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from exconn_sync.errors import ValidationError

EnumT = TypeVar("EnumT", bound="TextEnum")


class TextEnum(str, Enum):
    """An enum whose members compare, hash and print as their text."""

    # That of Enum goes by the name, so that a member and its text would be equal and have different hashes; and it is
    # a function of Python, which tables of facts would call some ten times an order.
    __hash__ = str.__hash__

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def of(cls: type[EnumT], field: str, value: object) -> EnumT:
        """Return the member for a text or member; letter case does not matter.

        Raises:
            ValidationError: the value is none of the members; the message lists them.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            for member in cls:
                if member.value.lower() == value.lower():
                    return member
        raise ValidationError(field, value, "must be one of " + ", ".join(member.value for member in cls))


class Side(TextEnum):
    """Side of an order or fill; for a public trade, the side of the taker."""

    BUY = "buy"
    SELL = "sell"


class OrderType(TextEnum):
    """Kind of order."""

    LIMIT = "limit"
    MARKET = "market"
    STOP_LIMIT = "stop_limit"
    STOP_MARKET = "stop_market"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TAKE_PROFIT_MARKET = "take_profit_market"
    OTHER = "other"
    """A kind that the exchange knows and this library does not place (seen on foreign orders)."""


class WorkingFloor(TextEnum):
    """Where a routed order is at work: on the book of its symbol, or among the books that the router joins."""

    EXCHANGE = "exchange"
    SMART_ROUTING = "smart_routing"


class SelfTradePrevention(TextEnum):
    """What happens where an order would trade with another order of the same account or group.

    The mode of the order that takes liquidity decides. ``expire_...`` ends the resting order, the taking one or both;
    ``decrement`` takes the smaller quantity off both; ``transfer`` does so too and moves the amounts between accounts.
    """

    NONE = "none"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_BOTH = "expire_both"
    DECREMENT = "decrement"
    TRANSFER = "transfer"


class PegPrice(TextEnum):
    """Which price a pegged order takes: the best of its own side (``primary``) or of the opposite one (``market``)."""

    PRIMARY = "primary"
    MARKET = "market"


class TimeInForce(TextEnum):
    """How long an order stays: until cancelled, immediate or cancel, fill or kill."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class OrderStatus(TextEnum):
    """State of an order, as far as it is known.

    ``unknown`` means that it cannot be proven yet whether the exchange has the order (fault model 0.1).
    """

    PENDING_NEW = "pending_new"
    UNKNOWN = "unknown"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_terminal(self) -> bool:
        """True where the order can no longer trade."""
        return self in _TERMINAL


class CommandOutcome(TextEnum):
    """What became of one command of several that were sent as one (fault model 0.1).

    ``not_sent`` and ``refused`` mean that nothing happened at the exchange, ``unknown`` that it may have.
    """

    DONE = "done"
    NOT_SENT = "not_sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class OrderListKind(TextEnum):
    """How the orders of a list depend on each other.

    ``oco``: two orders, of which one cancels the other. ``oto``: a working order, and one that is placed once it is
    filled. ``otoco``: a working order, and an ``oco`` pair once it is filled. ``opo`` and ``opoco``: the same, and the
    pending orders sell what the working one bought.
    """

    OCO = "oco"
    OTO = "oto"
    OTOCO = "otoco"
    OPO = "opo"
    OPOCO = "opoco"


class OrderListStatus(TextEnum):
    """State of an order list as the exchange states it."""

    PENDING = "pending"
    EXECUTING = "executing"
    ALL_DONE = "all_done"
    REJECTED = "rejected"

    @property
    def is_open(self) -> bool:
        """True where orders of the list may still trade, or nobody has spoken yet."""
        return self in (OrderListStatus.PENDING, OrderListStatus.EXECUTING)


_TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED})


class FactSource(TextEnum):
    """Where a fact about an order or balance came from."""

    LOCAL = "local"
    ANSWER = "answer"
    STREAM = "stream"
    QUERY = "query"
    RECONCILIATION = "reconciliation"


class Channel(TextEnum):
    """Kind of event; the first word of a topic pattern such as ``trade.binance.BTC-USDT``."""

    TRADE = "trade"
    BOOK_TICKER = "bookticker"
    ORDER_BOOK = "orderbook"
    AGGREGATE_TRADE = "aggregatetrade"
    KLINE = "kline"
    TICKER = "ticker"
    MINI_TICKER = "miniticker"
    AVERAGE_PRICE = "averageprice"
    PARTIAL_BOOK = "partialbook"
    ORDER = "order"
    FILL = "fill"
    BALANCE = "balance"
    BALANCE_CHANGE = "balancechange"
    ORDER_LIST = "orderlist"
    POSITION = "position"
    INSTRUMENT = "instrument"
    DATA_GAP = "datagap"
    CONNECTION = "connection"
    RISK_ALERT = "riskalert"
    ERROR = "error"

    @property
    def is_market_data(self) -> bool:
        """True for public data, which may be dropped by policy; account events never are."""
        return self in _MARKET_DATA


_MARKET_DATA = frozenset(
    {
        Channel.TRADE,
        Channel.BOOK_TICKER,
        Channel.ORDER_BOOK,
        Channel.AGGREGATE_TRADE,
        Channel.KLINE,
        Channel.TICKER,
        Channel.MINI_TICKER,
        Channel.AVERAGE_PRICE,
        Channel.PARTIAL_BOOK,
    }
)


class BookState(TextEnum):
    """State of a local order book; only ``live`` may be read.

    ``syncing`` waits for a snapshot that joins up with the changes, ``stale`` is missing changes because its connection
    is lost or silent, and of a ``broken`` one something came that cannot be right: it was crossed, or malformed.
    """

    SYNCING = "syncing"
    LIVE = "live"
    STALE = "stale"
    BROKEN = "broken"


class ConnectorState(TextEnum):
    """Life of a connector."""

    NEW = "new"
    CONNECTING = "connecting"
    READY = "ready"
    DEGRADED = "degraded"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
