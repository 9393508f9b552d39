"""Fields and words that this version does not know: counted by name, told once each (faults F036, F040)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from exconn_sync._live.market_route import Route
from exconn_sync._machines.look_plan import LookPlan
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.metrics import MetricsSink

logger = logging.getLogger("exconn_sync")

_LOOK_PAUSE_NS = 60 * 1_000_000_000
_MOST = 50
_REST = "other"


class UnknownParts:
    """What one reader of messages has met; their number is bounded, because whoever sends them names them.

    Thread-safe without a lock: at worst a name is told twice, or the bound is passed by the number of threads.
    """

    def __init__(self, exchange: str, metrics: MetricsSink, clock: Clock) -> None:
        self._exchange = exchange
        self._metrics = metrics
        self._clock = clock
        self._plan = LookPlan()
        self._seen: set[str] = set()

    def may_look(self, length: int) -> bool:
        """Return whether a message of so many bytes is to be looked at."""
        return self._plan.may_look(length, self._clock.monotonic_ns())

    def note(self, parts: Sequence[str]) -> None:
        """Count what a message had."""
        for part in parts:
            name = part if part in self._seen or len(self._seen) < _MOST else _REST
            if name not in self._seen:
                self._seen.add(name)
                logger.info("%s sent what this version does not know: %s", self._exchange, name)
            self._metrics.count("wire.unrecognized", exchange=self._exchange, part=name)


class FrameLooks:
    """Looks at one frame of each topic of a market connection in a minute, the first one among them.

    The typed decode of all other frames goes on as if nobody ever looked.
    """

    def __init__(self, driver: ExchangeDriver, metrics: MetricsSink, clock: Clock) -> None:
        self._driver = driver
        self._parts = UnknownParts(driver.name, metrics, clock)

    def have_one(self, route: Route, now_ns: int) -> None:
        """Have the next frame of a topic looked at, if it is time."""
        if now_ns >= route.next_look_ns:
            route.next_look_ns = now_ns + _LOOK_PAUSE_NS
            route.look_once(self._look)

    def _look(self, frame: bytes) -> None:
        self._parts.note(self._driver.unknown_in_frame(frame))
