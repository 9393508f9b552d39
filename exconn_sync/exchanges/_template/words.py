"""The exchange's words for orders and ours; a word that is on no table is never an error (fault F040).

Look up: every status of an order, old and rare ones too, and what it means that an order "expired": whether somebody
asked for the end (``canceled``) or the exchange did it by itself (``expired``).
"""

from __future__ import annotations

from exconn_sync.model.enums import OrderStatus, OrderType, Side, TimeInForce

_STATUSES = {
    "open": OrderStatus.NEW,
    "partly_filled": OrderStatus.PARTIALLY_FILLED,
    "filled": OrderStatus.FILLED,
    "cancelled": OrderStatus.CANCELED,
    "expired": OrderStatus.EXPIRED,
    "rejected": OrderStatus.REJECTED,
}

SIDES = {Side.BUY: "buy", Side.SELL: "sell"}
_SIDES_OF = {word: side for side, word in SIDES.items()}

KINDS = {OrderType.LIMIT: "limit", OrderType.MARKET: "market"}
_KINDS_OF = {word: kind for kind, word in KINDS.items()}

POST_ONLY = "post_only"
RULES = {TimeInForce.GTC: "until_cancelled", TimeInForce.IOC: "at_once_or_cancel", TimeInForce.FOK: "whole_or_nothing"}
_RULES_OF = {word: rule for rule, word in RULES.items()} | {POST_ONLY: TimeInForce.GTC}


def status_of(word: str) -> OrderStatus | None:
    """Return the status, or None for a word that says nothing to us."""
    return _STATUSES.get(word)


def side_of(word: str | None) -> Side | None:
    """Return the side, or None for an absent or unknown word."""
    return None if word is None else _SIDES_OF.get(word)


def known_side_of(word: str) -> Side:
    """Return the side of a trade, which means nothing without one.

    Raises:
        ValueError: an unknown word.
    """
    side = side_of(word)
    if side is None:
        raise ValueError("a trade without a known side")
    return side


def kind_of(word: str | None) -> OrderType | None:
    """Return the kind of an order, ``other`` for an unknown one, None for an absent word."""
    return None if word is None else _KINDS_OF.get(word, OrderType.OTHER)


def time_in_force_of(word: str | None) -> TimeInForce | None:
    """Return the time in force, or None for an absent or unknown word."""
    return None if word is None else _RULES_OF.get(word)
