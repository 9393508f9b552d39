"""What the fault switches act on, and how they act there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.server import SimulatorServer
from exconn_sync.simulator.sockets import ConnectionHub
from exconn_sync.simulator.wire_faults import Switch


@dataclass(frozen=True, slots=True)
class FaultTargets:
    """The parts of a simulator that faults reach."""

    server: SimulatorServer
    board: FaultBoard
    hub: ConnectionHub
    clock: VenueClock
    limits: RateLimits
    kinds: tuple[str, ...] = ("stream", "ws_api")
    """The kinds of WebSocket connections there are; the first one carries market data."""


class FaultControls:
    """A group of switches. Every call returns after it took effect, on whichever thread it is made."""

    def __init__(self, targets: FaultTargets) -> None:
        self._call = targets.server.call
        self._server = targets.server
        self._board = targets.board
        self._hub = targets.hub
        self._clock = targets.clock
        self._limits = targets.limits
        self._kinds = targets.kinds

    def _kind(self, kind: str | None) -> str | None:
        """A kind of WebSocket connection, or None for all; ``"stream"`` is market data on every exchange."""
        if kind is None or kind in self._kinds:
            return kind
        if kind == "stream":
            return self._kinds[0]
        words = " or ".join(repr(known) for known in self._kinds)
        raise ValueError(f"a kind of connection is {words}, not {kind!r}")

    @contextmanager
    def _switched(self, switch: Switch) -> Iterator[None]:
        with self._between(lambda: switch.turn(1), lambda: switch.turn(-1)):
            yield

    @contextmanager
    def _between(self, begin: Callable[[], object], end: Callable[[], object]) -> Iterator[None]:
        self._call(begin)
        try:
            yield
        finally:
            self._call(end)


def positive(name: str, value: float) -> float:
    """A number above zero."""
    if not value > 0:
        raise ValueError(f"{name} must be above zero")
    return value
