"""Lets requests through as the budgets of the exchange allow, and waits where they do not."""

from __future__ import annotations

import contextlib
import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.lanes import Ticket
from exconn_sync._machines.request_budget import CONNECTIONS, EVERYTHING
from exconn_sync._runtime.heartbeat import beat
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.budget import Budget, Grant
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, PermissionDenied, RateLimitError
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.waiting import Event

logger = logging.getLogger("exconn_sync")

_LONGEST_SLEEP = 5.0
"""A wait is looked at again after this time, whatever it was told: another process may have given something back."""
_MOST_FILLS = 1000
"""First fills that wait to be told to the budget at most; the exchange's next figure knows of all."""
_AFTER_429, _AFTER_418, _AFTER_ORDERS, _AFTER_FIREWALL = 60.0, 120.0, 10.0, 10.0
"""Seconds of silence where the exchange does not say how long, at first (fault F077)."""


_BANNED = frozenset({403, 418})
"""Statuses by which a reached limit shuts the address out: it gets no connections either (Bybit: 2.2)."""
_NO_BANS: Mapping[int, float] = MappingProxyType({})
_ASK_FOR_SILENCE = frozenset({403, 418, 429})
"""Answers after which nothing is sent for a while, where a driver has found that they are about limits."""


class Admission:
    """The way to the budgets for one connector. Thread-safe; waits on the caller's own thread.

    ``account`` returns what tells the account apart from others, and is no secret; it may change with the key.
    """

    def __init__(
        self,
        exchange: str,
        budget: Budget,
        account: Callable[[], str],
        clock: Clock,
        server_clock: ServerClock,
        pipeline: Pipeline,
        stop: StopSignal,
    ) -> None:
        self._exchange = exchange
        self._account = account
        self._clock = clock
        self._when = server_clock.moment
        self._pipeline = pipeline
        self._stop = stop
        # When orders of the account traded for the first time, as far as the budget does not know it yet.
        self._fills: deque[int] = deque(maxlen=_MOST_FILLS)
        self._losses = 0
        self._is_open = False
        self.budget = budget

    def open(self) -> None:
        """Note that the connector runs."""
        self._is_open = True
        self.budget.enter()

    def close(self) -> None:
        """Note that the connector has stopped. Idempotent; by the thread that stops it."""
        if self._is_open:
            self._is_open = False
            self.budget.leave()

    @property
    def silent_for(self) -> float:
        """For how many seconds nothing at all is sent to the exchange."""
        return self.budget.silent_for(self._when)

    @property
    def banned_for(self) -> float:
        """For how many seconds the exchange wants no connection of this address either, because it is banned."""
        return self.budget.silent_for(self._when, CONNECTIONS)

    def admit(
        self, what: str, costs: Sequence[Cost], lane: Lane, deadline: Deadline, stop: StopSignal | None = None
    ) -> Grant:
        """Wait for a request's turn and take what it costs; ``what`` is for messages.

        Raises:
            RateLimitError: it cannot be had before the deadline, which is told at once; nothing was sent.
            ConnectorStopped: ``stop``, the connector's by default.
        """
        stop = stop or self._stop
        turns = self.budget.turns
        ticket = turns.ticket(lane, [cost.limit for cost in costs if cost.amount])
        event: Event | None = None
        try:
            while True:
                if stop.is_set:
                    raise ConnectorStopped("the connector is stopped", outcome="not_sent")
                blocker = turns.blocker(ticket)
                if blocker is None:
                    self._credit()
                    answer = self.budget.take(costs, self._account(), lane, self._when)
                    self._tell_losses()
                    if isinstance(answer, Grant):
                        return answer
                    lacks, wait = answer.limit, answer.wait
                else:
                    lacks, wait = None, self._until(blocker)
                self._check(what, lacks, wait, deadline)
                if event is None:
                    event = turns.join(ticket)
                    logger.debug("%s %s waits for its request budget", self._exchange, what)
                event.clear()
                if self._fills:
                    # Noted while this one joined those who wait, and so before it could be woken.
                    continue
                now_ns = self._clock.monotonic_ns()
                if turns.has_to_wait(ticket, lacks, None if lacks is None else now_ns + int(wait * 1e9)):
                    self._sleep(event, _LONGEST_SLEEP if lacks is None else wait, deadline, stop)
                    waited = (self._clock.monotonic_ns() - now_ns) / 1e9
                    labels = {"exchange": self._exchange, "path": what}
                    self._pipeline.metrics.observe("rest.budget_wait_seconds", waited, **labels)
        finally:
            turns.leave(ticket)

    def first_fill(self, exchange_time_ns: int) -> None:
        """Note that an order of ours traded for the first time, which may give it back. Instant; from any thread.

        The budget learns it with the next request, because it may have to be waited for.
        """
        self._fills.append(exchange_time_ns // 1_000_000)
        if self.budget.turns.waiting:
            self.budget.turns.wake()

    def settle(self, grant: Grant, figures: Sequence[UsedFigure] = (), *, has_succeeded: bool) -> None:
        """Note the end of a request that was sent, and what the exchange said about its counts."""
        self.budget.settle(grant, self._when, figures, has_succeeded=has_succeeded)
        self._tell_losses()

    def hear(self, error: Exception, status: int, grant: Grant) -> None:
        """Be silent where an answer asks for it; ``retry_after`` of the error says for how long from then on."""
        if isinstance(error, RateLimitError) and status in _ASK_FOR_SILENCE:
            self._hear_limit(error, grant.lease.taken_ms, is_ban=status in _BANNED)
        elif isinstance(error, PermissionDenied) and error.retryable:
            # A firewall in front of the exchange, which asks for patience without saying how long (fault F079).
            self._begin_silence(EVERYTHING, None, _AFTER_FIREWALL, grant.lease.taken_ms, str(error))

    def hear_limit(self, error: RateLimitError, grant: Grant) -> None:
        """Be silent where an answer tells of a limit that it ran into with a part of what was asked."""
        self._hear_limit(error, grant.lease.taken_ms, is_ban=error.details.get("http_status") == 418)

    def hear_reply(self, error: RateLimitError) -> None:
        """Be silent where a reply on a socket asks for it, as after an answer of REST: one address has one count."""
        self._hear_limit(error, self._when().now_ms, is_ban=error.details.get("http_status") == 418)

    def hear_figures(self, figures: Sequence[UsedFigure]) -> None:
        """Note what a reply on a socket says is used; what it answers was not asked for here, or costs more by now."""
        # Something has to be taken for a figure to be about; it is given back, and so adds nothing.
        costs = [Cost(figure.limit, 1, is_free_on_success=True) for figure in figures]
        answer = self.budget.take(costs, self._account(), Lane.CANCEL, self._when)
        if isinstance(answer, Grant):
            self.settle(answer, figures, has_succeeded=True)

    def hear_refusal(self, error: ConnectionFailed, bans: Mapping[int, float] = _NO_BANS) -> None:
        """Be silent where the exchange refused a connection because this address is banned (fault F020).

        ``bans`` are further statuses that mean it, and for how many seconds. A 429 is not heard here: it may mean the
        attempts to connect, which are counted apart.
        """
        status = error.details.get("http_status")
        if isinstance(status, int) and (status == 418 or status in bans):
            told = error.details.get("retry_after") or None
            taken_ms, fallback = self._when().now_ms, bans.get(status, _AFTER_418)
            self._ban(self._begin_silence(EVERYTHING, told, fallback, taken_ms, str(error)), taken_ms)

    def _hear_limit(self, error: RateLimitError, taken_ms: int, *, is_ban: bool) -> None:
        fallback = _AFTER_418 if is_ban else _AFTER_ORDERS if error.is_per_account else _AFTER_429
        what = self._account() if error.is_per_account else EVERYTHING
        # Zero seconds are no answer to the question how long (fault F077).
        error.retry_after = self._begin_silence(what, error.retry_after or None, fallback, taken_ms, str(error))
        if is_ban:
            self._ban(error.retry_after, taken_ms)

    def _ban(self, seconds: float, taken_ms: int) -> None:
        """Open no connection either; the silence that this is a part of has been told."""
        self.budget.silence(CONNECTIONS, seconds, seconds, taken_ms, self._when)

    def _credit(self) -> None:
        """Tell the budget of first fills, if there were any."""
        filled: list[int] = []
        # Several threads may take them at once.
        with contextlib.suppress(IndexError):
            while True:
                filled.append(self._fills.popleft())
        if filled:
            self.budget.credit(self._account(), filled, self._when)

    def _begin_silence(self, what: str, seconds: float | None, fallback: float, taken_ms: int, why: str) -> float:
        is_new, lasts = self.budget.silence(what, seconds, fallback, taken_ms, self._when)
        if is_new:
            kind = "orders" if what else "requests"
            text = f"no {kind} for {lasts:.0f} s: {why}"
            self._pipeline.error("request budget", RateLimitError(text, retry_after=lasts), always=True)
        return lasts

    def _until(self, blocker: Ticket) -> float:
        """Return for how long another request waits at least."""
        if blocker.due_ns is None:
            return 0.0
        return max(0, blocker.due_ns - self._clock.monotonic_ns()) / 1e9

    def _check(self, what: str, lacks: str | None, wait: float, deadline: Deadline) -> None:
        """Raise where the wait would be too long."""
        remaining = deadline.remaining(self._clock.monotonic_ns())
        if wait == math.inf:
            text = f"{what} costs more than the whole limit {lacks}"
            raise RateLimitError(text, outcome="not_sent")
        if remaining is not None and (wait > remaining or (remaining == 0 and lacks is None)):
            reason = "the exchange asked for silence" if lacks == EVERYTHING else "the request budget is used up"
            text = f"{reason}; the next attempt may succeed in {wait:.1f} s"
            raise RateLimitError(text, retry_after=wait, outcome="not_sent")

    def _sleep(self, event: Event, wait: float, deadline: Deadline, stop: StopSignal) -> None:
        """Wait until it is worth to ask again, or until the stop."""
        seconds = min(wait, _LONGEST_SLEEP)
        remaining = deadline.remaining(self._clock.monotonic_ns())
        if remaining is not None:
            seconds = min(seconds, remaining)
        stop.on_set(event.set)
        try:
            beat(seconds)
            event.wait(seconds)
            beat()
        finally:
            stop.forget(event.set)

    def _tell_losses(self) -> None:
        """Tell once that the shared budget cannot be reached (each connector for its own subscribers)."""
        losses = self.budget.losses
        if losses != self._losses:
            self._losses = losses
            text = f"the shared request budget cannot be used, this process counts for itself: {self.budget.trouble}"
            self._pipeline.metrics.count("rest.budget_losses", exchange=self._exchange)
            self._pipeline.error("request budget", ConnectionFailed(text, outcome="not_sent"), always=True)
