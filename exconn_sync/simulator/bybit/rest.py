"""HTTP requests: security, limits and faults around the handlers (Bybit: 2)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiohttp import web

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.endpoints import REST
from exconn_sync.simulator.bybit.front import Front
from exconn_sync.simulator.bybit.limits import Quota
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.security import Access, authorise, check_access
from exconn_sync.simulator.bybit.venue import Answer, Endpoint, Venue
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.connection import abort_transport
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import ApiKey
from exconn_sync.simulator.request_fates import Fate, lose, told
from exconn_sync.simulator.traffic import SeenRequest

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class RawRequest:
    """The parts of a request exactly as they were sent."""

    method: str
    path: str
    query: str
    body: str
    address: str
    headers: Mapping[str, str]

    @classmethod
    async def of(cls, request: web.BaseRequest) -> "RawRequest":
        """Read a request."""
        path, _, query = request.raw_path.partition("?")
        body = (await request.read()).decode("utf-8", "surrogateescape")
        return cls(request.method, path, query, body, request.remote or "", request.headers)

    @property
    def target(self) -> tuple[str, str]:
        """What endpoints and faults are found by."""
        return self.method, self.path

    @property
    def payload(self) -> str:
        """What is signed behind key, time and window."""
        return self.query if self.method == "GET" else self.body

    def params(self) -> Params:
        """The parameters, from where this method has them."""
        return Params.from_query(self.query) if self.method == "GET" else Params.from_body(self.body)


class RestFace:
    """Answers the REST calls of the exchange."""

    def __init__(self, front: Front, faults: FaultBoard) -> None:
        self._front = front
        self._venue = front.venue
        self._faults = faults

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request, or do with it what a fault says."""
        raw = await RawRequest.of(request)
        self._venue.clock.next_node()
        arrived_at = self._venue.clock.now_ms()
        seen = SeenRequest(arrived_at, *raw.target, raw.address, 0, 0, raw.payload)
        scripted = self._faults.take_answer(raw.target)
        if scripted is not None:
            self._venue.traffic.note(replace(seen, status=scripted.status, is_executed=False))
            return web.Response(
                status=scripted.status, text=scripted.body, content_type=JSON_TYPE, headers=scripted.headers
            )
        fate = self._faults.fates.take(raw.target)
        if fate.is_lost:
            self._venue.traffic.note(replace(seen, is_executed=False))
            return await lose(request, fate)
        response = await self._answer(raw, fate)
        code = int(response.headers.get("Ret_code", 0))
        self._venue.traffic.note(replace(seen, status=response.status, code=code))
        await self._faults.answers.hold(raw.target)
        await self._faults.fates.hold_answer(fate)
        if self._faults.take_drop(raw.target):
            abort_transport(request.transport)
        return told(fate, response)

    async def _answer(self, raw: RawRequest, fate: Fate) -> web.Response:
        headers: dict[str, str] = {}
        try:
            self._check_form(raw)
            endpoint = REST.get(raw.target)
            if endpoint is None:
                raise errors.HttpError(404, "404 page not found")
            answer = await self._execute(endpoint, raw, headers, fate)
            code, message, result, extra = 0, answer.message, answer.result, answer.extra
        except errors.HttpError as error:
            return web.Response(status=error.status, text=error.text)
        except errors.ApiError as error:
            code, message, result, extra = error.code, error.message, {}, {}
        now = self._venue.clock.now_ms()
        envelope = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": extra, "time": now}
        headers |= {"Traceid": f"{now:032x}", "Timenow": str(now), "Ret_code": str(code)}
        return web.Response(text=to_json(envelope), content_type=JSON_TYPE, charset="utf-8", headers=headers)

    def _check_form(self, raw: RawRequest) -> None:
        self._venue.addresses.admit(raw.address, self._venue.clock.now_ms())
        if raw.method not in ("GET", "POST"):
            raise errors.HttpError(400, "bad request")
        if raw.method == "GET" and raw.body:
            raise errors.HttpError(403, "forbidden")

    async def _execute(self, endpoint: Endpoint, raw: RawRequest, headers: dict[str, str], fate: Fate) -> Answer:
        venue = self._venue
        key = None
        if endpoint.access is not Access.PUBLIC:
            key = authorise(venue.keys, raw.headers, raw.payload, venue.clock.now_ms())
            check_access(endpoint.access, key)
        if venue.is_demo and not endpoint.in_demo:
            raise errors.not_in_demo()
        call = self._front.call(raw.params(), key)
        await self._faults.hold(raw.target)
        # Its time was looked at on receipt, and is not again.
        await self._faults.answers.wait_for_engine(raw.target)
        await self._faults.fates.hold(fate)
        quota = take_quota(venue, endpoint, raw.path, key)
        if quota is not None:
            headers.update(quota.headers())
            if quota.left < 0:
                headers["X-Bapi-Limit-Status"] = "0"
                raise errors.too_many_visits()
        answer = endpoint.handler(call)
        if endpoint.is_batch and (left := take_quota(venue, endpoint, raw.path, key)) is not None:
            headers.update(left.headers())
        return answer


def take_quota(venue: Venue, endpoint: Endpoint, path: str, key: ApiKey | None) -> Quota | None:
    """Count a call to an endpoint that has a quota; what is left is below zero when it was one too many."""
    if key is None or endpoint.per_second is None:
        return None
    wanted = 0 if endpoint.is_batch else 1
    now = venue.clock.now_ms()
    granted, quota = venue.quotas.take(key.account, path, endpoint.per_second, wanted, now)
    return quota if granted == wanted else Quota(quota.limit, -1, quota.reset_at)
