"""Opens stream connections, within the number of attempts that the exchange allows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from exconn_sync._live.admission import Admission
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.heartbeat import beat
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.limiter import ConnectBudget, connect_budget
from exconn_sync._transport.local import connect_stream
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.config import Config
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, RateLimitError
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import Cost
from exconn_sync.ports.driver import StreamLimits

_MAX_MESSAGE_BYTES = 16 << 20
_WORTH_TELLING = 1.0
_LONGEST_SLEEP = 5.0
_TOO_MANY = 429
_NOTHING: Mapping[str, Sequence[Cost]] = MappingProxyType({})


class Dialler:
    """Opens connections for any thread. All connectors of a process share the attempts at one host (fault F019).

    ``costs`` says, by URL, which connections also take something from the request budgets.
    """

    def __init__(
        self,
        config: Config,
        limits: StreamLimits,
        pipeline: Pipeline,
        network: NetworkParts,
        admission: Admission | None = None,
        costs: Mapping[str, Sequence[Cost]] = _NOTHING,
    ) -> None:
        self._config = config
        self._limits = limits
        self._pipeline = pipeline
        self._network = network
        self._admission = admission
        self._costs = costs

    def dial(self, url: str, stop: StopSignal) -> StreamSocket:
        """Return an open connection; blocks until then.

        Raises:
            ConnectionFailed: it could not be made.
            ConnectorStopped: ``stop`` was set.
        """
        if self._admission is not None:
            self._await_end_of_ban(self._admission, stop)
        self._await_budget(url, stop)
        costs = self._costs.get(url, ())
        if self._admission is None:
            return self._heard(url, stop)
        # The connections that cost something carry the account, which orders wait for.
        grant = self._admission.admit(urlsplit(url).netloc, costs, Lane.ORDER, Deadline(None), stop) if costs else None
        try:
            return self._heard(url, stop)
        except ConnectionFailed as error:
            self._admission.hear_refusal(error, self._limits.bans)
            raise
        finally:
            if grant is not None:
                self._admission.settle(grant, has_succeeded=False)

    def _heard(self, url: str, stop: StopSignal) -> StreamSocket:
        try:
            return self._connected(url, stop)
        except ConnectionFailed as error:
            wait = error.details.get("retry_after")
            if error.details.get("http_status") == _TOO_MANY and isinstance(wait, (int, float)):
                # Said of the address: whatever else wants to connect there waits as well (fault F020).
                self._budget(url).hold(wait, _now_ms())
            raise

    def _connected(self, url: str, stop: StopSignal) -> StreamSocket:
        timeouts = self._config.timeouts
        beat(2 * timeouts.connect)
        try:
            wakeup = Wakeup()
        except OSError as error:
            # No descriptors left (fault F143): as with any failed attempt, the next one may succeed.
            raise ConnectionFailed(f"cannot connect: {error}", outcome="not_sent") from error
        stop.on_set(wakeup.wake)
        try:
            return connect_stream(
                url,
                wakeup,
                lambda: stop.is_set,
                connect_timeout=timeouts.connect,
                write_timeout=timeouts.write,
                max_message_bytes=_MAX_MESSAGE_BYTES,
                network=self._network,
            )
        except ConnectionFailed as error:
            if stop.is_set:
                raise ConnectorStopped("the connector is stopped") from error
            raise
        finally:
            stop.forget(wakeup.wake)
            wakeup.close()

    def _budget(self, url: str) -> ConnectBudget:
        period_ms = int(self._limits.connections_period * 1000)
        return connect_budget(urlsplit(url).netloc, self._limits.connections, period_ms)

    def _await_end_of_ban(self, admission: Admission, stop: StopSignal) -> None:
        """Wait while this address is banned: whoever goes on connecting is banned for longer (fault F078).

        It has been told, and the health of the connector tells it as long as it lasts.
        """
        while (wait := admission.banned_for) > 0:
            # Looked at again: another connector may have been told of a later end.
            self._wait(min(wait, _LONGEST_SLEEP), stop)

    def _await_budget(self, url: str, stop: StopSignal) -> None:
        budget, is_told = self._budget(url), False
        while (wait := budget.take(_now_ms())) > 0:
            if not is_told and wait >= _WORTH_TELLING:
                is_told = True
                used_up = f"{self._limits.connections} connections in {self._limits.connections_period:g} s are used up"
                why = "the exchange wants no connection" if budget.is_held(_now_ms()) else used_up
                error = RateLimitError(f"{why}; waiting {wait:.0f} s", retry_after=wait)
                self._pipeline.error(f"connections to {urlsplit(url).netloc}", error)
            self._wait(wait, stop)

    @staticmethod
    def _wait(seconds: float, stop: StopSignal) -> None:
        beat(seconds)
        if stop.wait(seconds):
            raise ConnectorStopped("the connector is stopped")


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
