"""The Binance face of a recording: the same paths, the recorded bytes."""

import asyncio
from collections.abc import Callable, Iterator

from aiohttp import web

from exconn_sync.simulator.binance import errors, streams
from exconn_sync.simulator.binance.face import is_stream_path
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.recording import Recording
from exconn_sync.simulator.binance.rest import JSON_TYPE, RawRequest, not_found
from exconn_sync.simulator.binance.stream_control import StreamControl, StreamUrl
from exconn_sync.simulator.binance.symbol_info import exchange_info, rate_limits
from exconn_sync.simulator.binance.wire import shutdown_event, to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection, abort_transport
from exconn_sync.simulator.core.symbols import SymbolSpec, spec_of
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.recorded import FRAMES_BETWEEN_BREATHS, Pacer, split_symbol
from exconn_sync.simulator.sockets import ConnectionHub
from exconn_sync.simulator.subscription_faults import SubscriptionFaults

_BEFORE_THE_FIRST = -1


class ReplaySession:
    """One stream connection: its own walk through the recording, begun by its first subscription."""

    max_inbound_per_second: int | None = streams.INBOUND_PER_SECOND

    def __init__(
        self,
        connection: Connection,
        url: StreamUrl,
        play: Callable[["ReplaySession"], asyncio.Task[None]],
        faults: SubscriptionFaults,
    ) -> None:
        self.connection = connection
        self.control = StreamControl(url, faults)
        self._play = play
        self._player: asyncio.Task[None] | None = None

    def opened(self) -> None:
        """Start when the address names streams."""
        self._start()

    async def received(self, text: str) -> None:
        """Reply, and start behind the reply when this was the first subscription."""
        reply = self.control.answer(text)
        if reply is not None:
            self.connection.send(reply)
        await self.connection.drained()
        self._start()

    def subscriptions(self) -> list[str]:
        """Return the names of the streams that the connection has subscribed."""
        return list(self.control.streams)

    def ended(self) -> None:
        """Stop reading the recording."""
        if self._player is not None:
            self._player.cancel()

    def shutdown_notice(self, clock: VenueClock) -> str:
        """Return the bare event, or one wrapped like a stream that nobody can subscribe to."""
        return self.control.frame(streams.SHUTDOWN_STREAM, shutdown_event(clock, self.control.unit))

    def end_user_streams(self) -> int:
        """A recording has no account."""
        return 0

    def _start(self) -> None:
        if self._player is None and self.control.streams:
            self._player = self._play(self)


class ReplayFace:
    """Serves a recording: public REST answers and the market streams."""

    def __init__(
        self,
        recording: Recording,
        hub: ConnectionHub,
        faults: FaultBoard,
        clock: VenueClock,
        on_finished: Callable[[], None],
        pace: float | None,
    ) -> None:
        self._recording = recording
        self._hub = hub
        self._faults = faults
        self._clock = clock
        self._on_finished = on_finished
        self._pace = pace
        self._furthest_line = _BEFORE_THE_FIRST
        self._answers: dict[str, Callable[[Params], str]] = {
            "/api/v3/ping": lambda _: "{}",
            "/api/v3/time": lambda _: to_json({"serverTime": self._clock.now_ms()}),
            "/api/v3/exchangeInfo": self._exchange_info,
            "/api/v3/depth": self._depth,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""
        if is_stream_path(request.path):
            try:
                url = StreamUrl.parse(request.raw_path)
            except ValueError:
                return streams.bad_url()
            connection = Connection(streams.KIND, request)
            session = ReplaySession(connection, url, self._play, self._faults.subscriptions)
            return await self._hub.serve(connection, session)
        return await self._rest(request)

    async def run(self) -> None:
        """A recording has nothing to do by itself."""

    async def _rest(self, request: web.BaseRequest) -> web.Response:
        raw = await RawRequest.of(request)
        scripted = self._faults.take_answer(raw.target)
        if scripted is not None:
            return web.Response(
                status=scripted.status, text=scripted.body, content_type=JSON_TYPE, headers=scripted.headers
            )
        answer = self._answers.get(raw.path)
        if answer is None or raw.method != "GET":
            return not_found(request)
        await self._faults.hold(raw.target)
        try:
            body, status = answer(Params.from_http(raw.query, raw.body)), 200
        except errors.ApiError as error:
            body, status = to_json(error.body()), error.status
        if self._faults.take_drop(raw.target):
            abort_transport(request.transport)
        return web.Response(text=body, status=status, content_type=JSON_TYPE, charset="UTF-8")

    def _depth(self, params: Params) -> str:
        body = self._recording.snapshot(params.required("symbol"), self._furthest_line)
        if body is None:
            raise errors.bad_symbol()
        return body

    def _exchange_info(self, _: Params) -> str:
        if self._recording.exchange_info is not None:
            return self._recording.exchange_info
        return to_json(exchange_info(rate_limits(RateLimits()), _specs(self._recording), self._clock.now_ms()))

    def _play(self, session: ReplaySession) -> "asyncio.Task[None]":
        return asyncio.create_task(self._send_all(session))

    async def _send_all(self, session: ReplaySession) -> None:
        """Send the frames of the subscribed streams; waiting for the network slows the walk to the reader's pace."""
        control, send = session.control, session.connection.send_now
        waits = Pacer(self._pace)
        try:
            for count, frame in enumerate(self._recording.frames()):
                self._furthest_line = max(self._furthest_line, frame.line)
                if count % FRAMES_BETWEEN_BREATHS == 0:
                    # Writing to a fast reader never waits, so others get their turn here.
                    await asyncio.sleep(0)
                await waits.until(frame.recv_ns)
                if frame.stream in control.streams:
                    text = frame.raw if control.combined else frame.payload
                    for sent in self._faults.arrange(frame.stream, text, session):
                        await send(sent)
        except ConnectionError:
            # The reader left; whoever connects next begins anew.
            return
        self._on_finished()


def _specs(recording: Recording) -> Iterator[SymbolSpec]:
    for name in recording.symbols():
        base, quote = split_symbol(name)
        tick, step = recording.grid(name)
        yield spec_of(base, quote, tick=tick, step=step, min_notional="5", start_price="1")
