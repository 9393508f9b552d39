"""What the fills of one symbol add up to; any order of arrival gives the same.

A fee in the base asset is booked as a sale of that amount at the fill's price whose proceeds pay the fee. So at any
time: the quote that went in and out = realized profit - quantity * average price (where nothing is rounded).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple

from exconn_sync._machines.fills import TradeReports, fill_order
from exconn_sync.model.account import Position
from exconn_sync.model.carried import Carried
from exconn_sync.model.enums import Side
from exconn_sync.model.ids import ExchangeOrderId, TradeId
from exconn_sync.model.numbers import EXACT, ZERO, plain_text, quotient
from exconn_sync.model.orders import Fill


def fold_position(exchange: str, symbol: str, base: str, quote: str, fills: Iterable[Fill]) -> Position:
    """Return the position that a set of fills leads to; a fill that occurs twice counts once (fault F096)."""
    book = PositionBook(exchange, symbol, base, quote)
    for fill in fills:
        book.add(fill)
    return book.position


def carried_over(
    exchange: str,
    symbol: str,
    fills: Iterable[Fill],
    begin: Carried | None,
    counted: Iterable[tuple[str, str]],
    *,
    is_own: bool,
) -> Carried:
    """Return what the oldest fills of a symbol add up to, after those that ``begin`` has."""
    base, _, quote = symbol.partition("-")
    total = _Sum(base, quote, begin)
    for fill in sorted(fills, key=fill_order):
        total.add(fill)
    return total.carried(exchange, symbol, is_own=is_own, counted=counted)


class Period(NamedTuple):
    """What the fills since a moment have realized: in the quote asset, and fees in neither base nor quote by asset."""

    realized: Decimal
    other_fees: dict[str, Decimal]


class PositionBook:
    """The position of one symbol, kept up to date; cheap while fills arrive in order, right also where they do not."""

    def __init__(self, exchange: str, symbol: str, base: str, quote: str) -> None:
        self._exchange = exchange
        self._symbol = symbol
        self._base = base
        self._quote = quote
        # By trade and order: a trade between two orders of one account counts for each.
        self._trades: dict[tuple[TradeId, ExchangeOrderId], TradeReports] = {}
        self._in_order: list[Fill] = []
        # What fills that are no longer here add up to, and which of those that still are here are in it.
        self._carried: Carried | None = None
        self._counted: frozenset[tuple[str, str]] = frozenset()
        self._is_gone: Callable[[Fill], bool] = _is_here
        self._sum = _Sum(base, quote)
        self._is_late = False
        # What there was at a moment that was asked about, until a fill from before it arrives.
        self._earlier: tuple[int, Position] | None = None

    def add(self, fill: Fill) -> bool:
        """Take a fill; return whether it changed what is known."""
        key = (fill.trade_id, fill.exchange_order_id)
        if key in self._counted or self._is_gone(fill):
            return False
        reports = self._trades.get(key)
        if reports is None:
            self._trades[key] = TradeReports(fill)
            self._forget(fill)
            self._insert(fill)
            return True
        before = reports.chosen
        reports.add(fill)
        if reports.chosen == before:
            return False
        self._forget(before)
        self._forget(reports.chosen)
        self._in_order.remove(before)
        insort(self._in_order, reports.chosen, key=fill_order)
        self._is_late = True
        return True

    def take_up(self, carried: Carried, is_gone: Callable[[Fill], bool]) -> None:
        """Begin with what older fills add up to; ``is_gone`` tells which of those known here are among them."""
        self._carried, self._counted, self._is_gone = carried, frozenset(carried.counted), is_gone
        self._trades = {
            key: reports
            for key, reports in self._trades.items()
            if key not in self._counted and not is_gone(reports.chosen)
        }
        self._in_order = sorted((reports.chosen for reports in self._trades.values()), key=fill_order)
        self._is_late, self._earlier = True, None

    @property
    def position(self) -> Position:
        """The position as of all fills known."""
        if self._is_late:
            # Entry prices depend on the order of the fills, so a late one changes everything after it.
            self._sum = _Sum(self._base, self._quote, self._carried)
            for fill in self._in_order:
                self._sum.add(fill)
            self._is_late = False
        return self._sum.position(self._exchange, self._symbol)

    def since(self, at_ns: int) -> Period:
        """Return what the fills from a moment on have realized; cheap where the same moment is asked about again."""
        if self._earlier is None or self._earlier[0] != at_ns:
            earlier = _Sum(self._base, self._quote, self._carried)
            for fill in self._in_order:
                if _time_of(fill) < at_ns:
                    earlier.add(fill)
            self._earlier = at_ns, earlier.position(self._exchange, self._symbol)
        before, now = self._earlier[1], self.position
        fees = dict(now.other_fees)
        for asset, fee in before.other_fees:
            fees[asset] = EXACT.subtract(fees[asset], fee)
        return Period(EXACT.subtract(now.realized, before.realized), {name: fee for name, fee in fees.items() if fee})

    def _forget(self, fill: Fill) -> None:
        if self._earlier is not None and _time_of(fill) < self._earlier[0]:
            self._earlier = None

    def _insert(self, fill: Fill) -> None:
        if self._in_order and fill_order(fill) < fill_order(self._in_order[-1]):
            insort(self._in_order, fill, key=fill_order)
            self._is_late = True
            return
        self._in_order.append(fill)
        if not self._is_late:
            self._sum.add(fill)


def _is_here(fill: Fill) -> bool:
    del fill
    return False


def _time_of(fill: Fill) -> int:
    return fill.received_at if fill.exchange_time is None else fill.exchange_time


class _Sum:
    """Adds fills up in the order in which they happened."""

    def __init__(self, base: str, quote: str, begin: Carried | None = None) -> None:
        self._base = base
        self._quote = quote
        self._quantity = ZERO if begin is None else begin.quantity
        # What the open quantity cost, or brought in where it is short; never negative.
        self._cost = ZERO if begin is None else begin.cost
        self._realized = ZERO if begin is None else begin.realized
        self._other_fees: dict[str, Decimal] = {} if begin is None else dict(begin.other_fees)
        self._received_at = 0 if begin is None else begin.received_at

    def add(self, fill: Fill) -> None:
        """Add the next fill."""
        self._trade(fill.quantity if fill.side is Side.BUY else fill.quantity.copy_negate(), fill.price)
        self._received_at = max(self._received_at, fill.received_at)
        if fill.fee_asset == self._base:
            self._trade(fill.fee.copy_negate(), fill.price)
            self._realized = EXACT.subtract(self._realized, EXACT.multiply(fill.fee, fill.price))
        elif fill.fee_asset == self._quote:
            self._realized = EXACT.subtract(self._realized, fill.fee)
        elif fill.fee_asset is not None:
            self._other_fees[fill.fee_asset] = EXACT.add(self._other_fees.get(fill.fee_asset, ZERO), fill.fee)

    def _trade(self, change: Decimal, price: Decimal) -> None:
        """Move the quantity by ``change`` at ``price``: first reduce what is open the other way, then add."""
        held = self._quantity
        if (held > ZERO) != (change > ZERO) and held != ZERO:
            closed = min(held.copy_abs(), change.copy_abs())
            self._close(closed, price)
            change = EXACT.subtract(change, closed.copy_sign(change))
        self._quantity = EXACT.add(self._quantity, change)
        self._cost = EXACT.add(self._cost, EXACT.multiply(change.copy_abs(), price))

    def _close(self, closed: Decimal, price: Decimal) -> None:
        held = self._quantity
        whole = held.copy_abs()
        # A position closed as a whole gives back its whole cost: rounding must leave nothing behind.
        cost = self._cost if closed == whole else EXACT.divide(EXACT.multiply(self._cost, closed), whole)
        profit = EXACT.subtract(EXACT.multiply(closed, price), cost)
        self._realized = EXACT.add(self._realized, profit if held > ZERO else profit.copy_negate())
        self._cost = ZERO if closed == whole else EXACT.subtract(self._cost, cost)
        self._quantity = EXACT.subtract(held, closed.copy_sign(held))

    def carried(self, exchange: str, symbol: str, *, is_own: bool, counted: Iterable[tuple[str, str]]) -> Carried:
        """Return all of it, to go on from there."""
        fees = tuple(sorted(self._other_fees.items()))
        return Carried(
            exchange, symbol, is_own, self._quantity, self._cost, self._realized, self._received_at, fees,
            tuple(sorted(counted)),
        )  # fmt: skip

    def position(self, exchange: str, symbol: str) -> Position:
        """Return what was added up so far."""
        is_flat = self._quantity == ZERO
        return Position(
            exchange=exchange,
            symbol=symbol,
            quantity=self._quantity,
            average_price=None if is_flat else quotient(self._cost, self._quantity.copy_abs()),
            realized=_short(self._realized),
            other_fees=tuple(sorted(self._other_fees.items())),
            received_at=self._received_at,
        )


def _short(number: Decimal) -> Decimal:
    """Return the same number without the dozens of zeros that a division may leave behind its point."""
    return Decimal(plain_text(number))
