"""The words of an order: which way it goes, how it finds its price, how long it stays."""

from enum import Enum


class Side(Enum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> "Side":
        """The side this one trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Enum):
    """How an order finds its price, and whether it waits for one first."""

    LIMIT = "limit"
    LIMIT_MAKER = "limit_maker"
    MARKET = "market"
    STOP_LOSS = "stop_loss"
    STOP_LOSS_LIMIT = "stop_loss_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"

    @property
    def is_stop(self) -> bool:
        """Whether the order waits for a price before it works."""
        return self in _STOPS

    @property
    def has_limit(self) -> bool:
        """Whether the order names the worst price it accepts."""
        return self not in _MARKET_TYPES


_STOPS = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})
_MARKET_TYPES = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})
_STOP_LOSSES = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})


def triggers_above(kind: OrderType, side: Side) -> bool:
    """Whether a stop order waits above the market (a stop-loss buy, a take-profit sell) or below it."""
    return (kind in _STOP_LOSSES) == (side is Side.BUY)


class PreventionMode(Enum):
    """What happens instead of a trade when the two orders belong to one trader."""

    NONE = "none"
    EXPIRE_MAKER = "expire_maker"
    EXPIRE_TAKER = "expire_taker"
    EXPIRE_BOTH = "expire_both"
    DECREMENT = "decrement"
    TRANSFER = "transfer"


class PegPrice(Enum):
    """From which side of the book a pegged order takes its price."""

    PRIMARY_PEG = "own"
    MARKET_PEG = "opposite"


class TimeInForce(Enum):
    """What happens to the part of an order that does not trade at once."""

    GTC = "good_till_canceled"
    IOC = "immediate_or_cancel"
    FOK = "fill_or_kill"
