"""The instruments of the exchange, loaded by the REST session and read by everybody."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync.errors import NotReady
from exconn_sync.model.instrument import Instrument, Instruments


class Catalogue:
    """Holds the newest table of instruments. The table is immutable and replaced whole, so reading needs no lock."""

    def __init__(self, exchange: str, on_changes: Callable[[Instruments, Instruments], None] | None = None) -> None:
        """``on_changes`` is told of each renewal, with the older and the newer table, by whoever loaded it."""
        self._exchange = exchange
        self._on_changes = on_changes
        self._instruments: Instruments | None = None

    @property
    def is_loaded(self) -> bool:
        """True once there is a table."""
        return self._instruments is not None

    @property
    def instruments(self) -> Instruments:
        """The table; empty before it was loaded."""
        return self._instruments or Instruments(self._exchange)

    def replace(self, instruments: Instruments) -> None:
        """Set a newer table; it remembers what was listed before."""
        older, self._instruments = self._instruments, instruments.after(self._instruments)
        if older is not None and self._on_changes is not None:
            self._on_changes(older, instruments)

    def get(self, symbol: str) -> Instrument:
        """Return the instrument for any understood spelling.

        Raises:
            NotReady: the table is not loaded yet.
            ValidationError: the exchange has no such symbol.
        """
        return self.require().get(symbol)

    def of_order(self, symbol: str) -> Instrument:
        """Return the instrument of an order that exists, also where its symbol is not listed (any more).

        Raises:
            NotReady: the table is not loaded yet.
        """
        return self.require().of_order(symbol)

    def require(self) -> Instruments:
        """Return the table. Raises NotReady where it is not loaded yet."""
        if self._instruments is None:
            raise NotReady(f"the instruments of {self._exchange} are not loaded yet", exchange=self._exchange)
        return self._instruments
