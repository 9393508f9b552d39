"""The worker that keeps what REST must provide before anything else works: the exchange's clock and its instruments."""

from __future__ import annotations

import random
from collections.abc import Callable

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.backoff import Backoff
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.config import Config
from exconn_sync.errors import ClockChanged, ConnectionFailed, ConnectorStopped, ExconnError, RateLimitError
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.waiting import Event

CLOCK, INSTRUMENTS = "clock", "instruments"
_SAMPLES = 3
_NS = 1_000_000_000
_INSTRUMENTS_AGE_NS = 3600 * _NS
_DOUBTED_AGE_NS = 30 * _NS
"""Instruments are renewed at this age where a refusal casts doubt on them; a flood of refusals renews no more often."""


class RestSession:
    """Synchronizes the clock at an interval and whenever asked; loads the instruments and renews them.

    Instruments are renewed each hour, and earlier where an order was refused that obeys them (fault F065).

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
        self._wanted = Event()
        self._loaded_ns: int | None = None
        self._synchronized_ns = 0
        self._is_doubted = False
        self._told_steps = (0, 0)
        self.reporter = ConnectionReporter("rest", config.reconnect.settle, pipeline, clock)

    def synchronize(self) -> None:
        """Ask for a synchronization now; returns at once. Any thread."""
        self._wanted.set()

    def doubt_instruments(self) -> None:
        """Have the instruments renewed, because an order was refused that obeys them; returns at once. Any thread."""
        is_new, self._is_doubted = not self._is_doubted, True
        if is_new and self._loaded_ns is not None and self._clock.monotonic_ns() - self._loaded_ns >= _DOUBTED_AGE_NS:
            self._wanted.set()

    def body(self, run: WorkerRun) -> None:
        """Work until stop: the body of the worker."""
        settings = self._config.reconnect
        backoff = Backoff(settings.base, settings.cap, 0.0, self._rng)
        run.stop.on_set(self._wanted.set)
        is_whole, is_up = True, False
        while not run.stop.is_set:
            run.beat()
            self._wanted.clear()
            try:
                self._look(is_whole=is_whole)
            except ConnectorStopped:
                return
            except ExconnError as error:
                if not run.is_current:
                    return
                if is_up and isinstance(error, RateLimitError) and error.outcome == "not_sent":
                    # Nothing was asked, so nothing is known to be wrong: a used up budget is no lost connection.
                    self._wait_for_budget(run, error)
                    continue
                delay = backoff.next_delay()
                self._readiness.lost(CLOCK, error.message)
                self.reporter.down(error.message, backoff.attempts, delay)
                run.beat(delay)
                run.stop.wait(delay)
                is_whole, is_up = True, False
                continue
            if not run.is_current:
                return
            backoff.reset()
            run.note_data()
            self._readiness.met(CLOCK)
            # A subscriber may be stuck although nothing is published that would show it (fault F136).
            self._pipeline.bus.look(self._clock.monotonic_ns())
            if not is_up:
                is_up = True
                self.reporter.up()
            is_whole = self._rest_for_a_while(run)

    def _wait_for_budget(self, run: WorkerRun, error: RateLimitError) -> None:
        """Ask again when there is something to ask with; what is due then is due still."""
        wait = min(error.retry_after or self._config.intervals.ping, self._config.reconnect.cap)
        run.beat(wait)
        run.stop.wait(wait)

    def _look(self, *, is_whole: bool) -> None:
        """Ask for the time once, which also shows that REST works, or do everything that is due."""
        self._server_clock.notice_step()
        self._tell_steps()
        self._synchronize(_SAMPLES if is_whole else 1)
        if not is_whole and self._server_clock.is_contested:
            # Another time than before: whether to believe it is found out at once.
            self._synchronize(_SAMPLES)
        self._tell_steps()
        if is_whole:
            self._synchronized_ns = self._clock.monotonic_ns()
            self._load_instruments()

    def _rest_for_a_while(self, run: WorkerRun) -> bool:
        """Wait until the next look; return whether it is to be a whole one."""
        intervals = self._config.intervals
        started_ns = self._clock.monotonic_ns()
        whole_ns = self._synchronized_ns + int(intervals.clock * _NS)
        until_ns = min(started_ns + int(intervals.ping * _NS), whole_ns)
        while True:
            settling = self.reporter.tick()
            now_ns = self._clock.monotonic_ns()
            wait = max(until_ns - now_ns, 0) / _NS
            wait = wait if settling is None else min(wait, settling)
            run.beat(wait)
            if run.stop.is_set:
                # Its event may have been cleared at the begin of a look; its flag stays.
                return False
            # A stop sets the same event, after its own flag, so it cannot be missed here.
            is_wanted = self._wanted.wait(wait)
            self._wanted.clear()
            now_ns = self._clock.monotonic_ns()
            if is_wanted or run.stop.is_set or now_ns >= until_ns:
                return is_wanted or now_ns >= whole_ns

    def _synchronize(self, samples: int) -> None:
        began_ns = self._clock.monotonic_ns()
        if samples == _SAMPLES:
            self._server_clock.round_begins(began_ns)
        for _ in range(samples):
            sent_ns = self._clock.monotonic_ns()
            server_ns = self._rest.call(self._driver.server_time(), self._config.timeouts.request)
            if not self._server_clock.add(sent_ns, self._clock.monotonic_ns(), server_ns):
                self._pipeline.metrics.count("clock.slow_samples", exchange=self._driver.name)
        if not self._server_clock.is_synchronized:
            raise ConnectionFailed("the exchange answers too slowly to tell its time")
        if samples == _SAMPLES:
            self._server_clock.round_ended(began_ns)

    def _tell_steps(self) -> None:
        """Tell of clocks that stepped since the last look: this machine's, and the exchange's (fault F117)."""
        told, self._told_steps = self._told_steps, (self._server_clock.steps, self._server_clock.server_steps)
        for before, now, whose, text in (
            (told[0], self._told_steps[0], "local", "this machine's wall clock stepped, or the machine slept"),
            (told[1], self._told_steps[1], "exchange", "the exchange's clock stepped, as seen from here"),
        ):
            if now > before:
                self._pipeline.metrics.count("clock.steps", exchange=self._driver.name, whose=whose)
                offset_ms = self._server_clock.offset_to_local_ms()
                error = ClockChanged(text, exchange=self._driver.name, details={"offset_ms": offset_ms})
                self._pipeline.error(f"{whose} clock", error)

    def _load_instruments(self) -> None:
        now_ns = self._clock.monotonic_ns()
        age_ns = min(_DOUBTED_AGE_NS, _INSTRUMENTS_AGE_NS) if self._is_doubted else _INSTRUMENTS_AGE_NS
        if self._loaded_ns is not None and now_ns - self._loaded_ns < age_ns:
            return
        # Before the question: a doubt that comes meanwhile is about what is not answered yet.
        self._is_doubted = False
        call = self._driver.fetch_instruments()
        self._catalogue.replace(self._rest.call(call, self._config.timeouts.request))
        self._on_instruments()
        # Only now: where that failed, it is tried again with the next look.
        self._loaded_ns = now_ns
        self._readiness.met(INSTRUMENTS)
