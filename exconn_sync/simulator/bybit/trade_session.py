"""Live connections to the trade socket: the commands of REST, without a signature of their own (Bybit: 8)."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import replace

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.dialect import new_connection_id
from exconn_sync.simulator.bybit.endpoints import REST, TRADE_OPS
from exconn_sync.simulator.bybit.errors import ApiError
from exconn_sync.simulator.bybit.front import Front
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.private_session import signed_in
from exconn_sync.simulator.bybit.rest import take_quota
from exconn_sync.simulator.bybit.security import check_access, check_window
from exconn_sync.simulator.bybit.venue import Answer
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.connection import Connection
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import ApiKey
from exconn_sync.simulator.request_fates import Fate
from exconn_sync.simulator.traffic import SeenRequest

KIND = "trade"
FAULT_METHOD = "WS"
"""Faults know a command here by this and its name: ``("WS", "order.create")``."""
_REQUEST_ID = re.compile(r".{1,36}", re.DOTALL)
_REMEMBERED_IDS = 10_000


class TradeSession:
    """One connection: signed in once, then commands with an id each."""

    max_inbound_per_second: int | None = None

    def __init__(self, connection: Connection, front: Front, faults: FaultBoard) -> None:
        self._connection = connection
        self._front = front
        self._faults = faults
        self._id = new_connection_id()
        self._key: ApiKey | None = None
        self._is_restarting = False
        self._used_ids: dict[str, None] = {}
        # Commands are served side by side: one that is held up holds up no other.
        self._jobs: set[asyncio.Task[None]] = set()

    def opened(self) -> None:
        """Nothing is said first."""

    async def received(self, text: str) -> None:
        """Answer a request."""
        try:
            request = json.loads(text)
        except ValueError:
            request = None
        if not isinstance(request, dict) or not isinstance(request.get("op"), str):
            self._reply({}, "", 10001, "Params Error")
            return
        op = request["op"]
        if op == "ping":
            self._send(self._named(request) | self._pong())
        elif op == "auth":
            self._sign_in(request)
        else:
            job = asyncio.create_task(self._command(request, op))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    def subscriptions(self) -> list[str]:
        """Nothing is subscribed here."""
        return []

    def ended(self) -> None:
        """Nothing is left behind."""

    def shutdown_notice(self, _: VenueClock) -> str | None:
        """Nothing is said, and new requests are refused from now on with 10019."""
        self._is_restarting = True
        return None

    def end_user_streams(self) -> int:
        """Nothing is subscribed here."""
        return 0

    def _sign_in(self, request: Mapping[str, object]) -> None:
        if self._faults.wire.withholds_login:
            return
        args = request.get("args")
        try:
            if self._key is not None:
                raise ApiError(20001, "Repeat auth")
            self._key = signed_in(self._front, args if isinstance(args, list) else [])
        except ApiError as error:
            self._reply(request, "auth", error.code, error.message)
            return
        self._reply(request, "auth", 0, "OK")

    async def _command(self, request: Mapping[str, object], op: str) -> None:
        target, venue = (FAULT_METHOD, op), self._front.venue
        args = to_json(request.get("args"))
        seen = SeenRequest(venue.clock.now_ms(), *target, self._connection.remote, 0, 0, args)
        scripted = self._faults.take_answer(target)
        if scripted is not None:
            venue.traffic.note(replace(seen, status=scripted.status, is_executed=False))
            self._connection.send(scripted.body)
            return
        fate = self._faults.fates.take(target)
        if fate.is_lost:
            venue.traffic.note(replace(seen, is_executed=False))
            if fate.breaks:
                self._connection.abort()
            return
        header: dict[str, str] = {}
        code = 0
        try:
            answer = await self._execute(request, op, header, fate)
            message = self._answer(request, op, 0, answer.message, answer)
        except ApiError as error:
            code = error.code
            message = self._answer(request, op, error.code, error.message, Answer({}))
        venue.traffic.note(replace(seen, status=200, code=code))
        now = venue.clock.now_ms()
        message["header"] = {**header, "Traceid": f"{now:032x}", "Timenow": str(now)}
        message["connId"] = self._id
        await self._faults.answers.hold(target)
        await self._faults.fates.hold_answer(fate)
        if self._faults.take_drop(target):
            self._connection.abort()
        elif fate.answer is not None:
            self._connection.send(fate.answer.body)
        else:
            self._send(message)

    async def _execute(self, request: Mapping[str, object], op: str, header: dict[str, str], fate: Fate) -> Answer:
        venue, key = self._front.venue, self._key
        if self._is_restarting:
            raise ApiError(10019, "The trade service is restarting")
        if key is None:
            raise ApiError(10004, "Request not authorized")
        path = TRADE_OPS.get(op)
        if path is None:
            raise ApiError(10404, "op type is not found")
        self._check_id(request)
        self._check_time(request)
        # A key that was revoked meanwhile opens nothing.
        if key.is_revoked:
            raise errors.bad_key()
        endpoint = REST["POST", path]
        check_access(endpoint.access, key)
        args = request.get("args")
        if not isinstance(args, list) or len(args) != 1:
            raise errors.bad_parameter("args must hold one object")
        call = self._front.call(Params.of(args[0]), key)
        if call.params.text("category") not in ("spot", "linear", "inverse", "option"):
            raise ApiError(10404, "category is not correct")
        await self._faults.hold((FAULT_METHOD, op))
        await self._faults.answers.wait_for_engine((FAULT_METHOD, op))
        await self._faults.fates.hold(fate)
        quota = take_quota(venue, endpoint, path, key)
        if quota is not None:
            header.update(quota.headers())
            if quota.left < 0:
                header["X-Bapi-Limit-Status"] = "0"
                raise errors.too_many_visits()
        answer = endpoint.handler(call)
        if endpoint.is_batch and (left := take_quota(venue, endpoint, path, key)) is not None:
            header.update(left.headers())
        return answer

    def _check_id(self, request: Mapping[str, object]) -> None:
        request_id = request.get("reqId")
        if request_id is None:
            return
        if not isinstance(request_id, str) or not _REQUEST_ID.fullmatch(request_id):
            raise errors.bad_parameter("reqId is invalid")
        if request_id in self._used_ids:
            raise ApiError(20006, "Duplicate reqId")
        self._used_ids[request_id] = None
        if len(self._used_ids) > _REMEMBERED_IDS:
            del self._used_ids[next(iter(self._used_ids))]

    def _check_time(self, request: Mapping[str, object]) -> None:
        header = request.get("header")
        if not isinstance(header, dict) or "X-BAPI-TIMESTAMP" not in header:
            raise errors.bad_parameter("header X-BAPI-TIMESTAMP is required")
        # The exchange's own client sends a number (Bybit: 8.2).
        timestamp, window = str(header["X-BAPI-TIMESTAMP"]), str(header.get("X-BAPI-RECV-WINDOW", ""))
        check_window(timestamp, window, self._front.venue.clock.now_ms())

    def _answer(
        self, request: Mapping[str, object], op: str, code: int, message: str, answer: Answer
    ) -> dict[str, object]:
        return {
            **self._named(request),
            "retCode": code,
            "retMsg": message,
            "op": op,
            "data": answer.result,
            "retExtInfo": answer.extra,
        }

    def _pong(self) -> dict[str, object]:
        now = self._front.venue.clock.now_ms()
        return {"retCode": 0, "retMsg": "OK", "op": "pong", "data": [str(now)], "connId": self._id}

    @staticmethod
    def _named(request: Mapping[str, object]) -> dict[str, object]:
        return {"reqId": request["reqId"]} if "reqId" in request else {}

    def _reply(self, request: Mapping[str, object], op: str, code: int, message: str) -> None:
        self._send({**self._named(request), "retCode": code, "retMsg": message, "op": op, "connId": self._id})

    def _send(self, message: Mapping[str, object]) -> None:
        if not self._faults.subscriptions.take_lost_reply(KIND):
            self._connection.send(to_json(message))
