"""One life of a stream worker: connect, work, lose, back off, for ever until stop.

The worker's thread owns the sockets in both directions (fault F016). Other threads leave work with ``post``.
While a connection is being replaced, two of them are read: the primary one and its successor.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.link import Link
from exconn_sync._live.retry_delay import REFUSED_KEY_PAUSE, delay_after, failure_of, is_refused_key
from exconn_sync._live.session_parts import Feed, SessionParts
from exconn_sync._live.succession import Succession
from exconn_sync._machines.backoff import Backoff
from exconn_sync._machines.rotation import RotationPlan
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync._transport.waiting import Waiter
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, ExconnError
from exconn_sync.ports.waiting import Event

_NS = 1_000_000_000
_LONGEST_WAIT = 1.0
_ESTABLISH_LIMIT = 20.0
_OVERLAP_LIMIT = 10.0
_NEXT_REPLACEMENT, _LONGEST_REPLACEMENT_PAUSE = 30.0, 300.0
"""Pauses between successors of which none is any good: doubled each time."""

_ABANDONED = "this life of the worker was abandoned"


class SocketSession:
    """Made anew for each life of its worker, so that a life that was abandoned cannot touch the next one."""

    def __init__(
        self,
        parts: SessionParts,
        reporter: ConnectionReporter,
        run: WorkerRun,
        make_feed: Callable[[SocketSession], Feed],
    ) -> None:
        settings = parts.config.reconnect
        self._parts = parts
        self._clock = parts.clock
        self._reporter = reporter
        self._run = run
        self._backoff = Backoff(settings.base, settings.cap, settings.settle, parts.rng)
        self._rotation = RotationPlan(settings.rotate_after, settings.rotation_window, parts.rng)
        self._posted: deque[Callable[[], None]] = deque()
        self._wakeup = Wakeup()
        # Ends the pause before the next attempt.
        self._again = Event()
        self._waiter = Waiter(self._wakeup)
        self._succession = Succession(
            lambda stop: parts.dialler.dial(self._feed.url(), stop), parts.submit, self._wakeup.wake
        )
        self._primary: Link | None = None
        self._successor: Link | None = None
        # Since when the successor is not established, or is.
        self._successor_ns = 0
        self._is_overlapping = False
        self._failed_successors = 0
        self._look_ns = 0
        # Last, because it may use all of the above.
        self._feed = make_feed(self)

    # --- any thread -------------------------------------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """True while a connection stands. Exact."""
        return self._primary is not None

    def is_current(self) -> bool:
        """Return whether this life was not abandoned."""
        return self._run.is_current

    def post(self, task: Callable[[], None]) -> None:
        """Have the session's thread run something; returns at once. Must not block."""
        self._posted.append(task)
        self._wakeup.wake()

    def look_soon(self) -> None:
        """Have the session's thread look at what is due."""
        self.post(lambda: None)

    def renew(self, why: str) -> None:
        """Have the connection replaced without a gap, or made at once where there is none. Any thread."""
        self._again.set()
        if self.is_open:
            self.post(lambda: self.demand_replacement(why))

    def cut(self) -> None:
        """Break the connections: the thread that owns them hangs."""
        for link in (self._primary, self._successor):
            if link is not None:
                link.cut()

    # --- the session's thread ---------------------------------------------------------------------------------------

    def demand_replacement(self, why: str) -> None:
        """Have the connection replaced without a gap, as soon as possible."""
        self._reporter.recorder.change(f"to be replaced: {why}")
        self._rotation.demand(self._clock.monotonic_ns())
        self._look_ns = 0

    def work(self) -> None:
        """Work until stop: the body of the worker."""
        run = self._run
        run.stop.on_set(self._wakeup.wake)
        run.stop.on_set(self._again.set)
        run.on_abandon(self.cut)
        try:
            self._parts.await_rest(run.stop)
            while run.is_current and not run.stop.is_set:
                # Before the attempt: what changes during it is a reason for the next one at once.
                self._again.clear()
                error = self._live_once()
                if error is None:
                    return
                delay = delay_after(error, self._backoff.next_delay(), self._parts.config.reconnect.cap)
                if run.is_current:
                    self._reporter.down(error.message, self._backoff.attempts, delay)
                run.beat(delay)
                if not run.stop.is_set:
                    self._again.wait(delay)
        except ConnectorStopped:
            return
        finally:
            self._waiter.close()
            self._wakeup.close()

    def _live_once(self) -> ConnectionFailed | None:
        """Live through one connection and those that replace it; return why the last one ended, None for the stop."""
        run = self._run
        try:
            run.beat()
            self._begin(self._parts.dialler.dial(self._feed.url(), run.stop))
            while not run.stop.is_set:
                try:
                    self._turn()
                except ExconnError as error:
                    if not self._is_survived(error):
                        raise
        except ConnectorStopped:
            return None
        except ExconnError as error:
            # Closed before it is told: whoever hears of it must not find the connection open.
            self._close_all()
            self._on_lost(error)
            return error if isinstance(error, ConnectionFailed) else failure_of(error)
        except Exception as error:
            # A defect ends this life of the worker; what the connection fed must not look alive meanwhile.
            self._close_all()
            self._on_lost(ConnectionFailed(f"the reader crashed: {type(error).__name__}"))
            if run.is_current:
                self._reporter.down(f"the reader crashed: {type(error).__name__}", self._backoff.attempts, 0.0)
            raise
        finally:
            self._close_all()
        return None

    def _begin(self, socket: StreamSocket) -> None:
        if not self._run.is_current:
            # Abandoned while it was being dialled: from here on another life changes what they share.
            socket.close()
            raise ConnectorStopped(_ABANDONED)
        link = self._primary = self._linked(socket)
        self._failed_successors = 0
        self._backoff.connected(self._clock.monotonic_ns())
        self._rotation.opened(self._clock.monotonic_ns(), self._clock.time_ns())
        if self._run.is_current:
            self._reporter.up()
        self._look_ns = 0
        link.handler.on_open()

    def _linked(self, socket: StreamSocket) -> Link:
        parts = self._parts
        link = Link(
            socket, parts.config, parts.requests_per_second, self._clock, self._reporter.recorder, parts.ping_frame,
            parts.ping_every,
        )  # fmt: skip
        self._waiter.add(socket)
        try:
            link.handler = self._feed.handler(link)
        except BaseException:
            # Nobody else knows of it yet.
            self._waiter.remove(socket)
            socket.close()
            raise
        return link

    def _turn(self) -> None:
        """Wait once for bytes, a wake-up or the next thing that is due, and handle it."""
        wait = (self._look_ns - self._clock.monotonic_ns()) / _NS
        ready = self._waiter.wait(min(max(wait, 0.0), _LONGEST_WAIT))
        self._run.beat()
        reach("stream.after_read")
        for socket in ready:
            self._check_life()
            self._read(socket)
        # Handling what was read may have taken so long that this life was given up.
        self._check_life()
        if self._posted:
            self._look_ns = 0
            while self._posted:
                self._posted.popleft()()
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._look_ns or self._succession.is_under_way:
            self._look_ns = now_ns + int(self._look_after(now_ns) * _NS)

    def _check_life(self) -> None:
        if not self._run.is_current:
            raise ConnectorStopped(_ABANDONED)

    def _read(self, socket: StreamSocket) -> None:
        primary, successor = self._primary, self._successor
        if primary is not None and socket is primary.socket:
            if primary.take():
                self._run.note_data()
                if self._backoff.attempts:
                    self._backoff.proved(self._clock.monotonic_ns())
        elif successor is not None and socket is successor.socket:
            try:
                successor.take()
            except ExconnError as error:
                self._drop_successor(error)

    def _look_after(self, now_ns: int) -> float:
        """Do what is due on connections, subscriptions and their replacement; return the seconds until the next."""
        due = [_LONGEST_WAIT]
        if self._primary is not None:
            due.append(self._primary.look_after(now_ns))
        settling = self._reporter.tick()
        if settling is not None:
            due.append(settling)
        due.append(self._look_after_successor(now_ns))
        return max(min(due), 0.0)

    # --- replacing the connection -----------------------------------------------------------------------------------

    def _look_after_successor(self, now_ns: int) -> float:
        if self._successor is not None:
            return self._overlap(self._successor, now_ns)
        if self._succession.is_under_way:
            self._welcome(self._succession.take(), now_ns)
            return _LONGEST_WAIT if self._successor is None else 0.0
        wall_ns = self._clock.time_ns()
        if self._rotation.is_due(now_ns, wall_ns):
            self._succession.begin()
            return _LONGEST_WAIT
        return self._rotation.until_due(now_ns, wall_ns)

    def _welcome(self, opened: StreamSocket | ExconnError | None, now_ns: int) -> None:
        if isinstance(opened, ExconnError):
            self._postpone(opened)
        elif opened is not None:
            self._successor = self._linked(opened)
            self._successor_ns, self._is_overlapping = now_ns, False
            self._reporter.recorder.change("a successor is connected")
            try:
                self._successor.handler.on_open()
            except ExconnError as error:
                self._drop_successor(error)

    def _overlap(self, successor: Link, now_ns: int) -> float:
        """Look after a connection that is about to take over; return the seconds until the next look."""
        try:
            due = successor.look_after(now_ns)
        except ExconnError as error:
            self._drop_successor(error)
            return 0.0
        if successor.handler.is_established is not self._is_overlapping:
            # A topic that is wanted now may take it back.
            self._successor_ns, self._is_overlapping = now_ns, not self._is_overlapping
        age = (now_ns - self._successor_ns) / _NS
        if self._is_overlapping:
            if self._feed.has_switched():
                self._promote()
                return 0.0
            if age >= _OVERLAP_LIMIT:
                self._judge()
                return 0.0
        elif age >= _ESTABLISH_LIMIT:
            self._drop_successor(ConnectionFailed(f"the successor was not ready after {_ESTABLISH_LIMIT:g} s"))
            return 0.0
        return min(due, 0.1)

    def _judge(self) -> None:
        """Decide about a successor to which not everything could be joined: on a quiet topic nothing comes to join."""
        if lacking := self._feed.lacking():
            self._drop_successor(ConnectionFailed(f"the successor does not bring {lacking}"))
        else:
            self._promote()

    def _promote(self) -> None:
        """Let the successor take over, and let go of the connection that it replaces."""
        # In this order: at no moment does it look as if there were no connection.
        old, self._primary, self._successor = self._primary, self._successor, None
        self._close(old)
        self._failed_successors = 0
        # Before the feed is told: it may demand the next one at once.
        self._rotation.opened(self._clock.monotonic_ns(), self._clock.time_ns())
        self._feed.replace()
        self._reporter.recorder.change("replaced")
        self._parts.pipeline.metrics.count(
            "connection.replaced", exchange=self._parts.pipeline.exchange, connection=self._reporter.name
        )

    def _is_survived(self, error: ExconnError) -> bool:
        """Return whether a lost primary connection has a successor that takes its place."""
        successor = self._successor
        if successor is None or isinstance(error, ConnectorStopped):
            return False
        if successor.failure is error:
            self._drop_successor(error)
            return True
        self._reporter.recorder.change(f"lost while its successor stands: {error.message}")
        is_loss = not successor.handler.is_established
        if is_loss:
            # Something was missed in between: it counts as a loss, only without a pause.
            lost, self._primary = self._primary, None
            self._close(lost)
            self._on_lost(error)
            if self._run.is_current:
                self._reporter.down(error.message, self._backoff.attempts, 0.0)
        self._promote()
        if is_loss and self._run.is_current:
            self._reporter.up()
        return True

    def _drop_successor(self, error: ExconnError) -> None:
        successor, self._successor = self._successor, None
        if successor is not None:
            self._close(successor)
            self._feed.forget_successor()
        self._postpone(error)

    def _postpone(self, error: ExconnError) -> None:
        """Try again later; the connection in use goes on, so nobody is bothered with it."""
        self._reporter.recorder.change(f"no successor: {error.message}")
        self._parts.pipeline.metrics.count(
            "connection.replacement_failed", exchange=self._parts.pipeline.exchange, connection=self._reporter.name
        )
        if is_refused_key(error):
            pause = self._parts.config.reconnect.cap * REFUSED_KEY_PAUSE
        else:
            pause = min(_NEXT_REPLACEMENT * 2.0**self._failed_successors, _LONGEST_REPLACEMENT_PAUSE)
            self._failed_successors = min(self._failed_successors + 1, 10)
        self._rotation.postponed(self._clock.monotonic_ns(), pause)

    # --- the end of connections -------------------------------------------------------------------------------------

    def _on_lost(self, error: ExconnError) -> None:
        if self._run.is_current:
            self._feed.on_lost(error)

    def _close_all(self) -> None:
        self._succession.cancel()
        links = [link for link in (self._primary, self._successor) if link is not None]
        self._primary = self._successor = None
        for link in links:
            self._close(link)

    def _close(self, link: Link | None) -> None:
        if link is not None:
            self._waiter.remove(link.socket)
            link.socket.close()
