"""The live Binance face: decides by path who answers."""

import asyncio
import itertools

from aiohttp import web

from exconn_sync.simulator.binance import streams, ws_api
from exconn_sync.simulator.binance.endpoints import REST
from exconn_sync.simulator.binance.kline_feed import KlineFeed
from exconn_sync.simulator.binance.market_feed import TICK_MS, MarketFeed
from exconn_sync.simulator.binance.rest import RawRequest, RestFace
from exconn_sync.simulator.binance.statistics_feed import StatisticsFeed
from exconn_sync.simulator.binance.stream_control import StreamUrl
from exconn_sync.simulator.binance.user_stream import UserStreams
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.binance.window_feed import WindowFeed
from exconn_sync.simulator.binance.ws_api_url import WsApiUrl
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.outlet import Outlet
from exconn_sync.simulator.sockets import ConnectionHub, Session

WS_API_PATH = "/ws-api/v3"
_TICKS_IN_A_SECOND = 1000 // TICK_MS


def is_stream_path(path: str) -> bool:
    """Whether a path is one of the market streams."""
    return path in ("/ws", "/stream", "/stream/") or path.startswith("/ws/")


class BinanceFace:
    """REST, market streams and WebSocket API on one port; their paths differ."""

    def __init__(self, venue: Venue, hub: ConnectionHub, faults: FaultBoard) -> None:
        self._venue = venue
        self._hub = hub
        self._faults = faults
        self._rest = RestFace(venue, faults)
        self._registry = streams.StreamRegistry(faults)
        self._feed = MarketFeed(venue.exchange, self._registry, venue.clock)
        parts = (StatisticsFeed, KlineFeed, WindowFeed)
        self._by_the_second = [part(venue, self._registry) for part in parts]
        venue.weights.on_ban.append(lambda address: self._hub.cut_from(address, ws_api.KIND, "banned"))
        self._user_streams = UserStreams(venue.exchange, venue.clock, faults)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""
        if request.path == WS_API_PATH:
            try:
                wishes = WsApiUrl.parse(request.raw_path)
            except ValueError:
                return streams.bad_url()
            refusal = self._rest.refusal_to_connect(request, ws_api.CONNECT_WEIGHT)
            if refusal is not None:
                return refusal
            connection = Connection(ws_api.KIND, request)
            session = ws_api.WsApiSession(connection, self._venue, self._user_streams, self._faults, wishes)
            return await self._hub.serve(connection, session)
        if is_stream_path(request.path):
            try:
                url = StreamUrl.parse(request.raw_path)
            except ValueError:
                return streams.bad_url()
            connection = Connection(streams.KIND, request)
            stream_session = streams.StreamSession(connection, self._registry, url, self._faults.subscriptions)
            return await self._hub.serve(connection, stream_session)
        return await self._rest.handle(request)

    async def run(self) -> None:
        """Send the timed streams."""
        for tick in itertools.count(1):
            await asyncio.sleep(TICK_MS / 1000)
            self.tick(tick)

    def tick(self, number: int) -> None:
        """Send what comes every 100 ms, and with every tenth tick what comes by the second."""
        self._feed.tick()
        if number % _TICKS_IN_A_SECOND == 0:
            now = self._venue.clock.now_ms()
            for feed in self._by_the_second:
                feed.tick(now)

    def flush(self) -> None:
        """Send what changed in the books at once, to those who want it every 100 ms."""
        self._feed.flush()

    async def answer(self, raw: RawRequest) -> web.Response | None:
        """Answer a request of REST that came without a network; None for a path that does not exist."""
        endpoint = REST.get(raw.target)
        return None if endpoint is None else await self._rest.answer(endpoint, raw)

    def session(self, raw_path: str, outlet: Outlet) -> Session:
        """What serves a connection that came without a network. Raises ValueError for an address that leads nowhere."""
        path = raw_path.partition("?")[0]
        if path == WS_API_PATH:
            wishes = WsApiUrl.parse(raw_path)
            return ws_api.WsApiSession(outlet, self._venue, self._user_streams, self._faults, wishes)
        if not is_stream_path(path):
            raise ValueError(raw_path)
        url = StreamUrl.parse(raw_path)
        return streams.StreamSession(outlet, self._registry, url, self._faults.subscriptions)
