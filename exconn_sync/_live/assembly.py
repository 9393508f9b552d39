"""All parts of one life of a connector, put together: made at start, let go at stop."""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from exconn_sync._live.account_reader import ACCOUNT, RECONCILED, AccountFeed, account_url
from exconn_sync._live.admission import Admission
from exconn_sync._live.batch_gateway import BatchGateway
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.command_desk import CommandDesk
from exconn_sync._live.command_side import CommandSide
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.dialler import Dialler
from exconn_sync._live.key_keeper import KeyKeeper
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.kill_switch import KillSwitch
from exconn_sync._live.list_gateway import ListGateway
from exconn_sync._live.market_feed import STREAM
from exconn_sync._live.market_side import MarketSide
from exconn_sync._live.order_changes import OrderChanges
from exconn_sync._live.order_gateway import OrderGateway
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_list_handle import OrderList
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.reconciler import Reconciler
from exconn_sync._live.resolver import Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.rest_session import CLOCK, INSTRUMENTS, RestSession
from exconn_sync._live.risk_desk import RiskDesk
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.session_parts import SessionParts
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._live.topic_probe import TopicProbe
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync._runtime.aside import aside
from exconn_sync._runtime.executor import Executor, Priority
from exconn_sync._runtime.heartbeat import beat, current_run
from exconn_sync._runtime.journal_worker import journal_body
from exconn_sync._runtime.lookup import shared_lookups
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.supervisor import Supervisor
from exconn_sync._runtime.worker import Worker, WorkerRun
from exconn_sync._store.account_store import AccountStore
from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.budget import shared_budget
from exconn_sync._transport.local import http_client
from exconn_sync._transport.network import NetworkParts
from exconn_sync.config import Config
from exconn_sync.errors import WorkerHung
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, Signer
from exconn_sync.ports.journal import Journal, JournalWorker
from exconn_sync.ports.waiting import Event
from exconn_sync.risk import RiskGate, RiskGuard

logger = logging.getLogger("exconn_sync")

POOL_SIZE = 8
RESTARTS, STORE_RESTARTS, RESTART_PERIOD = 10, 3, 60.0
_BREAKER_PAUSE = 10.0
_MAX_BODY_BYTES = 64 << 20
_SLOW_SAMPLE_MS = 5000
"""An answer that takes longer says nothing of use about the exchange's clock, unless signed requests last longer."""
_TIME_TO_CUT_NS = 500_000_000

CREDENTIALS = "credentials"
REST_CONDITIONS = (CLOCK, INSTRUMENTS)
STREAM_CONDITIONS = (STREAM,)
ACCOUNT_CONDITIONS = (ACCOUNT, RECONCILED)


class Assembly:
    """The workers of one account with everything they share. Built in one place, so that who knows whom is plain."""

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        pipeline: Pipeline,
        store: AccountStore,
        readiness: Readiness,
        clock: Clock,
        rng: random.Random,
        on_instruments: Callable[[], None],
        on_give_up: Callable[[str, Exception], None],
        cancel: Callable[[Order, float | None], None],
        cancel_list: Callable[[OrderList, float | None], None],
        journal: Journal,
        guard: RiskGuard,
        want_book: Callable[[str], None],
    ) -> None:
        self._guard = guard
        self._want_book = want_book
        self._config = config
        self._journal = journal
        self._driver = driver
        self._clock = clock
        self._rng = rng
        self._readiness = readiness
        self._pipeline = pipeline
        self._cancel = cancel
        self._cancel_list = cancel_list
        self._store = store
        self._stop = StopSignal()
        self._has_watch = False
        self.keys = KeyRing(_signer(config, driver), is_provided=config.credentials_provider is not None)
        self.server_clock = ServerClock(clock, max(config.rate_limits.window_ms, _SLOW_SAMPLE_MS) * 1_000_000)
        self.catalogue = Catalogue(driver.name, pipeline.instruments)
        self.executor = Executor(driver.name, POOL_SIZE, clock)
        self.breaker = Breaker(driver.name, clock, pause=min(_BREAKER_PAUSE, config.reconnect.cap))
        self.network = NetworkParts(
            resolver=shared_lookups(), ca_file=config.network.ca_file, proxy=config.network.proxy_address
        )
        self._http = http_client(
            config.endpoints["rest"],
            clock,
            connect_timeout=config.timeouts.connect,
            read_timeout=config.timeouts.read,
            max_body_bytes=_MAX_BODY_BYTES,
            network=self.network,
        )
        budget = shared_budget(driver.budget_name(config.endpoints), driver.rate_rules, config.rate_limits)
        self.admission = Admission(
            driver.name,
            budget,
            lambda: config.rate_limits.account or self.keys.account,
            clock,
            self.server_clock,
            pipeline,
            self._stop,
        )
        self.rest = RestClient(
            driver, self.keys, config.rate_limits.window_ms, self._http, self.admission, self.breaker, clock,
            self.server_clock, pipeline.metrics, self._stop, lambda: self.rest_session.synchronize(),
            lambda: current_run() is not None, lambda: self.rest_session.doubt_instruments(), config.environment,
        )  # fmt: skip
        self.rest_session = RestSession(
            config, driver, self.rest, clock, self.server_clock, self.catalogue, readiness, pipeline, rng,
            on_instruments,
        )  # fmt: skip
        self._build_market()
        self._build_account(store)
        self._build_supervisor(on_give_up)

    def _build_market(self) -> None:
        driver, config = self._driver, self._config
        self._parts = SessionParts(
            config=config,
            clock=self._clock,
            pipeline=self._pipeline,
            rng=self._rng,
            dialler=Dialler(
                config,
                driver.stream_limits,
                self._pipeline,
                self.network,
                self.admission,
                # Hosts for market data alone have no address for an account.
                {account_url(driver, config): driver.account_costs} if config.has_account else {},
            ),
            requests_per_second=driver.stream_limits.requests_per_second,
            await_rest=self._await_rest,
            submit=partial(self.executor.submit, priority=Priority.DIAL),
            ping_frame=driver.ping_frame,
            ping_every=driver.stream_limits.ping_every,
        )
        probe = TopicProbe(driver, self.rest, self.catalogue, self.server_clock, config.timeouts.request)
        self.market = MarketSide(
            self._parts, driver, self.rest, probe, self.catalogue, self._readiness, self.executor, self._rng,
            lambda worker: self.supervisor.add(worker), self.server_clock,
        )  # fmt: skip
        self.feed, self.books = self.market.feed, self.market.books

    def _build_account(self, store: AccountStore) -> None:
        config, driver, clock = self._config, self._driver, self._clock
        self.reconciler = Reconciler(
            config, driver, self.rest, self.catalogue, store, self._readiness, self._pipeline, clock, self._rng,
            self.server_clock,
        )  # fmt: skip
        proof = config.unknown_orders
        self.resolver = Resolver(
            store, clock, self.server_clock, config.rate_limits.window_ms, proof.limit_ms(driver.processing_limit_ms),
            self.reconciler.look, self.reconciler.wake, read_lag=proof.read_lag,
            memory_ms=driver.history_limits.unfilled_ms, report=self.reconciler.report_once,
        )  # fmt: skip
        self.reconciler.resolver = self.resolver
        self.risk = RiskDesk(
            store, self._guard, RiskGate(config.rules), self.books, clock, self.server_clock, self._pipeline,
            self._want_book,
        )  # fmt: skip
        self.commands = CommandSide(
            replace(self._parts, await_rest=self._await_key), driver, self.rest, self.keys, self.admission,
            self.server_clock,
        )  # fmt: skip
        desk = CommandDesk(
            config, driver, self.rest, self.commands.route, self.catalogue, store, self.risk, self.reconciler,
            self.resolver, clock, self.server_clock, self._cancel,
        )  # fmt: skip
        self.gateway, self.changes, self.order_look = OrderGateway(desk), OrderChanges(desk), desk.order_look
        self.batches = BatchGateway(desk, config.environment)
        self.lists = ListGateway(desk, self._cancel_list)
        self.kill_switch = KillSwitch(desk, self.gateway, self.executor, self._is_whole)
        self.reconciler.look_after = desk.look_after
        self.key_keeper: KeyKeeper | None = None
        self._has_key = Event()
        if config.credentials_provider is not None:
            self.key_keeper = KeyKeeper(
                config, driver, self.keys, self._pipeline, self._readiness, self._rng, self._on_new_key
            )
        self.account: SocketSession | None = None
        self.account_reporter = ConnectionReporter("account", config.reconnect.settle, self._pipeline, clock)

    def _account_body(self, run: WorkerRun) -> None:
        parts = replace(self._parts, await_rest=self._await_key)
        session = SocketSession(parts, self.account_reporter, run, self._account_feed)
        self.account = session
        session.work()

    def _account_feed(self, session: SocketSession) -> AccountFeed:
        return AccountFeed(
            self._config, self._driver, self.keys, self.catalogue, self._store, self._pipeline, self._readiness,
            self._clock, self.server_clock, self.reconciler.reconcile_soon, self.rest_session.synchronize,
            session.demand_replacement, self.admission.hear_reply, self.admission.first_fill,
            self.admission.hear_figures,
        )  # fmt: skip

    def _await_rest(self, stop: StopSignal) -> None:
        """Wait for what every stream needs: only the first time, because streams go on while REST is down."""
        if not (self.catalogue.is_loaded and self.server_clock.is_synchronized):
            # However long that takes: REST has a worker of its own, which is watched.
            beat(math.inf)
            self._readiness.wait("rest", None, stop)
            beat()

    def _await_key(self, stop: StopSignal) -> None:
        """Wait for what the account stream needs beyond that: a key."""
        self._await_rest(stop)
        if not self.keys.has_key:
            stop.on_set(self._has_key.set)
            beat(math.inf)
            self._has_key.wait(None)
            beat()

    def _on_new_key(self) -> None:
        """Have the account stream signed in with the new key: at once, or without a gap where events flow."""
        self._has_key.set()
        session = self.account
        if session is not None:
            session.renew("the key was replaced")
        self.reconciler.reconcile_soon()

    @property
    def is_open(self) -> bool:
        """True while every connection stands. Exact, from any thread."""
        return self.market.is_open and (
            not self._config.has_account or (self.account is not None and self.account.is_open)
        )

    def _is_whole(self) -> bool | None:
        """Return whether everything is connected and compared, None where it never was in this life."""
        return self._readiness.events["ready"].is_set() if self._readiness.has_been("ready") else None

    @property
    def is_settled(self) -> bool:
        """True while no connection is down or came back only a moment ago."""
        return all(reporter.is_settled for reporter in self._reporters())

    def tell_end(self, reason: str) -> None:
        """Tell that the connections are gone, where they stood; for those who hear of the next life, too."""
        for reporter in self._reporters():
            if reporter.is_settled:
                reporter.down(reason, 0, 0.0)

    def _reporters(self) -> list[ConnectionReporter]:
        reporters = [self.rest_session.reporter, *(lane.reporter for lane in self.feed.lanes)]
        if self.commands.is_wanted:
            reporters.append(self.commands.reporter)
        return [*reporters, self.account_reporter] if self._config.has_account else reporters

    def _build_supervisor(self, on_give_up: Callable[[str, Exception], None]) -> None:
        name, clock = self._driver.name, self._clock
        rest = Worker(f"{name}-rest", self.rest_session.body, clock)
        market = self.market.first_worker()
        stores: list[Worker] = []
        keys: list[Worker] = []
        account: list[Worker] = []
        if isinstance(self._journal, JournalWorker):
            stores.append(Worker(f"{name}-journal", journal_body(self._journal), clock))
        if self._config.has_account:
            # After the journal, which it needs to the last.
            stores.append(Worker(f"{name}-store", self._store.desk.serve, clock))
            if self.key_keeper is not None:
                keys.append(Worker(f"{name}-keys", self.key_keeper.body, clock))
            if self.commands.is_wanted:
                keys.append(Worker(f"{name}-commands", self.commands.body, clock))
            account.append(Worker(f"{name}-account", self._account_body, clock))
            account.append(Worker(f"{name}-reconciler", self.reconciler.body, clock))
            if self._guard.limits.needs_watch or self._guard.killed is not None:
                keys.append(self._risk_worker())
        root = Group(name, "one_for_one", RESTARTS, RESTART_PERIOD, (
            # First, so that it is the last to be told to stop.
            Group("stores", "all_for_one", STORE_RESTARTS, RESTART_PERIOD, _children(stores)),
            *_children([rest, market, *keys]),
            Group("account", "rest_for_one", RESTARTS, RESTART_PERIOD, _children(account)),
        ))  # fmt: skip
        self.supervisor = Supervisor(
            name, Tree(root), [*stores, rest, market, *keys, *account], clock, self._on_crash, on_give_up,
            hang_timeout=self._config.timeouts.hang, on_hang=self._on_hang,
        )  # fmt: skip

    def _risk_worker(self) -> Worker:
        self._has_watch = True
        return Worker(f"{self._driver.name}-risk", self.kill_switch.body, self._clock)

    def watch_risk(self) -> None:
        """Have a worker look after the limits and the kill switch from now on. Raises ThreadsUnavailable."""
        if self._config.has_account and not self._has_watch:
            try:
                self.supervisor.add(self._risk_worker())
            except ValueError:
                # Another thread was faster.
                return

    def start(self) -> None:
        """Start all workers; returns at once.

        Raises:
            ThreadsUnavailable: threads cannot be started, or do not run; none is left.
        """
        self.admission.open()
        self.supervisor.start()

    def signal(self) -> None:
        """Break every wait and tell all workers to end; returns at once."""
        self._stop.set()
        self.supervisor.signal()

    def give_up(self) -> None:
        """Send nothing any more: waits are broken, tasks of the pool that did not begin fail. Returns at once."""
        self._stop.set()
        self.executor.refuse()

    def stop(self, deadline: Deadline) -> list[str]:
        """Break every wait, end all threads within the deadline; return the names of those that did not end.

        Questions of the workers are broken off at once. Whatever else is in flight may end by itself until half a
        second before the deadline: a command that is broken off is one of which nobody knows what became of it.
        """
        self._stop.set()
        self._http.cut(only_background=True)
        early = deadline if deadline.at_ns is None else Deadline(deadline.at_ns - _TIME_TO_CUT_NS)
        left = self.supervisor.stop(early)
        has_pool_ended = self.executor.stop(early)
        is_idle = self._http.wait_idle(early.remaining(self._clock.monotonic_ns()))
        self._http.cut(only_background=False)
        if left:
            left = self.supervisor.stop(deadline)
        if not has_pool_ended and not self.executor.stop(deadline):
            left.append(f"{self._driver.name}-pool")
        if not is_idle:
            self._http.wait_idle(deadline.remaining(self._clock.monotonic_ns()))
        self._http.close()
        self.admission.close()
        return left

    def _on_crash(self, worker: str, error: Exception) -> None:
        self._pipeline.count("worker.crashes", worker=worker)
        self._pipeline.error(f"worker {worker}", error)

    def _on_hang(self, worker: str, error: WorkerHung) -> None:
        self._pipeline.count("worker.hangs", worker=worker)
        aside(lambda: logger.error("worker %s hangs here:\n%s", worker, error.details["stack"]))
        # Its connection is cut, its successor has not begun: nothing that it fed may look alive meanwhile.
        if worker == f"{self._driver.name}-account":
            self.account = None
            for condition in ACCOUNT_CONDITIONS:
                self._readiness.lost(condition, error.message)
            self.account_reporter.down(error.message, 0, 0.0)
        elif worker == f"{self._driver.name}-commands":
            self.commands.on_hang(error.message)
        else:
            self.market.on_hang(worker, error.message)


def _children(workers: list[Worker]) -> tuple[Child, ...]:
    return tuple(Child(worker.name) for worker in workers)


def _signer(config: Config, driver: ExchangeDriver) -> Signer | None:
    return None if config.credentials is None else driver.signer(*config.credentials.parts())
