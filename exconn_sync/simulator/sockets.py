"""All WebSocket connections of the server: serving them, keeping them alive, breaking them."""

import asyncio
import contextlib
from typing import Protocol

from aiohttp import WSCloseCode, WSMsgType, web

from exconn_sync.simulator.connection import Connection

PING_INTERVAL_S = 20.0
PONG_DEADLINE_S = 60.0


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

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._sessions: dict[Connection, Session] = {}

    async def serve(self, connection: Connection, session: Session) -> web.WebSocketResponse:
        """Carry one connection from its handshake to its end."""
        try:
            response = await connection.open()
        except ConnectionError:
            # The client left during the handshake; the server notices and lets go of what is left.
            return connection.response
        self.connections.add(connection)
        self._sessions[connection] = session
        writer = asyncio.create_task(connection.write())
        try:
            session.opened()
            await self._read(connection, session)
        finally:
            self.connections.discard(connection)
            del self._sessions[connection]
            session.ended()
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return response

    async def keep_alive(self) -> None:
        """Ping every connection regularly and cut those that stopped answering."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(PING_INTERVAL_S)
            for connection in list(self.connections):
                if loop.time() - connection.last_pong > PONG_DEADLINE_S:
                    connection.close(WSCloseCode.POLICY_VIOLATION)
                else:
                    with contextlib.suppress(ConnectionError):
                        await connection.ping(str(int(loop.time() * 1000)).encode())

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

    def _chosen(self, kind: str | None) -> list[Connection]:
        return [connection for connection in self.connections if kind in (None, connection.kind)]

    async def _read(self, connection: Connection, session: Session) -> None:
        loop = asyncio.get_running_loop()
        inbound = InboundLimit(session.max_inbound_per_second)
        while True:
            message = await connection.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return
            if inbound.exceeded(loop.time()):
                connection.close(WSCloseCode.POLICY_VIOLATION)
            elif message.type is WSMsgType.PING:
                with contextlib.suppress(ConnectionError):
                    await connection.pong(message.data)
            elif message.type is WSMsgType.PONG:
                connection.last_pong = loop.time()
            elif message.type is WSMsgType.TEXT:
                await session.received(message.data)
