"""One connection to one exchange, for programs that write plain blocking code."""

from __future__ import annotations

import random
from types import TracebackType
from typing import NoReturn

from exconn_sync._runtime.readiness import ReadyEvent
from exconn_sync._runtime.worker import WorkerReport
from exconn_sync.config import Config
from exconn_sync.connector.commands import CommandFace
from exconn_sync.connector.core import Core
from exconn_sync.connector.data import DataFace
from exconn_sync.connector.health import Health, health_of
from exconn_sync.connector.remote import RemoteFace
from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import ConnectorState
from exconn_sync.ports.clock import Clock, SystemClock
from exconn_sync.ports.metrics import MetricsSink

STOP_TIMEOUT = 5.0


class Connector(DataFace, RemoteFace, CommandFace):
    """Keeps one account's connections to one exchange alive, and everything that follows from them up to date.

    ::

        connector = Connector(Config.builder("binance").api_key_from_env().build())
        connector.start()
        connector.ready.wait(timeout=10)
        ...
        connector.stop(timeout=5)

    Also a context manager, which starts on entry and stops on exit. Every method may be called from any thread, also
    from inside a callback. The methods stand by subject in ``DataFace``, ``RemoteFace`` and ``CommandFace``.

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
        """Connect in the background and stay connected; returns at once, retries for ever. Twice is once."""
        self._core.start()

    def stop(self, timeout: float | None = STOP_TIMEOUT) -> list[str]:
        """End everything within ``timeout`` seconds; from any thread, a callback too, twice or before ``start``.

        Waits and back-offs are broken at once; events already received are still delivered within the time. Whoever
        waits gets ConnectorStopped. Returns the names of threads that did not end in time, normally none.
        """
        return self._core.stop(timeout)

    def restart(self, config: Config | None = None, timeout: float | None = STOP_TIMEOUT) -> None:
        """Stop and start, perhaps with another configuration; subscriptions and known orders are kept."""
        self._core.restart(config, timeout)

    def __enter__(self) -> Connector:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- condition --------------------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The configuration of the present life."""
        return self._core.config

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
        if assembly is None or not assembly.market.is_open:
            return False
        return assembly.account is None or assembly.account.is_open

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

    def __repr__(self) -> str:
        return f"<Connector {self._core.config.exchange} {self._core.state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Connector is not pickled; make one in each process")
