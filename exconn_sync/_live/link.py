"""One open connection with what watches over it: signs of life, pings, the pace of our own messages."""

from __future__ import annotations

from typing import Protocol

from exconn_sync._live.flight_recorder import FlightRecorder
from exconn_sync._machines.liveness import Liveness
from exconn_sync._machines.pacing import OutboundPace
from exconn_sync._transport.frames import Frames
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.config import Config
from exconn_sync.errors import ConnectionFailed, ProtocolError
from exconn_sync.ports.clock import Clock

_LONGEST_LOOK = 1.0
_NS = 1_000_000_000
_READS_BEFORE_VERDICT = 128
"""More than any socket's buffer holds: who still sends without the answer that is missing does not give it."""


class LinkHandler(Protocol):
    """What a feed does with one connection; every method runs on the session's thread.

    A method that raises ends its connection.
    """

    @property
    def is_established(self) -> bool:
        """True once the connection brings everything that is wanted, as far as the exchange has said."""
        ...

    def on_open(self) -> None:
        """The connection stands."""
        ...

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Handle messages, oldest first; return True once the connection has proved useful."""
        ...

    def on_tick(self, now_ns: int) -> float | None:
        """Do what is due; return the seconds until something is due again, None for nothing."""
        ...


class Link:
    """A socket, its handler, and the rules that keep it alive. Session's thread only, ``cut`` aside.

    ``failure`` is the error of a ``send``, which may be raised where it is not plain whose it is. ``ping_frame`` is the
    text frame by which the exchange wants to be asked for a sign of life, None for the pings of the protocol;
    ``ping_every`` is the most seconds between two of them that it wants, None where it does not mind.
    """

    handler: LinkHandler

    def __init__(
        self,
        socket: StreamSocket,
        config: Config,
        requests_per_second: int,
        clock: Clock,
        recorder: FlightRecorder,
        ping_frame: bytes | None = None,
        ping_every: float | None = None,
    ) -> None:
        self.socket = socket
        self.pace = OutboundPace(requests_per_second)
        self.recorder = recorder
        self._clock = clock
        reconnect, now_ns = config.reconnect, clock.monotonic_ns()
        self._liveness = Liveness(reconnect.idle_timeout, config.timeouts.read, now_ns, ping_every)
        # A look that comes later than this was held up for so long that our own probe may have been late.
        self._oversleep_ns = int(config.reconnect.idle_timeout * _NS / 4)
        self._planned_ns = clock.monotonic_ns()
        self._ping: bytes | None = None
        self._ping_frame = ping_frame
        self.failure: ConnectionFailed | None = None

    def send(self, message: bytes) -> None:
        """Send a text message that the pace allows. Raises ConnectionFailed."""
        self.pace.requested(self._clock.monotonic_ns())
        try:
            self.socket.send_text(message)
        except ConnectionFailed as error:
            self.failure = error
            raise

    def pong(self) -> None:
        """Note that the exchange answered a ping in its own words."""
        self._liveness.pong()

    def cut(self) -> None:
        """Break the connection from another thread: its owner hangs."""
        self.socket.cut()

    def take(self) -> bool:
        """Read what is there and have it handled; return True where it proved useful.

        Raises:
            ConnectionFailed: the connection has ended.
        """
        frames = self._read()
        return frames is not None and self._take_in(frames)

    def _read(self) -> Frames | None:
        try:
            return self.socket.read()
        except ProtocolError as error:
            raise ConnectionFailed(error.message, details={"close_code": 1002}) from error

    def _take_in(self, frames: Frames) -> bool:
        now_ns = self._clock.monotonic_ns()
        self._liveness.received(now_ns, is_partial=self.socket.is_partial, has_ended=bool(frames.messages))
        is_useful = self._handle(frames)
        if frames.pings:
            # Only the newest one, and not more often than the pace allows: exchanges count pongs as messages (F023).
            self._ping = frames.pings[-1]
            self._answer(now_ns)
        if frames.close is not None:
            code, reason = frames.close
            self.recorder.change(f"closed by the exchange: {code} {reason}".rstrip())
            raise ConnectionFailed(f"closed by the exchange: {code} {reason}".rstrip(), details={"close_code": code})
        return is_useful

    def look_after(self, now_ns: int) -> float:
        """Send the ping or pong that is due, look for life; return the seconds until the next look.

        Raises:
            ConnectionFailed: it is dead.
        """
        if now_ns - self._planned_ns >= self._oversleep_ns:
            self._catch_up()
            now_ns = self._clock.monotonic_ns()
            self._liveness.overslept(now_ns)
        due = self._look(now_ns)
        self._planned_ns = now_ns + int(due * _NS)
        return due

    def _look(self, now_ns: int) -> float:
        if self._liveness.verdict(now_ns):
            # What came while this thread was not running is read before anything is called dead (fault F163): all of
            # it, because the answer may stand behind many data.
            self._catch_up()
            now_ns = self._clock.monotonic_ns()
            if reason := self._liveness.verdict(now_ns):
                raise ConnectionFailed(reason)
        self._answer(now_ns)
        if self._liveness.probe_due(now_ns) and self.pace.may_control(now_ns):
            self._liveness.probed(now_ns)
            self.pace.controlled(now_ns)
            self._probe()
        # A probe that the pace holds back is due already, and must not keep this thread turning until it may be sent.
        is_held_back = self._liveness.probe_due(now_ns)
        due = [_LONGEST_LOOK, self._liveness.until_due(now_ns, is_probe_held_back=is_held_back)]
        if is_held_back or self._ping is not None:
            due.append(self.pace.until_control(now_ns))
        handler_due = self.handler.on_tick(now_ns)
        if handler_due is not None:
            due.append(handler_due)
        return min(due)

    def _probe(self) -> None:
        if self._ping_frame is None:
            self.socket.send_ping(b"")
        else:
            # An exchange that wants to be asked in its own words need not count those of the protocol.
            self.socket.send_text(self._ping_frame)

    def _catch_up(self) -> None:
        for _ in range(_READS_BEFORE_VERDICT):
            frames = self._read()
            if frames is None:
                return
            self._take_in(frames)

    def _handle(self, frames: Frames) -> bool:
        if frames.pongs:
            self._liveness.pong()
        if not frames.messages:
            # An answered ping proves a connection on which nothing is due: it has lived for a while by then.
            return bool(frames.pongs)
        received_at = self._clock.time_ns()
        self.recorder.frames(frames.messages, received_at)
        return self.handler.on_messages(frames.messages, received_at)

    def _answer(self, now_ns: int) -> None:
        # Our own probe goes first where it is due: a flood of pings must not take its place for ever (fault F023).
        if self._ping is None or self._liveness.probe_due(now_ns):
            return
        if self.pace.may_control(now_ns):
            payload, self._ping = self._ping, None
            self.pace.controlled(now_ns)
            self.socket.send_pong(payload)
