"""Binance's words for orders and ours; a word that is on no table is never an error (Binance: 5.11, fault F040)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from exconn_sync.exchanges.decoding import clean_text
from exconn_sync.model.enums import (
    OrderListKind,
    OrderListStatus,
    OrderStatus,
    OrderType,
    PegPrice,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WorkingFloor,
)

PENDING = "PENDING_NEW"

_STATUSES = {
    "NEW": OrderStatus.NEW,
    # The exchange has it, where ``pending_new`` means that nobody knows yet; it waits for another order of its list.
    PENDING: OrderStatus.NEW,
    "PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED,
    "FILLED": OrderStatus.FILLED,
    "CANCELED": OrderStatus.CANCELED,
    "REJECTED": OrderStatus.REJECTED,
    "EXPIRED": OrderStatus.EXPIRED,
    "EXPIRED_IN_MATCH": OrderStatus.EXPIRED,
}

_ORDER_TYPES = {
    "LIMIT": OrderType.LIMIT,
    "LIMIT_MAKER": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP_MARKET,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}

_POST_ONLY = {"LIMIT_MAKER": True, "LIMIT": False}
_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_LIST_STATUSES = {
    "EXECUTING": OrderListStatus.EXECUTING,
    "ALL_DONE": OrderListStatus.ALL_DONE,
    "REJECT": OrderListStatus.REJECTED,
}
# The contingency of all other kinds is OTO too (Binance: 5.9), so that it says little.
_LIST_KINDS = {"OCO": OrderListKind.OCO}
_PEGS = {"PRIMARY_PEG": PegPrice.PRIMARY, "MARKET_PEG": PegPrice.MARKET}
_FLOORS = {"SOR": WorkingFloor.SMART_ROUTING, "EXCHANGE": WorkingFloor.EXCHANGE}
_PREVENTIONS = {mode.value.upper(): mode for mode in SelfTradePrevention}
_TIMES_IN_FORCE = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}

OFFERED_TYPES = {
    "LIMIT": OrderType.LIMIT,
    "MARKET": OrderType.MARKET,
    "STOP_LOSS": OrderType.STOP_MARKET,
    "STOP_LOSS_LIMIT": OrderType.STOP_LIMIT,
    "TAKE_PROFIT": OrderType.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT_LIMIT": OrderType.TAKE_PROFIT_LIMIT,
}
"""The kinds of a symbol's list that this library places."""


def status_of(word: str | None) -> OrderStatus | None:
    """Return the status, or None for a word that says nothing to us: unknown, or the unused PENDING_CANCEL."""
    return None if word is None else _STATUSES.get(word)


def unusual_status(word: str | None) -> str | None:
    """Return the word itself where the status alone would lose what it says (faults F040, F111), else None."""
    return word if word == "EXPIRED_IN_MATCH" or status_of(word) is None else None


def order_type_of(word: str | None) -> OrderType | None:
    """Return the kind of order, ``other`` for one that is not placed by this library, None for an absent word."""
    return None if word is None else _ORDER_TYPES.get(word, OrderType.OTHER)


def post_only_of(word: str | None) -> bool | None:
    """Return whether a limit order only makes; None for all others, where it makes no sense."""
    return _POST_ONLY.get(word or "")


def side_of(word: str | None) -> Side | None:
    """Return the side, or None for an absent or unknown word."""
    return None if word is None else _SIDES.get(word)


def known_side_of(word: str | None) -> Side:
    """Return the side of a fill, which means nothing without one.

    Raises:
        ValueError: an absent or unknown word.
    """
    side = side_of(word)
    if side is None:
        raise ValueError("a fill without a known side")
    return side


def reason_of(*words: str | None) -> str:
    """Return the first reason that says something, as the exchange words it (fault F110), or an empty text."""
    return next((clean_text(word) for word in words if word and word != "NONE"), "")


def time_in_force_of(word: str | None) -> TimeInForce | None:
    """Return the time in force, or None for an absent or unknown word."""
    return None if word is None else _TIMES_IN_FORCE.get(word)


def prevention_of(word: str | None) -> SelfTradePrevention | None:
    """Return the mode of self-trade prevention, or None for an absent or unknown word."""
    return None if word is None else _PREVENTIONS.get(word)


def peg_of(word: str | None) -> PegPrice | None:
    """Return the kind of peg, or None for an absent or unknown word."""
    return None if word is None else _PEGS.get(word)


def floor_of(word: str | None) -> WorkingFloor | None:
    """Return where a routed order is at work, or None for an absent or unknown word."""
    return None if word is None else _FLOORS.get(word)


def list_id_of(number: int | None) -> str | None:
    """Return the id of an order list, None for an order that stands alone (Binance: 5.5: -1)."""
    return None if number is None or number < 0 else str(number)


def list_status_of(word: str | None) -> OrderListStatus | None:
    """Return the status of an order list, or None for an absent or unknown word."""
    return None if word is None else _LIST_STATUSES.get(word)


def list_kind_of(word: str | None) -> OrderListKind | None:
    """Return the kind of an order list where the contingency tells it."""
    return None if word is None else _LIST_KINDS.get(word)


ORDER_STATUS_WORDS: Collection[str] = _STATUSES.keys()
CONTINGENCIES: Collection[str] = ("OCO", "OTO")

KNOWN: Mapping[str, Collection[str]] = {
    "side": _SIDES,
    "type": _ORDER_TYPES,
    "time_in_force": _TIMES_IN_FORCE,
    "prevention": _PREVENTIONS,
    "peg": _PEGS,
    "floor": _FLOORS,
    "list_status": _LIST_STATUSES,
    "contingency": CONTINGENCIES,
}
"""The words of this version by their subject."""


def unknown_word(**words: str | None) -> str | None:
    """Return the first of several words that is on no table, with its subject, so that it can be counted; or None."""
    for subject, word in words.items():
        if word is not None and word not in KNOWN[subject]:
            return f"{subject} {word}"
    return None


def taker_side(*, buyer_is_maker: bool) -> Side:
    """Return the side of the taker of a public trade."""
    return Side.SELL if buyer_is_maker else Side.BUY
