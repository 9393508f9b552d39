"""The positions of the account, and what is in them of fills whose records were archived."""

from __future__ import annotations

from collections.abc import Iterable

from exconn_sync._machines.digests import FillDigests
from exconn_sync._machines.exposure import Exposure
from exconn_sync._machines.position import PositionBook
from exconn_sync._store.told import fill_key
from exconn_sync.model.account import Fact, Position
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.orders import Fill


class PositionTable:
    """By symbol. Not thread-safe: the store's lock guards it."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._books: dict[str, PositionBook] = {}
        self._values: dict[str, Position] = {}
        self._archived = FillDigests()

    def is_archived(self, fill: Fill) -> bool:
        """Return whether a fill has been counted, told and archived before."""
        return fill_key(fill) in self._archived

    def add(self, fill: Fill) -> Position | None:
        """Take a fill; return the position where it changed."""
        book = self._book(fill.symbol)
        if not book.add(fill):
            return None
        self._values[fill.symbol] = book.position
        return book.position

    def note_archived(self, facts: Iterable[Fact]) -> None:
        """Learn from the facts of a journal which fills were archived, before they are joined."""
        for fact in facts:
            if isinstance(fact, Archived):
                self._archived = FillDigests(fact.fills)

    def take_up(self, facts: Iterable[Fact], exposure: Exposure) -> None:
        """Begin the positions, ours too, with what a journal says that archived fills add up to."""
        for fact in facts:
            if isinstance(fact, Carried) and fact.is_own:
                exposure.carry(fact, self.is_archived)
            elif isinstance(fact, Carried):
                book = self._book(fact.symbol)
                book.take_up(fact, self.is_archived)
                self._values[fact.symbol] = book.position

    def all(self) -> dict[str, Position]:
        """Return the positions by symbol."""
        return dict(self._values)

    def _book(self, symbol: str) -> PositionBook:
        book = self._books.get(symbol)
        if book is None:
            base, _, quote = symbol.partition("-")
            book = self._books[symbol] = PositionBook(self._exchange, symbol, base, quote)
        return book
