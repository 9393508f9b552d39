"""How Binance's example payloads about orders beyond single ones are read; see ``documented``."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.order_lists import OrderListRequest, OrderListState
from exconn_sync.model.orders import OrderRequest
from tests.exchanges.binance.documented import (
    EXECUTED,
    NOT_TOLD,
    WORKED_OUT,
    Read,
    Reading,
    of_call,
    symbol_in,
    with_symbol,
)
from tests.exchanges.binance.mutations import Json
from tests.exchanges.binance.support import INSTRUMENTS, instrument, order_state

ORDER = OrderRequest.limit("BTC-USDT", "sell", 10, 10)
WORKING = OrderRequest.limit("BTC-USDT", "buy", 1, 10)
STOP = OrderRequest.stop_market("BTC-USDT", "sell", 1, 5)
LISTS = {
    2: OrderListRequest.oto(WORKING, OrderRequest.limit("BTC-USDT", "sell", 1, 20)),
    3: OrderListRequest.otoco(WORKING, OrderRequest.limit("BTC-USDT", "sell", 1, 20, post_only=True), STOP),
}


def _first(payload: Json) -> Json:
    return payload[0] if isinstance(payload, list) else payload


def _placed_list(payload: Json) -> Read:
    legs = [ClientOrderId(row["clientOrderId"]) for row in payload["orders"]]
    list_id = ClientOrderId(payload["listClientOrderId"])
    return of_call(DRIVER.place_list(LISTS[len(legs)], symbol_in(payload), list_id, legs, INSTRUMENTS))


def _state(payload: Json) -> OrderListState:
    row = _first(payload)
    return OrderListState(
        "binance", "x", ClientOrderId(row["listClientOrderId"]), str(row["orderListId"]),
        legs=tuple(ClientOrderId(leg["clientOrderId"]) for leg in row["orders"]),
    )  # fmt: skip


def _known(payload: Json) -> Instruments:
    name = _first(payload)["symbol"]
    return Instruments("binance", [instrument(name[:3], name[3:])])


def _cancelled_list(payload: Json) -> Read:
    legs: Sequence[Any] = [order_state(leg["clientOrderId"], str(leg["orderId"])) for leg in payload["orders"]]
    return of_call(DRIVER.cancel_list(symbol_in(payload), _state(payload), legs, INSTRUMENTS))


def _replaced(payload: Json) -> Read:
    halves = payload.get("data") or payload
    gone, new = halves.get("cancelResponse", {}), halves.get("newOrderResponse") or {}
    old = order_state(gone.get("origClientOrderId", "x"), str(gone.get("orderId", 1)))
    name = gone.get("symbol") or new.get("symbol") or "BTCUSDT"
    client_id = ClientOrderId(new.get("clientOrderId", "new"))
    call = DRIVER.replace_order(
        old, ORDER, instrument(name[:3], name[3:]), client_id, INSTRUMENTS, place_anyway=True, cancel_anyway=True
    )
    return of_call(call)


def _amended(payload: Json) -> Read:
    row = payload["amendedOrder"]
    old = order_state(row["origClientOrderId"], str(row["orderId"]))
    return of_call(DRIVER.amend_order(instrument(row["symbol"][:3], row["symbol"][3:]), old, Decimal(5), INSTRUMENTS))


def _amendments(payload: Json) -> Read:
    row = payload[0]
    old = order_state(row["origClientOrderId"], str(row["orderId"]))
    return of_call(DRIVER.fetch_amendments(symbol_in(payload), old, limit=5))


_LIST = {
    "listStatusType": WORKED_OUT,
    "contingencyType": "the list has the kind that was asked for",
    **dict.fromkeys(("orders[].symbol", "orderReports[].symbol", "symbol"), "that of the list"),
    "orderReports[].clientOrderId": "the id of the cancel itself",
}
_ROWS = {f"[].{name}": why for name, why in _LIST.items()}
PLACED_LIST = Reading(_placed_list, ignored=_LIST)
CANCELLED_LIST = Reading(_cancelled_list, ignored=_LIST)
QUERIED_LIST = Reading(lambda payload: of_call(DRIVER.fetch_list(_state(payload), _known(payload))), ignored=_LIST)
OPEN_LISTS = Reading(lambda payload: of_call(DRIVER.fetch_open_lists(_known(payload))), ignored=_ROWS)
CANCELLED_ALL = Reading(
    with_symbol(lambda of: DRIVER.cancel_all(of, INSTRUMENTS)[0]),
    ignored={"[].clientOrderId": "the id of the cancel itself", "[].symbol": "that of the question"},
)
_HALF = {
    "clientOrderId": "the id of the cancel itself",
    "origClientOrderId": "the order is known by the id of the question",
    "symbol": "that of the question",
}
REPLACED = Reading(
    _replaced,
    ignored={
        "code": "each half has its own",
        "msg": "each half has its own",
        **{f"{data}cancelResponse.{name}": why for data in ("", "data.") for name, why in _HALF.items()},
    },
)
AMENDED = Reading(
    _amended,
    ignored={
        "amendedOrder.origClientOrderId": "the order is known by the id of the question",
        "executionId": NOT_TOLD,
        **{f"listStatus.{name}": why for name, why in _LIST.items()},
    },
)
AMENDMENTS = Reading(_amendments, ignored={"[].symbol": "that of the question"})
HISTORY = Reading(
    with_symbol(lambda of: DRIVER.fetch_order_history(of, INSTRUMENTS, span=None, limit=5)),
    ignored={"[].time": "when the order was placed; the last change is kept"},
)
ALLOCATIONS = Reading(
    with_symbol(lambda of: DRIVER.fetch_allocations(of, INSTRUMENTS, span=None, limit=5)),
    ignored={
        "[].allocationType": "only one is documented",
        "[].isAllocator": NOT_TOLD,
        "[].orderListId": NOT_TOLD,
        "[].quoteQty": WORKED_OUT,
    },
)
PREVENTED = Reading(
    with_symbol(lambda of: DRIVER.fetch_prevented_matches(of, ExchangeOrderId("5"), after=None, limit=5))
)
COMMISSION = Reading(with_symbol(DRIVER.fetch_commission))
COUNTS = Reading(lambda payload: of_call(DRIVER.fetch_order_counts()), ignored={"[].rateLimitType": "always ORDERS"})
TESTED = Reading(with_symbol(lambda of: DRIVER.test_order(ORDER, of, ClientOrderId("x"), with_commission=True)))
ROUTED = Reading(
    EXECUTED.reader,
    ignored={**EXECUTED.ignored, "fills[].matchType": WORKED_OUT},
)
