"""Answers and messages have the fields of the exchange's own examples, of the same kinds."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Private, Public, Rest, Trade
from .test_replay import folder

__all__ = ["folder"]

SPOT = {"category": "spot", "symbol": "BTCUSDT"}
ELSEWHERE = {
    # Of derivatives, or of permissions that nobody has here.
    "tpslMode",
    "createType",
    "execPnl",
    "unrealisedPnl",
    "userIDInt64",
    "inviterIDInt64",
    "affiliateIDInt64",
    "ContractTrade",
    "nextPageCursor",
    "MNT",
}


@pytest.fixture(scope="module")
def examples(folder: Path) -> Path:
    return folder.parent / "docs_examples" / "bybit_v5"


def missing(found: Json, expected: Json, where: str = "") -> list[str]:
    """What an example has and an answer has not, or has of another kind. Of a list the first entry counts."""
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{where} is no object"]
        names = [name for name in expected if name not in ELSEWHERE]
        absent = [f"{where}.{name}" for name in names if name not in found]
        return absent + [
            problem
            for name in names
            if name in found
            for problem in missing(found[name], expected[name], f"{where}.{name}")
        ]
    if isinstance(expected, list):
        if not isinstance(found, list):
            return [f"{where} is no list"]
        return missing(found[0], expected[0], f"{where}[]") if found and expected else []
    return [] if type(found) is type(expected) else [f"{where}: {type(found).__name__} for {type(expected).__name__}"]


def test_what_is_missing_is_noticed() -> None:
    assert missing({"a": 1, "b": [{}]}, {"a": "1", "b": [{"c": True}], "d": 1}) == [".d", ".a: int for str", ".b[].c"]


Ask = Callable[[Rest], Json]


def market(path: str, **params: object) -> Ask:
    return lambda rest: rest.public(f"/v5/market/{path}", symbol="BTCUSDT", **params)


def private(path: str, **params: object) -> Ask:
    return lambda rest: rest.get(f"/v5/{path}", **params)


def after_a_fill(path: str) -> Ask:
    def ask(rest: Rest) -> Json:
        rest.placed("Buy", "0.01", "60010")
        rest.placed("Buy", "0.01", "50000")
        return rest.get(f"/v5/{path}", **SPOT)

    return ask


def batch(name: str) -> Ask:
    def ask(rest: Rest) -> Json:
        order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
        made = rest.post("/v5/order/create-batch", category="spot", request=[order])
        if name == "create":
            return made
        named = {"symbol": "BTCUSDT", "orderId": made["result"]["list"][0]["orderId"]}
        return rest.post("/v5/order/cancel-batch", category="spot", request=[named])

    return ask


def cancelled(rest: Rest) -> Json:
    rest.placed("Buy", "0.01", "50000")
    return rest.post("/v5/order/cancel-all", **SPOT)


@pytest.mark.parametrize(
    ("example", "ask"),
    [
        ("GET_market_time__response", market("time")),
        ("GET_market_instruments_info__response_spot", market("instruments-info")),
        ("GET_market_orderbook__response", market("orderbook")),
        ("GET_market_full_orderbook__response", market("full_orderbook")),
        ("GET_market_tickers__response_spot", market("tickers")),
        ("GET_market_recent_trade__response", market("recent-trade")),
        ("GET_market_kline__response", market("kline", interval="1")),
        ("GET_market_price_limit__response", market("price-limit")),
        ("GET_account_instruments_info__response_spot", private("account/instruments-info", category="spot")),
        ("GET_account_wallet_balance__response", private("account/wallet-balance", accountType="UNIFIED")),
        ("GET_account_info__response", private("account/info")),
        ("GET_account_fee_rate__response", private("account/fee-rate", category="spot")),
        ("GET_account_smp_group__response", private("account/smp-group")),
        ("GET_account_user_setting_config__response", private("account/user-setting-config")),
        ("GET_order_spot_borrow_check__response", private("order/spot-borrow-check", **SPOT, side="Buy")),
        ("GET_order_realtime__response", after_a_fill("order/realtime")),
        ("GET_order_history__response", after_a_fill("order/history")),
        ("GET_execution_list__response", after_a_fill("execution/list")),
        ("POST_order_create__response", lambda rest: rest.create("Buy", "0.01", "50000")),
        ("POST_order_create_batch__response", batch("create")),
        ("POST_order_cancel_batch__response", batch("cancel")),
        ("POST_order_cancel_all__response", cancelled),
    ],
)
def test_an_answer_has_what_the_example_has(
    quiet: Simulator, rest: Rest, examples: Path, example: str, ask: Ask
) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    expected = json.loads((examples / "rest" / f"{example}.json").read_text())
    assert missing(ask(rest), expected) == []


@pytest.mark.parametrize(
    ("example", "topic"),
    [
        ("public_orderbook__response_snapshot", "orderbook.50.BTCUSDT"),
        ("public_trade__response", "publicTrade.BTCUSDT"),
        ("public_ticker__response_spot", "tickers.BTCUSDT"),
        ("public_kline__response", "kline.1.BTCUSDT"),
        ("public_order_price_limit__response", "priceLimit.BTCUSDT"),
    ],
)
def test_a_public_message_has_what_the_example_has(
    quiet: Simulator, public: Public, examples: Path, example: str, topic: str
) -> None:
    public.subscribe(topic)
    quiet.market.trade("BTCUSDT", "buy", "0.1")
    expected = json.loads((examples / "ws" / f"{example}.json").read_text())
    for row in expected["data"] if isinstance(expected["data"], list) else ():
        row.pop("L", None)
    assert missing(public.topic(topic), expected) == []


@pytest.mark.parametrize(
    ("example", "topic"),
    [
        ("private_order__stream_example", "order"),
        ("private_execution__stream_example", "execution"),
        ("private_fast_execution__stream_example", "execution.fast"),
        ("private_wallet__stream_example", "wallet"),
    ],
)
def test_a_private_message_has_what_the_example_has(
    private: Private, rest: Rest, examples: Path, example: str, topic: str
) -> None:
    private.ask({"op": "subscribe", "args": ["execution.fast"]})
    rest.placed("Buy", "0.01", "60010")
    message = private.until(lambda message: message.get("topic") == topic)
    expected = json.loads((examples / "ws" / f"{example}.json").read_text())
    for row in expected["data"]:
        # A list where something is taxed, otherwise a text.
        row.pop("extraFees", None)
    assert missing(message, expected) == []


@pytest.mark.parametrize("example", ["trade_guideline__response", "trade_guideline__response__2"])
def test_a_trade_answer_has_what_the_example_has(trade: Trade, examples: Path, example: str) -> None:
    trade.sign_in()
    order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "50000"}
    reply = trade.call("order.create", **order)
    expected = json.loads((examples / "ws" / f"{example}.json").read_text())
    if expected["op"] == "order.create":
        assert missing(reply, expected) == []
    else:
        assert missing(trade.ask({"op": "ping"}), expected | {"op": "pong"}) == []
