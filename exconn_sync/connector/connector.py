"""One connection to one exchange, for programs that write plain blocking code."""

from __future__ import annotations

import enum
import random
from types import TracebackType
from typing import NoReturn

from exconn_sync._runtime.readiness import ReadyEvent
from exconn_sync._runtime.thread_dump import thread_dump
from exconn_sync._runtime.worker import WorkerReport
from exconn_sync.config import Config
from exconn_sync.connector.account_questions import AccountFace
from exconn_sync.connector.batch_commands import BatchFace
from exconn_sync.connector.commands import CommandFace
from exconn_sync.connector.core import Core
from exconn_sync.connector.data import DataFace
from exconn_sync.connector.health import Health, health_of
from exconn_sync.connector.history import HistoryFace
from exconn_sync.connector.order_commands import OrderCommandFace
from exconn_sync.connector.remote import RemoteFace
from exconn_sync.connector.risk import RiskFace
from exconn_sync.errors import ValidationError
from exconn_sync.model.capabilities import Capabilities
from exconn_sync.model.enums import ConnectorState
from exconn_sync.ports.clock import Clock, SystemClock
from exconn_sync.ports.metrics import MetricsSink


class Configured(enum.Enum):
    """Stands for a limit that the configuration says."""

    STOP = "timeouts.stop"


class Connector(DataFace, RemoteFace, HistoryFace, AccountFace, CommandFace, OrderCommandFace, BatchFace, RiskFace):
    """Keeps one account's connections to one exchange alive, and everything that follows from them up to date.

    ::

        connector = Connector(Config.builder("binance").api_key_from_env().build())
        connector.start()
        connector.ready.wait(timeout=10)
        ...
        connector.stop(timeout=5)

    Also a context manager, which starts on entry and stops on exit. Every method may be called from any thread, also
    from inside a callback. The methods stand by subject in ``DataFace``, ``RemoteFace``, ``HistoryFace``,
    ``AccountFace``, ``CommandFace``, ``OrderCommandFace``, ``BatchFace`` and ``RiskFace``.

    Args:
        config: the settings.
        clock: where time is read; only tests pass another one.
        rng: source of jitter; only tests pass another one.
    """

    def __init__(self, config: Config, *, clock: Clock | None = None, rng: random.Random | None = None) -> None:
        if not isinstance(config, Config):
            raise ValidationError("config", type(config).__name__, "must be a Config")
        self._core = Core(config, clock or SystemClock(), rng or random.Random())

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect in the background and stay connected; returns at once, retries for ever. Twice is once.

        In a child process that was forked since, it begins a fresh life there: the configuration and the subscriptions
        are kept, nothing else. A connector that is still running when the program ends is stopped then.

        Raises:
            ThreadsUnavailable: this process cannot start threads, or does not let them run; nothing was started.
            ConnectorStopped: a stop is going on, or the program is ending.
        """
        self._core.start()

    def stop(self, timeout: float | Configured | None = Configured.STOP) -> list[str]:
        """End everything within ``timeout`` seconds; from any thread, a callback too, twice or before ``start``.

        The default is ``timeouts.stop`` of the configuration, 5 s; None is no limit.

        Waits and back-offs are broken at once; events already received are still delivered within the time. Whoever
        waits gets ConnectorStopped. Returns the names of threads that did not end in time, normally none.
        """
        return self._core.stop(self._limit(timeout))

    def restart(self, config: Config | None = None, timeout: float | Configured | None = Configured.STOP) -> None:
        """Stop and start, perhaps with another configuration; subscriptions and known orders are kept.

        From any thread, a callback too. Where somebody calls ``stop`` meanwhile, the connector stays stopped. After a
        change to the key of another account make a new Connector instead: what is known of orders is kept.

        Raises:
            ValidationError: no Config, one of another exchange, or one with another journal; nothing was changed.
            ThreadsUnavailable, ConnectorStopped: see ``start``; the connector is stopped.
        """
        self._core.restart(config, self._limit(timeout))

    def _limit(self, timeout: float | Configured | None) -> float | None:
        return self._core.stop_timeout if isinstance(timeout, Configured) else timeout

    def _adopt(self) -> None:
        """Make a connector of the parent process usable in this one, without starting it; for the hub."""
        self._core.adopt()

    def __enter__(self) -> Connector:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A forked child that leaves the block of its parent has nothing to stop, and its own error must go on.
        if not self._core.is_foreign:
            self.stop()

    # --- condition --------------------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration of the present life."""
        return self._core.config

    @property
    def capabilities(self) -> Capabilities:
        """What the exchange offers and lacks, by the names of methods; can be read before ``start``, from any thread.

        A call beyond it raises ValidationError before anything is sent.
        """
        return self._core.driver.capabilities(self._core.config.environment)

    @property
    def ready(self) -> ReadyEvent:
        """Set while everything works: REST, streams and, with a key, the reconciled account."""
        return self._core.own_readiness.events["ready"]

    @property
    def rest_ready(self) -> ReadyEvent:
        """Set while REST is reachable, the clock synchronized and the instruments loaded."""
        return self._core.own_readiness.events["rest"]

    @property
    def stream_ready(self) -> ReadyEvent:
        """Set while the market stream is up and every wanted topic acknowledged."""
        return self._core.own_readiness.events["stream"]

    @property
    def account_ready(self) -> ReadyEvent:
        """Set while the account stream is authenticated and the account reconciled; never without a key."""
        return self._core.own_readiness.events["account"]

    def wait_ready(self, timeout: float | None = None) -> None:
        """Wait until ``ready``, or raise why that is not so.

        Raises:
            AuthenticationError: the exchange refuses the key; more waiting cannot help.
            NotReady: not ready within ``timeout`` seconds; the message names what is missing.
            ConnectorStopped: stopped, or never started.
        """
        if self.state is ConnectorState.NEW:
            _ = self._core.assembly
        self._core.own_readiness.wait("ready", timeout)

    @property
    def state(self) -> ConnectorState:
        """``new``, ``connecting``, ``ready``, ``degraded``, ``stopping``, ``stopped`` or ``failed``."""
        self._core.guard.check("connector")
        return self._core.state

    @property
    def is_connected(self) -> bool:
        """True while the market stream and, with a key, the account stream stand. Exact at this moment."""
        self._core.guard.check("connector")
        assembly = self._core.running
        return assembly is not None and assembly.is_open

    def health(self) -> Health:
        """Return what is well and what is not. Instant."""
        self._core.guard.check("connector")
        return health_of(self._core)

    @property
    def metrics(self) -> MetricsSink:
        """Where the numbers about this connector's work go: the configured sink, or a ``MemoryMetrics``."""
        return self._core.metrics

    def workers(self) -> list[WorkerReport]:
        """Return what is known of each worker thread."""
        self._core.guard.check("connector")
        assembly = self._core.running
        return [] if assembly is None else assembly.supervisor.reports()

    def thread_dump(self) -> str:
        """Return name and stack of each thread of the library in this process, as text for a bug report.

        It holds places in the code and no values of variables, so no secret.
        """
        self._core.guard.check("connector")
        return thread_dump()

    def __repr__(self) -> str:
        return repr(self._core)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Connector is not pickled; make one in each process")
