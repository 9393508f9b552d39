"""The fault switches of a running simulator. Every call returns after it took effect."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.fault_board import FaultBoard, ScriptedAnswer
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.server import SimulatorServer
from exconn_sync.simulator.sockets import ConnectionHub


class Faults:
    """What can go wrong, at will.

    ``method`` and ``path`` name REST requests (``"POST", "/api/v3/order"``); for a method of the WebSocket API they are
    ``"WS"`` and its name (``"order.place"``). ``stream_name`` is a market stream (``"btcusdt@trade"``) or
    ``"userDataStream"`` for the private events.
    """

    def __init__(
        self,
        server: SimulatorServer,
        board: FaultBoard,
        hub: ConnectionHub,
        clock: VenueClock,
        limits: RateLimits,
    ) -> None:
        self._call = server.call
        self._server = server
        self._board = board
        self._hub = hub
        self._clock = clock
        self._limits = limits

    def drop_connections(self, kind: str | None = None) -> None:
        """Reset TCP connections: ``"stream"``, ``"ws_api"``, or all of them with those of REST."""
        if kind is None:
            self._call(self._server.drop_all)
        else:
            self._call(self._hub.drop, kind)

    def close_connections(self, code: int = 1001, kind: str | None = None) -> None:
        """End WebSocket connections with a close frame."""
        self._call(self._hub.close, kind, code)

    @contextmanager
    def refuse_connections(self) -> Iterator[None]:
        """Refuse new TCP connections; the existing ones live on."""
        self._server.refuse()
        try:
            yield
        finally:
            self._server.accept()

    def lose_frames(self, stream_name: str, count: int = 1) -> None:
        """Swallow the next frames of a stream."""
        self._call(self._board.lose, stream_name, count)

    @contextmanager
    def silence(self, stream_name: str) -> Iterator[None]:
        """Swallow all frames of a stream; the connection stays alive."""
        self._call(self._board.silence, stream_name, 1)
        try:
            yield
        finally:
            self._call(self._board.silence, stream_name, -1)

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
        self._call(self._board.set_delay, (method, path), seconds)
        try:
            yield
        finally:
            self._call(self._board.set_delay, (method, path), None)

    def offset_clock(self, ms: int) -> None:
        """Let the exchange's clock be wrong by so much; 0 makes it right again."""
        self._clock.offset_ms = ms

    def rate_limits(
        self,
        *,
        weight_per_minute: int | None = None,
        orders_per_10s: int | None = None,
        orders_per_day: int | None = None,
    ) -> None:
        """Make the exchange more, or less, patient; what is not given stays."""
        if weight_per_minute is not None:
            self._limits.weight_per_minute = weight_per_minute
        if orders_per_10s is not None:
            self._limits.orders_per_10s = orders_per_10s
        if orders_per_day is not None:
            self._limits.orders_per_day = orders_per_day
