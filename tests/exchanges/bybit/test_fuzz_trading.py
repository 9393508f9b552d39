"""Whatever bytes come, what reads orders and the account returns a value or raises ProtocolError (F032, F033, F039).

The parsers are found by looking at the driver, so that a new one is tested without being listed.
"""

from __future__ import annotations

import inspect
import json
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import OrderNotFound
from exconn_sync.exchanges.bybit.account import BybitAccount
from exconn_sync.exchanges.bybit.batch import BybitBatches
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.not_offered import NotOffered
from exconn_sync.exchanges.bybit.trade_socket import TradeSocket
from exconn_sync.exchanges.bybit.trading import BybitTrading
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.command_wire import CommandReply
from tests.exchanges.binance.calls import every_call
from tests.exchanges.bybit.orders import CANCELED, EXECUTION, FEES, OPEN, SPENT, WALLET, order_state, rows
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, envelope, read_call, response
from tests.exchanges.fuzzing import attempt, truncated, unhurried, with_a_value_replaced, with_bytes_changed

REFUSED = frozenset(name for name, _ in inspect.getmembers(NotOffered, callable) if not name.startswith("_"))
RECEIPT = {"orderId": "7", "orderLinkId": "my-order-1"}
ACCOUNT = {"unifiedMarginStatus": 5, "marginMode": "REGULAR_MARGIN", "smpGroup": 0, "updatedTime": "1697078946000"}
KEY_OF_ACCOUNT = {
    "readOnly": 0, "permissions": {"Spot": ["SpotTrade"]}, "userID": 7, "note": "n", "ips": ["*"],
    "expiredAt": "1970-01-01T00:00:00Z", "createdAt": "2025-10-13T03:20:45Z", "vipLevel": "No VIP", "isMaster": True,
    "parentUid": "0", "kycRegion": "",
}  # fmt: skip
WINDOWS = {"dcpInfos": [{"product": "SPOT", "dcpStatus": "ON", "timeWindow": "10"}]}
SEEDS: list[Any] = [
    *(envelope(rows(row, cursor="a%3D1")) for row in (CANCELED, OPEN, SPENT, EXECUTION, FEES, WALLET)),
    envelope(RECEIPT),
    envelope(ACCOUNT),
    envelope(KEY_OF_ACCOUNT),
    envelope(WINDOWS),
    envelope({"list": [RECEIPT], "success": "1"}, retExtInfo={"list": [{"code": 170213, "msg": "no"}]}),
    *(
        {"id": "1", "topic": topic, "creationTime": 1_700_000_002_000, "data": [row]}
        for topic, row in (("order.spot", OPEN), ("order", SPENT), ("execution.spot", EXECUTION), ("wallet", WALLET))
    ),
    {"success": True, "ret_msg": "", "op": "auth", "conn_id": "c", "req_id": "7"},
    {"success": False, "ret_msg": "Params Error", "op": "auth", "conn_id": "c"},
    {"op": "pong", "args": ["1711002002529"], "conn_id": "c"},
    *(
        {
            "reqId": "7",
            "retCode": code,
            "retMsg": "OK",
            "op": op,
            "data": data,
            "retExtInfo": extra,
            "header": {"Timenow": "1"},
        }
        for code, op, data, extra in (
            (0, "order.create", RECEIPT, {}),
            (0, "order.cancel-batch", {"list": [RECEIPT]}, {"list": [{"code": 0, "msg": "OK"}]}),
            (10019, "order.amend", {}, {}),
        )
    ),
    {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c", "reqId": "7"},
]
PAYLOADS = [json.dumps(seed).encode() for seed in SEEDS]

_CHANGED = [ChangedOrder(BTCUSDT, order_state("7"))]
_NEW = [NewOrder(OrderRequest.market("BTC-USDT", "sell", 1), BTCUSDT, ClientOrderId("my-order-1"))]
CALLS: list[RestCall[Any]] = [
    *(call for driver in (BybitTrading(), BybitAccount()) for _, call in every_call(driver, refused=REFUSED)),
    BybitBatches().place(_NEW), BybitBatches().cancel(_CHANGED), BybitBatches().amend(_CHANGED),
]  # fmt: skip


COMMANDS = [call for call in CALLS if call.is_command]


def feed(payload: bytes) -> None:
    """Give the payload to every parser; anything but a value or ProtocolError fails the test."""
    answer = response(payload)
    for call in CALLS:
        attempt(partial(parse, call, answer))
        if call.pages is not None:
            attempt(partial(call.pages.next_params, answer))
    for status in (200, 400, 503):
        DRIVER.error_of(response(payload, status), read_call(is_command=True))
    attempt(partial(DRIVER.parse_account, payload, RECEIVED_AT, INSTRUMENTS))
    attempt(partial(parse_command, payload))


def parse_command(payload: bytes) -> Any:
    """Read a frame of the trade socket, and what it brings as the answer of a command."""
    message = TradeSocket().parse(payload, RECEIVED_AT)
    if isinstance(message, CommandReply):
        DRIVER.error_of(message.response, read_call(is_command=True))
        for call in COMMANDS:
            attempt(partial(parse, call, message.response))
    return message


def parse(call: RestCall[Any], answer: HttpResponse) -> Any:
    try:
        return call.parse(answer)
    except OrderNotFound:
        return None  # an empty list


def test_every_parser_is_found() -> None:
    assert {call.path for call in CALLS} >= {
        "/v5/order/create", "/v5/order/amend", "/v5/order/cancel", "/v5/order/cancel-all", "/v5/order/create-batch",
        "/v5/order/amend-batch", "/v5/order/cancel-batch", "/v5/order/realtime", "/v5/order/history",
        "/v5/execution/list", "/v5/account/wallet-balance", "/v5/account/fee-rate", "/v5/account/info",
        "/v5/user/query-api", "/v5/account/query-dcp-info",
    }  # fmt: skip
    assert len(REFUSED) == 10


@unhurried
@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    feed(payload)


@unhurried
@given(with_bytes_changed(PAYLOADS))
def test_valid_payloads_with_some_bytes_changed(payload: bytes) -> None:
    feed(payload)


@unhurried
@given(truncated(PAYLOADS))
def test_truncated_payloads(payload: bytes) -> None:
    """(fault F083)"""
    feed(payload)


@unhurried
@given(with_a_value_replaced(PAYLOADS))
def test_valid_payloads_with_a_value_replaced(payload: bytes) -> None:
    feed(payload)
