"""Faults of connections: their opening, their pings, their end, and bytes that do not belong there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from exconn_sync.simulator.fault_targets import FaultControls, positive
from exconn_sync.simulator.framing import BINARY, TEXT, frame_bytes
from exconn_sync.simulator.wire_faults import UpgradeRefusal


class ConnectionFaults(FaultControls):
    """What can go wrong with whole connections. A ``kind`` is ``"stream"`` or ``"ws_api"``."""

    def drop_connections(self, kind: str | None = None) -> None:
        """Reset TCP connections: ``"stream"``, ``"ws_api"``, or all of them with those of REST."""
        known = self._kind(kind)
        if known is None:
            self._call(self._server.drop_all)
        else:
            self._call(self._hub.drop, known)

    def close_connections(self, code: int = 1001, kind: str | None = None) -> None:
        """End WebSocket connections with a close frame."""
        self._call(self._hub.close, self._kind(kind), code)

    @contextmanager
    def refuse_connections(self) -> Iterator[None]:
        """Refuse new TCP connections; the existing ones live on."""
        self._server.refuse()
        try:
            yield
        finally:
            self._server.accept()

    @contextmanager
    def refuse_upgrades(self, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> Iterator[None]:
        """Answer WebSocket handshakes with an HTTP status instead (fault F020)."""
        if not 200 <= status <= 599:
            raise ValueError("a refusal has a status between 200 and 599")
        refusal, refusals = UpgradeRefusal(status, dict(headers or {}), body), self._board.wire.refusals
        with self._between(lambda: refusals.append(refusal), lambda: refusals.remove(refusal)):
            yield

    @contextmanager
    def latency(self, seconds: float, kind: str | None = None) -> Iterator[None]:
        """Open connections on which every message to the client, answers too, is under way for so long.

        They stay so after the block.
        """
        late, chosen, latencies = positive("seconds", seconds), self._kind(kind), self._board.wire.latencies
        kinds = self._kinds if chosen is None else (chosen,)
        before = dict(latencies)

        def end() -> None:
            latencies.clear()
            latencies.update(before)

        with self._between(lambda: latencies.update(dict.fromkeys(kinds, late)), end):
            yield

    def connection_life(self, seconds: float | None) -> None:
        """Cut WebSocket connections at that age, with close code 1001; None lets them live. As documented: 24 h."""
        self._call(self._hub.set_life, None if seconds is None else positive("seconds", seconds))

    def keep_alive(self, ping_every: float = 20.0, pong_within: float = 60.0) -> None:
        """Ping that often, and cut who has not answered a ping for so long; both in seconds, as documented: 20, 60."""
        every, within = positive("ping_every", ping_every), positive("pong_within", pong_within)
        self._call(self._hub.keep_alive.set, every, within)

    def announce_shutdown(self, kind: str | None = None) -> None:
        """Send ``serverShutdown`` in the form of each connection, and do nothing more (fault F045)."""
        self._call(self._hub.announce_shutdown, self._kind(kind))

    @contextmanager
    def mute_pings(self) -> Iterator[None]:
        """Send no pings (fault F024); nobody is cut for a missing pong meanwhile."""
        with self._switched(self._board.wire.mutes_pings):
            yield

    @contextmanager
    def ignore_pings(self) -> Iterator[None]:
        """Answer no pings of clients, although data flows (faults F010, F025)."""
        with self._switched(self._board.wire.ignores_pings):
            yield

    def flood_pings(self, per_second: float, seconds: float, kind: str | None = None) -> None:
        """Ping that often for that long, in the background; their pongs count as messages (fault F023)."""
        rate, length = positive("per_second", per_second), positive("seconds", seconds)
        self._call(self._hub.flood, self._kind(kind), rate, length)

    @contextmanager
    def stop_reading(self) -> Iterator[None]:
        """Read nothing from stream connections, whose receive buffers are small from then on (fault F012)."""
        with self._between(lambda: self._hub.stop_reading(1), lambda: self._hub.stop_reading(-1)):
            yield

    @contextmanager
    def ignore_close(self) -> Iterator[None]:
        """Leave close frames of clients unanswered and go on sending until the block ends (fault F009)."""
        with self._switched(self._board.wire.ignores_close):
            yield

    def send_raw(self, payload: str | bytes, kind: str | None = "stream", binary: bool = False, times: int = 1) -> None:
        """Send any WebSocket message to all connections of a kind (faults F030, F032-F036, F064).

        Bytes that are not UTF-8 can be sent as a text message too.
        """
        data = payload.encode() if isinstance(payload, str) else payload
        self._send(frame_bytes(data, BINARY if binary else TEXT), kind, times)

    def send_bytes(self, data: bytes, kind: str | None = "stream", times: int = 1) -> None:
        """Write bytes below the WebSocket framing: violations of the protocol (faults F022, F027-F031)."""
        self._send(data, kind, times)

    def _send(self, data: bytes, kind: str | None, times: int) -> None:
        self._call(self._hub.send_bytes, self._kind(kind), data, int(positive("times", times)))
