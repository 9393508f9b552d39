"""The price collar: how far from the live book an order may trade, and what a market order comes to in it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from exconn_sync.errors import StaleBook
from exconn_sync.model.book_view import BookView, Level
from exconn_sync.model.enums import OrderType, Side
from exconn_sync.model.numbers import EXACT, ZERO, plain_text
from exconn_sync.model.order_terms import TRIGGERED
from exconn_sync.model.orders import OrderRequest


class Walk(NamedTuple):
    """What a market order comes to in a book: its worst price, its quantity in base, and its worth in quote."""

    worst: Decimal
    quantity: Decimal
    notional: Decimal


def walk(levels: Sequence[Level], quantity: Decimal | None, quote_quantity: Decimal | None) -> Walk | None:
    """Return what takes ``quantity``, or ``quote_quantity``, out of the levels; None where they do not hold it."""
    taken = spent = ZERO
    for price, size in levels:
        if quantity is not None:
            part = min(size, EXACT.subtract(quantity, taken))
        elif quote_quantity is not None:
            left = EXACT.subtract(quote_quantity, spent)
            part = size if EXACT.multiply(price, size) <= left else EXACT.divide(left, price)
        else:
            return None
        taken = EXACT.add(taken, part)
        spent = EXACT.add(spent, EXACT.multiply(price, part))
        if part < size or taken == quantity or spent == quote_quantity:
            return Walk(price, taken, spent)
    return None


def opposite(view: BookView, side: Side) -> Sequence[Level]:
    """Return the levels that an order of this side takes. Raises StaleBook."""
    return view.asks if side is Side.BUY else view.bids


def objection(order: OrderRequest, view: BookView, deviation: Decimal, max_age: float | None) -> str:
    """Return why the collar keeps an order out, an empty text where it does not.

    Judged is only what harms: a buy above, a sell below the market. An order that waits for a trigger is compared with
    its trigger, for there the market will be. A pegged order takes its price from the book.
    """
    if order.peg is not None or (order.type in TRIGGERED and (order.price is None or order.stop_price is not None)):
        return _beyond(order, order.stop_price, order.price, deviation, "its trigger")
    if not view.is_valid:
        return f"the {view.symbol} book is {view.state}, so that its price cannot be judged"
    if max_age is not None and view.age > max_age:
        return f"nothing was heard of the {view.symbol} book for {view.age:.1f} s"
    try:
        levels = opposite(view, order.side)
    except StaleBook as error:
        return error.message
    if not levels:
        return f"nobody {'sells' if order.side is Side.BUY else 'buys'} {view.symbol}, so that no price can be judged"
    price = order.price
    if order.type is OrderType.MARKET:
        found = walk(levels, order.quantity, order.quote_quantity)
        if found is None:
            return f"the {view.symbol} book does not hold that much"
        price = found.worst
    return _beyond(order, levels[0][0], price, deviation, "the best opposite price")


def _beyond(order: OrderRequest, reference: Decimal | None, price: Decimal | None, share: Decimal, what: str) -> str:
    if reference is None or price is None:
        return ""
    away = EXACT.subtract(price, reference) if order.side is Side.BUY else EXACT.subtract(reference, price)
    if away <= EXACT.multiply(reference, share):
        return ""
    return (
        f"a price of {plain_text(price)} is more than a share of {plain_text(share)} beyond {what}, "
        f"{plain_text(reference)}"
    )
