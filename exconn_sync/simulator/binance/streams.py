"""Live stream connections: who gets which frame."""

import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from aiohttp import web

from exconn_sync.simulator.binance.stream_control import MAX_STREAMS, StreamControl, StreamUrl
from exconn_sync.simulator.binance.wire import shutdown_event, to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.frame_history import FrameHistory, PastFrame
from exconn_sync.simulator.framing import frame_bytes
from exconn_sync.simulator.outlet import Outlet
from exconn_sync.simulator.subscription_faults import SubscriptionFaults

KIND = "stream"
INBOUND_PER_SECOND = 5
SHUTDOWN_STREAM = "!serverShutdown"
_ALL_UNITS = {1, 1000}
_BURST_CHUNK = 256


class StreamRegistry:
    """The sessions of each stream. A frame is built only when somebody wants it."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults
        self._sessions: defaultdict[str, dict[StreamSession, None]] = defaultdict(dict)
        self._history = FrameHistory()

    def join(self, stream: str, session: "StreamSession") -> None:
        """Send a stream to a session from now on."""
        if session.connection.lag_s:
            self._catch_up(stream, session)
        self._sessions[stream][session] = None

    def leave(self, stream: str, session: "StreamSession") -> None:
        """Stop that."""
        sessions = self._sessions.get(stream)
        if sessions is not None:
            sessions.pop(session, None)
            if not sessions:
                del self._sessions[stream]

    def is_wanted(self, stream: str) -> bool:
        """Whether anybody is on the stream, or may still ask for what it sends now."""
        return stream in self._sessions or bool(self._faults.wire.lags.get(KIND))

    def publish(self, stream: str, build: Callable[[int], object]) -> None:
        """Send what ``build`` makes for a time unit to everybody on the stream, unless a fault swallows it."""
        sessions = list(self._sessions.get(stream, ()))
        keep_s = self._faults.wire.lags.get(KIND, 0.0)
        units = {session.control.unit for session in sessions} if not keep_s else _ALL_UNITS
        if not units:
            return
        payloads = {unit: to_json(build(unit)) for unit in units}
        for frame in self._faults.arrange(stream, (payloads, sessions)):
            self._deliver(stream, *frame, keep_s)

    def publish_burst(self, stream: str, build: Callable[[int], Iterator[str]]) -> None:
        """Send many payloads to everybody on the stream, as fast as each one reads and past all faults."""
        for session in self._sessions.get(stream, ()):
            session.send_burst(stream, build(session.control.unit))

    def _deliver(
        self, stream: str, payloads: Mapping[int, str], sessions: "list[StreamSession]", keep_s: float
    ) -> None:
        if keep_s:
            self._history.remember(PastFrame(time.monotonic(), stream, payloads), keep_s)
        for session in sessions:
            session.send_frame(stream, payloads)

    def _catch_up(self, stream: str, session: "StreamSession") -> None:
        """Give a session on a front end that is behind what has not happened there yet."""
        moment = time.monotonic() - session.connection.lag_s
        for frame in self._history.since(stream, moment):
            text = session.control.frame(stream, frame.payloads[session.control.unit])
            session.connection.send_late(text, frame.time)


class StreamSession:
    """One connection to the market streams. Unknown streams are accepted and stay silent."""

    max_inbound_per_second: int | None = INBOUND_PER_SECOND

    def __init__(
        self, connection: Outlet, registry: StreamRegistry, url: StreamUrl, faults: SubscriptionFaults
    ) -> None:
        self.connection = connection
        self.control = StreamControl(url, faults)
        self._registry = registry

    def opened(self) -> None:
        """Join the streams of the address."""
        self._join({})

    async def received(self, text: str) -> None:
        """Answer a control message, then obey it: the reply comes before the first frame."""
        before = dict(self.control.streams)
        reply = self.control.answer(text)
        if reply is not None:
            self.connection.send(reply)
        self._join(before)

    def send_frame(self, stream: str, payloads: Mapping[int, str]) -> None:
        """Send a frame of a stream in the form of this connection."""
        payload = payloads.get(self.control.unit)
        if payload is not None:
            self.connection.send_event(self.control.frame(stream, payload))

    def send_burst(self, stream: str, payloads: Iterator[str]) -> None:
        """Send frames as fast as they are read."""
        self.connection.send_bulk(_chunks(self.control.frame(stream, payload) for payload in payloads))

    def shutdown_notice(self, clock: VenueClock) -> str:
        """Return the bare event, or one wrapped like a stream that nobody can subscribe to."""
        return self.control.frame(SHUTDOWN_STREAM, shutdown_event(clock, self.control.unit))

    def end_user_streams(self) -> int:
        """Nothing private comes over this connection."""
        return 0

    def subscriptions(self) -> list[str]:
        """Return the names of the streams that the connection has subscribed."""
        return list(self.control.streams)

    def ended(self) -> None:
        """Leave all streams."""
        for stream in self.control.streams:
            self._registry.leave(stream, self)

    def _join(self, before: dict[str, None]) -> None:
        now = self.control.streams
        if len(now) > MAX_STREAMS:
            self.connection.cut("too many streams", 1008)
        for stream in before.keys() - now.keys():
            self._registry.leave(stream, self)
        for stream in now:
            if stream not in before:
                self._registry.join(stream, self)


def bad_url() -> web.Response:
    """The answer to a handshake whose address asks for what does not exist.

    It is undocumented for streams; the WebSocket API answers so to a bad parameter of its address (Binance: 11).
    """
    return web.Response(status=400, text="Invalid parameter of the address.")


def _chunks(texts: Iterator[str]) -> Iterator[bytes]:
    """Yield whole frames, many at a time."""
    while True:
        chunk = b"".join(frame_bytes(text.encode()) for text in itertools.islice(texts, _BURST_CHUNK))
        if not chunk:
            return
        yield chunk
