"""Live stream connections: who gets which frame."""

from collections import defaultdict
from collections.abc import Callable

from exconn_sync.simulator.binance.stream_control import MAX_STREAMS, StreamControl, StreamUrl
from exconn_sync.simulator.binance.wire import to_json
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard

KIND = "stream"
INBOUND_PER_SECOND = 5


class StreamRegistry:
    """The sessions of each stream. A frame is built only when somebody wants it."""

    def __init__(self, faults: FaultBoard) -> None:
        self._faults = faults
        self._sessions: defaultdict[str, dict[StreamSession, None]] = defaultdict(dict)

    def join(self, stream: str, session: "StreamSession") -> None:
        """Send a stream to a session from now on."""
        self._sessions[stream][session] = None

    def leave(self, stream: str, session: "StreamSession") -> None:
        """Stop that."""
        sessions = self._sessions.get(stream)
        if sessions is not None:
            sessions.pop(session, None)
            if not sessions:
                del self._sessions[stream]

    def publish(self, stream: str, build: Callable[[int], object]) -> None:
        """Send what ``build`` makes for a time unit to everybody on the stream, unless a fault swallows it."""
        sessions = self._sessions.get(stream)
        if not sessions or not self._faults.lets_pass(stream):
            return
        payloads: dict[int, str] = {}
        for session in list(sessions):
            unit = session.control.unit
            if unit not in payloads:
                payloads[unit] = to_json(build(unit))
            session.connection.send(session.control.frame(stream, payloads[unit]))


class StreamSession:
    """One connection to the market streams. Unknown streams are accepted and stay silent."""

    max_inbound_per_second: int | None = INBOUND_PER_SECOND

    def __init__(self, connection: Connection, registry: StreamRegistry, url: StreamUrl) -> None:
        self.connection = connection
        self.control = StreamControl(url)
        self._registry = registry

    def opened(self) -> None:
        """Join the streams of the address."""
        self._join({})

    async def received(self, text: str) -> None:
        """Answer a control message, then obey it: the reply comes before the first frame."""
        before = dict(self.control.streams)
        self.connection.send(self.control.answer(text))
        self._join(before)

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
            self.connection.close(1008)
        for stream in before.keys() - now.keys():
            self._registry.leave(stream, self)
        for stream in now:
            if stream not in before:
                self._registry.join(stream, self)
