"""The worker that keeps what REST must provide before anything else works: the exchange's clock and its instruments."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.backoff import Backoff
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.config import Config
from exconn_sync.errors import ConnectorStopped, ExconnError
from exconn_sync.model.events import ConnectionEvent
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver

CLOCK, INSTRUMENTS = "clock", "instruments"
_SAMPLES = 3
_INSTRUMENTS_AGE_NS = 3600 * 1_000_000_000


class RestSession:
    """Synchronizes the clock at an interval and whenever asked; loads the instruments and renews them each hour.

    ``on_instruments`` is called on the worker's thread after each loading.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        clock: Clock,
        server_clock: ServerClock,
        catalogue: Catalogue,
        readiness: Readiness,
        pipeline: Pipeline,
        rng: random.Random,
        on_instruments: Callable[[], None],
    ) -> None:
        self._config = config
        self._driver = driver
        self._rest = rest
        self._clock = clock
        self._server_clock = server_clock
        self._catalogue = catalogue
        self._readiness = readiness
        self._pipeline = pipeline
        self._rng = rng
        self._on_instruments = on_instruments
        self._wanted = threading.Event()
        self._loaded_ns: int | None = None
        self._is_up: bool | None = None

    def synchronize(self) -> None:
        """Ask for a synchronization now; returns at once. Any thread."""
        self._wanted.set()

    def body(self, run: WorkerRun) -> None:
        """Work until stop: the body of the worker."""
        settings = self._config.reconnect
        backoff = Backoff(settings.base, settings.cap, 0.0, self._rng)
        run.stop.on_set(self._wanted.set)
        while not run.stop.is_set:
            run.beat()
            self._wanted.clear()
            try:
                self._synchronize()
                self._load_instruments()
            except ConnectorStopped:
                return
            except ExconnError as error:
                delay = backoff.next_delay()
                self._went_down(error, backoff.attempts, delay)
                run.stop.wait(delay)
                continue
            backoff = Backoff(settings.base, settings.cap, 0.0, self._rng)
            self._went_up()
            # A stop sets the same event, after its own flag, so it cannot be missed here.
            if not run.stop.is_set:
                self._wanted.wait(self._config.intervals.clock)

    def _synchronize(self) -> None:
        for _ in range(_SAMPLES):
            sent_ns = self._clock.monotonic_ns()
            server_ns = self._rest.call(self._driver.server_time(), self._config.timeouts.request)
            self._server_clock.add(sent_ns, self._clock.monotonic_ns(), server_ns)
        self._readiness.met(CLOCK)

    def _load_instruments(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._loaded_ns is not None and now_ns - self._loaded_ns < _INSTRUMENTS_AGE_NS:
            return
        call = self._driver.fetch_instruments()
        self._catalogue.replace(self._rest.call(call, self._config.timeouts.request))
        self._loaded_ns = now_ns
        self._on_instruments()
        self._readiness.met(INSTRUMENTS)

    def _went_up(self) -> None:
        if self._is_up is not True:
            self._is_up = True
            self._pipeline.connection(self._event(is_up=True, reason="", attempt=0, retry_in=0.0))

    def _went_down(self, error: ExconnError, attempt: int, delay: float) -> None:
        self._readiness.lost(CLOCK, error.message)
        if self._is_up is not False:
            self._is_up = False
            self._pipeline.connection(self._event(is_up=False, reason=error.message, attempt=attempt, retry_in=delay))

    def _event(self, *, is_up: bool, reason: str, attempt: int, retry_in: float) -> ConnectionEvent:
        now = self._clock.time_ns()
        return ConnectionEvent(self._driver.name, "rest", is_up, reason, attempt, retry_in, now)
