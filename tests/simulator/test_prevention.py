"""Self-trade prevention: what becomes of the two orders that would have met, in each mode."""

from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import (
    ExpiryReason,
    NewOrder,
    OrderStatus,
    OrderType,
    PreventionMode,
    Side,
    SimOrder,
    TimeInForce,
)

from .clients import Json, Rest, WsApi
from .venue_state import SYMBOL, check_invariants, current, limit, make_exchange

D = Decimal
MODE = PreventionMode
ORDER = "/api/v3/order"


def taker_order(
    mode: PreventionMode, quantity: str, kind: OrderType = OrderType.LIMIT, tif: TimeInForce = TimeInForce.GTC
) -> NewOrder:
    price = None if kind is OrderType.MARKET else D(60100)
    return NewOrder(SYMBOL, Side.BUY, kind, "taker", tif, D(quantity), price, prevention=mode)


def meet(
    mode: PreventionMode, maker_quantity: str, taker_quantity: str, maker_mode: PreventionMode = MODE.NONE
) -> tuple[Exchange, SimOrder, SimOrder]:
    """One trader sells at 60000 and buys up to 60100; somebody else sells one at 60100. The two orders afterwards."""
    exchange = make_exchange()
    own = NewOrder(
        SYMBOL,
        Side.SELL,
        OrderType.LIMIT,
        "own",
        quantity=D(maker_quantity),
        price=D(60000),
        prevention=maker_mode,
    )
    maker = exchange.place("taker", own, 1)
    exchange.place("maker", limit(Side.SELL, "1", "60100"), 1)
    taker = exchange.place("taker", taker_order(mode, taker_quantity), 2)
    check_invariants(exchange)
    return exchange, current(exchange, maker), taker


Outcome = tuple[OrderStatus, str, str]
"""Status, filled quantity, prevented quantity."""


def outcome(order: SimOrder) -> Outcome:
    return order.status, f"{order.filled_quantity.normalize():f}", f"{order.prevented_quantity.normalize():f}"


IN_MATCH, NEW, FILLED, PART = (
    OrderStatus.EXPIRED_IN_MATCH,
    OrderStatus.NEW,
    OrderStatus.FILLED,
    OrderStatus.PARTIALLY_FILLED,
)


@pytest.mark.parametrize(
    ("mode", "maker_quantity", "taker_quantity", "maker", "taker"),
    [
        (MODE.NONE, "0.3", "0.5", (FILLED, "0.3", "0"), (FILLED, "0.5", "0")),
        (MODE.EXPIRE_MAKER, "0.3", "0.5", (IN_MATCH, "0", "0.3"), (FILLED, "0.5", "0")),
        (MODE.EXPIRE_MAKER, "0.3", "2", (IN_MATCH, "0", "0.3"), (PART, "1", "0")),
        (MODE.EXPIRE_TAKER, "0.3", "0.5", (NEW, "0", "0"), (IN_MATCH, "0", "0.5")),
        (MODE.EXPIRE_BOTH, "0.3", "0.5", (IN_MATCH, "0", "0.3"), (IN_MATCH, "0", "0.5")),
        (MODE.DECREMENT, "0.3", "0.5", (IN_MATCH, "0", "0.3"), (FILLED, "0.2", "0.3")),
        (MODE.DECREMENT, "0.5", "0.3", (NEW, "0", "0.3"), (IN_MATCH, "0", "0.3")),
        (MODE.DECREMENT, "0.5", "0.5", (IN_MATCH, "0", "0.5"), (IN_MATCH, "0", "0.5")),
        (MODE.TRANSFER, "0.5", "0.3", (NEW, "0", "0.3"), (IN_MATCH, "0", "0.3")),
    ],
)
def test_each_mode(
    mode: PreventionMode, maker_quantity: str, taker_quantity: str, maker: Outcome, taker: Outcome
) -> None:
    exchange, maker_order, taker_order_ = meet(mode, maker_quantity, taker_quantity)
    assert (outcome(maker_order), outcome(taker_order_)) == (maker, taker)
    matches = exchange.registry.prevented("taker", SYMBOL)
    assert len(matches) == (0 if mode is MODE.NONE else 1)
    assert exchange.registry.prevented("maker", SYMBOL) == []


def test_what_is_left_of_the_maker_keeps_its_place() -> None:
    exchange, maker, _ = meet(MODE.DECREMENT, "0.5", "0.3")
    exchange.place("maker", limit(Side.SELL, "1", "60000", "behind"), 3)
    exchange.place("maker", limit(Side.BUY, "0.1", "60000", "hit"), 4)
    assert current(exchange, maker).filled_quantity == D("0.1")


def test_a_market_order_that_meets_only_own_makers_runs_out_of_liquidity() -> None:
    exchange = make_exchange()
    exchange.place("taker", limit(Side.SELL, "0.3", "60000", "own"), 1)
    order = exchange.place("taker", taker_order(MODE.EXPIRE_MAKER, "0.2", OrderType.MARKET), 2)
    assert (order.status, order.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.NO_LIQUIDITY)
    check_invariants(exchange)


def test_a_fill_or_kill_that_cannot_be_filled_leaves_the_maker_alone() -> None:
    exchange = make_exchange()
    own = exchange.place("taker", limit(Side.SELL, "0.3", "60000", "own"), 1)
    order = exchange.place("taker", taker_order(MODE.EXPIRE_MAKER, "0.2", tif=TimeInForce.FOK), 2)
    assert order.expiry_reason is ExpiryReason.UNFILLED_FOK
    assert current(exchange, own).status is OrderStatus.NEW


def test_a_market_order_pays_for_what_stands_behind_the_own_maker() -> None:
    exchange = make_exchange()
    exchange.place("taker", limit(Side.SELL, "1", "60000", "own"), 1)
    exchange.place("maker", limit(Side.SELL, "1", "61000", "other"), 1)
    amount = NewOrder(
        SYMBOL, Side.BUY, OrderType.MARKET, "t", quote_quantity=D(6100), prevention=PreventionMode.EXPIRE_MAKER
    )
    order = exchange.place("taker", amount, 2)
    assert (order.status, order.quantity, order.filled_quote) == (FILLED, D("0.1"), D(6100))
    check_invariants(exchange)


def test_two_accounts_of_a_group_do_not_trade_and_may_transfer() -> None:
    exchange = make_exchange()
    for name in ("maker", "taker"):
        exchange.accounts[name].trade_group = 7
    sell = NewOrder(
        SYMBOL, Side.SELL, OrderType.LIMIT, "m", quantity=D("0.4"), price=D(60000), prevention=MODE.TRANSFER
    )
    exchange.place("maker", sell, 1)
    taker = exchange.place("taker", taker_order(MODE.TRANSFER, "1"), 2)
    assert outcome(taker) == (NEW, "0", "0.4")
    assert exchange.accounts["taker"].balance("BTC").free == D("10.4")
    assert exchange.accounts["maker"].balance("USDT") == Balance(D(1_024_000), D(0))
    assert exchange.registry.prevented("maker", SYMBOL)[0].trade_group == 7
    check_invariants(exchange)
    exchange.place("maker", limit(Side.SELL, "0.6", "60100", "again"), 3)
    assert exchange.registry.fills() != [], "the taker's mode is NONE this time"


def place(rest: Rest, side: str, quantity: str, mode: str, **extra: object) -> Json:
    status, body = rest.limit(side, quantity, "60005", selfTradePreventionMode=mode, **extra)
    assert status == 200, body
    return body


def test_answers_and_events(rest: Rest, ws_api: WsApi) -> None:
    maker = place(rest, "SELL", "0.3", "NONE")
    ws_api.subscribe()
    taker = place(rest, "BUY", "0.5", "EXPIRE_MAKER")
    assert (taker["status"], taker["selfTradePreventionMode"], taker["executedQty"]) == (
        "NEW",
        "EXPIRE_MAKER",
        "0.00000000",
    )
    assert taker["preventedMatches"] == [
        {
            "preventedMatchId": 0,
            "makerSymbol": "BTCUSDT",
            "makerOrderId": maker["orderId"],
            "price": "60005.00000000",
            "makerPreventedQuantity": "0.30000000",
        }
    ]
    new, prevented = ws_api.event("executionReport"), ws_api.event("executionReport")
    assert (new["x"], new["V"]) == ("NEW", "EXPIRE_MAKER")
    assert (prevented["x"], prevented["X"], prevented["i"]) == (
        "TRADE_PREVENTION",
        "EXPIRED_IN_MATCH",
        maker["orderId"],
    )
    assert (prevented["v"], prevented["A"], prevented["B"], prevented["u"], prevented["U"]) == (
        0,
        "0.30000000",
        "0.30000000",
        -1,
        taker["orderId"],
    )
    assert (prevented["Cs"], prevented["pl"], prevented["pL"], prevented["pY"]) == (
        "BTCUSDT",
        "0.30000000",
        "60005.00000000",
        "18001.50000000",
    )
    assert {prevented[name] for name in "lLY"} == {"0.00000000"}
    _, found = rest.signed("GET", ORDER, symbol="BTCUSDT", orderId=maker["orderId"])
    assert (found["status"], found["preventedMatchId"], found["preventedQuantity"]) == (
        "EXPIRED_IN_MATCH",
        0,
        "0.30000000",
    )


def test_my_prevented_matches(rest: Rest, ws_api: WsApi) -> None:
    for quantity in ("0.3", "0.4"):
        maker = place(rest, "SELL", quantity, "NONE")
        taker = place(rest, "BUY", "0.1", "EXPIRE_BOTH")
    path, mine = "/api/v3/myPreventedMatches", {"symbol": "BTCUSDT"}
    _, (row,) = rest.signed("GET", path, **mine, preventedMatchId=1)
    assert row == {
        "symbol": "BTCUSDT",
        "preventedMatchId": 1,
        "takerOrderId": taker["orderId"],
        "makerSymbol": "BTCUSDT",
        "makerOrderId": maker["orderId"],
        "tradeGroupId": -1,
        "selfTradePreventionMode": "EXPIRE_BOTH",
        "price": "60005.00000000",
        "takerPreventedQuantity": "0.10000000",
        "makerPreventedQuantity": "0.40000000",
        "transactTime": row["transactTime"],
    }
    over_socket = ws_api.call("myPreventedMatches", signed=True, **mine, orderId=maker["orderId"])
    assert over_socket["result"] == [row]
    assert rest.signed("GET", path, **mine, orderId=maker["orderId"], fromPreventedMatchId=2) == (200, [])
    assert rest.signed("GET", path, **mine)[1]["code"] == -1102
    assert rest.signed("GET", path, **mine, preventedMatchId=1, orderId=1)[1]["code"] == -1128


def test_a_symbol_allows_only_its_modes(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", prevention_modes=["expire_maker", "none"], default_prevention="expire_maker")
    (info,) = rest.get("/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    assert info["allowedSelfTradePreventionModes"] == ["NONE", "EXPIRE_MAKER"]
    assert info["defaultSelfTradePreventionMode"] == "EXPIRE_MAKER"
    assert rest.limit("BUY", "0.1", "59000", selfTradePreventionMode="DECREMENT") == (
        400,
        {"code": -1013, "msg": "This symbol does not allow the specified self-trade prevention mode."},
    )
    assert rest.limit("BUY", "0.1", "59000")[1]["selfTradePreventionMode"] == "EXPIRE_MAKER"


def test_a_transfer_between_two_accounts_of_a_group(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    other = quiet.accounts.add("other", {"BTC": 1})
    quiet.accounts.trade_group(7)
    quiet.accounts.trade_group(7, other.api_key)
    rest_of_other = Rest(quiet, other)
    place(rest_of_other, "SELL", "0.3", "TRANSFER")
    ws_api.subscribe()
    taker = place(rest, "BUY", "0.3", "TRANSFER")
    assert (taker["status"], taker["tradeGroupId"], taker["preventedQuantity"]) == ("EXPIRED_IN_MATCH", 7, "0.30000000")
    assert ws_api.until(lambda message: message.get("event", {}).get("x") == "TRADE_PREVENTION")["event"]["u"] == 7
    for client in (rest, rest_of_other):
        _, (row,) = client.signed("GET", "/api/v3/myPreventedMatches", symbol="BTCUSDT", preventedMatchId=0)
        assert (row["tradeGroupId"], row["takerPreventedQuantity"], row["makerPreventedQuantity"]) == (
            7,
            "0.30000000",
            "0.30000000",
        )
        assert client.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT") == (200, [])
    rest_of_other.close()
    assert quiet.accounts.balances(other.api_key) == {"BTC": (D("0.7"), D(0)), "USDT": (D("18001.5"), D(0))}
    assert quiet.accounts.balances()["BTC"] == (D("100.3"), D(0))


def test_rules_are_named_and_exact(quiet: Simulator) -> None:
    with pytest.raises(ValueError, match="not a rule that can be changed"):
        quiet.market.rules("BTCUSDT", name="ETHUSDT")
    with pytest.raises(TypeError, match="not exact"):
        quiet.market.rules("BTCUSDT", tick=0.1)
    with pytest.raises(ValueError, match="sometimes"):
        quiet.market.rules("BTCUSDT", default_prevention="sometimes")


def test_the_status_is_a_rule_too(quiet: Simulator, rest: Rest) -> None:
    quiet.market.rules("BTCUSDT", status="halt")
    assert rest.limit("BUY", "0.1", "59000")[1]["msg"] == "Market is closed."
    quiet.market.rules("BTCUSDT", status="trading")
    assert rest.limit("BUY", "0.1", "59000")[0] == 200
