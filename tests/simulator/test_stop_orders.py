"""Stop and trailing orders over the wire: parameters, answers, events."""

import pytest

from exconn_sync.simulator import Simulator

from .clients import Rest, WsApi

ORDER = "/api/v3/order"
STOP = {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "0.1", "stopPrice": "59000"}
STOP_LIMIT = STOP | {"type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "price": "58900"}


@pytest.fixture
def priced(quiet: Simulator) -> Simulator:
    """The last price is 60010: whoever puts a stop knows on which side it lies."""
    quiet.market.trade("BTCUSDT", "buy", "0.01")
    return quiet


def fall_to(simulator: Simulator, price: str) -> None:
    """Somebody sells down to a price where somebody else buys a little."""
    simulator.market.clear("BTCUSDT")
    simulator.market.quote("BTCUSDT", "buy", price, "0.01")
    simulator.market.quote("BTCUSDT", "buy", "58950", "1")
    simulator.market.trade("BTCUSDT", "sell", "0.01")


def test_the_symbol_offers_them(rest: Rest) -> None:
    (info,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    assert info["orderTypes"] == [
        "LIMIT",
        "LIMIT_MAKER",
        "MARKET",
        "STOP_LOSS",
        "STOP_LOSS_LIMIT",
        "TAKE_PROFIT",
        "TAKE_PROFIT_LIMIT",
    ]
    assert info["allowTrailingStop"] is True
    filters = {entry["filterType"]: entry for entry in info["filters"]}
    assert filters["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"] == 5
    assert filters["TRAILING_DELTA"]["maxTrailingBelowDelta"] == 2000


def test_a_stop_waits_then_trades(priced: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    _, placed = rest.signed("POST", ORDER, **STOP_LIMIT, newOrderRespType="RESULT", strategyId=7, strategyType=1000000)
    assert (placed["status"], placed["stopPrice"], placed["workingTime"]) == ("NEW", "59000.00000000", -1)
    assert (placed["strategyId"], placed["strategyType"]) == (7, 1000000)
    event = ws_api.event("executionReport")
    assert (event["x"], event["w"], event["P"], event["j"], event["J"]) == ("NEW", False, "59000.00000000", 7, 1000000)
    assert "W" not in event
    _, waiting = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (waiting["isWorking"], waiting["workingTime"]) == (False, -1)
    fall_to(priced, "59000")
    triggered, fill = ws_api.event("executionReport"), ws_api.event("executionReport")
    assert (triggered["x"], triggered["X"], triggered["w"]) == ("NEW", "NEW", True)
    assert triggered["W"] == triggered["T"]
    assert (fill["x"], fill["X"], fill["L"]) == ("TRADE", "FILLED", "58950.00000000")
    _, done = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (done["status"], done["isWorking"], done["type"]) == ("FILLED", True, "STOP_LOSS_LIMIT")
    assert done["workingTime"] == triggered["W"]


def test_a_stop_counts_once_as_an_unfilled_order(priced: Simulator, rest: Rest) -> None:
    rest.signed("POST", ORDER, **STOP | {"type": "STOP_LOSS_LIMIT", "price": "59500"}, timeInForce="GTC")
    fall_to(priced, "59000")
    _, counts = rest.signed("GET", "/api/v3/rateLimit/order")
    assert counts[1]["count"] == 1


def test_an_answer_without_a_wish_is_short(priced: Simulator, rest: Rest) -> None:
    assert set(rest.signed("POST", ORDER, **STOP)[1]) == {
        "symbol",
        "orderId",
        "orderListId",
        "clientOrderId",
        "transactTime",
    }


def test_what_fires_and_is_not_fit_expires(priced: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    # A price of 12010 passes the filters while the last one is 60010, and is five times too high at 2300.
    _, placed = rest.signed("POST", ORDER, **STOP_LIMIT | {"stopPrice": "2300", "price": "12010"})
    priced.market.clear("BTCUSDT")
    priced.market.quote("BTCUSDT", "buy", "2300", "0.01")
    priced.market.trade("BTCUSDT", "sell", "0.01")
    _, expired = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (expired["status"], expired["expiryReason"], expired["isWorking"]) == ("EXPIRED", "REJECTED", False)
    assert ws_api.event("executionReport")["x"] == "NEW"
    event = ws_api.event("executionReport")
    assert (event["x"], event["X"], event["eR"], event["w"]) == ("EXPIRED", "EXPIRED", "REJECTED", False)


def test_a_trailing_stop(priced: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    trailing = {name: value for name, value in STOP.items() if name != "stopPrice"} | {"trailingDelta": 150}
    _, placed = rest.signed("POST", ORDER, **trailing, newOrderRespType="RESULT")
    assert (placed["trailingDelta"], placed["trailingTime"]) == (150, -1)
    assert "stopPrice" not in placed
    event = ws_api.event("executionReport")
    assert (event["d"], event["D"]) == (150, -1)
    which = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    priced.market.trade("BTCUSDT", "buy", "0.01")
    _, following = rest.signed("GET", ORDER, **which)
    assert following["trailingTime"] > 0
    fall_to(priced, "59109.85")
    _, done = rest.signed("GET", ORDER, **which)
    assert (done["status"], done["cummulativeQuoteQty"]) == ("FILLED", "5895.00000000")


@pytest.mark.parametrize(
    ("order", "code", "text"),
    [
        (STOP | {"stopPrice": None}, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent"),
        (STOP | {"price": "58000"}, -1106, "Parameter 'price' sent when not required."),
        (STOP | {"timeInForce": "GTC"}, -1106, "'timeInForce'"),
        (STOP | {"quantity": None}, -1102, "'quantity'"),
        (STOP | {"quantity": None, "quoteOrderQty": "100"}, -1102, "'quantity'"),
        (STOP_LIMIT | {"price": None}, -1102, "'price'"),
        (STOP_LIMIT | {"timeInForce": None}, -1102, "'timeInForce'"),
        (STOP | {"trailingDelta": "1.5"}, -1100, "'trailingDelta'"),
        (STOP | {"trailingDelta": "5"}, -1013, "Filter failure: TRAILING_DELTA"),
        (STOP | {"stopPrice": "59000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        (STOP | {"stopPrice": "59000.000000001"}, -1111, "Parameter 'stopPrice' has too much precision."),
        (STOP | {"quantity": "121"}, -1013, "Filter failure: MARKET_LOT_SIZE"),
        (STOP | {"stopPrice": "60010"}, -2010, "Order would trigger immediately."),
        (STOP | {"side": "BUY"}, -2010, "Order would trigger immediately."),
        (STOP | {"quantity": "110"}, -2010, "Account has insufficient balance for requested action."),
    ],
)
def test_refused_stops(priced: Simulator, rest: Rest, order: dict[str, str | None], code: int, text: str) -> None:
    sent = {name: value for name, value in order.items() if value is not None}
    status, body = rest.signed("POST", ORDER, **sent)
    assert (status, body["code"]) == (400, code)
    assert text in body["msg"]
    assert priced.accounts.orders() == []
