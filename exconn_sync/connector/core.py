"""What the faces of a connector share: its configuration, its store, and the parts of its present life."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from exconn_sync._live.assembly import ACCOUNT_CONDITIONS, CREDENTIALS, REST_CONDITIONS, STREAM_CONDITIONS, Assembly
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_list_handle import OrderList
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime import exit_hook
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.correlation import mark_log
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.log_guard import guard_log
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.threads import library_threads
from exconn_sync._store.account_store import AccountStore
from exconn_sync._transport.preload import load_libraries
from exconn_sync.config import Config
from exconn_sync.connector.interests import Interests
from exconn_sync.connector.journal_holder import JournalHolder, is_same
from exconn_sync.errors import AuthenticationError, ConnectorStopped, ThreadsUnavailable, ValidationError
from exconn_sync.metrics import GuardedMetrics, MemoryMetrics
from exconn_sync.model.enums import Channel, ConnectorState
from exconn_sync.model.instrument import Instruments
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.forking import renew_in_child
from exconn_sync.ports.registry import find_driver
from exconn_sync.ports.waiting import Event
from exconn_sync.risk import RiskGuard

_LET_GO = 5.0
"""Seconds to end the threads of a life that was given up, before the next one begins."""


class Core:
    """State of one connector over all its lives. Thread-safe; every public method checks that nobody forked."""

    def __init__(self, config: Config, clock: Clock, rng: random.Random) -> None:
        self.config = config
        self.clock = clock
        self._rng = rng
        self.driver = find_driver(config.exchange).for_endpoints(config.endpoints)
        load_libraries()
        guard_log()
        mark_log()
        self.bus = Bus()
        self.pipeline = Pipeline(config.exchange, self.bus, clock, GuardedMetrics(config.metrics or MemoryMetrics()))
        self.readiness = Readiness(self._conditions())
        self.interests = Interests(self.pipeline, self._book_variant)
        self.guard = ProcessGuard()
        # Limits and kill switch, over all lives of the connector and in a forked child.
        self.risk = RiskGuard(config.exchange, config.risk)
        # Hears of the end of a life that was given up, on the supervisor's thread; must not block. Kept over a fork.
        self.on_failed: Callable[[Exception], None] | None = None
        # Guards the steps of the life cycle; never held while anything is waited for.
        self._lock = threading.Lock()
        self._set_up()
        renew_in_child(self)

    def _set_up(self) -> None:
        """Make what belongs to one process."""
        config = self.config
        self._use_metrics()
        self.holder = JournalHolder(config.journal, self.pipeline, self.clock)
        self.store = self.holder.store
        self.risk = RiskGuard(config.exchange, self.risk.limits, self.risk.killed)
        self._stopped = Event()
        self._assembly: Assembly | None = None
        self._phase = ConnectorState.NEW
        self._stops = 0
        # Who carries out the stop, while there is one.
        self._stopper: threading.Thread | None = None
        # The configuration of the next life, where it is another one.
        self._successor: Config | None = None
        self.failure: Exception | None = None
        self._note_credentials()

    def _use_metrics(self) -> None:
        self.metrics = self.config.metrics or MemoryMetrics()
        self.pipeline.metrics = GuardedMetrics(self.metrics)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child, so that ``start`` can be called there (fault F125)."""
        self._lock = threading.Lock()

    def adopt(self) -> None:
        """Make everything anew in a forked child, the configuration and the subscriptions kept; else do nothing."""
        with self._lock:
            if not self.guard.is_foreign:
                return
            # The parent would draw the same numbers, and wait as long as this process before each attempt.
            self._rng.seed()
            self.bus.renew()
            self.pipeline.renew()
            self.interests.renew()
            self.readiness.renew()
            self._set_up()
            self.guard.adopt()

    @property
    def is_foreign(self) -> bool:
        """True in a child process that was forked since the connector was made or started."""
        return self.guard.is_foreign

    @property
    def stop_timeout(self) -> float:
        """Seconds that a stop may take where its caller does not say."""
        return self.config.timeouts.stop

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
        """Where the connector is in its life; a connection that flaps counts as lost until it has settled."""
        assembly = self._assembly
        if self._phase is not ConnectorState.CONNECTING or assembly is None:
            return self._phase
        if self.readiness.events["ready"].is_set() and assembly.is_settled:
            return ConnectorState.READY
        return ConnectorState.DEGRADED if self.readiness.has_been("ready") else ConnectorState.CONNECTING

    def start(self) -> None:
        """Begin a life; does nothing while there is one, and begins anew after one that was given up.

        In a forked child it begins a fresh life there.
        """
        if exit_hook.is_exiting():
            raise ConnectorStopped("the program is ending; nothing is started any more", outcome="not_sent")
        self.adopt()
        if self._phase is ConnectorState.FAILED:
            self.stop(_LET_GO, keep_subscriptions=True)
        with self._lock:
            if self._phase is ConnectorState.STOPPING:
                raise ConnectorStopped("the connector is stopping; start it again when stop has returned")
            assembly = self._begin() if self._assembly is None else None
        self._launch(assembly)

    def _launch(self, assembly: Assembly | None) -> None:
        """Start the threads of a new life, without the lock, because that waits for a sign of them (fault F127)."""
        try:
            if assembly is not None:
                self.holder.begin()
                assembly.start()
        except ThreadsUnavailable:
            self.stop(_LET_GO, keep_subscriptions=True)
            raise

    def _begin(self) -> Assembly:
        # Before anything else: it may be in use, or damaged.
        self.holder.open(self.config.archive_after)
        self._take_successor()
        self.readiness.reopen()
        self._note_credentials()
        self.store.reopen()
        self.bus.set_failure(None)
        self.bus.let_writers_wait(True)
        self.failure = None
        self._assembly = Assembly(
            self.config, self.driver, self.pipeline, self.store, self.readiness, self.clock, self._rng,
            self._on_instruments, self._on_give_up, self._cancel, self._cancel_list, self.holder.journal,
            self.risk, self.interests.want_book,
        )  # fmt: skip
        self._phase = ConnectorState.CONNECTING
        exit_hook.watch(self)
        return self._assembly

    def signal_stop(self) -> None:
        """Tell everything to end and wake whoever waits; returns at once. ``stop`` is still needed."""
        assembly = self._assembly
        if assembly is not None:
            self.readiness.close()
            self.store.close()
            self.bus.let_writers_wait(False)
            assembly.signal()

    def stop(self, timeout: float | None, *, keep_subscriptions: bool = False) -> list[str]:
        """End the present life within ``timeout`` seconds; return the names of threads that did not end in time."""
        self.guard.check("connector")
        deadline = Deadline.after(self.clock.monotonic_ns(), timeout)
        try:
            if not self._claim_stop(counts=not keep_subscriptions):
                return self._leave_stop_to_another(deadline, keep_subscriptions=keep_subscriptions)
            return self._end(self._assembly, deadline, keep_subscriptions=keep_subscriptions)
        except BaseException:
            if self._stopper is threading.current_thread():
                # A second Ctrl-C, most likely: the stop becomes immediate (fault F131).
                at_once = Deadline.after(self.clock.monotonic_ns(), 0.0)
                self._end(self._assembly, at_once, keep_subscriptions=keep_subscriptions)
            raise
        finally:
            if self._stopper is threading.current_thread():
                exit_hook.forget(self)
                self._finish_stop()

    def _claim_stop(self, *, counts: bool) -> bool:
        """Take the stop upon this thread; return False where another one carries it out.

        Where it is this very thread, an interrupt has torn it out of its stop, which it takes up again.
        """
        caller = threading.current_thread()
        with self._lock:
            if counts:
                self._stops += 1
            if self._phase is ConnectorState.STOPPING and self._stopper is not caller:
                return False
            if self._assembly is not None:
                self._stopped.clear()
                # Before the phase: whatever interrupts us here, nobody waits for a stop that nobody carries out.
                self._stopper = caller
                self._phase = ConnectorState.STOPPING
            return True

    def _finish_stop(self) -> None:
        with self._lock:
            self._assembly = None
            self._phase = ConnectorState.STOPPED
            self._stopper = None
        self._stopped.set()

    def _leave_stop_to_another(self, deadline: Deadline, *, keep_subscriptions: bool) -> list[str]:
        """Wait for the stop that another thread carries out, and end what it may keep: it may be part of a restart."""
        # A thread of ours must not wait for it, because it waits for us.
        if threading.current_thread() in library_threads():
            return []
        assembly = self._assembly
        is_over = self._stopped.wait(deadline.remaining(self.clock.monotonic_ns()))
        left = [] if is_over or assembly is None else assembly.supervisor.alive
        return left if keep_subscriptions else left + self._end_subscriptions(deadline)

    def _end(self, assembly: Assembly | None, deadline: Deadline, *, keep_subscriptions: bool) -> list[str]:
        if assembly is None:
            return [] if keep_subscriptions else self._end_subscriptions(deadline)
        stops = self._stops
        self.readiness.close()
        self.store.close()
        self.bus.let_writers_wait(False)
        reach("stop.before_workers")
        left = assembly.stop(deadline)
        reach("stop.after_workers")
        # A stop that came while this one was part of a restart wants their end as well.
        if not keep_subscriptions or self._stops != stops:
            left += self._end_subscriptions(deadline)
        else:
            assembly.tell_end("the connector is started anew")
        self.interests.detach()
        # After the last callback, whose fill it has to note.
        self.holder.close()
        return left

    def restart(self, config: Config | None, timeout: float | None) -> None:
        """End the present life and begin another one; subscriptions and everything known of the account are kept."""
        if config is not None:
            self._check_successor(config)
        with self._lock:
            stops = self._stops
            if config is not None:
                # Kept, so that it also takes effect where another restart is under way that we cannot wait for.
                self._successor = config
        assembly: Assembly | None = None
        while assembly is None:
            self.stop(timeout, keep_subscriptions=True)
            with self._lock:
                is_last_word = self._stops != stops
                # Somebody else's stop that came meanwhile is the last word.
                if is_last_word or self._phase is ConnectorState.STOPPING:
                    break
                if self._assembly is None:
                    assembly = self._begin()
                elif self._successor is None:
                    # Somebody else has begun another life since: that will do.
                    break
        if is_last_word:
            # Its caller could not wait for ours.
            self._end_subscriptions(Deadline.after(self.clock.monotonic_ns(), timeout))
        self._launch(assembly)

    def _check_successor(self, config: object) -> None:
        if not isinstance(config, Config):
            raise ValidationError("config", type(config).__name__, "must be a Config")
        if config.exchange != self.config.exchange:
            raise ValidationError("config", config.exchange, f"must stay on {self.config.exchange}")
        if not is_same(config.journal, self.config.journal):
            raise ValidationError("journal", type(config.journal).__name__, "must stay the same; make a new Connector")
        if find_driver(config.exchange).for_endpoints(config.endpoints) is not self.driver:
            # Subscriptions that go on may be of streams that the other form does not have.
            raise ValidationError("endpoints", "<hidden>", "must keep the form of their URLs; make a new Connector")

    def _take_successor(self) -> None:
        """Use another configuration from this life on. The lock is held, and there is no life."""
        config, self._successor = self._successor, None
        if config is None:
            return
        former, self.config = self.config, config
        if config.metrics is not former.metrics:
            self._use_metrics()
        if config.risk != former.risk:
            self.store.decide(lambda _: self.risk.change(config.risk))
        self.readiness.redefine(self._conditions())

    def understood(self, symbol: str) -> str:
        """Return the canonical form of a symbol as far as it can be told now; what is not understood stays as it is."""
        running = self._assembly
        known = Instruments(self.config.exchange) if running is None else running.catalogue.instruments
        return known.understood(symbol)

    def __repr__(self) -> str:
        return f"<Connector {self.config.exchange} {'of the parent process' if self.is_foreign else self.state}>"

    def _end_subscriptions(self, deadline: Deadline) -> list[str]:
        self.holder.receipts.stopping(True)
        return self.bus.close(lambda: deadline.remaining(self.clock.monotonic_ns()))

    def _conditions(self) -> dict[str, tuple[str, ...]]:
        account = ACCOUNT_CONDITIONS if self.config.has_account else ()
        return {
            "rest": REST_CONDITIONS,
            "stream": STREAM_CONDITIONS,
            "account": account or (CREDENTIALS,),
            "ready": (*REST_CONDITIONS, *STREAM_CONDITIONS, *account),
        }

    def _book_variant(self) -> str:
        return self.driver.variant(Channel.ORDER_BOOK, self.config.market_streams.book)

    def _note_credentials(self) -> None:
        if not self.config.has_account:
            error = AuthenticationError("no API key was configured", exchange=self.config.exchange, outcome="not_sent")
            self.readiness.fail(CREDENTIALS, error)

    def _cancel(self, order: Order, timeout: float | None) -> None:
        gateway = self.assembly.gateway
        gateway.cancel(order, gateway.deadline(timeout))

    def _cancel_list(self, order_list: OrderList, timeout: float | None) -> None:
        assembly = self.assembly
        assembly.lists.cancel(order_list, assembly.gateway.deadline(timeout))

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
            assembly = self._assembly
        if assembly is not None:
            assembly.give_up()
        self.readiness.close(error)
        self.store.close()
        stopped = ConnectorStopped(f"the connector gave up: {error}", exchange=self.config.exchange)
        stopped.__cause__ = error
        self.bus.set_failure(stopped)
        # Told before a hub starts the next life, and after nothing of this one can be taken for living any more.
        self.pipeline.error(f"supervisor gave up on {worker}", error, always=True)
        if self.on_failed is not None:
            self.on_failed(error)
