"""Faults of requests, of the clock and of limits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from exconn_sync.simulator.fault_board import ScriptedAnswer
from exconn_sync.simulator.fault_targets import FaultControls


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
