"""An immutable view of a local order book."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeAlias

from exconn_sync.errors import StaleBook, ValidationError
from exconn_sync.model.depth import CumulativeLevel, Depth, DepthFill, cumulative, depth_of_price, fill_of
from exconn_sync.model.enums import BookState, Side
from exconn_sync.model.numbers import EXACT

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price and quantity of one level."""

_TWO = Decimal(2)


class BookView:
    """The order book of one symbol as it was at one moment.

    A view never changes and may be kept and shared between threads. ``bids`` and ``asks`` are best first. A view of a
    book that is not whole (``is_valid`` False) refuses to be read: its levels raise StaleBook (invariant I12).
    """

    __slots__ = (
        "_age", "_ask_rows", "_asks", "_bid_rows", "_bids", "_covered_asks", "_covered_bids", "_exchange",
        "_exchange_time", "_has_all_asks", "_has_all_bids", "_reason", "_received_at", "_state", "_symbol",
        "_update_id",
    )  # fmt: skip

    def __init__(
        self,
        *,
        exchange: str,
        symbol: str,
        state: BookState,
        bids: Sequence[tuple[Decimal, str]] = (),
        asks: Sequence[tuple[Decimal, str]] = (),
        update_id: int = 0,
        exchange_time: int | None = None,
        received_at: int = 0,
        age: float = 0.0,
        reason: str = "",
        has_all_bids: bool = False,
        has_all_asks: bool = False,
        covered_bids: int | None = None,
        covered_asks: int | None = None,
    ) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._state = state
        self._update_id = update_id
        self._exchange_time = exchange_time
        self._received_at = received_at
        self._age = age
        self._reason = reason
        self._has_all_bids = has_all_bids
        self._has_all_asks = has_all_asks
        self._covered_bids = len(bids) if covered_bids is None else covered_bids
        self._covered_asks = len(asks) if covered_asks is None else covered_asks
        self._bid_rows = bids
        self._ask_rows = asks
        self._bids: tuple[Level, ...] | None = None
        self._asks: tuple[Level, ...] | None = None

    @property
    def exchange(self) -> str:
        """Name of the exchange."""
        return self._exchange

    @property
    def symbol(self) -> str:
        """Canonical symbol."""
        return self._symbol

    @property
    def state(self) -> BookState:
        """``live`` for a readable book, otherwise what it is doing."""
        return self._state

    @property
    def update_id(self) -> int:
        """Id of the last change in it; 0 for a book that never was live."""
        return self._update_id

    @property
    def exchange_time(self) -> int | None:
        """The exchange's time of that change in nanoseconds since the Unix epoch, None if not sent."""
        return self._exchange_time

    @property
    def received_at(self) -> int:
        """Our time of that change in nanoseconds since the Unix epoch; 0 for a book that never was live."""
        return self._received_at

    @property
    def age(self) -> float:
        """Seconds between the last word from the exchange about this book and the making of this view."""
        return self._age

    @property
    def is_valid(self) -> bool:
        """True where the book is whole and may be read."""
        return self.state is BookState.LIVE

    @property
    def bids(self) -> tuple[Level, ...]:
        """Buy levels, highest price first. Raises StaleBook."""
        if self._bids is None:
            self._require_valid()
            self._bids = tuple((price, Decimal(quantity)) for price, quantity in self._bid_rows)
        return self._bids

    @property
    def asks(self) -> tuple[Level, ...]:
        """Sell levels, lowest price first. Raises StaleBook."""
        if self._asks is None:
            self._require_valid()
            self._asks = tuple((price, Decimal(quantity)) for price, quantity in self._ask_rows)
        return self._asks

    @property
    def best_bid(self) -> Level | None:
        """Highest buy level, None where nobody buys. Raises StaleBook."""
        return self._best(self._bid_rows)

    @property
    def best_ask(self) -> Level | None:
        """Lowest sell level, None where nobody sells. Raises StaleBook."""
        return self._best(self._ask_rows)

    @property
    def covered_bids(self) -> int:
        """How many of the shown buy levels, from the best one on, have certainly no other level between them.

        Those after them are true as well, but may not be all. 0 where even the best price may not be the best one,
        because the market has left the levels that the last snapshot showed, and the next one has not come yet.
        """
        return self._covered_bids

    @property
    def covered_asks(self) -> int:
        """The same of the sell levels."""
        return self._covered_asks

    @property
    def has_all_bids(self) -> bool:
        """True where the exchange certainly has no buy level beyond those shown; False where it may have some."""
        return self._has_all_bids

    @property
    def has_all_asks(self) -> bool:
        """True where the exchange certainly has no sell level beyond those shown; False where it may have some."""
        return self._has_all_asks

    @property
    def mid_price(self) -> Decimal | None:
        """The price half way between best bid and best ask, None where one of them is not there. Raises StaleBook."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else EXACT.divide(EXACT.add(bid[0], ask[0]), _TWO)

    @property
    def spread(self) -> Decimal | None:
        """Best ask less best bid, None where one of them is not there. Raises StaleBook."""
        bid, ask = self.best_bid, self.best_ask
        return None if bid is None or ask is None else EXACT.subtract(ask[0], bid[0])

    def fill(
        self,
        side: Side | str,
        *,
        quantity: Decimal | str | int | None = None,
        amount: Decimal | str | int | None = None,
    ) -> DepthFill:
        """Return what a market order would trade now: its average price (VWAP), its slippage, its impact.

        ``side`` is that of the order: ``buy`` takes asks, ``sell`` takes bids. ``quantity`` is in base, ``amount`` in
        quote; one of them is given. Where the shown levels do not hold it, the answer is about the part that they
        hold, and says so with ``is_complete`` and ``missing``.

        >>> book = example_view(bids=[("99", "1")], asks=[("100", "2"), ("101", "3")])
        >>> fill = book.fill("buy", quantity="4")
        >>> fill.average_price, fill.worst_price, fill.amount
        (Decimal('100.5'), Decimal('101'), Decimal('402'))
        >>> book.fill("buy", amount="150").quantity
        Decimal('1.5')
        >>> book.fill("buy", quantity="9").missing
        Decimal('4')

        Raises:
            ValidationError: both or none of them, or no positive exact number.
            StaleBook: the book is not whole.
        """
        wanted = Side.of("side", side)
        return fill_of(wanted, *self._against(wanted), quantity, amount)

    def depth_to(self, side: Side | str, price: Decimal | str | int) -> Depth:
        """Return what an order of this side could trade down to a price, that one included.

        ``buy`` counts the asks up to ``price``, ``sell`` the bids down to it.

        >>> book = example_view(bids=[("99", "1")], asks=[("100", "2"), ("101", "3")])
        >>> book.depth_to("buy", "100.5")
        Depth(quantity=Decimal('2'), amount=Decimal('200'), levels=1, is_complete=True)

        Raises:
            ValidationError: no exact number.
            StaleBook: the book is not whole.
        """
        wanted = Side.of("side", side)
        return depth_of_price(wanted, *self._against(wanted), price)

    def cumulative(self, side: Side | str, levels: int | None = None) -> tuple[CumulativeLevel, ...]:
        """Return the levels that an order of this side takes, best first, each with the sums of all up to it.

        ``levels`` is how many, None for all that are shown; there may be fewer.

        >>> book = example_view(bids=[("99", "1")], asks=[("100", "2"), ("101", "3")])
        >>> book.cumulative("buy")[-1]
        CumulativeLevel(price=Decimal('101'), quantity=Decimal('5'), amount=Decimal('503'))

        Raises:
            ValidationError: ``levels`` is no whole number above zero.
            StaleBook: the book is not whole.
        """
        if levels is not None and (isinstance(levels, bool) or not isinstance(levels, int) or levels < 1):
            raise ValidationError("levels", levels, "must be a whole number above zero, or None")
        rows, _ = self._against(Side.of("side", side))
        return tuple(cumulative(rows[:levels]))

    def _against(self, side: Side) -> tuple[tuple[Level, ...], bool]:
        """Return the levels that an order of a side takes, as far as none is missing, and whether they are all."""
        if side is Side.BUY:
            return self.asks[: self._covered_asks], self.has_all_asks
        return self.bids[: self._covered_bids], self.has_all_bids

    def limited(self, depth: int) -> BookView:
        """Return the same book cut to ``depth`` levels a side."""
        return self._copy(self.exchange, self._bid_rows[:depth], self._ask_rows[:depth])

    def renamed(self, exchange: str) -> BookView:
        """Return the same book under another name of its exchange, to tell two accounts of one exchange apart."""
        return self._copy(exchange, self._bid_rows, self._ask_rows)

    def _copy(
        self, exchange: str, bids: Sequence[tuple[Decimal, str]], asks: Sequence[tuple[Decimal, str]]
    ) -> BookView:
        return BookView(
            exchange=exchange,
            symbol=self.symbol,
            state=self.state,
            bids=bids,
            asks=asks,
            update_id=self.update_id,
            exchange_time=self.exchange_time,
            received_at=self.received_at,
            age=self.age,
            reason=self._reason,
            has_all_bids=self._has_all_bids and len(bids) == len(self._bid_rows),
            has_all_asks=self._has_all_asks and len(asks) == len(self._ask_rows),
            covered_bids=min(self._covered_bids, len(bids)),
            covered_asks=min(self._covered_asks, len(asks)),
        )

    def _best(self, rows: Sequence[tuple[Decimal, str]]) -> Level | None:
        self._require_valid()
        return (rows[0][0], Decimal(rows[0][1])) if rows else None

    def _require_valid(self) -> None:
        if self.state is not BookState.LIVE:
            raise self.unreadable()

    def unreadable(self) -> StaleBook:
        """Return the error that says why a book may not be read. Not for users."""
        return StaleBook(
            f"the {self.symbol} book is {self.state}: {self._reason or 'no snapshot yet'}",
            exchange=self.exchange,
            details={"symbol": self.symbol, "state": str(self.state)},
        )

    def __repr__(self) -> str:
        if not self.is_valid:
            return f"<BookView {self.exchange} {self.symbol} {self.state}>"
        return f"<BookView {self.exchange} {self.symbol} #{self.update_id} bid={self.best_bid} ask={self.best_ask}>"
