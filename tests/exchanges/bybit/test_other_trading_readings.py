"""Answers about orders, executions and the account as another client reads them; where it guesses, ours does not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import Fill, OrderFact
from tests.data import read_json
from tests.exchanges.bybit.support import response

Json = Any
NS_PER_MS = 1_000_000


def answers(method: str) -> list[Json]:
    cases: list[Json] = [
        case
        for name in ("bybit_rest", "bybit_ccxt_static")
        for case in read_json("parse_cases", f"{name}.json")["cases"]
        if case["method"] == method
    ]
    assert cases
    return cases


def body_of(case: Json) -> Json:
    """Return an answer; some recordings hold numbers as texts, which the exchange sends as numbers (Bybit: 2.1)."""
    if "http_responses" in case:
        return json.loads(case["http_responses"][0])
    answer: Json = case["http_response"]
    return answer | {"retCode": int(answer["retCode"]), "time": int(answer["time"])}


def wanted_of(case: Json) -> Json:
    return case["ccxt_result"] if "ccxt_result" in case else case["expected_fields"]


def known(body: Json) -> Instruments:
    names = dict.fromkeys(row["symbol"] for row in body["result"]["list"])
    return Instruments(
        "bybit", [Instrument("bybit", f"{name[:3]}-{name[3:]}", name, name[:3], name[3:]) for name in names]
    )


STATUS = {
    "new": "open", "partially_filled": "open", "filled": "closed", "canceled": "canceled", "rejected": "rejected",
    # Told apart by who ended it: what the exchange did by itself has expired (Bybit: 4.14, 4.15).
    "expired": "canceled",
}  # fmt: skip


def check_order(ours: OrderFact, theirs: Json) -> None:
    assert ours.exchange_order_id == theirs["id"]
    assert ours.client_order_id == theirs["clientOrderId"]
    assert (ours.side, ours.type, STATUS[str(ours.status)]) == (theirs["side"], theirs["type"], theirs["status"])
    assert ours.post_only is theirs["postOnly"]
    assert (ours.created_at, ours.exchange_time) == (
        theirs["timestamp"] * NS_PER_MS, theirs["lastUpdateTimestamp"] * NS_PER_MS,
    )  # fmt: skip
    pairs = [
        (ours.price, "price"), (ours.quantity, "amount"), (ours.filled_quantity, "filled"),
        (ours.cumulative_quote, "cost"), (ours.take_profit or None, "takeProfitPrice"),
        (ours.stop_loss or None, "stopLossPrice"),
    ]  # fmt: skip
    for value, name in pairs:
        assert value == (None if theirs[name] is None else Decimal(theirs[name])), name
    fees = tuple((fee["currency"], Decimal(fee["cost"])) for fee in theirs["fees"])
    assert ours.cumulative_fees in (None, fees) if not fees else ours.cumulative_fees == fees


def test_orders_are_read_alike() -> None:
    compared = 0
    for case in [*answers("fetch_open_orders"), *answers("fetch_closed_orders")]:
        body = body_of(case)
        body["result"]["category"] = "spot"
        instruments = known(body)
        facts = DRIVER.fetch_open_orders(None, instruments).parse(response(body))
        theirs = {order["id"]: order for order in wanted_of(case)}
        for fact in facts:
            # It has left out what is of another symbol than was asked for.
            if fact.exchange_order_id in theirs:
                check_order(fact, theirs[fact.exchange_order_id])
                compared += 1
    assert compared >= 3


def test_what_the_exchange_ended_by_itself_is_told_from_a_users_cancel() -> None:
    """There one word stands for both; the reason beside it says which (Bybit: 4.14, 4.15)."""
    (case,) = [case for case in answers("fetch_closed_orders") if case["name"].startswith("docs:")]
    body = body_of(case)
    body["result"]["category"] = "spot"
    facts = DRIVER.fetch_open_orders(None, known(body)).parse(response(body))
    (fact,) = [fact for fact in facts if fact.exchange_order_id == case["ccxt_result"][0]["id"]]
    assert (fact.status, fact.reason) == ("expired", "EC_PostOnlyWillTakeLiquidity")
    assert case["ccxt_result"][0]["status"] == "canceled"


def test_an_answer_about_another_market_is_refused() -> None:
    """Where it reads orders of derivatives as those of spot (Bybit: 10; fault F084)."""
    (case,) = [case for case in answers("fetch_closed_orders") if case["name"].startswith("docs:")]
    body = body_of(case)
    assert body["result"]["category"] == "linear"
    with pytest.raises(ProtocolError):
        DRIVER.fetch_open_orders(None, known(body)).parse(response(body))


def check_fill(ours: Fill, theirs: Json) -> None:
    assert (ours.trade_id, ours.exchange_order_id, ours.side) == (theirs["id"], theirs["order"], theirs["side"])
    assert (ours.price, ours.quantity) == (Decimal(theirs["price"]), Decimal(theirs["amount"]))
    assert ours.price * ours.quantity == Decimal(theirs["cost"])
    assert ours.exchange_time == theirs["timestamp"] * NS_PER_MS
    assert ours.is_maker is (theirs["takerOrMaker"] == "maker")
    assert ours.fee == Decimal(theirs["fee"]["cost"])


def test_executions_are_read_alike_but_for_a_fee_coin_that_is_not_told() -> None:
    """It takes base or quote for it by the side; that is never to be assumed (Bybit: 4.17)."""
    guessed = []
    cases = answers("fetch_my_trades")
    for case in cases:
        body = body_of(case)
        instruments = known(body)
        (instrument,) = instruments
        fills = DRIVER.fetch_fills(instrument, None, instruments).parse(response(body))
        for fill, theirs in zip(fills, wanted_of(case), strict=True):
            check_fill(fill, theirs)
            assert fill.fee_asset is None
            guessed.append(theirs["fee"]["currency"])
    assert sorted(map(str, guessed)) == ["BTC", "None"]


def test_balances_are_read_alike() -> None:
    (case,) = answers("fetch_balance")
    balances = DRIVER.fetch_balances().parse(response(body_of(case)))
    theirs = wanted_of(case)
    assert {balance.asset for balance in balances} == set(theirs["total"])
    for balance in balances:
        found = theirs[balance.asset]
        assert (balance.free, balance.locked, balance.total) == (
            Decimal(found["free"]), Decimal(found["used"]), Decimal(found["total"]),
        )  # fmt: skip
        assert balance.exchange_time == theirs["timestamp"] * NS_PER_MS


def test_fees_are_read_alike() -> None:
    for case in answers("fetch_trading_fee"):
        body = body_of(case)
        (instrument,) = known(body)
        rates = DRIVER.fetch_commission(instrument).parse(response(body)).standard
        assert (rates.maker, rates.taker) == (Decimal(wanted_of(case)["maker"]), Decimal(wanted_of(case)["taker"]))


def test_receipts_of_all_orders_are_read_alike() -> None:
    for case in answers("cancel_all_orders"):
        base = case["args"][0][:3]
        instrument = Instrument("bybit", f"{base}-USDT", f"{base}USDT", base, "USDT")
        call = DRIVER.cancel_all(instrument, Instruments("bybit", [instrument]))[0]
        facts = [fact for fact in call.parse(response(body_of(case))) if isinstance(fact, OrderFact)]
        assert [(fact.exchange_order_id, fact.client_order_id) for fact in facts] == [
            (each["id"], each["clientOrderId"]) for each in wanted_of(case)
        ]


READ_ELSEWHERE = {
    "fetch_time", "fetch_order_book", "fetch_ohlcv", "fetch_trades", "fetch_ticker", "fetch_tickers",
    "fetch_spot_markets", "create_order", "edit_order", "cancel_order", "create_market_buy_order_with_cost",
}  # fmt: skip
READ_HERE = {
    "fetch_open_orders", "fetch_closed_orders", "fetch_my_trades", "fetch_balance", "fetch_trading_fee",
    "cancel_all_orders",
}  # fmt: skip


def test_every_recorded_answer_is_compared() -> None:
    found = {
        case["method"]
        for name in ("bybit_rest", "bybit_ccxt_static")
        for case in read_json("parse_cases", f"{name}.json")["cases"]
    }
    assert found == READ_ELSEWHERE | READ_HERE


def test_every_recorded_request_is_compared() -> None:
    """Those of orders and of public data are compared with their encoders; here is what is left."""
    methods = {case["method"] for case in read_json("request_cases", "bybit.json")["cases"]}
    elsewhere = {"fetch_time", "fetch_order_book", "fetch_ticker", "fetch_ohlcv"} | {
        "create_order", "create_market_buy_order_with_cost", "edit_order", "cancel_order",
    }  # fmt: skip
    assert methods - elsewhere == {"fetch_balance"}
    (case,) = [each for each in read_json("request_cases", "bybit.json")["cases"] if each["method"] == "fetch_balance"]
    call, theirs = DRIVER.fetch_balances(), case["request"]
    assert (call.method, call.path, dict(call.params)) == (theirs["method"], theirs["path"], theirs["params"])
