"""Commands over the trade socket, and its answers in the form of REST (Bybit: 8)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import AuthenticationError, FilterViolation, OutcomeUnknown, ProtocolError, RateLimitError
from exconn_sync.exchanges.bybit.batch import BybitBatches
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.signing import signer_of
from exconn_sync.exchanges.bybit.trade_socket import TradeSocket
from exconn_sync.model.enums import CommandOutcome
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderFact, OrderRequest
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import LoginReply, Pong, Unrecognized
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.command_wire import CommandReply
from tests.data import read_json
from tests.exchanges.bybit.orders import MINE, ORDER_ID, order_state
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, KEY, RECEIVED_AT, SECRET

WIRE, BATCHES = TradeSocket(), BybitBatches()
BUY = OrderRequest.limit("BTC-USDT", "buy", "0.01", "28000")
PLACE = DRIVER.place_order(BUY, BTCUSDT, MINE, INSTRUMENTS)
HEADER = {
    "X-Bapi-Limit": "20", "X-Bapi-Limit-Status": "19", "X-Bapi-Limit-Reset-Timestamp": "1700000000200",
    "Traceid": "38b7", "Timenow": "1700000000100",
}  # fmt: skip


def reply(**changes: Any) -> CommandReply:
    frame = {
        "reqId": "7", "retCode": 0, "retMsg": "OK", "op": "order.create", "retExtInfo": {}, "header": HEADER,
        "data": {"orderId": ORDER_ID, "orderLinkId": "my-order-1"}, "connId": "c",
    } | changes  # fmt: skip
    message = WIRE.parse(json.dumps(frame).encode(), RECEIVED_AT)
    assert isinstance(message, CommandReply)
    return message


def test_the_sign_in_is_that_of_the_private_stream_in_other_words() -> None:
    frame = WIRE.encode_login(signer_of(Secret(KEY), Secret(SECRET)), 1_700_000_000_000, 5_000, 7)
    signature = "706c020829821e2edc4d44fb20439464f2bbae424e0643baf28d87dbdf56bf61"
    assert json.loads(frame) == {"reqId": "7", "op": "auth", "args": [KEY, 1_700_000_010_000, signature]}


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("order.create", PLACE),
        ("order.cancel", DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS)),
        ("order.amend", DRIVER.amend_order(BTCUSDT, order_state(), Decimal(1), INSTRUMENTS)),
        ("order.create-batch", BATCHES.place([NewOrder(BUY, BTCUSDT, ClientOrderId("a"))])),
        ("order.cancel-batch", BATCHES.cancel([ChangedOrder(BTCUSDT, order_state())])),
        ("order.amend-batch", BATCHES.amend([ChangedOrder(BTCUSDT, order_state(), Decimal(1))])),
    ],
)
def test_a_command_says_over_the_socket_what_it_says_over_rest(operation: str, call: Any) -> None:
    assert WIRE.takes(call)
    assert json.loads(WIRE.encode(call, 7, 1_700_000_000_123, 5_000)) == {
        "reqId": "7", "op": operation, "args": [json.loads(call.body)],
        "header": {"X-BAPI-TIMESTAMP": "1700000000123", "X-BAPI-RECV-WINDOW": "5000"},
    }  # fmt: skip


def test_what_the_socket_has_no_operation_for_goes_over_rest() -> None:
    assert not any(WIRE.takes(call) for call in DRIVER.cancel_all(BTCUSDT, INSTRUMENTS))
    assert not WIRE.takes(DRIVER.fetch_balances())


def test_the_account_pays_and_the_address_does_not() -> None:
    assert [cost.limit for cost in WIRE.costs(PLACE)] == ["/v5/order/create"]


def test_demo_has_no_trade_socket() -> None:
    """(Bybit: 1.2)"""
    assert DRIVER.command_wire("demo") is None
    assert isinstance(DRIVER.command_wire("testnet"), TradeSocket)


def test_an_answer_is_read_as_that_of_rest() -> None:
    answer = reply()
    assert (answer.request_id, answer.is_declined) == (7, False)
    assert DRIVER.error_of(answer.response, PLACE) is None
    (fact,) = PLACE.parse(answer.response)
    assert isinstance(fact, OrderFact)
    assert (fact.exchange_order_id, fact.received_at) == (ORDER_ID, RECEIVED_AT)
    (figure,) = DRIVER.used_figures(answer.response, PLACE)
    assert (figure.limit, figure.used) == ("/v5/order/create", 1)


@pytest.mark.parametrize(
    ("code", "kind", "outcome"),
    [
        (170140, FilterViolation, "refused"), (10429, OutcomeUnknown, "unknown"), (20006, OutcomeUnknown, "unknown"),
        (20003, RateLimitError, "refused"), (10403, RateLimitError, "refused"), (10016, OutcomeUnknown, "unknown"),
        (10006, RateLimitError, "refused"),
    ],
)  # fmt: skip
def test_errors_are_those_of_rest(code: int, kind: type[Exception], outcome: str) -> None:
    answer = reply(retCode=code, retMsg="no", data={})
    error = DRIVER.error_of(answer.response, PLACE)
    assert type(error) is kind
    assert error.outcome == outcome
    assert not answer.is_declined


def test_a_socket_that_restarts_takes_nothing_more() -> None:
    """(Bybit: 5, 9.4)"""
    assert reply(retCode=10019, retMsg="restarting", data={}).is_declined


def test_a_batch_over_the_socket_fails_order_by_order() -> None:
    call = BATCHES.place([NewOrder(BUY, BTCUSDT, ClientOrderId(name)) for name in ("one", "two")])
    listed = [{"orderId": "1", "orderLinkId": "one"}, {"orderId": "", "orderLinkId": "two"}]
    items = {"list": [{"code": 0, "msg": "OK"}, {"code": 170131, "msg": "no"}]}
    answer = reply(op="order.create-batch", data={"list": listed}, retExtInfo=items)
    outcomes = [each.outcome for each in call.parse(answer.response)]
    assert outcomes == [CommandOutcome.DONE, CommandOutcome.REFUSED]


def test_answers_that_are_no_answers_to_commands() -> None:
    def read(**frame: Any) -> Any:
        return WIRE.parse(json.dumps({"retCode": 0, "retMsg": "OK", "connId": "c"} | frame).encode(), RECEIVED_AT)

    assert read(op="auth") == LoginReply(None)
    assert read(op="auth", reqId="9") == LoginReply(9)
    refused = read(op="auth", retCode=10004, retMsg="bad sign")
    assert type(refused.error) is AuthenticationError
    assert read(op="pong", data=["1711002002529"]) == Pong()
    assert read(op="order.create") == Unrecognized("order.create"), "nobody can be told of it"
    assert read(op="order.sing", reqId="7") == Unrecognized("order.sing")


@pytest.mark.parametrize("frame", [b"", b"[]", b"{}", b'{"op":"auth"}', b'{"op":"pong","op":"pong","retCode":0}'])
def test_malformed_frames(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        WIRE.parse(frame, RECEIVED_AT)


def test_the_documented_answers_are_read() -> None:
    folder = ("docs_examples", "bybit_v5", "ws")
    names = ["trade_guideline__response", *(f"trade_guideline__response__{number}" for number in (2, 3, 4))]
    read = [WIRE.parse(json.dumps(read_json(*folder, f"{name}.json")).encode(), RECEIVED_AT) for name in names]
    assert [type(message) for message in read] == [LoginReply, Unrecognized, Unrecognized, Pong]
    assert read[1] == Unrecognized("order.create"), "its id is a text that we would not send"
