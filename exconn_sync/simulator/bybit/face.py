"""The live Bybit face: decides by path who answers."""

import asyncio

from aiohttp import web

from exconn_sync.simulator.bybit import private_session, public_session, trade_session
from exconn_sync.simulator.bybit.front import Front
from exconn_sync.simulator.bybit.idleness import IdleWatch, read_active_time
from exconn_sync.simulator.bybit.private_feed import PrivateFeed
from exconn_sync.simulator.bybit.public_feed import TICK_MS, PublicFeed
from exconn_sync.simulator.bybit.rest import RestFace
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.sockets import ConnectionHub, Session

PREFIX = "/v5/"
PUBLIC_PATH, PRIVATE_PATH, TRADE_PATH = "/v5/public/spot", "/v5/private", "/v5/trade"
_DOMAIN = "bybit"
"""All sockets are of one domain, whose attempts to connect are counted together (Bybit: 3.1)."""
KINDS = (public_session.KIND, private_session.KIND, trade_session.KIND)


class BybitFace:
    """REST, public, private and trade sockets on one port; their paths differ."""

    def __init__(self, venue: Venue, hub: ConnectionHub, faults: FaultBoard) -> None:
        self._venue = venue
        self._hub = hub
        self._faults = faults
        self._registry = public_session.TopicRegistry(faults)
        self._public_feed = PublicFeed(venue, self._registry)
        self._private_feed = PrivateFeed(venue, faults)
        self._front = Front(venue, self._private_feed.lost_cancel)
        self._rest = RestFace(self._front, faults)
        self._idle = IdleWatch(hub, faults.orders, KINDS)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""
        kind = self._kind(request.path)
        if kind is None:
            return await self._rest.handle(request)
        if self._venue.addresses.is_banned(request.remote or "", self._venue.clock.now_ms()):
            return web.Response(status=403, text="access too frequent")
        try:
            active_s = read_active_time(request.query.get("max_active_time")) if kind != public_session.KIND else None
        except ValueError:
            return web.Response(status=400, text="max_active_time is invalid")
        connection = Connection(kind, request, is_pinged=False, domain=_DOMAIN)
        connection.idle_limit_s = active_s
        return await self._hub.serve(connection, self._session(kind, connection))

    async def run(self) -> None:
        """Send what comes by the clock, and close who says nothing."""
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            self._public_feed.tick()
            self._idle.tick()
            self._front.guard.tick(self._venue.clock.now_ms())

    def _kind(self, path: str) -> str | None:
        kinds = {PRIVATE_PATH: private_session.KIND}
        if not self._venue.is_demo:
            # The demo environment has neither market data over sockets nor commands (Bybit: 9.2).
            kinds |= {PUBLIC_PATH: public_session.KIND, TRADE_PATH: trade_session.KIND}
        return kinds.get(path)

    def _session(self, kind: str, connection: Connection) -> Session:
        if kind == public_session.KIND:
            markets = self._venue.exchange.markets
            return public_session.PublicSession(connection, self._registry, markets.__contains__, self._faults)
        if kind == private_session.KIND:
            return private_session.PrivateSession(connection, self._front, self._private_feed, self._faults)
        return trade_session.TradeSession(connection, self._front, self._faults)
