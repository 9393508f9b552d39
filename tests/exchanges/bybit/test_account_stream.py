"""Frames of the private stream (Bybit: 7)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import AuthenticationError, ClockSkew, ExchangeError, ProtocolError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.signing import signer_of
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, OrderStatus
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import LoginReply, Pong, Unrecognized
from exconn_sync.ports.driver import PartlyKnown
from tests.data import read_json
from tests.exchanges.bybit.orders import CANCELED, COIN, EXECUTION, MINE, OPEN, ORDER_ID, WALLET
from tests.exchanges.bybit.support import INSTRUMENTS, KEY, RECEIVED_AT, SECRET


def event(topic: str, *data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an event of the private stream."""
    return {"id": "5923240c6880ab", "topic": topic, "creationTime": 1_700_000_002_000, "data": list(data)} | more


def read(frame: Any) -> Any:
    raw = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    return DRIVER.parse_account(raw, RECEIVED_AT, INSTRUMENTS)


# --- signing in -----------------------------------------------------------------------------------------------------


def test_the_sign_in_is_good_for_ten_seconds() -> None:
    """The signature is the one of the sheet (Bybit: 2.6)."""
    signer = signer_of(Secret(KEY), Secret(SECRET))
    for sign_in in ("subscription", "session"):
        frame = DRIVER.encode_login(signer, 1_700_000_000_000, 5_000, 7, sign_in=sign_in)
        signature = "706c020829821e2edc4d44fb20439464f2bbae424e0643baf28d87dbdf56bf61"
        assert json.loads(frame) == {"req_id": "7", "op": "auth", "args": [KEY, 1_700_000_010_000, signature]}
        assert SECRET.encode() not in frame


def test_orders_executions_and_the_wallet_are_subscribed() -> None:
    """In one form each, which must not be mixed with the other (Bybit: 7.2)."""
    assert json.loads(DRIVER.encode_account_subscribe(8)) == {
        "op": "subscribe", "req_id": "8", "args": ["order.spot", "execution.spot", "wallet"],
    }  # fmt: skip


def test_the_guard_of_orders_is_subscribed_where_it_is_wanted() -> None:
    """(Bybit: 7.2, 9.1)"""
    frame = json.loads(DRIVER.encode_account_subscribe(8, cancel_on_disconnect=True))
    assert frame["args"] == ["order.spot", "execution.spot", "wallet", "dcp.spot"]


@pytest.mark.parametrize(("more", "request_id"), [({}, None), ({"req_id": "7"}, 7), ({"req_id": ""}, None)])
def test_answers_to_the_sign_in_and_the_subscription(more: dict[str, str], request_id: int | None) -> None:
    base = {"success": True, "ret_msg": "", "conn_id": "cejreaspqfh3sjdnldmg-p"} | more
    assert read(base | {"op": "auth"}) == LoginReply(request_id, is_final=False)
    assert read(base | {"op": "subscribe"}) == LoginReply(request_id, is_final=True)


def test_refusals_of_the_sign_in() -> None:
    stale = read({"success": False, "ret_msg": "Params Error", "op": "auth", "conn_id": "x"})
    assert isinstance(stale.error, ClockSkew), "so it is worded when the sign-in came too late"
    refused = read({"success": False, "ret_msg": "API key is invalid.", "op": "auth", "conn_id": "x"})
    assert type(refused.error) is AuthenticationError
    assert "API key is invalid." in refused.error.message
    topics = read({"success": False, "ret_msg": "error:handler not found", "op": "subscribe", "conn_id": "x"})
    assert type(topics.error) is ExchangeError
    assert topics.is_final


@pytest.mark.parametrize(
    "pong",
    [
        {"req_id": "x", "op": "pong", "args": ["1711002002529"], "conn_id": "c"},
        {"op": "pong", "conn_id": "c"},
        {"success": True, "ret_msg": "pong", "conn_id": "c", "op": "ping"},
    ],
)
def test_every_dialect_of_a_pong(pong: dict[str, Any]) -> None:
    assert read(pong) == Pong()


def test_answers_of_the_future_are_counted() -> None:
    assert read({"op": "sing", "success": True}) == Unrecognized("sing")
    assert read({"success": True}) == Unrecognized("object")
    assert read(event("greeks", {})) == Unrecognized("greeks")
    assert read(event("order.linear", OPEN)) == Unrecognized("order.linear")


# --- events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["order", "order.spot"])
def test_orders(topic: str) -> None:
    first, second = read(event(topic, CANCELED, OPEN | {"orderId": "9", "orderLinkId": ""}))
    assert isinstance(first, OrderFact)
    assert (first.source, first.status, first.client_order_id) == (FactSource.STREAM, OrderStatus.CANCELED, MINE)
    assert (second.exchange_order_id, second.client_order_id, second.status) == ("9", "9", OrderStatus.NEW)


@pytest.mark.parametrize("topic", ["execution", "execution.spot"])
def test_several_executions_in_one_message(topic: str) -> None:
    fills = read(event(topic, EXECUTION, EXECUTION | {"execId": "8"}))
    assert all(isinstance(fill, Fill) and fill.source is FactSource.STREAM for fill in fills)
    assert [(fill.trade_id, fill.exchange_order_id) for fill in fills] == [
        ("2100000000007764263", ORDER_ID), ("8", ORDER_ID),
    ]  # fmt: skip


def test_balances_are_of_the_time_of_the_message() -> None:
    (balance,) = read(event("wallet", WALLET))
    assert isinstance(balance, Balance)
    assert (balance.asset, balance.free, balance.locked) == (COIN["coin"], Decimal("800.25"), Decimal("200.25"))
    assert (balance.exchange_time, balance.source) == (1_700_000_002_000_000_000, FactSource.STREAM)
    frame = event("wallet", WALLET)
    del frame["creationTime"]
    with pytest.raises(ProtocolError):
        read(frame)


def test_words_of_the_future_count_and_are_asked_about() -> None:
    """(faults F035, F040)"""
    made = read(event("order.spot", OPEN, OPEN | {"orderId": "9", "orderStatus": "Dreaming"}))
    assert isinstance(made, PartlyKnown)
    assert (len(made.facts), made.kind) == (2, "order status Dreaming")
    made = read(event("execution.spot", EXECUTION, EXECUTION | {"execType": "CorporateAction"}))
    assert isinstance(made, PartlyKnown)
    assert (len(made.facts), made.kind) == (1, "execution CorporateAction")


def test_other_markets_are_none_of_ours() -> None:
    made = read(event("order", OPEN | {"category": "linear"}, OPEN))
    assert isinstance(made, PartlyKnown)
    assert (len(made.facts), made.kind) == (1, "order of linear")
    made = read(event("execution", EXECUTION | {"category": "option"}))
    assert isinstance(made, PartlyKnown)
    assert (list(made.facts), made.kind) == ([], "execution of option")


@pytest.mark.parametrize(
    "frame",
    [
        b"", b"pong", b"[]", b'{"topic":"order"}', b'{"topic":"order","data":{}}', b'{"topic":"execution","data":[1]}',
        b'{"op":"auth","op":"auth","success":true}', b'{"topic":"wallet","creationTime":"1","data":[]}',
    ],
)  # fmt: skip
def test_malformed_frames(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        read(frame)


# --- documented and other people's payloads -------------------------------------------------------------------------


def test_the_documented_events() -> None:
    """Those of orders and executions show other markets; their form is that of spot."""
    folder = ("docs_examples", "bybit_v5", "ws")
    assert read(read_json(*folder, "private_order__stream_example.json")).kind == "order of option"
    assert read(read_json(*folder, "private_execution__stream_example.json")).kind == "execution of linear"
    (balance,) = read(read_json(*folder, "private_wallet__stream_example.json"))
    assert (balance.asset, balance.free) == ("BTC", Decimal("0.00102964"))
    for name in ("order", "execution"):
        frame = read_json(*folder, f"private_{name}__stream_example.json")
        for row in frame["data"]:
            row["category"] = "spot"
        (fact,) = read(frame)
        assert fact.exchange_order_id == frame["data"][0]["orderId"]


def test_every_private_frame_of_other_clients_is_read() -> None:
    seen = 0
    for case in read_json("parse_cases", "bybit_ws.json")["cases"]:
        topic = case["frame"].get("topic", "")
        if topic.split(".")[0] in ("order", "execution", "wallet"):
            read(case["frame"])
            seen += 1
    assert seen >= 2
