"""The end of connections on which nothing happens (Bybit: 6.2)."""

import asyncio
import re
from collections.abc import Collection

from aiohttp import WSCloseCode

from exconn_sync.simulator.order_switches import OrderSwitches
from exconn_sync.simulator.sockets import ConnectionHub

_FORM = re.compile(r"([0-9]{1,3})(s|m)")
_SHORTEST_S, _LONGEST_S = 30, 600


def read_active_time(text: str | None) -> float | None:
    """Seconds of ``max_active_time``; ValueError for one that is not between 30s and 600s."""
    if text is None:
        return None
    match = _FORM.fullmatch(text)
    seconds = 0 if match is None else int(match[1]) * (60 if match[2] == "m" else 1)
    if not _SHORTEST_S <= seconds <= _LONGEST_S:
        raise ValueError(text)
    return float(seconds)


class IdleWatch:
    """Closes connections of some kinds after so long without a message in either direction."""

    def __init__(self, hub: ConnectionHub, switches: OrderSwitches, kinds: Collection[str]) -> None:
        self._hub = hub
        self._switches = switches
        self._kinds = kinds

    def tick(self) -> None:
        """Called often."""
        now = asyncio.get_running_loop().time()
        for connection in self._hub.connections:
            limit = connection.idle_limit_s or self._switches.idle_limit_s
            if connection.kind in self._kinds and now - connection.active_at >= limit:
                connection.cut("idle", WSCloseCode.OK)
