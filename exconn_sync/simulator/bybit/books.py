"""Books as this wire numbers them: each depth of a symbol has updates of its own (Bybit: 6.3)."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from exconn_sync.simulator.bybit.wire import number
from exconn_sync.simulator.core.book import OrderBook
from exconn_sync.simulator.core.events import CommandEnded, Event
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import Side

DEPTHS = (1, 50, 200, 1000)
DEEPEST = 1000
_FIRST_ID = 20_000
_FIRST_SEQ = 70_000_000
_RESTARTED = 1

Rows = list[list[str]]
Tell = Callable[[str, "DepthView", tuple[Rows, Rows]], None]
"""Takes the changes of a view: its symbol, itself, bids and asks."""


class DepthView:
    """What has been told of a book down to a depth, and under which number."""

    def __init__(self, book: OrderBook, depth: int) -> None:
        self._book = book
        self.depth = depth
        self.update_id = _FIRST_ID
        self._seen = -1
        self._told: dict[Side, dict[Decimal, Decimal]] = {side: {} for side in Side}
        self.advance()

    def advance(self) -> tuple[Rows, Rows] | None:
        """Take what changed since the last time; bids and asks, or None where nothing did at this depth."""
        if self._book.update_id == self._seen:
            return None
        self._seen = self._book.update_id
        changes = {side: self._advance_side(side) for side in Side}
        if not any(changes.values()):
            return None
        self.update_id += 1
        return changes[Side.BUY], changes[Side.SELL]

    def restart(self) -> None:
        """Begin to count anew."""
        self.advance()
        self.update_id = _RESTARTED

    def rows(self, limit: int | None = None) -> tuple[Rows, Rows]:
        """What has been told, bids and asks, best first."""
        told = self._told
        return _rows(told[Side.BUY], limit), _rows(told[Side.SELL], limit)

    def _advance_side(self, side: Side) -> Rows:
        before, now = self._told[side], dict(self._book.levels(side, self.depth))
        self._told[side] = now
        changed = [[number(price), number(size)] for price, size in now.items() if before.get(price) != size]
        return changed + [[number(price), "0"] for price in before if price not in now]


class Books:
    """The views of all symbols, and when the matching engine last touched a book."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.views = {
            (symbol, depth): DepthView(market.book, depth)
            for symbol, market in exchange.markets.items()
            for depth in DEPTHS
        }
        self._touched_at: dict[str, int] = {}
        self.on_change: list[Tell] = []
        exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, CommandEnded):
            self._touched_at[event.symbol] = event.time

    def advance(self, symbol: str, depth: int) -> DepthView:
        """Take what changed at a depth and tell it, if anything did."""
        view = self.views[symbol, depth]
        changes = view.advance()
        if changes is not None:
            for tell in self.on_change:
                tell(symbol, view, changes)
        return view

    def seq(self, symbol: str) -> int:
        """The sequence number that books and trades of a symbol share."""
        return _FIRST_SEQ + self._exchange.market(symbol).book.update_id

    def touched_at(self, symbol: str, now: int) -> int:
        """When the matching engine last did something here, as far as is known."""
        return self._touched_at.get(symbol, now)

    def restart(self, symbol: str | None) -> None:
        """Number the books of a symbol, or of all, anew."""
        for (name, _), view in self.views.items():
            if symbol in (None, name):
                view.restart()

    def data(self, view: DepthView, symbol: str, rows: tuple[Rows, Rows]) -> Mapping[str, object]:
        """The ``data`` of a message."""
        return {"s": symbol, "b": rows[0], "a": rows[1], "u": view.update_id, "seq": self.seq(symbol)}


def _rows(levels: Mapping[Decimal, Decimal], limit: int | None) -> Rows:
    return [[number(price), number(size)] for price, size in list(levels.items())[:limit]]
