"""Iceberg orders: only a part is seen at a time, and each new part waits at the end of the line."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import NewOrder, OrderStatus, OrderType, Side

from .clients import Rest, WsApi
from .venue_state import SYMBOL, check_invariants, current, limit, make_exchange

D = Decimal
ORDER = "/api/v3/order"


def iceberg(side: Side, quantity: str, part: str, price: str = "60000") -> NewOrder:
    return replace(limit(side, quantity, price, "iceberg"), iceberg_quantity=D(part))


@pytest.fixture
def exchange() -> Exchange:
    return make_exchange()


def test_a_part_is_seen_and_the_whole_is_locked(exchange: Exchange) -> None:
    exchange.place("maker", iceberg(Side.SELL, "1", "0.3"), 1)
    assert exchange.markets[SYMBOL].book.best(Side.SELL) == (D(60000), D("0.3"))
    assert exchange.accounts["maker"].balance("BTC").locked == D(1)
    check_invariants(exchange)


def test_a_new_part_goes_to_the_end_of_the_line(exchange: Exchange) -> None:
    hidden = exchange.place("maker", iceberg(Side.SELL, "1", "0.3"), 1)
    behind = exchange.place("maker", limit(Side.SELL, "0.2", "60000", "behind"), 1)
    exchange.place("taker", limit(Side.BUY, "0.4", "60000", "first"), 2)
    # 0.3 of the iceberg, then 0.1 of the order that stood behind it; the next part waits behind that.
    assert (current(exchange, hidden).filled_quantity, current(exchange, behind).filled_quantity) == (
        D("0.3"),
        D("0.1"),
    )
    assert exchange.markets[SYMBOL].book.best(Side.SELL) == (D(60000), D("0.4"))
    exchange.place("taker", limit(Side.BUY, "0.1", "60000", "second"), 3)
    assert current(exchange, behind).status is OrderStatus.FILLED
    check_invariants(exchange)


def test_one_taker_eats_part_after_part(exchange: Exchange) -> None:
    hidden = exchange.place("maker", iceberg(Side.SELL, "1", "0.3"), 1)
    taker = exchange.place("taker", NewOrder(SYMBOL, Side.BUY, OrderType.MARKET, "", quantity=D("0.95")), 2)
    assert taker.status is OrderStatus.FILLED
    assert [fill.quantity for fill in exchange.registry.fills_of(hidden)] == [D("0.3"), D("0.3"), D("0.3"), D("0.05")]
    assert exchange.markets[SYMBOL].book.best(Side.SELL) == (D(60000), D("0.05"))
    check_invariants(exchange)


def test_a_taker_trades_all_of_it_and_hides_only_the_rest(exchange: Exchange) -> None:
    exchange.place("maker", limit(Side.SELL, "0.5", "60000"), 1)
    taker = exchange.place("taker", iceberg(Side.BUY, "1", "0.2"), 2)
    assert taker.filled_quantity == D("0.5")
    assert exchange.markets[SYMBOL].book.best(Side.BUY) == (D(60000), D("0.2"))


def test_an_amendment_takes_off_what_is_hidden_first(exchange: Exchange) -> None:
    book = exchange.markets[SYMBOL].book
    order = exchange.place("maker", iceberg(Side.SELL, "1", "0.3"), 1)
    order = exchange.amend(order, D("0.4"), 2)
    assert book.best(Side.SELL) == (D(60000), D("0.3"))
    exchange.amend(order, D("0.2"), 3)
    assert book.best(Side.SELL) == (D(60000), D("0.2"))
    check_invariants(exchange)


LIMIT = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1", "price": "59000"}


def test_over_the_wire(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    _, placed = rest.signed("POST", ORDER, **LIMIT, icebergQty="0.25")
    assert placed["icebergQty"] == "0.25000000"
    assert ws_api.event("executionReport")["F"] == "0.25000000"
    assert ["59000.00000000", "0.25000000"] in rest.get("/api/v3/depth", symbol="BTCUSDT")[1]["bids"]
    _, found = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=placed["orderId"])
    assert (found["icebergQty"], found["origQty"]) == ("0.25000000", "1.00000000")
    quiet.market.rules("BTCUSDT", max_iceberg_orders=1)
    assert rest.signed("POST", ORDER, **LIMIT, icebergQty="0.25")[1]["msg"] == "Filter failure: MAX_NUM_ICEBERG_ORDERS"
    assert rest.signed("POST", ORDER, **LIMIT)[0] == 200


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        ({"icebergQty": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"icebergQty": "0.009"}, -1013, "Filter failure: ICEBERG_PARTS"),
        ({"icebergQty": "0.000000001"}, -1111, "Parameter 'icebergQty' has too much precision."),
        ({"icebergQty": "1.1"}, -2010, "IcebergQty exceeds QTY."),
        ({"icebergQty": "0.1", "timeInForce": "IOC"}, -1014, "Unsupported order combination."),
        (
            {"icebergQty": "0.1", "type": "MARKET", "price": "", "timeInForce": ""},
            -1106,
            "Parameter 'icebergQty' sent when not required.",
        ),
    ],
)
@pytest.mark.parametrize("path", [ORDER, f"{ORDER}/test"])
def test_refused_icebergs(rest: Rest, path: str, change: dict[str, str], code: int, text: str) -> None:
    order = {name: value for name, value in (LIMIT | change).items() if value}
    assert rest.signed("POST", path, **order) == (400, {"code": code, "msg": text})


def test_a_symbol_may_not_offer_them(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", iceberg_allowed=False, quote_market_allowed=False, order_types=["limit", "market"])
    refused = [
        (LIMIT | {"icebergQty": "0.1"}, "Iceberg orders are not supported for this symbol."),
        (
            {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "100"},
            "Quote order qty market orders are not support for this symbol.",
        ),
        (
            {"symbol": "BTCUSDT", "side": "SELL", "type": "STOP_LOSS", "quantity": "1", "stopPrice": "1000"},
            "Stop loss orders are not supported for this symbol.",
        ),
    ]
    for order, text in refused:
        assert rest.signed("POST", ORDER, **order) == (400, {"code": -2010, "msg": text})
    (info,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    assert (info["icebergAllowed"], info["orderTypes"]) == (False, ["LIMIT", "MARKET"])
