"""Bybit's words for orders and ours; a word that is on no table is never an error (Bybit: 4.14, 4.15, fault F040)."""

from __future__ import annotations

from collections.abc import Collection

from exconn_sync.exchanges.decoding import clean_text
from exconn_sync.model.enums import OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce

POST_ONLY = "PostOnly"
PARTLY_CANCELED = "PartiallyFilledCanceled"
WAITING = frozenset({"Untriggered", "Triggered"})
"""The exchange has the order, and it is not in the book yet."""

_STATUSES = {
    "New": OrderStatus.NEW,
    "Untriggered": OrderStatus.NEW,
    "Triggered": OrderStatus.NEW,
    # Words of the classic accounts, which some answers still have (Bybit: 4.14).
    "Created": OrderStatus.NEW,
    "Active": OrderStatus.NEW,
    "PartiallyFilled": OrderStatus.PARTIALLY_FILLED,
    "Filled": OrderStatus.FILLED,
    "Cancelled": OrderStatus.CANCELED,
    PARTLY_CANCELED: OrderStatus.CANCELED,
    "Deactivated": OrderStatus.CANCELED,
    "Rejected": OrderStatus.REJECTED,
}

SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
_SIDES_OF = {word: side for side, word in SIDES.items()}

TIMES_IN_FORCE = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
_TIMES_OF = {word: time for time, word in TIMES_IN_FORCE.items()} | {POST_ONLY: TimeInForce.GTC, "RPI": TimeInForce.GTC}

PREVENTIONS = {
    SelfTradePrevention.NONE: "None",
    SelfTradePrevention.EXPIRE_MAKER: "CancelMaker",
    SelfTradePrevention.EXPIRE_TAKER: "CancelTaker",
    SelfTradePrevention.EXPIRE_BOTH: "CancelBoth",
}
_PREVENTIONS_OF = {word: mode for mode, word in PREVENTIONS.items()}

_ORDER_TYPES = {"Limit": OrderType.LIMIT, "Market": OrderType.MARKET}

STATUS_WORDS: Collection[str] = _STATUSES.keys()
TIME_WORDS: Collection[str] = _TIMES_OF.keys()
ORDER_TYPE_WORDS: Collection[str] = _ORDER_TYPES.keys()
_SAYS_NOTHING = frozenset({"", "UNKNOWN", "EC_NoError", "NO_ERROR"})


def status_of(word: str | None) -> OrderStatus | None:
    """Return the status, or None for a word that says nothing to us."""
    return None if word is None else _STATUSES.get(word)


def unusual_status(word: str | None) -> str | None:
    """Return the word itself where the status alone would lose what it says (faults F040, F111), else None."""
    return word if word in (PARTLY_CANCELED, "Deactivated") or status_of(word) is None else None


def order_type_of(word: str | None) -> OrderType | None:
    """Return the kind of order, ``other`` for an unknown one, None for an absent word.

    A conditional order has the kind that it gets once it is triggered.
    """
    return _ORDER_TYPES.get(word, OrderType.OTHER) if word else None


def side_of(word: str | None) -> Side | None:
    """Return the side, or None for an absent or unknown word."""
    return None if word is None else _SIDES_OF.get(word)


def known_side_of(word: str | None) -> Side:
    """Return the side of a trade, which means nothing without one.

    Raises:
        ValueError: an absent or unknown word.
    """
    side = side_of(word)
    if side is None:
        raise ValueError("a trade without a known side")
    return side


def time_in_force_of(word: str | None) -> TimeInForce | None:
    """Return the time in force, or None for an absent or unknown word; post-only orders stay until cancelled."""
    return None if word is None else _TIMES_OF.get(word)


def prevention_of(word: str | None) -> SelfTradePrevention | None:
    """Return the mode of self-trade prevention, or None for an absent or unknown word."""
    return None if word is None else _PREVENTIONS_OF.get(word)


def reason_of(*words: str | None) -> str:
    """Return the first reason that says something, as the exchange words it (fault F110), or an empty text."""
    return next((clean_text(word) for word in words if word is not None and word not in _SAYS_NOTHING), "")


INTERVALS = {
    "1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "1h": "60", "2h": "120", "4h": "240", "6h": "360",
    "12h": "720", "1d": "D", "1w": "W", "1M": "M",
}  # fmt: skip
"""Lengths of candles (Bybit: 4.6)."""
