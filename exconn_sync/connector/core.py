"""What the faces of a connector share: its configuration, its store, and the parts of its present life."""

from __future__ import annotations

import random
import threading

from exconn_sync._live.assembly import ACCOUNT_CONDITIONS, CREDENTIALS, REST_CONDITIONS, STREAM_CONDITIONS, Assembly
from exconn_sync._live.order_handle import Order
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.threads import library_threads
from exconn_sync._store.account_store import AccountStore
from exconn_sync.config import Config
from exconn_sync.connector.interests import Interests
from exconn_sync.errors import AuthenticationError, ConnectorStopped, ValidationError
from exconn_sync.metrics import GuardedMetrics, MemoryMetrics
from exconn_sync.model.enums import ConnectorState
from exconn_sync.model.instrument import Instruments
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.journal import Journal
from exconn_sync.ports.registry import find_driver

_LET_GO = 5.0
"""Seconds to end the threads of a life that was given up, before the next one begins."""


class Core:
    """State of one connector over all its lives. Thread-safe; every public method checks that nobody forked."""

    def __init__(self, config: Config, clock: Clock, rng: random.Random) -> None:
        self.config = config
        self.clock = clock
        self._rng = rng
        self.driver = find_driver(config.exchange)
        self.metrics = config.metrics or MemoryMetrics()
        self.journal: Journal = MemoryJournal() if isinstance(config.journal, str) else config.journal
        self.bus = Bus()
        self.pipeline = Pipeline(config.exchange, self.bus, clock, GuardedMetrics(self.metrics))
        self.store = AccountStore(config.exchange, self.journal, self.pipeline.account, self.pipeline.error)
        self.readiness = Readiness(self._conditions())
        self.interests = Interests(self.pipeline)
        self.guard = ProcessGuard()
        # Guards the steps of the life cycle; never held while anything is waited for.
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._assembly: Assembly | None = None
        self._phase = ConnectorState.NEW
        self._stops = 0
        self.failure: Exception | None = None
        self.store.restore(self.journal.replay())
        self._note_credentials()

    @property
    def assembly(self) -> Assembly:
        """The parts of the present life.

        Raises:
            ConnectorStopped: not started, or stopped.
            ForkedProcess: the connector belongs to the parent process.
        """
        self.guard.check("connector")
        assembly = self._assembly
        if assembly is None or self._phase in (ConnectorState.STOPPED, ConnectorState.FAILED):
            why = "not started; call start() first" if self._phase is ConnectorState.NEW else str(self._phase)
            raise ConnectorStopped(f"the connector is {why}", outcome="not_sent") from self.failure
        return assembly

    @property
    def own_store(self) -> AccountStore:
        """The store, for the process that made it: in a forked child its lock may be held for ever (F125)."""
        self.guard.check("connector")
        return self.store

    @property
    def own_readiness(self) -> Readiness:
        """What can be waited for, in the process that made it."""
        self.guard.check("connector")
        return self.readiness

    @property
    def running(self) -> Assembly | None:
        """The parts of the present life, None where there is none."""
        return self._assembly

    @property
    def state(self) -> ConnectorState:
        """Where the connector is in its life."""
        if self._phase is not ConnectorState.CONNECTING:
            return self._phase
        if self.readiness.events["ready"].is_set():
            return ConnectorState.READY
        return ConnectorState.DEGRADED if self.readiness.has_been("ready") else ConnectorState.CONNECTING

    def start(self) -> None:
        """Begin a life; does nothing while there is one, and begins anew after one that was given up."""
        self.guard.check("connector")
        if self._phase is ConnectorState.FAILED:
            self.stop(_LET_GO, keep_subscriptions=True)
        with self._lock:
            if self._phase is ConnectorState.STOPPING:
                raise ConnectorStopped("the connector is stopping; start it again when stop has returned")
            if self._assembly is None:
                self._begin()

    def _begin(self) -> None:
        self.readiness.reopen()
        self._note_credentials()
        self.store.reopen()
        self.bus.set_failure(None)
        self.bus.let_writers_wait(True)
        self.failure = None
        self._assembly = Assembly(
            self.config, self.driver, self.pipeline, self.store, self.readiness, self.clock, self._rng,
            self._on_instruments, self._on_give_up, self._cancel,
        )  # fmt: skip
        self._phase = ConnectorState.CONNECTING
        self._assembly.start()

    def stop(self, timeout: float | None, *, keep_subscriptions: bool = False) -> list[str]:
        """End the present life within ``timeout`` seconds; return the names of threads that did not end in time."""
        self.guard.check("connector")
        deadline = Deadline.after(self.clock.monotonic_ns(), timeout)
        with self._lock:
            self._stops += 1
            assembly, phase = self._assembly, self._phase
            if phase is not ConnectorState.STOPPING and assembly is not None:
                self._phase = ConnectorState.STOPPING
                self._stopped.clear()
        if phase is ConnectorState.STOPPING:
            # A thread of ours must not wait for the stop that another one carries out, because that waits for it.
            if threading.current_thread() not in library_threads():
                self._stopped.wait(timeout)
            return []
        if assembly is None:
            return [] if keep_subscriptions else self._end_subscriptions(deadline)
        try:
            return self._end(assembly, deadline, keep_subscriptions=keep_subscriptions)
        finally:
            with self._lock:
                self._assembly = None
                self._phase = ConnectorState.STOPPED
            self._stopped.set()

    def _end(self, assembly: Assembly, deadline: Deadline, *, keep_subscriptions: bool) -> list[str]:
        self.readiness.close()
        self.store.close()
        self.bus.let_writers_wait(False)
        left = assembly.stop(deadline)
        if not keep_subscriptions:
            left += self._end_subscriptions(deadline)
        self.interests.detach()
        return left

    def restart(self, config: Config | None, timeout: float | None) -> None:
        """End the present life and begin another one; subscriptions and everything known of the account are kept."""
        if config is not None and config.exchange != self.config.exchange:
            raise ValidationError("config", config.exchange, f"must stay on {self.config.exchange}")
        with self._lock:
            expected = self._stops + 1
        self.stop(timeout, keep_subscriptions=True)
        if config is not None:
            self.config = config
            self.readiness.redefine(self._conditions())
        with self._lock:
            # Somebody else's stop that came meanwhile is the last word.
            if self._stops == expected and self._assembly is None and self._phase is not ConnectorState.STOPPING:
                self._begin()

    def understood(self, symbol: str) -> str:
        """Return the canonical form of a symbol as far as it can be told now; what is not understood stays as it is."""
        running = self._assembly
        known = Instruments(self.config.exchange) if running is None else running.catalogue.instruments
        return known.understood(symbol)

    def _end_subscriptions(self, deadline: Deadline) -> list[str]:
        return self.bus.close(lambda: deadline.remaining(self.clock.monotonic_ns()))

    def _conditions(self) -> dict[str, tuple[str, ...]]:
        account = ACCOUNT_CONDITIONS if self.config.credentials is not None else ()
        return {
            "rest": REST_CONDITIONS,
            "stream": STREAM_CONDITIONS,
            "account": account or (CREDENTIALS,),
            "ready": (*REST_CONDITIONS, *STREAM_CONDITIONS, *account),
        }

    def _note_credentials(self) -> None:
        if self.config.credentials is None:
            error = AuthenticationError("no API key was configured", exchange=self.config.exchange, outcome="not_sent")
            self.readiness.fail(CREDENTIALS, error)

    def _cancel(self, order: Order, timeout: float | None) -> None:
        gateway = self.assembly.gateway
        gateway.cancel(order, gateway.deadline(timeout))

    def _on_instruments(self) -> None:
        assembly = self._assembly
        if assembly is not None:
            self.interests.attach(assembly.feed, assembly.catalogue.instruments)

    def _on_give_up(self, worker: str, error: Exception) -> None:
        with self._lock:
            if self._phase is not ConnectorState.CONNECTING:
                return
            self.failure = error
            self._phase = ConnectorState.FAILED
        self.pipeline.error(f"supervisor gave up on {worker}", error)
        self.readiness.close(error)
        self.store.close()
        stopped = ConnectorStopped(f"the connector gave up: {error}", exchange=self.config.exchange)
        stopped.__cause__ = error
        self.bus.set_failure(stopped)
