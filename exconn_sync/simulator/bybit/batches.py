"""Several commands in one request, each with its own outcome (Bybit: 3.3, 4.9)."""

from collections.abc import Callable

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.errors import ApiError
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.trading import amend_one, cancel_one, create_one
from exconn_sync.simulator.bybit.venue import Answer, Call

MOST_ORDERS = 10
PER_SECOND = 20
CREATE_PATH, AMEND_PATH, CANCEL_PATH = (f"/v5/order/{name}-batch" for name in ("create", "amend", "cancel"))

_One = Callable[[Call, Params], dict[str, object]]


def create_batch(call: Call) -> Answer:
    """POST order/create-batch."""
    return _batch(call, CREATE_PATH, create_one, tells_time=True)


def amend_batch(call: Call) -> Answer:
    """POST order/amend-batch."""
    return _batch(call, AMEND_PATH, amend_one)


def cancel_batch(call: Call) -> Answer:
    """POST order/cancel-batch."""
    return _batch(call, CANCEL_PATH, cancel_one)


def _batch(call: Call, path: str, one: _One, *, tells_time: bool = False) -> Answer:
    call.params.category()
    items = call.params.values.get("request")
    if not isinstance(items, list) or not 1 <= len(items) <= MOST_ORDERS:
        raise errors.bad_parameter(f"request must hold 1 to {MOST_ORDERS} orders")
    granted, _ = call.venue.quotas.take(call.account, path, PER_SECOND, len(items), call.now)
    rows, verdicts = [], []
    for index, item in enumerate(items):
        params = Params.of(item)
        row: dict[str, object] = {"category": "spot", "symbol": params.text("symbol"), "orderId": ""}
        row["orderLinkId"] = params.text("orderLinkId")
        if tells_time:
            row["createAt"] = ""
        try:
            if index >= granted:
                raise errors.too_many_visits()
            row |= one(call, params)
            if tells_time:
                row["createAt"] = str(call.now)
            verdicts.append({"code": 0, "msg": "OK"})
        except ApiError as error:
            verdicts.append({"code": error.code, "msg": error.message})
        rows.append(row)
    return Answer({"list": rows}, {"list": verdicts})
