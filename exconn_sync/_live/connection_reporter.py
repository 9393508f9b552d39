"""Tells subscribers of one connection's ups and downs, once an episode."""

from __future__ import annotations

from exconn_sync._live.flight_recorder import FlightRecorder
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.episodes import Episodes
from exconn_sync.model.events import ConnectionEvent
from exconn_sync.ports.clock import Clock

_NS = 1_000_000_000


class ConnectionReporter:
    """Debounces what its connection's thread tells it; outlives the lives of the worker.

    ``is_settled`` may be read from any thread, everything else belongs to the connection's thread.
    """

    def __init__(self, name: str, settle: float, pipeline: Pipeline, clock: Clock) -> None:
        self.name = name
        self.recorder = FlightRecorder(clock)
        self._episodes = Episodes(settle)
        self._pipeline = pipeline
        self._clock = clock

    @property
    def is_settled(self) -> bool:
        """False while the connection is down, or came back less than ``settle`` seconds ago."""
        return self._episodes.is_settled

    def up(self) -> None:
        """The connection stands."""
        self.recorder.change("connected")
        self._pipeline.connection_changed(self.name, is_up=True)
        if self._episodes.up(self._clock.monotonic_ns()):
            self._tell_up()

    def down(self, reason: str, attempt: int, retry_in: float) -> None:
        """The connection, or the attempt to make one, was lost; the next attempt is made in ``retry_in`` seconds."""
        self.recorder.change(f"lost: {reason}; attempt {attempt}, next in {retry_in:.2f} s")
        self._pipeline.connection_changed(self.name, is_up=False)
        if self._episodes.down(self._clock.monotonic_ns(), reason):
            now, trail = self._clock.time_ns(), self.recorder.trail()
            exchange = self._pipeline.exchange
            self._pipeline.connection(
                ConnectionEvent(exchange, self.name, False, reason, attempt, retry_in, now, trail)
            )

    def tick(self) -> float | None:
        """Tell what has settled by now; return the seconds until something may settle, None for nothing."""
        now_ns = self._clock.monotonic_ns()
        if self._episodes.settled(now_ns):
            self._tell_up()
        return self._episodes.until_due(now_ns)

    def _tell_up(self) -> None:
        self._pipeline.connection(
            ConnectionEvent(self._pipeline.exchange, self.name, True, "", 0, 0.0, self._clock.time_ns())
        )
