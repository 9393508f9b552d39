"""HTTP requests: security, limits and faults around the handlers."""

from dataclasses import dataclass, replace

from aiohttp import web

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.account_data import order_limit_rows
from exconn_sync.simulator.binance.endpoints import REST
from exconn_sync.simulator.binance.limits import window_of
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.security import (
    Security,
    TimeWindow,
    check_http_signature,
    check_permission,
    find_key,
)
from exconn_sync.simulator.binance.venue import Call, Endpoint, Venue
from exconn_sync.simulator.binance.wire import to_json
from exconn_sync.simulator.connection import abort_transport
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.request_fates import ORDINARY, Fate, lose, told
from exconn_sync.simulator.traffic import SeenRequest

JSON_TYPE = "application/json"
_UNITS = {"MILLISECOND": 1, "MICROSECOND": 1000}


@dataclass(frozen=True, slots=True)
class RawRequest:
    """The parts of a request exactly as they were sent."""

    method: str
    path: str
    query: str
    body: str
    address: str
    api_key: str | None
    time_unit: str

    @classmethod
    async def of(cls, request: web.BaseRequest) -> "RawRequest":
        """Read a request. A GET has no body worth reading."""
        path, _, query = request.raw_path.partition("?")
        body = "" if request.method == "GET" else (await request.read()).decode("utf-8", "surrogateescape")
        return cls(
            method=request.method,
            path=path,
            query=query,
            body=body,
            address=request.remote or "",
            api_key=request.headers.get("X-MBX-APIKEY"),
            time_unit=request.headers.get("X-MBX-TIME-UNIT", "MILLISECOND"),
        )

    @property
    def target(self) -> tuple[str, str]:
        """What endpoints and faults are found by."""
        return self.method, self.path

    @property
    def unsigned(self) -> str:
        """The parameters as they were sent, without the signature."""
        parts = [part for text in (self.query, self.body) for part in text.split("&")]
        return "&".join(part for part in parts if part and not part.startswith("signature="))


def time_unit(name: str) -> int:
    """How many of the wanted units make a millisecond."""
    unit = _UNITS.get(name.upper())
    if unit is None:
        raise errors.ApiError(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
    return unit


class RestFace:
    """Answers the REST calls of the exchange."""

    def __init__(self, venue: Venue, faults: FaultBoard) -> None:
        self._venue = venue
        self._faults = faults

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request, or do with it what a fault says."""
        raw = await RawRequest.of(request)
        self._venue.clock.next_node()
        arrived_at = self._venue.clock.now_ms()
        seen = SeenRequest(arrived_at, *raw.target, raw.address, 0, 0, raw.unsigned)
        scripted = self._faults.take_answer(raw.target)
        if scripted is not None:
            self._venue.traffic.note(replace(seen, status=scripted.status, is_executed=False))
            return web.Response(
                status=scripted.status, text=scripted.body, content_type=JSON_TYPE, headers=scripted.headers
            )
        endpoint = REST.get(raw.target)
        if endpoint is None:
            return not_found(request)
        fate = self._faults.fates.take(raw.target)
        if fate.is_lost:
            self._venue.traffic.note(replace(seen, is_executed=False))
            return await lose(request, fate)
        response, code = await self._answer(endpoint, raw, fate)
        self._venue.traffic.note(replace(seen, status=response.status, code=code))
        await self._faults.answers.hold(raw.target)
        await self._faults.fates.hold_answer(fate)
        if self._faults.take_drop(raw.target):
            abort_transport(request.transport)
        return told(fate, response)

    def refusal_to_connect(self, request: web.BaseRequest, weight: int) -> web.Response | None:
        """Charge for a connection that costs weight; the answer where too little is left, or the address is banned."""
        try:
            self._venue.weights.admit(request.remote or "", weight, self._venue.clock.now_ms())
        except errors.ApiError as error:
            return web.Response(
                text=to_json(error.body()), status=error.status, content_type=JSON_TYPE, headers=self._wait(error)
            )
        return None

    def _wait(self, error: errors.ApiError) -> dict[str, str]:
        if error.retry_at is None:
            return {}
        wait_ms = error.retry_at - self._venue.clock.now_ms()
        return {"Retry-After": str(max(1, -(-wait_ms // 1000)))}

    async def answer(self, endpoint: Endpoint, raw: RawRequest) -> web.Response:
        """Answer a request to an endpoint."""
        return (await self._answer(endpoint, raw, ORDINARY))[0]

    async def _answer(self, endpoint: Endpoint, raw: RawRequest, fate: Fate) -> tuple[web.Response, int]:
        headers: dict[str, str] = {}
        code = 0
        try:
            body, status = to_json(await self._execute(endpoint, raw, headers, fate)), 200
        except errors.ApiError as error:
            body, status, code = to_json(error.body()), error.status, error.code
            headers |= self._wait(error)
        used = str(self._venue.weights.used(raw.address, self._venue.clock.now_ms()))
        unit, number = window_of(self._venue.limits.weight_window_s)
        headers["X-MBX-USED-WEIGHT"] = headers[f"X-MBX-USED-WEIGHT-{number}{unit[0]}"] = used
        response = web.Response(text=body, status=status, content_type=JSON_TYPE, charset="UTF-8", headers=headers)
        return response, code

    async def _execute(self, endpoint: Endpoint, raw: RawRequest, headers: dict[str, str], fate: Fate) -> object:
        weights, clock = self._venue.weights, self._venue.clock
        params = Params.from_http(raw.query, raw.body)
        weight, admitted_at = endpoint.weight(params), clock.now_ms()
        weights.admit_raw(raw.address, admitted_at)
        weights.admit(raw.address, weight, admitted_at)
        call = self._authorised(endpoint, raw, params)
        await self._faults.hold(raw.target)
        if self._faults.answers.engine_delay(raw.target) is not None:
            call.look_at_time_now()
            await self._faults.answers.wait_for_engine(raw.target)
        await self._faults.fates.hold(fate)
        result = endpoint.handler(call)
        if endpoint.free_on_success:
            weights.give_back(raw.address, weight, admitted_at, clock.now_ms())
        if call.placed_order:
            for row in order_limit_rows(call):
                letter = str(row["interval"])[0]
                headers[f"X-MBX-ORDER-COUNT-{row['intervalNum']}{letter}"] = str(row["count"])
        return result

    def _authorised(self, endpoint: Endpoint, raw: RawRequest, params: Params) -> Call:
        call = Call(self._venue, params, time_unit(raw.time_unit))
        if endpoint.security is Security.NONE:
            return call
        call.key = find_key(self._venue.keys.keys, raw.api_key)
        call.window = TimeWindow.of(params)
        call.window.check_on_receipt(self._venue.clock.now_us())
        check_http_signature(call.key, raw.query, raw.body, params.required("signature"))
        check_permission(endpoint.security, call.key)
        return call


def not_found(request: web.BaseRequest) -> web.Response:
    """The answer to an unknown path: a page for browsers, nothing for programs."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(
            status=404, text="<html><body><h2>404 Not found</h2></body></html>", content_type="text/html"
        )
    return web.Response(status=404)
