"""One picture of a symbol over several exchanges, out of views of their books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from exconn_sync.errors import ValidationError
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import Side
from exconn_sync.model.numbers import EXACT, ZERO

_NO_LEG = (None, None, None)


@dataclass(frozen=True)
class BestPrice:
    """The best bid and ask over several exchanges; fields are None where no exchange has that side.

    ``is_crossed`` is True where one exchange's bid is at or above another one's ask. ``ages`` holds the age in seconds
    of each book that was used, ``left_out`` why a book was not.
    """

    symbol: str
    bid_price: Decimal | None = None
    bid_quantity: Decimal | None = None
    bid_exchange: str | None = None
    ask_price: Decimal | None = None
    ask_quantity: Decimal | None = None
    ask_exchange: str | None = None
    spread: Decimal | None = None
    is_crossed: bool = False
    ages: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def best_price(views: Sequence[BookView], max_age: float) -> BestPrice:
    """Return the best prices out of the views that are live and not older than ``max_age`` seconds.

    At equal prices the larger quantity wins, then the exchange's name.

    Raises:
        ValidationError: the views are of different symbols.
    """
    symbol = _symbol_of(views)
    left_out = {view.exchange: reason for view in views if (reason := _why_not(view, max_age))}
    used = [view for view in views if view.exchange not in left_out]
    bids = [(*view.best_bid, view.exchange) for view in used if view.best_bid is not None]
    asks = [(*view.best_ask, view.exchange) for view in used if view.best_ask is not None]
    bid = min(bids, key=lambda leg: (leg[0].copy_negate(), leg[1].copy_negate(), leg[2]), default=None)
    ask = min(asks, key=lambda leg: (leg[0], leg[1].copy_negate(), leg[2]), default=None)
    spread = EXACT.subtract(ask[0], bid[0]) if bid is not None and ask is not None else None
    bid_price, bid_quantity, bid_exchange = bid or _NO_LEG
    ask_price, ask_quantity, ask_exchange = ask or _NO_LEG
    return BestPrice(
        symbol=symbol,
        bid_price=bid_price,
        bid_quantity=bid_quantity,
        bid_exchange=bid_exchange,
        ask_price=ask_price,
        ask_quantity=ask_quantity,
        ask_exchange=ask_exchange,
        spread=spread,
        is_crossed=spread is not None and spread <= ZERO,
        ages=MappingProxyType({view.exchange: view.age for view in used}),
        left_out=MappingProxyType(left_out),
    )


def merged_levels(views: Sequence[BookView], side: Side, depth: int | None) -> list[tuple[Decimal, Decimal, str]]:
    """Return the best ``depth`` levels of all live views as price, quantity and exchange, best first.

    ``Side.BUY`` gives the bids. Levels of one price stay separate, by exchange name.
    """
    levels = [
        (price, quantity, view.exchange)
        for view in views
        if view.is_valid
        for price, quantity in (view.bids if side is Side.BUY else view.asks)[:depth]
    ]
    if side is Side.BUY:
        levels.sort(key=lambda level: (level[0].copy_negate(), level[2]))
    else:
        levels.sort(key=lambda level: (level[0], level[2]))
    return levels[:depth]


def _symbol_of(views: Sequence[BookView]) -> str:
    symbols = {view.symbol for view in views}
    if len(symbols) > 1:
        raise ValidationError("views", sorted(symbols), "must be views of one symbol")
    return next(iter(symbols), "")


def _why_not(view: BookView, max_age: float) -> str:
    if not view.is_valid:
        return str(view.state)
    # The age alone: what the machine did not hear for a while may have changed, however whole it is (I13).
    return f"no word for {view.age:.1f} s" if view.age > max_age else ""
