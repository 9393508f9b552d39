"""The stages of an order's path, each by itself, and the whole."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from benchmarks.common.measuring import Candidate, Work
from benchmarks.order_path.desk import ConstantSigner, OrderDesk, accepted, order_desk, requests
from exconn_sync import OrderRequest
from exconn_sync._live.order_gateway import check_alone
from exconn_sync._machines.deadline import Deadline
from exconn_sync.model.limits import Lane

REFERENCE = "reference: sign and encode"
BARE, LIMITED = "the whole path", "the whole path, with nine risk limits"
_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "50000.01"}

Stage = Callable[[OrderDesk, list[OrderRequest]], Work]


def candidates() -> list[Candidate]:
    """Return all that is measured."""

    def staged(name: str, stage: Stage, *, with_limits: bool = False) -> Candidate:
        @contextmanager
        def prepare(calls: int) -> Iterator[Work]:
            # A desk for each repetition: all of them begin with an empty store.
            with order_desk(with_limits=with_limits) as desk:
                yield stage(desk, requests(calls))

        return Candidate(name, prepare)

    return [
        Candidate(REFERENCE, reference),
        staged("make the request", make),
        staged("validation", validation),
        staged("risk, outside of the lock", risk),
        staged("the exchange's words", words),
        staged("intent, risk limits, store, journal in memory", entering),
        staged("intent, nine risk limits, store, journal in memory", entering, with_limits=True),
        staged("limiter", limiter),
        staged("circuit breaker", breaker),
        staged("request line and headers", request_line),
        staged("reading the answer", reading),
        staged("answer into the store", answering),
        staged(BARE, whole),
        staged(LIMITED, whole, with_limits=True),
    ]


def reference(calls: int) -> AbstractContextManager[Work]:
    """A fixed piece of work beside which all figures can be compared between machines."""

    def work() -> None:
        for number in range(calls):
            text = json.dumps({**_ORDER, "newClientOrderId": f"bench-{number}"})
            hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest()
            json.loads(text)

    return nullcontext(work)


def make(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Make and check the request itself, which is the caller's part."""
    del desk
    return lambda: requests(len(made))


def validation(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Find the instrument, hold the order to its rules, and see to its id."""

    def work() -> None:
        deadline = desk.gateway.deadline(None)
        for request in made:
            desk.desk.require("placing an order", deadline)
            check_alone(request)
            desk.desk.checked(request)

    return work


def risk(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Say what the order would take, and ask the rules of the user, of which there are none."""
    items = [desk.desk.checked(request) for request in made]
    return lambda: [desk.desk.admit(item) for item in items]


def words(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Put the order into parameters."""
    items = [desk.desk.checked(request) for request in made]
    driver, instruments = desk.desk.driver, desk.core.catalogue.instruments
    return lambda: [
        driver.place_order(item.request, item.instrument, item.client_order_id, instruments) for item in items
    ]


def entering(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Judge and reserve in one step with the entering of the intent, and keep it in the journal; publish it."""
    items = [desk.desk.admit(desk.desk.checked(request)) for request in made]

    def work() -> None:
        deadline = desk.gateway.deadline(None)
        for item in items:
            with desk.desk.placing([item], deadline):
                pass

    return work


def limiter(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Take what the request costs from the budget, and note what the answer says of it."""
    call = _call(desk, made[0])
    driver, answer, admission = desk.desk.driver, accepted(made[0], 1), desk.core.admission
    figures = driver.used_figures(answer, call)

    def work() -> None:
        deadline = desk.gateway.deadline(None)
        for _ in made:
            admission.settle(admission.admit(call.path, call.costs, Lane.ORDER, deadline), figures, has_succeeded=True)

    return work


def breaker(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Ask whether anything may be sent, and say that it went well."""

    def work() -> None:
        for _ in made:
            desk.core.breaker.check()
            desk.core.breaker.succeeded()

    return work


def request_line(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Make what would be written, all but the signature."""
    signer, driver = ConstantSigner(), desk.desk.driver
    calls = [_call(desk, request) for request in made]
    return lambda: [driver.to_http(call, signer, desk.core.server_clock.stamp_ms(), 5000) for call in calls]


def reading(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Find the error, the counts and the facts in the answer."""
    pairs = [(_call(desk, request), accepted(request, number)) for number, request in enumerate(made, 1)]
    driver = desk.desk.driver

    def work() -> None:
        for call, answer in pairs:
            driver.error_of(answer, call)
            driver.used_figures(answer, call)
            call.parse(answer)

    return work


def answering(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Join the facts of the answer, keep them and publish the order."""
    items = [desk.desk.admit(desk.desk.checked(request)) for request in made]
    with desk.desk.placing(items, Deadline(None)):
        pass
    facts = [_call(desk, request).parse(accepted(request, number)) for number, request in enumerate(made, 1)]

    def work() -> None:
        for each in facts:
            desk.desk.store.apply(each)

    return work


def whole(desk: OrderDesk, made: list[OrderRequest]) -> Work:
    """Place orders, from the request to the handle."""
    desk.http.expect(made)

    def work() -> None:
        for request in made:
            desk.gateway.place(request, desk.gateway.deadline(None))

    return work


def _call(desk: OrderDesk, request: OrderRequest) -> Any:
    item = desk.desk.checked(request)
    return desk.desk.driver.place_order(request, item.instrument, item.client_order_id, desk.core.catalogue.instruments)
