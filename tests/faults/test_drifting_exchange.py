"""An exchange that says more, less or something else than it did: the connector works on, and nothing is invented."""

from __future__ import annotations

import itertools
import json
import queue
from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync import (
    AuthenticationError,
    Fill,
    OrderRejected,
    OrderRequest,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
)
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance import wire
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted
from tests.integration.test_faults import wait_live

Json = Any
ORDER = "/api/v3/order"
ACCOUNT = "/api/v3/account"


def drift(monkeypatch: pytest.MonkeyPatch, change: Callable[[Json], Json]) -> None:
    """Have each message of the simulated exchange changed before it is sent."""
    encode = wire._encode

    def encode_changed(value: object) -> bytes:
        return encode(change(json.loads(encode(value))))

    monkeypatch.setattr(wire, "_encode", encode_changed)


def test_a_whole_run_with_unknown_fields_in_every_object(
    lively: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F036)"""
    numbers = itertools.count()
    strangers: list[Json] = [None, True, 1.5, "text", [], {"e": "trade"}, [{"stream": "x", "id": 1}], 10**30]

    def with_strangers(value: Json) -> Json:
        if isinstance(value, list):
            return [with_strangers(inner) for inner in value]
        if isinstance(value, dict):
            number = next(numbers)
            known = {name: with_strangers(inner) for name, inner in value.items()}
            return {f"new{number % 7}": strangers[number % len(strangers)], **known, "zz": number}
        return value

    drift(monkeypatch, with_strangers)
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    market, account, errors = Ups(connector), Ups(connector, "account"), Errors(connector)
    trades, books = connector.stream_trades("BTC-USDT"), connector.stream_order_book("BTC-USDT")
    ticker = connector.stream_book_ticker("BTC-USDT")
    trades.get(LIMIT)
    ticker.get(LIMIT)
    wait_live(connector, books)
    bought = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
    assert bought.wait(timeout=LIMIT)
    assert bought.status == "filled"
    resting = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
    assert [order.client_order_id for order in connector.fetch_open_orders("BTC-USDT")] == [resting.client_order_id]
    resting.cancel()
    assert resting.wait(timeout=LIMIT)
    assert resting.status == "canceled"
    assert sum(fill.quantity for fill in connector.fetch_fills("BTC-USDT")) == bought.filled_quantity
    assert {"BTC", "USDT"} <= set(connector.fetch_balances())
    assert connector.fetch_order_book("BTC-USDT").bids
    assert connector.fetch_trades("BTC-USDT")
    assert next(numbers) > 40, "nothing has drifted"
    assert (errors.told, market.told, account.told) == ([], [], [])
    assert counted(metrics, "stream.unrecognized") == 0


NEEDED = ("s", "c", "S", "x", "X", "i", "z", "T", "e")


def test_reports_without_a_needed_field_lose_no_fill(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each needed field is missing in the reports of one order (fault F038)"""

    def incomplete(value: Json) -> Json:
        event = value.get("event", {}) if isinstance(value, dict) else {}
        if event.get("e") == "executionReport" and event.get("x") == "TRADE":
            del event[NEEDED[int(event["c"].removeprefix("order-"))]]
        return value

    connector = connect(quiet)
    errors = Errors(connector)
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_fill(fills.put)
    orders = [
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "60005", client_order_id=f"order-{number}"))
        for number in range(len(NEEDED))
    ]
    drift(monkeypatch, incomplete)
    quiet.market.trade("BTCUSDT", "sell", "0.9")
    for order in orders:
        assert order.wait(timeout=LIMIT)
        assert (order.status, str(order.filled_quantity)) == ("filled", "0.10000000")
    found = [fills.get(timeout=LIMIT) for _ in orders]
    assert {fill.client_order_id for fill in found} == {order.client_order_id for order in orders}
    assert fills.empty()
    assert errors.told
    assert all(isinstance(told.error, ProtocolError) for told in errors.told)


def test_an_error_inside_a_success_is_an_error(quiet: Simulator, connect: Connect) -> None:
    """(fault F074)"""
    connector = connect(quiet)
    quiet.faults.answer("GET", ACCOUNT, 200, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}')
    with pytest.raises(AuthenticationError):
        connector.fetch_balances()
    quiet.faults.answer("POST", ORDER, 200, '{"code":-2010,"msg":"Order would trigger immediately."}')
    with pytest.raises(OrderRejected) as refused:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    assert (refused.value.outcome, refused.value.details["reason"]) == ("refused", "would_trigger")
    assert quiet.accounts.orders() == []


PAGE = "<html><body>Just a moment...</body></html>"


def test_a_page_instead_of_an_answer(quiet: Simulator, connect: Connect) -> None:
    """With the status of a success, of a firewall and of a mark before the text (faults F079, F082)"""
    connector = connect(quiet)
    for body in (PAGE, "\ufeff[]", ""):
        quiet.faults.answer("GET", ACCOUNT, 200, body)
        with pytest.raises(ProtocolError) as unreadable:
            connector.fetch_balances()
        assert "payload" in unreadable.value.details
    quiet.faults.answer("POST", ORDER, 200, PAGE)
    with pytest.raises(OutcomeUnknown) as unknown:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"), timeout=1.0)
    assert unknown.value.order.status == "unknown"
    quiet.faults.answer("GET", ACCOUNT, 403, PAGE)
    with pytest.raises(PermissionDenied) as blocked:
        connector.fetch_balances()
    assert blocked.value.retryable


@pytest.mark.parametrize("letters", ["X", "xX"])
def test_an_order_in_a_state_of_the_future_is_asked_about(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch, letters: str
) -> None:
    """The word says nothing, so that the exchange is asked (fault F040)"""

    def renamed(value: Json) -> Json:
        event = value.get("event", {}) if isinstance(value, dict) else {}
        if event.get("e") == "executionReport":
            event.update(dict.fromkeys(letters, "FROM_THE_FUTURE"))
        return value

    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "60005"))
    drift(monkeypatch, renamed)
    # Cancelled by other means than ours: only the report tells, and it does not say what.
    connector.request("DELETE", ORDER, {"symbol": "BTCUSDT", "orderId": str(order.exchange_order_id)}, signed=True)
    assert order.wait(timeout=LIMIT)
    assert order.status == "canceled"
