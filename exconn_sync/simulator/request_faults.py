"""Faults of requests, of the clock and of limits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from exconn_sync.simulator.fault_targets import FaultControls, positive
from exconn_sync.simulator.request_fates import Fate, ScriptedAnswer


class RequestFaults(FaultControls):
    """What can go wrong with single requests, over REST and over the WebSocket API."""

    def answer(
        self,
        method: str,
        path: str,
        status: int,
        body: str,
        count: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next requests with this, without executing them."""
        self._call(self._board.script, (method, path), ScriptedAnswer(status, body, dict(headers or {})), count)

    def execute_then_drop(self, method: str, path: str, count: int = 1) -> None:
        """Execute the next requests, then reset their connections instead of answering."""
        self._call(self._board.drop_after, (method, path), count)

    def execute_then_answer(
        self, method: str, path: str, status: int, body: str, count: int = 1, headers: Mapping[str, str] | None = None
    ) -> None:
        """Execute the next requests, then answer with this instead of what came of them (fault F071)."""
        fate = Fate(answer=ScriptedAnswer(status, body, dict(headers or {})))
        self._call(self._board.fates.add, (method, path), "execute_then_answer", fate, count)

    def swap_answers(self, method: str, path: str, count: int = 2, times: int = 1) -> None:
        """Hold the answers of the next requests until there are so many, then give them in reverse, ``times`` times.

        A count of 0 lets go of those that are held. On Bybit's trade socket each answer says whose it is (F043).
        """
        self._call(lambda: self._board.answers.swap((method, path), count, times))

    @contextmanager
    def queue_in_engine(self, method: str, path: str, seconds: float) -> Iterator[None]:
        """Take requests in time and let them reach the matching engine so much later (fault F069).

        Unlike with ``delay``, nobody looks at their time again.
        """
        target, late, answers = (method, path), positive("seconds", seconds), self._board.answers
        begin, end = (lambda: answers.set_engine_delay(target, late)), (lambda: answers.set_engine_delay(target, None))
        with self._between(begin, end):
            yield

    @contextmanager
    def lag_reads(self, seconds: float) -> Iterator[None]:
        """Answer questions about orders and fills from copies that are so far behind (fault F070).

        What happened before the block is known to them. Balances, order lists and private events are not late.
        """
        late, behind = positive("seconds", seconds), self._board.orders.on_read_lag
        with self._between(lambda: [lag(late) for lag in behind], lambda: [lag(None) for lag in behind]):
            yield

    def execute_late(self, method: str, path: str, seconds: float, count: int = 1) -> None:
        """Hold the next requests so long between their check on receipt and their execution (fault F069)."""
        fate = Fate(hold_s=positive("seconds", seconds))
        self._call(self._board.fates.add, (method, path), "execute_late", fate, count)

    def hold_answers(self, method: str, path: str, seconds: float, count: int = 1) -> None:
        """Execute the next requests at once and answer them so much later."""
        fate = Fate(answer_hold_s=positive("seconds", seconds))
        self._call(self._board.fates.add, (method, path), "hold_answers", fate, count)

    def lose_requests(self, method: str, path: str, count: int = 1, *, reset: bool = False) -> None:
        """Neither execute nor answer the next requests (fault F067); with ``reset`` their connections break at once."""
        fate = Fate(is_lost=True, breaks=reset)
        self._call(self._board.fates.add, (method, path), "lose_requests", fate, count)

    def call_off(self) -> None:
        """Forget the faults of single requests and frames that have not met theirs yet; blocks go on."""
        self._call(self._board.call_off)

    @contextmanager
    def delay(self, method: str, path: str, seconds: float) -> Iterator[None]:
        """Hold requests inside the exchange, between their check on receipt and their execution."""
        target = (method, path)
        with self._between(lambda: self._board.set_delay(target, seconds), lambda: self._board.set_delay(target, None)):
            yield

    def offset_clock(self, ms: int) -> None:
        """Let the exchange's clock be wrong by so much; 0 makes it right again."""
        self._clock.offset_ms = ms

    @contextmanager
    def disagreeing_clocks(self, ms: int) -> Iterator[None]:
        """Let REST be served by two nodes in turn, of which the clock of one is ahead of the other's by so much."""

        def set_apart(apart: int) -> None:
            self._clock.apart_ms = apart

        with self._between(lambda: set_apart(ms), lambda: set_apart(0)):
            yield

    def rate_limits(
        self,
        *,
        weight_per_minute: int | None = None,
        orders_per_10s: int | None = None,
        orders_per_day: int | None = None,
        connections_per_5m: int | None = None,
        raw_requests_per_5m: int | None = None,
        weight_window_s: int | None = None,
        order_window_s: int | None = None,
        strikes_before_ban: int | None = None,
        ban_s: int | None = None,
        requests_per_5s: int | None = None,
        address_ban_s: int | None = None,
        endpoint_per_s: Mapping[str, int] | None = None,
    ) -> None:
        """Make the exchange more, or less, patient; what is not given stays. See ``RateLimits``."""
        given = {
            "weight_per_minute": weight_per_minute,
            "orders_per_10s": orders_per_10s,
            "orders_per_day": orders_per_day,
            "connections_per_5m": connections_per_5m,
            "raw_requests_per_5m": raw_requests_per_5m,
            "weight_window_s": weight_window_s,
            "order_window_s": order_window_s,
            "strikes_before_ban": strikes_before_ban,
            "ban_s": ban_s,
            "requests_per_5s": requests_per_5s,
            "address_ban_s": address_ban_s,
            "endpoint_per_s": None if endpoint_per_s is None else dict(endpoint_per_s),
        }
        for name, value in given.items():
            if value is not None:
                setattr(self._limits, name, value)
