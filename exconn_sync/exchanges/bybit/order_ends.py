"""What Bybit's status, cancel type and reject reason together say of an order (Bybit: 4.14, 4.15, 7.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from exconn_sync.exchanges.bybit.words import PARTLY_CANCELED, WAITING, reason_of, status_of
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.numbers import EXACT, ZERO

_BY_USER = frozenset({"CancelByUser"})
_USER_REASONS = frozenset({"EC_PerCancelRequest"})
_DEACTIVATED = "Deactivated"
_ON_THE_BOOK = frozenset({"New", "PartiallyFilled", "Filled"})


class Amounts(NamedTuple):
    """How far an order got: what was asked for and traded in the quote asset, and traded in the base asset."""

    wanted_quote: Decimal | None
    traded_quote: Decimal | None
    traded: Decimal | None


class End(NamedTuple):
    """What became of an order, None for a word of the future; ``reason`` is empty where there is nothing to explain."""

    status: OrderStatus | None
    reason: str


def end_of(word: str, cancel_type: str | None, reject_reason: str | None, amounts: Amounts, lot_step: Decimal) -> End:
    """Return the status of an order, and why it ended.

    The words for a user's cancel and for an end by the exchange are the same; the reasons beside them tell the two
    apart: ``canceled`` is what somebody asked for, ``expired`` what the exchange did by itself (fault F110).
    """
    status = status_of(word)
    if status is None:
        return End(None, reason_of(word))
    if not status.is_terminal or status is OrderStatus.FILLED:
        # A lost cancel may stand beside a fill, and says nothing of the order (Bybit: 7.3).
        return End(status, "")
    reason = reason_of(reject_reason, cancel_type)
    if status is OrderStatus.REJECTED:
        # What has traded was at the exchange, whatever it is called (Bybit: 4.14).
        return End(OrderStatus.EXPIRED if amounts.traded else status, reason or word)
    is_by_user = cancel_type in _BY_USER
    if reject_reason in _USER_REASONS:
        # So it is worded for any cancel; by whom, the cancel type says where it says anything.
        reason = reason_of(cancel_type)
        is_by_user = is_by_user or not reason
    if word == PARTLY_CANCELED and not is_by_user and is_spent(amounts, lot_step):
        # Also where no reason is told: nobody has cancelled what was done.
        return End(OrderStatus.FILLED, "")
    if is_by_user or not reason:
        return End(status, word if word == _DEACTIVATED else "")
    return End(OrderStatus.EXPIRED, reason)


def is_spent(amounts: Amounts, lot_step: Decimal) -> bool:
    """Return whether an order for an amount of the quote asset has left less than the smallest quantity costs.

    Such an order ends as cancelled although all was bought that could be (Bybit: 4.14). The price of its next step
    would not be below the average of those it bought; with less than that left, it could buy none.
    """
    wanted, spent, bought = amounts
    if wanted is None or not spent or not bought or lot_step == ZERO:
        return False
    left = EXACT.subtract(wanted, spent)
    return left >= ZERO and EXACT.multiply(left, bought) < EXACT.multiply(lot_step, spent)


def is_working(word: str) -> bool | None:
    """Return whether an order is on the book, None where its status does not say."""
    if word in WAITING:
        return False
    return True if word in _ON_THE_BOOK else None
