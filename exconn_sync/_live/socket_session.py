"""The life of one WebSocket connection after another: connect, work, lose, back off, for ever until stop.

The worker's thread owns the socket in both directions. Other threads leave work with ``post`` and wake it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from exconn_sync._live.pipeline import Pipeline
from exconn_sync._machines.backoff import Backoff
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync._transport.frames import Frames
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.config import Config
from exconn_sync.errors import AuthenticationError, ConnectionFailed, ConnectorStopped, ExconnError
from exconn_sync.model.events import ConnectionEvent
from exconn_sync.ports.clock import Clock

_NS = 1_000_000_000
_LONGEST_WAIT = 1.0


class SessionHandler(Protocol):
    """What a session does with its connection; every method runs on the session's thread."""

    def url(self) -> str:
        """Return where to connect."""
        ...

    def on_open(self) -> None:
        """A new connection stands."""
        ...

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Handle messages, oldest first; return True once the connection has proved useful."""
        ...

    def on_tick(self, now_ns: int) -> float | None:
        """Do what is due; return the seconds until something is due again, None for nothing."""
        ...

    def on_lost(self, error: ExconnError) -> None:
        """The connection, or the attempt to make one, failed."""
        ...


class SocketSession:
    """Runs a handler on one connection after another.

    ``await_rest`` blocks until clock and instruments are known, which every stream needs; it raises ConnectorStopped.
    """

    def __init__(
        self,
        name: str,
        config: Config,
        handler: SessionHandler,
        clock: Clock,
        pipeline: Pipeline,
        rng: random.Random,
        await_rest: Callable[[StopSignal], None],
    ) -> None:
        self.name = name
        self._config = config
        self._handler = handler
        self._clock = clock
        self._pipeline = pipeline
        self._rng = rng
        self._await_rest = await_rest
        self._posted: deque[Callable[[], None]] = deque()
        self._wakeup: Wakeup | None = None
        self._socket: StreamSocket | None = None
        self._last_byte_ns = 0
        self._is_probed = False

    @property
    def is_open(self) -> bool:
        """True while a connection stands. Exact, from any thread."""
        return self._socket is not None

    @property
    def last_byte_ns(self) -> int:
        """Monotonic time of the last byte received."""
        return self._last_byte_ns

    def post(self, task: Callable[[], None]) -> None:
        """Have the session's thread run something; returns at once. Any thread; must not block."""
        self._posted.append(task)
        wakeup = self._wakeup
        if wakeup is not None:
            wakeup.wake()

    def send(self, message: bytes) -> None:
        """Send a text message. Session's thread only."""
        if self._socket is None:
            raise ConnectionFailed("not connected", outcome="not_sent")
        self._socket.send_text(message)

    def body(self, run: WorkerRun) -> None:
        """Work until stop: the body of the worker."""
        settings = self._config.reconnect
        backoff = Backoff(settings.base, settings.cap, settings.settle, self._rng)
        wakeup = Wakeup()
        self._wakeup = wakeup
        run.stop.on_set(wakeup.wake)
        try:
            self._await_rest(run.stop)
            while not run.stop.is_set:
                run.beat()
                error = self._live_once(run, wakeup, backoff)
                if error is None:
                    return
                delay = backoff.next_delay() if error.temporary else settings.cap
                self._tell_lost(error, backoff.attempts, delay)
                run.stop.wait(delay)
        except ConnectorStopped:
            return
        finally:
            self._wakeup = None
            wakeup.close()

    def _live_once(self, run: WorkerRun, wakeup: Wakeup, backoff: Backoff) -> ConnectionFailed | None:
        """Live through one connection; return why it ended, None for the stop."""
        try:
            self._open(run, wakeup)
            backoff.connected(self._clock.monotonic_ns())
            self._tell_up()
            while not run.stop.is_set:
                self._turn(run, backoff)
        except ExconnError as error:
            self._handler.on_lost(error)
            if isinstance(error, ConnectionFailed):
                return error
            return ConnectionFailed(error.message, temporary=not isinstance(error, AuthenticationError))
        except Exception as error:
            # A defect ends this life of the worker; what the connection fed must not look alive meanwhile.
            self._handler.on_lost(ConnectionFailed(f"the reader crashed: {type(error).__name__}"))
            raise
        finally:
            self._close()
        return None

    def _open(self, run: WorkerRun, wakeup: Wakeup) -> None:
        timeouts = self._config.timeouts
        self._socket = StreamSocket.connect(
            self._handler.url(),
            wakeup,
            lambda: run.stop.is_set,
            connect_timeout=timeouts.connect,
            write_timeout=timeouts.write,
            max_message_bytes=16 << 20,
        )
        self._last_byte_ns = self._clock.monotonic_ns()
        self._handler.on_open()

    def _turn(self, run: WorkerRun, backoff: Backoff) -> None:
        """Wait once for bytes, a wake-up or the next thing that is due, and handle it."""
        socket = self._socket
        if socket is None:
            raise ConnectionFailed("not connected")
        while self._posted:
            self._posted.popleft()()
        now_ns = self._clock.monotonic_ns()
        due = self._handler.on_tick(now_ns)
        longest = min(_LONGEST_WAIT, self._until_idle_step(now_ns))
        frames = socket.wait(longest if due is None else min(longest, due))
        run.beat()
        reach("stream.after_read")
        now_ns = self._clock.monotonic_ns()
        if frames is None:
            self._check_idle(socket, now_ns)
            return
        self._last_byte_ns = now_ns
        self._is_probed = False
        if self._take(socket, frames, run):
            backoff.proved(now_ns)

    def _take(self, socket: StreamSocket, frames: Frames, run: WorkerRun) -> bool:
        if frames.pings:
            # Only the newest one: exchanges count pongs as messages of ours (fault F023).
            socket.send_pong(frames.pings[-1])
        is_useful = False
        if frames.messages and run.is_current:
            is_useful = self._handler.on_messages(frames.messages, self._clock.time_ns())
        if frames.close is not None:
            raise ConnectionFailed(f"closed by the exchange: {frames.close.code} {frames.close.reason}".rstrip())
        return is_useful

    def _until_idle_step(self, now_ns: int) -> float:
        """Return the seconds until a connection that stays quiet has to be probed or given up."""
        limit = self._config.reconnect.idle_timeout
        step = limit if self._is_probed else limit / 2
        return max(step - (now_ns - self._last_byte_ns) / _NS, 0.0)

    def _check_idle(self, socket: StreamSocket, now_ns: int) -> None:
        """Probe a quiet connection, and give up a dead one: only received bytes count as life (fault F008)."""
        quiet = (now_ns - self._last_byte_ns) / _NS
        limit = self._config.reconnect.idle_timeout
        if quiet >= limit:
            raise ConnectionFailed(f"no byte for {limit} s")
        if quiet >= limit / 2 and not self._is_probed:
            self._is_probed = True
            socket.send_ping(b"")

    def _close(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.close()

    def _tell_up(self) -> None:
        self._pipeline.connection(self._event(is_up=True, reason="", attempt=0, retry_in=0.0))

    def _tell_lost(self, error: ConnectionFailed, attempt: int, delay: float) -> None:
        self._pipeline.connection(self._event(is_up=False, reason=error.message, attempt=attempt, retry_in=delay))

    def _event(self, *, is_up: bool, reason: str, attempt: int, retry_in: float) -> ConnectionEvent:
        now = self._clock.time_ns()
        return ConnectionEvent(self._config.exchange, self.name, is_up, reason, attempt, retry_in, now)
