"""The Bybit face of a recording: the same paths, the recorded bytes."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from exconn_sync.simulator.bybit import face
from exconn_sync.simulator.bybit.dialect import REQUEST_FORM, Command, new_connection_id, reply
from exconn_sync.simulator.bybit.instruments import instrument
from exconn_sync.simulator.bybit.public_session import KIND, MOST_ARGS
from exconn_sync.simulator.bybit.recording import Recording
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection, abort_transport
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.recorded import FRAMES_BETWEEN_BREATHS, Pacer
from exconn_sync.simulator.sockets import ConnectionHub

_Walk = Callable[["ReplaySession", frozenset[str]], "asyncio.Task[None]"]


class ReplaySession:
    """One connection to the public socket. Each subscription is a walk of its own: a book begins with its snapshot."""

    max_inbound_per_second: int | None = None

    def __init__(self, connection: Connection, walk: _Walk, faults: FaultBoard) -> None:
        self.connection = connection
        self.topics: dict[str, None] = {}
        self._walk = walk
        self._faults = faults.subscriptions
        self._id = new_connection_id()
        self._walks: set[asyncio.Task[None]] = set()

    def opened(self) -> None:
        """Nothing is said first."""

    async def received(self, text: str) -> None:
        """Reply, and start behind the reply."""
        command = Command.read(text)
        if command is None or command.op not in ("ping", "subscribe", "unsubscribe"):
            self._answer("", REQUEST_FORM, None, success=False)
        elif command.op == "ping":
            self._answer("ping", "pong", command.req_id)
        elif command.op == "unsubscribe":
            for topic in command.topics:
                self.topics.pop(topic, None)
            self._answer(command.op, command.op, command.req_id)
        else:
            await self._subscribe(command)

    def walk_ended(self, walk: "asyncio.Task[None]") -> bool:
        """Forget a walk that came to its end; whether it was the last one."""
        self._walks.discard(walk)
        return not self._walks

    def subscriptions(self) -> list[str]:
        """Return the names of the topics that the connection has subscribed."""
        return list(self.topics)

    def ended(self) -> None:
        """Stop reading the recording."""
        for walk in list(self._walks):
            walk.cancel()

    def shutdown_notice(self, _: VenueClock) -> str | None:
        """Nothing is announced here."""
        return None

    def end_user_streams(self) -> int:
        """A recording has no account."""
        return 0

    async def _subscribe(self, command: Command) -> None:
        refused = self._faults.refusal(command.topics)
        problem = f"args size >{MOST_ARGS}" if len(command.topics) > MOST_ARGS else refused and refused.message
        if problem:
            self._answer("subscribe", problem, command.req_id, success=False)
            return
        new = frozenset(topic for topic in command.topics if topic not in self.topics)
        is_lost = self._faults.take_lost_subscription()
        self._answer("subscribe", "subscribe", command.req_id)
        if is_lost or not new:
            return
        self.topics.update(dict.fromkeys(new))
        await self.connection.drained()
        self._walks.add(self._walk(self, new))

    def _answer(self, op: str, message: str, req_id: str | None, *, success: bool = True) -> None:
        if not self._faults.take_lost_reply(KIND):
            self.connection.send(to_json(reply(self._id, op, message, req_id, success=success)))


class ReplayFace:
    """Serves a recording: public REST answers and the public socket."""

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

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one request or connection."""
        if request.path == face.PUBLIC_PATH:
            connection = Connection(KIND, request, is_pinged=False)
            return await self._hub.serve(connection, ReplaySession(connection, self._play, self._faults))
        return await self._rest(request)

    async def run(self) -> None:
        """A recording has nothing to do by itself."""

    async def _rest(self, request: web.BaseRequest) -> web.Response:
        target = (request.method, request.path)
        scripted = self._faults.take_answer(target)
        if scripted is not None:
            return web.Response(status=scripted.status, text=scripted.body, headers=scripted.headers)
        body = self._answer(request.path) if request.method == "GET" else None
        if body is None:
            return web.Response(status=404, text="404 page not found")
        await self._faults.hold(target)
        if self._faults.take_drop(target):
            abort_transport(request.transport)
        return web.Response(text=body, content_type="application/json", charset="utf-8")

    def _answer(self, path: str) -> str | None:
        now = self._clock.now_ms()
        if path == "/v5/market/time":
            result: object = {"timeSecond": str(now // 1000), "timeNano": str(now * 1_000_000)}
        elif path in self._recording.answers:
            return self._recording.answers[path]
        elif path == "/v5/market/instruments-info":
            specs = self._recording.specs()
            rows = [instrument(index, spec) for index, spec in enumerate(specs, start=1)]
            result = {"category": "spot", "list": rows}
        else:
            return None
        return to_json({"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now})

    def _play(self, session: ReplaySession, topics: frozenset[str]) -> "asyncio.Task[None]":
        walk = asyncio.create_task(self._send_all(session, topics))
        walk.add_done_callback(lambda done: self._ended(session, done))
        return walk

    def _ended(self, session: ReplaySession, walk: "asyncio.Task[None]") -> None:
        is_last = session.walk_ended(walk)
        if is_last and not walk.cancelled() and walk.exception() is None and session.connection.is_open:
            self._on_finished()

    async def _send_all(self, session: ReplaySession, topics: frozenset[str]) -> None:
        """Send the messages of some topics; waiting for the network slows the walk to the reader's pace."""
        send, waits = session.connection.send_now, Pacer(self._pace)
        try:
            for count, frame in enumerate(self._recording.frames()):
                if count % FRAMES_BETWEEN_BREATHS == 0:
                    await asyncio.sleep(0)
                await waits.until(frame.recv_ns)
                if frame.topic in topics and frame.topic in session.topics:
                    for sent in self._faults.arrange(frame.topic, frame.raw, session):
                        await send(sent)
        except ConnectionError:
            # The reader left; whoever connects next begins anew.
            return
