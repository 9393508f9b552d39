"""Pegged orders: the book gives the price, once, when the order goes to work."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator

from .clients import Json, Rest, WsApi

ORDER = "/api/v3/order"
LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.1"}


@pytest.fixture
def deep(quiet: Simulator) -> Simulator:
    """Bids at 60000, 59990 and 59980, asks at 60010, 60020 and 60030."""
    for side, prices in (("buy", ("59990", "59980")), ("sell", ("60020", "60030"))):
        for price in prices:
            quiet.market.quote("BTCUSDT", side, price, "1")
    return quiet


def place(rest: Rest, **order: object) -> Json:
    status, body = rest.signed("POST", ORDER, **LIMIT | order)
    assert status == 200, body
    return body


@pytest.mark.parametrize(
    ("side", "peg", "offset", "price"),
    [
        ("BUY", "PRIMARY_PEG", None, "60000.00000000"),
        ("SELL", "PRIMARY_PEG", None, "60010.00000000"),
        ("BUY", "PRIMARY_PEG", 2, "59980.00000000"),
        ("SELL", "PRIMARY_PEG", 1, "60020.00000000"),
    ],
)
def test_a_price_from_the_own_side(
    deep: Simulator, rest: Rest, side: str, peg: str, offset: int | None, price: str
) -> None:
    extra = {} if offset is None else {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": offset}
    order = place(rest, side=side, pegPriceType=peg, **extra)
    assert (order["price"], order["peggedPrice"], order["pegPriceType"]) == ("0.00000000", price, peg)
    assert ("pegOffsetType" in order) == (offset is not None)
    assert order["status"] == "NEW"
    depth = rest.get("/api/v3/depth", symbol="BTCUSDT")[1]["bids" if side == "BUY" else "asks"]
    assert [price, "1.10000000"] in depth


def test_a_price_from_the_other_side_takes_it_and_no_more(deep: Simulator, rest: Rest) -> None:
    order = place(rest, pegPriceType="MARKET_PEG", quantity="1.5", timeInForce="IOC")
    assert (order["peggedPrice"], order["executedQty"], order["status"]) == ("60010.00000000", "1.00000000", "EXPIRED")
    assert deep.accounts.balances()["USDT"] == (Decimal("939990"), Decimal(0))


def test_a_peg_does_not_follow_the_market(deep: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    order = place(rest, pegPriceType="PRIMARY_PEG", pegOffsetType="PRICE_LEVEL", pegOffsetValue=1)
    event = ws_api.event("executionReport")
    assert (event["p"], event["gP"], event["gOT"], event["gOV"], event["gp"]) == (
        "0.00000000",
        "PRIMARY_PEG",
        "PRICE_LEVEL",
        1,
        "59990.00000000",
    )
    deep.market.quote("BTCUSDT", "buy", "60005", "1")
    _, found = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert found["peggedPrice"] == "59990.00000000"
    cancelled = rest.signed("DELETE", ORDER, symbol="BTCUSDT", orderId=order["orderId"])[1]
    assert cancelled["peggedPrice"] == "59990.00000000"
    assert deep.accounts.balances()["USDT"] == (Decimal(1_000_000), Decimal(0))


def test_a_stop_is_priced_when_it_fires(deep: Simulator, rest: Rest) -> None:
    deep.market.trade("BTCUSDT", "buy", "0.01")
    stop = {"type": "STOP_LOSS_LIMIT", "side": "SELL", "stopPrice": "59990", "pegPriceType": "PRIMARY_PEG"}
    order = place(rest, **stop, newOrderRespType="RESULT")
    assert "peggedPrice" not in order
    deep.market.trade("BTCUSDT", "sell", "1.5")
    _, fired = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert (fired["isWorking"], fired["peggedPrice"], fired["status"]) == (True, "60010.00000000", "NEW")


def test_a_stop_that_finds_no_price_when_it_fires_is_rejected(deep: Simulator, rest: Rest) -> None:
    deep.market.trade("BTCUSDT", "buy", "0.01")
    stop = {"type": "STOP_LOSS_LIMIT", "side": "SELL", "stopPrice": "59990", "pegPriceType": "PRIMARY_PEG"}
    order = place(rest, **stop, pegOffsetType="PRICE_LEVEL", pegOffsetValue=50)
    deep.market.trade("BTCUSDT", "sell", "1.5")
    _, rejected = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=order["orderId"])
    assert (rejected["status"], rejected["expiryReason"]) == ("EXPIRED", "REJECTED")
    assert deep.accounts.balances()["BTC"] == (Decimal(100), Decimal(0))


PEGGED = LIMIT | {"pegPriceType": "PRIMARY_PEG"}


@pytest.mark.parametrize(
    ("order", "code", "text"),
    [
        (PEGGED | {"pegPriceType": "BEST"}, -1210, "Invalid pegPriceType."),
        (PEGGED | {"pegOffsetType": "BIPS", "pegOffsetValue": "1"}, -1211, "Invalid pegOffsetType."),
        (PEGGED | {"pegOffsetType": "PRICE_LEVEL"}, -1128, "Combination of optional parameters invalid."),
        (PEGGED | {"pegOffsetValue": "1"}, -1128, "Combination of optional parameters invalid."),
        (
            PEGGED | {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "101"},
            -1130,
            "Data sent for parameter 'pegOffsetValue' is not valid.",
        ),
        (
            PEGGED | {"pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": "9"},
            -2010,
            "Order book liquidity is too low for this pegged order.",
        ),
        (PEGGED | {"timeInForce": "IOC"}, -2010, "This price peg cannot be used with this order type."),
        (
            PEGGED | {"type": "LIMIT_MAKER", "timeInForce": None, "pegPriceType": "MARKET_PEG"},
            -2010,
            "This price peg cannot be used with this order type.",
        ),
        (
            PEGGED | {"type": "MARKET", "timeInForce": None},
            -2010,
            "This order type may not use pegged price.",
        ),
        (
            PEGGED | {"type": "STOP_LOSS", "timeInForce": None, "stopPrice": "50000"},
            -2010,
            "This order type may not use pegged price.",
        ),
        (PEGGED | {"price": "1"}, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
        (PEGGED | {"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        (LIMIT | {"pegOffsetValue": "1"}, -1102, "Mandatory parameter 'pegPriceType' was not sent"),
    ],
)
def test_refused_pegs(deep: Simulator, rest: Rest, order: Mapping[str, str | None], code: int, text: str) -> None:
    sent = {name: value for name, value in order.items() if value is not None}
    status, body = rest.signed("POST", ORDER, **sent)
    assert (status, body["code"]) == (400, code)
    assert body["msg"].startswith(text)
    assert deep.accounts.orders() == []


def test_a_symbol_may_not_offer_them(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", pegs_allowed=False)
    assert rest.signed("POST", ORDER, **PEGGED)[1] == {
        "code": -2010,
        "msg": "Pegged orders are not supported for this symbol.",
    }
