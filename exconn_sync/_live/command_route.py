"""Which way a command goes: over the socket where the user wants it and one is ready, else over REST."""

from __future__ import annotations

import itertools
from typing import TypeVar

from exconn_sync._live.admission import Admission
from exconn_sync._live.command_socket import CommandFeed
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.pending_command import Declined
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.config import Config
from exconn_sync.errors import ClockSkew, ExconnError, ProtocolError
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.metrics import MetricsSink

T = TypeVar("T")


class CommandRoute:
    """Sends commands on the caller's own thread, each at most once. Thread-safe.

    REST is taken where the socket certainly did nothing: it is not signed in, takes no commands of this kind, or the
    exchange refused for the timestamp, which REST cures. A command that may have left goes no second way.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        keys: KeyRing,
        admission: Admission,
        clock: Clock,
        server_clock: ServerClock,
        metrics: MetricsSink,
    ) -> None:
        self._config = config
        self._driver = driver
        self._rest = rest
        self._keys = keys
        self._admission = admission
        self._clock = clock
        self._server_clock = server_clock
        self._metrics = metrics
        self._ids = itertools.count(1)
        # Of the present life of the socket's worker; None where there is no socket.
        self.feed: CommandFeed | None = None

    def call(self, call: RestCall[T], timeout: float | None) -> T:
        """Send a command and return its domain value; ``timeout`` seconds bound everything it does.

        Raises:
            ExconnError: with ``request_id`` and ``outcome``.
        """
        feed = self.feed
        if feed is None or not feed.is_ready or not feed.wire.takes(call):
            return self._rest.call(call, timeout)
        deadline = Deadline.after(self._clock.monotonic_ns(), timeout)
        try:
            return self._over(feed, call, deadline)
        except (Declined, ClockSkew) as other:
            self._count(call, type(other).__name__.lower())
        return self._rest.call(call, deadline.remaining(self._clock.monotonic_ns()))

    def _over(self, feed: CommandFeed, call: RestCall[T], deadline: Deadline) -> T:
        request_id = f"{self._driver.name}-socket-{next(self._ids)}"
        try:
            value = self._asked(feed, call, deadline)
        except ExconnError as error:
            error.request_id, error.exchange = request_id, self._driver.name
            self._count(call, "failed")
            raise
        self._count(call, "done")
        return value

    def _asked(self, feed: CommandFeed, call: RestCall[T], deadline: Deadline) -> T:
        signer = self._keys.take(call.path)
        budget = self._admission.budget
        grant = self._admission.admit(call.path, feed.wire.costs(call), call.lane or Lane.ORDER, deadline)
        try:
            response = feed.ask(lambda number: self._frame(feed, call, number), self._seconds(deadline))
        except Declined:
            budget.give_back(grant)
            raise
        except ExconnError as error:
            if error.outcome == "not_sent":
                budget.give_back(grant)
            raise
        reach("socket.after_send")
        refusal = self._driver.error_of(response, call)
        figures = self._driver.used_figures(response, call)
        self._admission.settle(grant, figures, has_succeeded=refusal is None)
        if refusal is None:
            self._keys.accepted(signer)
            return _parsed(call, response)
        self._admission.hear(refusal, response.status, grant)
        raise refusal

    def _frame(self, feed: CommandFeed, call: RestCall[T], number: int) -> bytes:
        # Stamped by the thread that sends it, after all waiting.
        return feed.wire.encode(call, number, self._server_clock.stamp_ms(), self._config.rate_limits.window_ms)

    def _seconds(self, deadline: Deadline) -> float:
        left, most = deadline.remaining(self._clock.monotonic_ns()), self._config.timeouts.read
        return most if left is None else max(0.0, min(left, most))

    def _count(self, call: RestCall[T], result: str) -> None:
        self._metrics.count("socket.commands", exchange=self._driver.name, path=call.path, result=result)


def _parsed(call: RestCall[T], response: HttpResponse) -> T:
    try:
        return call.parse(response)
    except ProtocolError as error:
        # It was executed or not; an answer that cannot be read proves neither (fault model 0.1).
        error.outcome = "unknown"
        raise
