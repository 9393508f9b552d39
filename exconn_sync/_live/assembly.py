"""All parts of one life of a connector, put together: made at start, let go at stop."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from urllib.parse import urlsplit

from exconn_sync._live.account_reader import ACCOUNT, RECONCILED, AccountReader
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.feed_reader import STREAM, FeedReader
from exconn_sync._live.order_gateway import OrderGateway
from exconn_sync._live.order_handle import Order
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.reconciler import Reconciler
from exconn_sync._live.resolver import Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.rest_session import CLOCK, INSTRUMENTS, RestSession
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.socket_session import SessionHandler, SocketSession
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.restart import RestartPolicy
from exconn_sync._runtime.executor import Executor
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.supervisor import Supervisor
from exconn_sync._runtime.worker import Worker
from exconn_sync._store.account_store import AccountStore
from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.http import HttpClient
from exconn_sync._transport.limiter import shared_budget
from exconn_sync.config import Config
from exconn_sync.model.market import BookSnapshot
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, Signer
from exconn_sync.risk import MaxOrderNotional, RiskGate

POOL_SIZE = 8
RESTARTS, RESTART_PERIOD = 10, 60.0
_BREAKER_PAUSE = 10.0
_SNAPSHOT_LEVELS = 1000
_MAX_BODY_BYTES = 64 << 20

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
    ) -> None:
        self._config = config
        self._driver = driver
        self._clock = clock
        self._rng = rng
        self._readiness = readiness
        self._pipeline = pipeline
        self._cancel = cancel
        self._stop = StopSignal()
        self.signer = _signer(config, driver)
        self.server_clock = ServerClock(clock)
        self.catalogue = Catalogue(driver.name)
        self.executor = Executor(driver.name, POOL_SIZE, clock)
        self.breaker = Breaker(driver.name, clock, pause=min(_BREAKER_PAUSE, config.reconnect.cap))
        self._http = HttpClient(
            config.endpoints["rest"],
            clock,
            connect_timeout=config.timeouts.connect,
            read_timeout=config.timeouts.read,
            max_body_bytes=_MAX_BODY_BYTES,
        )
        self.budget = shared_budget(urlsplit(config.endpoints["rest"]).netloc, driver.rate_rules)
        self.rest = RestClient(
            driver, self.signer, config.rate_limits.window_ms, self._http, self.budget, self.breaker, clock,
            self.server_clock, pipeline.metrics, self._stop, lambda: self.rest_session.synchronize(),
        )  # fmt: skip
        self.rest_session = RestSession(
            config, driver, self.rest, clock, self.server_clock, self.catalogue, readiness, pipeline, rng,
            on_instruments,
        )  # fmt: skip
        self._build_market()
        self._build_account(store)
        policy = RestartPolicy("one_for_one", RESTARTS, RESTART_PERIOD)
        self.supervisor = Supervisor(driver.name, policy, self._workers(), clock, self._on_crash, on_give_up)

    def _build_market(self) -> None:
        driver, pipeline, clock = self._driver, self._pipeline, self._clock
        self.books = BookKeeper(
            driver, pipeline, clock, self._rng, self._fetch_snapshot, lambda task: self.market.post(task)
        )
        self.feed = FeedReader(
            self._config, driver, self.catalogue, self.books, pipeline, self._readiness, clock,
            lambda message: self.market.send(message), lambda task: self.market.post(task),
        )  # fmt: skip
        self.market = self._session("market", self.feed)

    def _build_account(self, store: AccountStore) -> None:
        config, driver, clock = self._config, self._driver, self._clock
        self.reconciler = Reconciler(
            config, driver, self.rest, self.catalogue, store, self._readiness, self._pipeline, clock, self._rng
        )
        self.resolver = Resolver(
            store, clock, self.server_clock, config.rate_limits.window_ms, driver.processing_limit_ms,
            self.reconciler.look, self.reconciler.wake,
        )  # fmt: skip
        self.reconciler.resolver = self.resolver
        limit = config.risk.max_order_notional
        rules = [] if limit is None else [MaxOrderNotional(limit)]
        self.gateway = OrderGateway(
            config, driver, self.rest, self.catalogue, self.books, store, RiskGate([*rules, *config.rules]),
            self.reconciler, self.resolver, clock, self._cancel,
        )  # fmt: skip
        self.account: SocketSession | None = None
        if self.signer is not None:
            reader = AccountReader(
                config, driver, self.signer, self.catalogue, store, self._pipeline, self._readiness, clock,
                self.server_clock, self._send_account, self.reconciler.reconcile_soon, self.rest_session.synchronize,
            )  # fmt: skip
            self.account = self._session("account", reader)

    def _session(self, name: str, handler: SessionHandler) -> SocketSession:
        def await_rest(stop: StopSignal) -> None:
            self._readiness.wait("rest", None, stop)

        return SocketSession(name, self._config, handler, self._clock, self._pipeline, self._rng, await_rest)

    def _workers(self) -> list[Worker]:
        name, clock = self._driver.name, self._clock
        workers = [
            Worker(f"{name}-rest", self.rest_session.body, clock),
            Worker(f"{name}-market", self.market.body, clock),
        ]
        if self.account is not None:
            workers.append(Worker(f"{name}-account", self.account.body, clock))
            workers.append(Worker(f"{name}-reconciler", self.reconciler.body, clock))
        return workers

    def start(self) -> None:
        """Start all workers; returns at once."""
        self.supervisor.start()

    def stop(self, deadline: Deadline) -> list[str]:
        """Break every wait, end all threads within the deadline; return the names of those that did not end."""
        self._stop.set()
        left = self.supervisor.stop(deadline)
        if not self.executor.stop(deadline):
            left.append(f"{self._driver.name}-pool")
        self._http.close()
        return left

    def _send_account(self, message: bytes) -> None:
        if self.account is not None:
            self.account.send(message)

    def _fetch_snapshot(self, symbol: str) -> Future[BookSnapshot]:
        call = self._driver.fetch_order_book(self.catalogue.get(symbol), _SNAPSHOT_LEVELS)
        return self.executor.submit(lambda: self.rest.call(call, self._config.timeouts.snapshot))

    def _on_crash(self, worker: str, error: Exception) -> None:
        self._pipeline.metrics.count("worker.crashes", exchange=self._driver.name, worker=worker)
        self._pipeline.error(f"worker {worker}", error)


def _signer(config: Config, driver: ExchangeDriver) -> Signer | None:
    if config.credentials is None:
        return None
    return driver.signer(config.credentials.api_key.reveal(), config.credentials.api_secret.reveal())
