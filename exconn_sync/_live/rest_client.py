"""One guarded path for every REST call: budget, breaker, signature, sending, reading.

The order matters: the timestamp is taken after every wait, never before it, and nothing is sent for a caller whose
deadline has passed.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from exconn_sync._live.admission import Admission
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.paging import all_pages
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.skew_cure import SkewCure, Stamp
from exconn_sync._live.unknown_parts import UnknownParts
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.heartbeat import beat
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.budget import Grant
from exconn_sync._transport.http import HttpClient
from exconn_sync.errors import (
    AuthenticationError,
    ClockSkew,
    ConnectionFailed,
    ConnectorStopped,
    ExconnError,
    FilterViolation,
    MarketClosed,
    ProtocolError,
    RequestTimeout,
    ValidationError,
)
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import HttpRequest, HttpResponse, RestCall
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, Signer
from exconn_sync.ports.metrics import MetricsSink

logger = logging.getLogger("exconn_sync")

T = TypeVar("T")

_READ_ATTEMPTS = 2

_NEVER_BLOCKED = (Lane.CANCEL, Lane.QUERY)
"""Lanes of calls that go out whatever failed before: cancels, and what drivers mark as urgent: looks for orders and
balances, the clock and the rules. They lessen a risk, and one that works shows that the exchange is back (F162)."""


class RestClient:
    """Makes REST calls on the caller's own thread. Thread-safe.

    Commands are sent at most once, but for one that was refused for its timestamp: that is sent once more when the
    clock is synchronized. A read whose connection broke is tried once more within its deadline, as long as all
    connectors together do not repeat too many (fault F161).
    """

    def __init__(
        self,
        driver: ExchangeDriver,
        keys: KeyRing,
        window_ms: int,
        http: HttpClient,
        admission: Admission,
        breaker: Breaker,
        clock: Clock,
        server_clock: ServerClock,
        metrics: MetricsSink,
        stop: StopSignal,
        look_again: Callable[[], None],
        on_worker: Callable[[], bool] = lambda: False,
        doubt_instruments: Callable[[], None] = lambda: None,
        environment: str = "production",
    ) -> None:
        self._driver = driver
        self._keys = keys
        self._window_ms = window_ms
        self._http = http
        self._admission = admission
        self._breaker = breaker
        self._clock = clock
        self._server_clock = server_clock
        self._metrics = metrics
        self._stop = stop
        self._look_again = look_again
        self._on_worker = on_worker
        self._doubt_instruments = doubt_instruments
        self._environment, self._missing = environment, driver.missing_paths(environment)
        self._cure = SkewCure(clock, server_clock, window_ms, look_again, stop)
        self._unknown_parts = UnknownParts(driver.name, metrics, clock)
        self._ids = itertools.count(1)

    def call(self, call: RestCall[T], timeout: float | None, *, is_background: bool | None = None) -> T:
        """Make a call and return its domain value; ``timeout`` seconds bound everything it does.

        Where the answer comes in pages, all of them are asked for, within the same time.

        A background call is broken off by a stop at once, all others when the stop's time runs out; by default those of
        workers are (``on_worker`` tells whether the calling thread is one). A command never is.

        Raises:
            ValidationError: the environment does not have what is asked for; nothing was sent.
            ExconnError: with ``request_id`` and, for commands, ``outcome``.
        """
        if call.path in self._missing:
            text = f"does not have {call.path}"
            raise ValidationError("environment", self._environment, text, exchange=self._driver.name)
        deadline = Deadline.after(self._clock.monotonic_ns(), timeout)
        if call.pages is None:
            return self._call(call, deadline, is_background)
        return all_pages(call, call.pages, lambda page: self._call(page, deadline, is_background))

    def _call(self, call: RestCall[T], deadline: Deadline, is_background: bool | None) -> T:
        request_id = f"{self._driver.name}-{next(self._ids)}"
        attempts = 1 if call.is_command else _READ_ATTEMPTS
        stamp, is_cured = Stamp(), False
        background = not call.is_command and (self._on_worker() if is_background is None else is_background)
        lane = call.lane
        if lane is None:
            lane = Lane.ORDER if call.is_command else Lane.BULK if background else Lane.QUERY
        self._admission.budget.asked()
        try:
            while True:
                attempts -= 1
                try:
                    return self._attempt(call, deadline, lane, stamp, is_background=background)
                except ClockSkew as error:
                    # It was refused for certain, so even a command may be sent once more, stamped anew (F081).
                    if is_cured or not self._cure.cure(stamp, deadline):
                        self._cure.explain(error, stamp)
                        raise
                    is_cured, attempts = True, attempts + 1
                except ConnectionFailed as error:
                    now_ns = self._clock.monotonic_ns()
                    if attempts == 0 or not error.temporary or deadline.is_over(now_ns):
                        raise
                    if not self._admission.budget.may_retry(now_ns):
                        self._metrics.count("rest.retries_refused", exchange=self._driver.name)
                        raise
        except ExconnError as error:
            error.request_id = request_id
            if not call.is_command and error.outcome != "not_sent":
                # What became of a question does not matter: nothing was changed by it.
                error.outcome = None
            error.exchange = self._driver.name
            if isinstance(error, (FilterViolation, MarketClosed)):
                # It was checked here before it was sent, so the rules known here may be old ones.
                self._doubt_instruments()
            logger.debug("%s %s %s failed: %s", request_id, call.method, call.path, error)
            raise

    def _attempt(self, call: RestCall[T], deadline: Deadline, lane: Lane, stamp: Stamp, *, is_background: bool) -> T:
        if call.is_signed:
            self._keys.take(call.path)
        grant = self._admission.admit(call.path, call.costs, lane, deadline)
        try:
            request, signer = self._request(call, deadline, stamp)
        except BaseException:
            self._admission.budget.give_back(grant)
            raise
        started_ns = self._clock.monotonic_ns()
        # On a worker's thread: it may be silent until the answer is there or the deadline over.
        beat(deadline.remaining(started_ns) or 0.0)
        try:
            response = self._http.send(request, deadline, is_background=is_background)
        except (ConnectionFailed, RequestTimeout) as error:
            # One that was sent is not settled: it may arrive when we have long given it up, and is forgotten in time.
            if error.outcome == "not_sent":
                self._admission.budget.give_back(grant)
            self._check_life(call)
            self._breaker.failed(error)
            self._count(call, "failed", started_ns)
            # Whether REST is down altogether is found out at once, and not at the next interval.
            self._look_again()
            raise
        beat()
        verdict = self._settled(call, response, grant)
        self._check_life(call)
        reach("rest.after_send")
        self._count(call, str(response.status), started_ns)
        return self._read(call, response, signer, verdict)

    def _request(self, call: RestCall[Any], deadline: Deadline, stamp: Stamp) -> tuple[HttpRequest, Signer | None]:
        if call.lane not in _NEVER_BLOCKED:
            self._breaker.check()
        if call.is_signed:
            self._cure.stamp(stamp, deadline)
        # Taken after the wait: the key may have been replaced meanwhile.
        signer = self._keys.take(call.path) if call.is_signed else None
        request = self._driver.to_http(call, signer, stamp.time_ms, self._window_ms)
        reach("rest.before_send")
        return request, signer

    def _settled(self, call: RestCall[Any], response: HttpResponse, grant: Grant) -> ExconnError | None:
        """Let the budget know what an answer says about it; return the error in the answer."""
        error = self._driver.error_of(response, call)
        figures = self._driver.used_figures(response, call)
        self._admission.settle(grant, figures, has_succeeded=error is None and response.status < 400)
        limit = None if error is not None or call.limit_of is None else call.limit_of(response)
        if error is not None:
            self._admission.hear(error, response.status, grant)
        elif limit is not None:
            self._admission.hear_limit(limit, grant)
        else:
            rules = self._driver.stated_rules(response, call)
            if rules:
                self._admission.budget.learn(rules)
        return error

    def _check_life(self, call: RestCall[Any]) -> None:
        """End a question whose answer came after the stop: it belongs to a life that is over, and to no later one."""
        if self._stop.is_set and not call.is_command:
            raise ConnectorStopped("the connector is stopped")

    def _read(self, call: RestCall[T], response: HttpResponse, signer: Signer | None, error: ExconnError | None) -> T:
        if response.status >= 500 and error is not None:
            self._breaker.failed(error)
        else:
            self._breaker.succeeded()
        if error is None:
            if signer is not None:
                self._keys.accepted(signer)
            return self._parsed(call, response)
        if isinstance(error, AuthenticationError) and signer is not None:
            self._keys.refused(signer)
        raise error

    def _parsed(self, call: RestCall[T], response: HttpResponse) -> T:
        if self._unknown_parts.may_look(len(response.body)):
            self._unknown_parts.note(self._driver.unknown_in_answer(response, call))
        try:
            return call.parse(response)
        except ProtocolError as error:
            if call.is_command:
                # It was executed or not; an answer that cannot be read proves neither (fault model 0.1).
                error.outcome = "unknown"
            raise

    def _count(self, call: RestCall[Any], result: str, started_ns: int) -> None:
        seconds = (self._clock.monotonic_ns() - started_ns) / 1e9
        self._metrics.count("rest.requests", exchange=self._driver.name, path=call.path, result=result)
        self._metrics.observe("rest.seconds", seconds, exchange=self._driver.name, path=call.path)
