"""Smart order routing over the wire: orders, tests, allocations, events and what exchangeInfo says of it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, spec_of

from .clients import Json, Rest, WsApi

SOR, TEST, ALLOCATIONS = "/api/v3/sor/order", "/api/v3/sor/order/test", "/api/v3/myAllocations"
BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.5", "price": "60020"}
USDC = spec_of("BTC", "USDC", tick="0.01", step="0.00001", min_notional="5", start_price="60000")


@pytest.fixture
def quiet() -> Iterator[Simulator]:
    """BTCUSDT asks 60010, BTCUSDC asks 60005 for 0.3 BTC and 60030 for more; the two are routed together."""
    with Simulator(running_market=False, symbols=(*DEFAULT_SYMBOLS, USDC)) as simulator:
        for symbol in ("BTCUSDT", "BTCUSDC"):
            simulator.market.clear(symbol)
        simulator.market.quote("BTCUSDT", "sell", 60010, 1)
        simulator.market.quote("BTCUSDC", "sell", 60005, "0.3")
        simulator.market.quote("BTCUSDC", "sell", 60030, 1)
        simulator.market.route("BTCUSDT", "BTCUSDC")
        yield simulator


def route(rest: Rest, **change: object) -> Json:
    return rest.signed("POST", SOR, **{**BUY, **change})[1]


def fill(price: str, quantity: str, number: int) -> dict[str, object]:
    commission = f"{Decimal(quantity) * Decimal('0.001'):.8f}"
    return {
        "matchType": "ONE_PARTY_TRADE_REPORT", "price": f"{price}.00000000", "qty": f"{Decimal(quantity):.8f}",
        "commission": commission, "commissionAsset": "BTC", "tradeId": -1, "allocId": number,
    }  # fmt: skip


def test_an_order_takes_from_both_books(rest: Rest) -> None:
    answer = route(rest)
    assert answer["fills"] == [fill("60005", "0.3", 0), fill("60010", "0.2", 1)]
    told = ("status", "executedQty", "cummulativeQuoteQty", "usedSor", "workingFloor")
    assert [answer[name] for name in told] == ["FILLED", "0.50000000", "30003.50000000", True, "SOR"]
    simulator = rest.simulator
    assert simulator.market.order_book("BTCUSDC")[2][0] == (Decimal(60030), Decimal(1))
    balances = {row["asset"]: row["free"] for row in rest.signed("GET", "/api/v3/account")[1]["balances"]}
    assert balances["BTC"] == "100.49950000"
    assert balances["USDT"] == "969996.50000000"


def test_what_rests_says_that_it_left_the_other_books(rest: Rest) -> None:
    answer = route(rest, quantity="2")
    assert (answer["status"], answer["workingFloor"]) == ("PARTIALLY_FILLED", "EXCHANGE")
    which = {"symbol": "BTCUSDT", "orderId": answer["orderId"]}
    for shown in (
        rest.signed("GET", "/api/v3/order", **which)[1],
        rest.signed("DELETE", "/api/v3/order", **which)[1],
    ):
        assert (shown["usedSor"], shown["workingFloor"]) == (True, "EXCHANGE")


@pytest.mark.parametrize("kind", ["ACK", "RESULT"])
def test_shorter_answers(rest: Rest, kind: str) -> None:
    answer = route(rest, newOrderRespType=kind)
    assert ("fills" in answer, answer.get("usedSor")) == (False, None if kind == "ACK" else True)


def test_a_market_order_is_answered_in_full_and_its_rest_expires(rest: Rest) -> None:
    order: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "5"}
    answer = rest.signed("POST", SOR, **order)[1]
    assert (answer["status"], answer["expiryReason"]) == ("EXPIRED", "INSUFFICIENT_LIQUIDITY")
    assert [row["allocId"] for row in answer["fills"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "LIMIT_MAKER"}, -1014),
        ({"type": "STOP_LOSS_LIMIT", "stopPrice": "60100"}, -1106),
        ({"stopPrice": "60100"}, -1106),
        ({"trailingDelta": "100"}, -1106),
        ({"quoteOrderQty": "100"}, -1106),
        ({"pegPriceType": "PRIMARY_PEG"}, -1106),
        ({"quantity": ""}, -1102),
        ({"symbol": "ETHUSDT", "price": "3000.00"}, -1020),
        ({"symbol": "NOPE"}, -1121),
        ({"unheard": "of"}, -1104),
        ({"price": "0.001"}, -1013),
        ({"quantity": "100"}, -2010),
    ],
    ids=str,
)
def test_what_cannot_be_routed_is_refused(rest: Rest, change: dict[str, str], code: int) -> None:
    for path in (SOR, TEST)[: 1 if code == -2010 else 2]:
        status, answer = rest.signed("POST", path, **{**BUY, **change})
        assert (status, answer["code"]) == (400, code)
    assert rest.simulator.accounts.orders() == []


def test_without_a_pool_nothing_is_routed(rest: Rest) -> None:
    info = rest.get("/api/v3/exchangeInfo")[1]
    assert info["sors"] == [{"baseAsset": "BTC", "symbols": ["BTCUSDT", "BTCUSDC"]}]
    rest.simulator.market.route()
    assert "sors" not in rest.get("/api/v3/exchangeInfo")[1]
    assert route(rest)["code"] == -1020


def test_a_test_places_nothing(rest: Rest, ws_api: WsApi) -> None:
    assert rest.signed("POST", TEST, **BUY) == (200, {})
    rates = rest.signed("POST", TEST, **BUY, computeCommissionRates="true")[1]
    assert rates["standardCommissionForOrder"] == {"maker": "0.00100000", "taker": "0.00100000"}
    assert ws_api.call("sor.order.test", signed=True, **BUY)["result"] == {}
    assert rest.simulator.accounts.orders() == []


def test_an_accepted_order_is_weightless_and_counts_as_one(rest: Rest) -> None:
    before = rest.signed_raw("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    placed = rest.signed_raw("POST", SOR, **{**BUY, "price": "50000"})
    used = "X-MBX-USED-WEIGHT-1M"
    assert int(placed.headers[used]) == int(before.headers[used])
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert rest.signed_raw("POST", SOR, **BUY).headers["X-MBX-ORDER-COUNT-10S"] == "1", "the first fill gives one back"


def test_the_websocket_api_answers_with_a_list(ws_api: WsApi) -> None:
    answer = ws_api.call("sor.order.place", signed=True, **BUY)
    (order,) = answer["result"]
    assert (order["workingFloor"], order["usedSor"], len(order["fills"])) == ("SOR", True, 2)
    rows = ws_api.call("myAllocations", signed=True, symbol="BTCUSDT")["result"]
    assert [row["allocationId"] for row in rows] == [0, 1]


def test_events_name_the_floor_and_the_allocation(rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    route(rest, quantity="2")
    events = [ws_api.event("executionReport") for _ in range(3)]
    assert [(event["x"], event["k"], event["uS"], event.get("b"), event.get("a")) for event in events] == [
        ("NEW", "SOR", True, None, None),
        ("TRADE", "SOR", True, "ONE_PARTY_TRADE_REPORT", 0),
        ("TRADE", "SOR", True, "ONE_PARTY_TRADE_REPORT", 1),
    ]
    assert [event["t"] for event in events] == [-1, -1, -1]
    rest.simulator.market.trade("BTCUSDT", "sell", "0.1")
    later = ws_api.event("executionReport")
    assert (later["x"], later["k"], later["t"] > 0, "a" in later, later["m"]) == (
        "TRADE",
        "EXCHANGE",
        True,
        False,
        True,
    )


def test_an_ordinary_order_has_none_of_it(rest: Rest, ws_api: WsApi) -> None:
    ws_api.subscribe()
    answer = rest.signed("POST", "/api/v3/order", **BUY)[1]
    assert not {"usedSor", "workingFloor"} & answer.keys()
    assert not {"k", "uS", "a", "b"} & ws_api.event("executionReport").keys()
    assert [row["price"] for row in answer["fills"]] == ["60010.00000000"], "and takes from its own book only"


def test_allocations_are_found_and_are_no_trades(rest: Rest) -> None:
    first, second = route(rest), route(rest, quantity="0.1")
    which = {"symbol": "BTCUSDT"}
    rows = rest.signed("GET", ALLOCATIONS, **which)[1]
    assert [(row["allocationId"], row["orderId"], row["qty"]) for row in rows] == [
        (0, first["orderId"], "0.30000000"), (1, first["orderId"], "0.20000000"), (2, second["orderId"], "0.10000000"),
    ]  # fmt: skip
    assert rest.signed("GET", "/api/v3/myTrades", **which)[1] == []
    at = rows[0]["time"]

    def ids(**params: object) -> list[int]:
        return [row["allocationId"] for row in rest.signed("GET", ALLOCATIONS, **which, **params)[1]]

    assert ids(orderId=first["orderId"]) == [0, 1]
    assert ids(orderId=first["orderId"], fromAllocationId=1) == [1]
    assert ids(fromAllocationId=1) == [1, 2]
    assert ids(fromAllocationId=0, limit=2) == [0, 1]
    assert ids(limit=2) == [1, 2], "without a bound the newest"
    assert ids(startTime=at, limit=2) == [0, 1]
    assert ids(startTime=at, endTime=rows[-1]["time"]) == [0, 1, 2]
    assert ids(endTime=at - 1) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"startTime": 1, "orderId": 1}, -1128),
        ({"endTime": 1, "fromAllocationId": 1}, -1128),
        ({"startTime": 0, "endTime": 86_400_001}, -1127),
        ({"unheard": "of"}, -1104),
    ],
)
def test_combinations_that_allocations_do_not_take(rest: Rest, params: dict[str, object], code: int) -> None:
    assert rest.signed("GET", ALLOCATIONS, symbol="BTCUSDT", **params)[1]["code"] == code
