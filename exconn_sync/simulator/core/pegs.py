"""Pegged orders: a price from the book, taken once, when the order goes to work (Binance: 5.8)."""

from decimal import Decimal

from exconn_sync.simulator.core.book import OrderBook
from exconn_sync.simulator.core.orders import Peg, PegPrice, Side


def pegged_price(book: OrderBook, side: Side, peg: Peg) -> Decimal | None:
    """The price a peg has now, or None while the book is too thin for it."""
    source = side if peg.price is PegPrice.PRIMARY_PEG else side.opposite
    depth = (peg.levels or 0) + 1
    levels = book.levels(source, depth)
    return levels[-1][0] if len(levels) == depth else None
