"""Orders placed elsewhere that came and ended while the account stream was lost (faults F098, F100).

An order of ours is asked for by its id, whatever happens, and one that is open stands in the list of open orders. But
one that somebody else placed, and that has ended meanwhile, is in neither. So after each loss the history of every
symbol that the account is known to trade is asked for, from what is proven to be known on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.questions import Asks
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.span_walk import SpanWalk
from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ValidationError
from exconn_sync.model.account import Fact
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.limits import Lane
from exconn_sync.model.orders import OrderFact
from exconn_sync.ports.driver import ExchangeDriver

_NS_PER_MS = 1_000_000
_OVERLAP_NS = 120 * 1_000_000_000
"""How long a stream may have been dead before anybody noticed; more than any limit of silence is."""


class CatchUp:
    """Says which symbols are owed a look at their past, and looks. On the reconciler's thread only.

    What is from before the first comparison is not loaded: there is no moment from which everything is known.
    """

    def __init__(
        self,
        driver: ExchangeDriver,
        catalogue: Catalogue,
        store: AccountStore,
        server_clock: ServerClock,
        enter: Callable[[Sequence[Fact]], None],
    ) -> None:
        self._driver = driver
        self._catalogue = catalogue
        self._store = store
        self._server_clock = server_clock
        self._enter = enter
        # When the last comparison began that found everything, by the exchange's clock.
        self._proven_ns: int | None = None
        # Since when the past of a symbol is to be looked at, in ms.
        self._owed: dict[str, int] = {}

    @property
    def owed(self) -> tuple[str, ...]:
        """The symbols whose past is to be looked at; one that was is not looked at again (fault F099)."""
        return tuple(self._owed)

    def owe(self) -> None:
        """Note that events may have been missed since the last comparison."""
        if self._proven_ns is None:
            return
        since_ms = (self._proven_ns - _OVERLAP_NS) // _NS_PER_MS
        for symbol in {state.symbol for state in self._store.orders()} | set(self._store.positions()):
            self._owed.setdefault(symbol, since_ms)

    def now_ns(self) -> int:
        """Return the exchange's time, to be taken when a comparison begins."""
        return self._server_clock.now_ns()

    def proven(self, since_ns: int) -> None:
        """Note that a comparison has found everything that was there when it began."""
        self._proven_ns = since_ns

    def look_at(self, symbol: str, rest: Asks, timeout: float) -> None:
        """Enter the orders of a symbol that are news. Raises ExconnError."""
        instruments = self._catalogue.instruments
        if symbol in instruments:
            walk = SpanWalk(self._owed[symbol], self.now_ns() // _NS_PER_MS, self._driver.history_limits)
            self._walk(walk, instruments.of_order(symbol), rest, timeout)
        del self._owed[symbol]

    def _walk(self, walk: SpanWalk, instrument: Instrument, rest: Asks, timeout: float) -> None:
        limits = self._driver.history_limits
        while (span := walk.next()) is not None:
            try:
                call = self._driver.fetch_order_history(
                    instrument, self._catalogue.instruments, span=span, limit=limits.rows
                )
            except ValidationError:
                # This exchange has no such question.
                return
            facts = rest.call(replace(call, lane=Lane.QUERY), timeout)
            if walk.answered(len(facts)):
                self._enter([fact for fact in facts if self._is_news(fact)])

    def _is_news(self, fact: OrderFact) -> bool:
        known = self._store.order_of(fact)
        if known is None or known.may_trade:
            return True
        return fact.filled_quantity is not None and fact.filled_quantity > known.filled_quantity
