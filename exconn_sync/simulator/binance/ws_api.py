"""The WebSocket API: the REST calls as messages, and subscriptions to user data."""

import json
import re
from dataclasses import dataclass

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.account_data import order_limit_rows
from exconn_sync.simulator.binance.endpoints import WS_API
from exconn_sync.simulator.binance.params import SECURITY_NAMES, Params
from exconn_sync.simulator.binance.security import (
    Security,
    TimeWindow,
    check_permission,
    check_ws_signature,
    find_key,
)
from exconn_sync.simulator.binance.symbol_info import weight_limit
from exconn_sync.simulator.binance.user_stream import USER_STREAM, UserStreams
from exconn_sync.simulator.binance.venue import Call, Endpoint, Venue
from exconn_sync.simulator.binance.wire import shutdown_event, to_json
from exconn_sync.simulator.binance.ws_api_url import WsApiUrl
from exconn_sync.simulator.binance.ws_session import LOGIN, AccountSession
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.outlet import Outlet
from exconn_sync.simulator.request_fates import ScriptedAnswer

KIND = "ws_api"
FAULT_METHOD = "WS"
"""What faults give as HTTP method when they mean a WebSocket API method; the path is then its name."""

_INTEGER_ID = re.compile(r"-?[0-9]{1,19}")
CONNECT_WEIGHT = 2
_LIMITS_WANTED = "returnRateLimits"


class _NumberText(str):
    """A JSON number as it was written; signatures cover that text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class _Request:
    id: object
    method: str
    params: Params
    with_limits: bool


class WsApiSession:
    """One connection to the WebSocket API."""

    max_inbound_per_second: int | None = None

    def __init__(
        self, connection: Outlet, venue: Venue, streams: UserStreams, faults: FaultBoard, url: WsApiUrl
    ) -> None:
        self._connection = connection
        self._venue = venue
        self._faults = faults
        self._unit = url.unit
        self._with_limits = url.with_limits
        self._session = AccountSession(connection, venue, streams, self._unit, with_limits=self._with_limits)

    def opened(self) -> None:
        """Nothing is sent before the client asks for it."""

    async def received(self, text: str) -> None:
        """Answer one request."""
        try:
            request = _parse(text, with_limits=self._with_limits)
        except errors.ApiError as error:
            self._connection.send(to_json({"id": None, "status": error.status, "error": error.body()}))
            return
        target = (FAULT_METHOD, request.method)
        scripted = self._faults.take_answer(target)
        if scripted is not None:
            self._connection.send(_scripted_reply(request, scripted))
            return
        if request.method in (LOGIN, "session.logon") and self._faults.wire.withholds_login:
            return
        fate = self._faults.fates.take(target)
        if fate.is_lost:
            if fate.breaks:
                self._connection.abort()
            return
        await self._faults.fates.hold(fate)
        reply = await self._reply(request)
        await self._faults.fates.hold_answer(fate)
        if self._faults.take_drop(target):
            self._connection.abort()
        elif fate.answer is not None:
            self._connection.send(_scripted_reply(request, fate.answer))
        elif not self._faults.subscriptions.take_lost_reply(KIND):
            self._connection.send(to_json(reply))
        self._session.after_request()

    def subscriptions(self) -> list[str]:
        """Return the private events of each account that the connection has subscribed."""
        return [USER_STREAM] * self._session.count()

    def ended(self) -> None:
        """Forget the subscriptions of this connection."""
        self._session.ended()

    def shutdown_notice(self, clock: VenueClock) -> str:
        """Return the event in an envelope that names no subscription."""
        return f'{{"event":{shutdown_event(clock, self._unit)}}}'

    def end_user_streams(self) -> int:
        """End all private subscriptions and say so."""
        return self._session.end_all()

    async def _reply(self, request: _Request) -> dict[str, object]:
        limits: list[dict[str, object]] = []
        reply: dict[str, object]
        try:
            result = await self._execute(request, limits)
            reply = {"id": request.id, "status": 200, "result": result}
        except errors.ApiError as error:
            body = error.body()
            if error.retry_at is not None and error.data is None:
                body["data"] = {"serverTime": self._venue.clock.now_ms(), "retryAfter": error.retry_at}
            if error.status == 418:
                self._connection.cut("banned", 1008)
            reply = {"id": request.id, "status": error.status, "error": body}
        if request.with_limits:
            reply["rateLimits"] = [*limits, self._weight_row()]
        return reply

    async def _execute(self, request: _Request, limits: list[dict[str, object]]) -> object:
        endpoint = self._endpoint(request.method)
        weights, clock, address = self._venue.weights, self._venue.clock, self._connection.remote
        weight, admitted_at = endpoint.weight(request.params), clock.now_ms()
        weights.admit(address, weight, admitted_at)
        call = self._authorised(endpoint, request.params)
        await self._faults.hold((FAULT_METHOD, request.method))
        result = endpoint.handler(call)
        if endpoint.free_on_success:
            weights.give_back(address, weight, admitted_at, clock.now_ms())
        if call.placed_order:
            limits += order_limit_rows(call)
        return result

    def _endpoint(self, method: str) -> Endpoint:
        endpoint = self._session.endpoint(method) or WS_API.get(method)
        if endpoint is None:
            raise errors.ApiError(-1020, "This operation is not supported.")
        return endpoint

    def _authorised(self, endpoint: Endpoint, params: Params) -> Call:
        call = Call(self._venue, params, self._unit)
        if endpoint.security is Security.NONE:
            return call
        api_key = params.peek("apiKey")
        if api_key is None and self._session.key is not None:
            # What is sent on a session that is signed in needs no signature, but still its time (Binance: 11).
            call.key = self._session.key
        else:
            call.key = find_key(self._venue.keys.keys, api_key)
        if endpoint.security is not Security.SESSION:
            call.window = TimeWindow.of(params)
            call.window.check_on_receipt(self._venue.clock.now_us())
        if api_key is not None or params.peek("signature") is not None:
            check_ws_signature(call.key, params, params.required("signature"))
        check_permission(endpoint.security, call.key)
        return call

    def _weight_row(self) -> dict[str, object]:
        used = self._venue.weights.used(self._connection.remote, self._venue.clock.now_ms())
        return {**weight_limit(self._venue.limits), "count": used}


def _parse(text: str, *, with_limits: bool) -> _Request:
    try:
        message = json.loads(text, parse_int=_NumberText, parse_float=_NumberText)
    except (ValueError, RecursionError) as error:
        raise errors.ApiError(-1135, "Invalid JSON Request") from error
    if not isinstance(message, dict) or not isinstance(message.get("method"), str) or "id" not in message:
        raise errors.ApiError(-1135, "Invalid JSON Request")
    params = message.get("params", {})
    if not isinstance(params, dict):
        raise errors.ApiError(-1135, "Invalid JSON Request")
    request_id = message["id"]
    if isinstance(request_id, _NumberText) and not _INTEGER_ID.fullmatch(request_id):
        raise errors.ApiError(-1135, "Invalid JSON Request")
    if not isinstance(request_id, str | None):
        raise errors.ApiError(-1135, "Invalid JSON Request")
    wants_limits = params.get(_LIMITS_WANTED, with_limits)
    return _Request(
        id=int(request_id) if isinstance(request_id, _NumberText) else request_id,
        method=message["method"].removeprefix("v3/"),
        params=Params(
            {name: _param_text(value) for name, value in params.items() if value is not None},
            passed_by=SECURITY_NAMES | {_LIMITS_WANTED},
        ),
        with_limits=wants_limits not in (False, "false"),
    )


def _param_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str) else to_json(value)


def _scripted_reply(request: _Request, scripted: ScriptedAnswer) -> str:
    outcome = "result" if scripted.status == 200 else "error"
    return f'{{"id":{to_json(request.id)},"status":{scripted.status},"{outcome}":{scripted.body}}}'
