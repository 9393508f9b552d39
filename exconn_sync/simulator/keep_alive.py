"""Pings to all connections, and the end of those that do not answer (Binance: 8.1)."""

import asyncio
import contextlib
from collections.abc import Collection

from aiohttp import WSCloseCode

from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.wire_faults import WireFaults


class KeepAlive:
    """Pings regularly; a pong counts only where it repeats what a ping has said."""

    def __init__(self, connections: Collection[Connection], faults: WireFaults) -> None:
        self._connections = connections
        self._faults = faults
        self._changed = asyncio.Event()

    def set(self, ping_every: float, pong_within: float) -> None:
        """Ping that often from now on, and wait that long for the answer; both in seconds."""
        self._faults.ping_every_s, self._faults.pong_within_s = ping_every, pong_within
        self._changed.set()

    async def run(self) -> None:
        """Ping every connection regularly and cut those that stopped answering."""
        loop = asyncio.get_running_loop()
        while True:
            await self._pause()
            for connection in [known for known in self._connections if known.is_pinged]:
                if self._faults.mutes_pings:
                    connection.forgive_pings()
                elif connection.waits_for_pong(loop.time()) > self._faults.pong_within_s:
                    connection.cut("no pong", WSCloseCode.POLICY_VIOLATION)
                else:
                    with contextlib.suppress(ConnectionError):
                        await connection.ping(str(int(loop.time() * 1000)).encode())

    async def _pause(self) -> None:
        while True:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._faults.ping_every_s)
            except asyncio.TimeoutError:
                return
