"""All WebSocket connections of the server: serving them, keeping them alive, breaking them."""

import asyncio
import contextlib
import math
from typing import Protocol

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.keep_alive import KeepAlive
from exconn_sync.simulator.ledger import ClientFrames, Ledger
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.wire_faults import WireFaults

MARKET_KINDS = ("stream", "public")
"""The kinds of connections that carry market data."""
_FLOOD_STEP_S = 0.01
_LINGER_STEP_S = 0.02


class Session(Protocol):
    """What a face does with the messages of one connection."""

    max_inbound_per_second: int | None

    def opened(self) -> None:
        """The handshake is complete."""

    async def received(self, text: str) -> None:
        """A text frame arrived."""

    def ended(self) -> None:
        """The connection is over."""

    def subscriptions(self) -> list[str]:
        """Return the names of the streams that the connection has subscribed."""

    def shutdown_notice(self, clock: VenueClock) -> str | None:
        """Return the announcement that this server is about to go away, if this connection is told anything."""

    def end_user_streams(self) -> int:
        """End the private subscriptions as the venue does by itself; returns how many there were."""


class InboundLimit:
    """Counts messages by the second of their arrival."""

    def __init__(self, per_second: int | None) -> None:
        self._limit = per_second
        self._second = 0
        self._count = 0

    def exceeded(self, now: float) -> bool:
        """Count one message and say whether it is one too many."""
        second = int(now)
        if second != self._second:
            self._second, self._count = second, 0
        self._count += 1
        return self._limit is not None and self._count > self._limit


class ConnectionHub:
    """The living WebSocket connections."""

    def __init__(self, limits: RateLimits, faults: WireFaults, clock: VenueClock) -> None:
        self.connections: set[Connection] = set()
        self.ledger = Ledger()
        self._limits = limits
        self._faults = faults
        self._clock = clock
        self._sessions: dict[Connection, Session] = {}
        self._ends: dict[Connection, asyncio.TimerHandle] = {}
        self._floods: set[asyncio.Task[None]] = set()
        self.keep_alive = KeepAlive(self.connections, faults)

    async def serve(self, connection: Connection, session: Session) -> web.StreamResponse:
        """Carry one connection from its handshake to its end."""
        refusal = self._refusal(connection)
        if refusal is not None:
            return refusal
        connection.lag_s = self._faults.lags.get(connection.kind, 0.0)
        connection.latency_s = self._faults.latencies.get(connection.kind, 0.0)
        try:
            response = await connection.open()
        except ConnectionError:
            # The client left during the handshake; the server notices and lets go of what is left.
            return connection.response
        self.connections.add(connection)
        self._sessions[connection] = session
        self._plan_end(connection)
        if self._faults.stops_reading and connection.kind in MARKET_KINDS:
            connection.stop_reading()
        writer = asyncio.create_task(connection.write())
        try:
            session.opened()
            await self._read(connection, session)
        finally:
            self._forget(connection)
            session.ended()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return response

    def subscriptions(self) -> list[str]:
        """Return the streams subscribed by all connections, sorted; one that two connections have stands twice."""
        return sorted(name for session in self._sessions.values() for name in session.subscriptions())

    def drop(self, kind: str | None) -> int:
        """Reset connections of a kind, or all; returns how many."""
        chosen = self._chosen(kind)
        for connection in chosen:
            connection.abort()
        return len(chosen)

    def close(self, kind: str | None, code: int) -> int:
        """End connections of a kind, or all, with a close frame; returns how many."""
        chosen = self._chosen(kind)
        for connection in chosen:
            connection.close(code)
        return len(chosen)

    def send_bytes(self, kind: str | None, data: bytes, times: int) -> int:
        """Write bytes to connections of a kind, or all, below the framing; returns to how many."""
        chosen = self._chosen(kind)
        for connection in chosen:
            connection.send_bulk(iter([data] * times))
        return len(chosen)

    def cut_from(self, address: str, kind: str, reason: str) -> None:
        """End all connections of a kind that come from an address, because it broke a rule."""
        for connection in self._chosen(kind):
            if connection.remote == address:
                connection.cut(reason, WSCloseCode.POLICY_VIOLATION)

    def announce_shutdown(self, kind: str | None) -> int:
        """Tell connections of a kind, or all, that they will end; returns how many."""
        chosen = self._chosen(kind)
        for connection in chosen:
            notice = self._sessions[connection].shutdown_notice(self._clock)
            if notice is not None:
                connection.send(notice)
        return len(chosen)

    def end_user_streams(self) -> int:
        """End every private subscription; returns how many there were."""
        return sum(session.end_user_streams() for session in self._sessions.values())

    def flood(self, kind: str | None, per_second: float, seconds: float) -> None:
        """Ping connections of a kind, or all, that often for that long."""
        if self.connections:
            job = asyncio.get_running_loop().create_task(self._flood(kind, per_second, seconds))
            self._floods.add(job)
            job.add_done_callback(self._floods.discard)

    def set_life(self, seconds: float | None) -> None:
        """Let connections end at that age; those that are older end at once."""
        self._faults.life_s = seconds
        for connection in self.connections:
            self._plan_end(connection)

    def stop_reading(self, change: int) -> None:
        """One more (+1) or one fewer (-1) wants that nothing is read from stream connections."""
        self._faults.stops_reading.turn(change)
        for connection in [known for known in self.connections if known.kind in MARKET_KINDS]:
            if self._faults.stops_reading:
                connection.stop_reading()
            else:
                connection.go_on_reading()

    def _chosen(self, kind: str | None) -> list[Connection]:
        return [connection for connection in self.connections if kind in (None, connection.kind)]

    def _refusal(self, connection: Connection) -> web.Response | None:
        limit = self._limits.connections_per_5m
        wait_s = self.ledger.attempt(connection.kind, connection.domain, connection.remote, limit)
        if self._faults.refusals:
            refusal = self._faults.refusals[-1]
            return web.Response(status=refusal.status, text=refusal.body, headers=refusal.headers)
        if wait_s is None:
            return None
        headers = {"Retry-After": str(max(1, math.ceil(wait_s)))}
        text = f"Too many connection attempts; current limit is {limit} per 5 MINUTE."
        return web.Response(status=429, text=text, headers=headers)

    def _plan_end(self, connection: Connection) -> None:
        planned = self._ends.pop(connection, None)
        if planned is not None:
            planned.cancel()
        life_s = self._faults.life_s
        if life_s is not None:
            loop = asyncio.get_running_loop()
            end = connection.opened_at + life_s
            self._ends[connection] = loop.call_at(end, connection.cut, "age", WSCloseCode.GOING_AWAY)

    def _forget(self, connection: Connection) -> None:
        self.connections.discard(connection)
        del self._sessions[connection]
        planned = self._ends.pop(connection, None)
        if planned is not None:
            planned.cancel()
        if connection.cut_reason is not None:
            self.ledger.cut(connection.cut_reason)

    async def _flood(self, kind: str | None, per_second: float, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while sent < per_second * seconds:
            due = min(per_second * seconds, (loop.time() - began) * per_second)
            while sent < due:
                sent += 1
                for connection in self._chosen(kind):
                    with contextlib.suppress(ConnectionError):
                        await connection.ping(b"flood %d" % sent)
            await asyncio.sleep(_FLOOD_STEP_S)

    async def _read(self, connection: Connection, session: Session) -> None:
        loop = asyncio.get_running_loop()
        inbound = InboundLimit(session.max_inbound_per_second)
        frames = self.ledger.open(connection.kind)
        while True:
            message = await connection.receive()
            if message.type is WSMsgType.CLOSE:
                await self._closed_by_client(connection)
                return
            if message.type in (WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            _count(frames, message)
            if inbound.exceeded(loop.time()):
                connection.cut("too many messages", WSCloseCode.POLICY_VIOLATION)
            elif message.type is WSMsgType.PING:
                if not self._faults.ignores_pings:
                    with contextlib.suppress(ConnectionError):
                        await connection.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.ponged(bytes(message.data))
            elif message.type is WSMsgType.TEXT:
                await session.received(message.data)

    async def _closed_by_client(self, connection: Connection) -> None:
        while self._faults.ignores_close and connection.is_open:
            await asyncio.sleep(_LINGER_STEP_S)
        await connection.answer_close()


def _count(frames: ClientFrames, message: WSMessage) -> None:
    if message.type is WSMsgType.PING:
        frames.ping += 1
    elif message.type is WSMsgType.PONG:
        frames.pong += 1
    else:
        frames.text += 1
