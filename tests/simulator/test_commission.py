"""Commissions: their three kinds, the two roles and sides, and the discount for those who pay in BNB."""

from decimal import Decimal

import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.commission import Discount, FeeRates
from exconn_sync.simulator.core.conversion import worth
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from exconn_sync.simulator.core.symbols import spec_of

from .clients import Rest, WsApi

D = Decimal
SOLD = D("0.49975") * 35000


def example(bnb: str) -> Exchange:
    """The rates of the exchange's own example: somebody sells 0.49975 BTC at 35000, one BNB is worth 260 USDT."""
    exchange = Exchange(
        [
            spec_of("BTC", "USDT", tick="0.01", step="0.00001", min_notional="5", start_price="35000"),
            spec_of("BNB", "USDT", tick="0.01", step="0.001", min_notional="5", start_price="260"),
        ],
        FeeRates(D("0.00000010"), D("0.00000020"), D("0.00000030"), D("0.00000040")),
    )
    exchange.fees.special = FeeRates(D("0.01"), D("0.02"), D("0.03"), D("0.04"))
    exchange.fees.tax = FeeRates(D("0.00000112"), D("0.00000114"), D("0.00000118"), D("0.00000116"))
    for name, asset, amount in (("buyer", "USDT", "100000"), ("seller", "BTC", "1"), ("seller", "BNB", bnb)):
        exchange.add_account(name)
        exchange.deposit(name, asset, D(amount), 0)
    return exchange


def sell(exchange: Exchange) -> tuple[Decimal, str]:
    bid = NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, "b", quantity=D("0.49975"), price=D(35000))
    exchange.place("buyer", bid, 1)
    order = exchange.place("seller", NewOrder("BTCUSDT", Side.SELL, OrderType.MARKET, "s", quantity=D("0.49975")), 2)
    (fill,) = exchange.registry.fills_of(order)
    for asset, amount in (("USDT", "100000"), ("BTC", "1")):
        assert exchange.total(asset) == D(amount)
    return fill.commission, fill.commission_asset


def test_all_kinds_are_added_and_taken_out_of_what_is_received() -> None:
    exchange = example("0")
    commission, asset = sell(exchange)
    expected = SOLD * (D("0.0000006") + D("0.06") + D("0.0000023"))
    assert (commission, asset) == (D("1049.52572462"), "USDT")
    assert abs(commission - expected) < D("0.00000001")
    assert exchange.accounts["seller"].balance("USDT").free == SOLD - commission
    assert exchange.accounts["buyer"].balance("BTC").free == D("0.49975") - D("0.01999134")


def test_the_discount_is_on_the_standard_part_only() -> None:
    exchange = example("10")
    exchange.accounts["seller"].wants_discount = True
    commission, asset = sell(exchange)
    in_usdt = SOLD * (D("0.0000006") * D("0.75") + D("0.06") + D("0.0000023"))
    assert (commission, asset) == ((in_usdt / 260).quantize(D("0.00000001"), "ROUND_DOWN"), "BNB")
    assert exchange.accounts["seller"].balance("USDT").free == SOLD
    assert exchange.accounts["seller"].balance("BNB") == Balance(10 - commission, D(0))
    assert exchange.total("BNB") == D(10)


def test_without_enough_of_it_the_full_commission_comes_from_what_is_received() -> None:
    exchange = example("4")
    exchange.accounts["seller"].wants_discount = True
    assert sell(exchange) == (D("1049.52572462"), "USDT")
    assert exchange.total("BNB") == D(4)


def test_the_share_can_be_another_one() -> None:
    exchange = example("10")
    exchange.accounts["seller"].wants_discount = True
    exchange.fees.discount = Discount(share=D(1))
    exchange.fees.special = exchange.fees.tax = FeeRates(D(0), D(0))
    assert sell(exchange) == (D("0E-8"), "BNB")


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("BTC", "BTC", "1"),
        ("BTC", "USDT", "35000"),
        ("BNB", "USDT", "260"),
        ("BTC", "BNB", "134.6"),
        ("X", "BNB", None),
    ],
)
def test_what_an_asset_is_worth(source: str, target: str, expected: str | None) -> None:
    found = worth(example("0").markets.values(), source, target)
    assert (found is None) == (expected is None)
    assert expected is None or (found is not None and abs(found / D(expected) - 1) < D("0.001"))


def test_over_the_wire(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    status, rates = rest.signed("GET", "/api/v3/account/commission", symbol="BTCUSDT")
    none = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}
    assert (status, rates) == (
        200,
        {
            "symbol": "BTCUSDT",
            "standardCommission": none | {"maker": "0.00100000", "taker": "0.00100000"},
            "specialCommission": none,
            "taxCommission": none,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": True,
                "discountAsset": "BNB",
                "discount": "0.25000000",
            },
        },
    )
    quiet.accounts.commission(maker="0.0004", taker="0.0005", buyer="0.0001", seller="0.0002")
    quiet.accounts.commission("tax", taker="0.0003")
    quiet.accounts.pay_in_bnb(discount="0.4")
    assert ws_api.call("account.commission", signed=True, symbol="BTCUSDT")["result"]["taxCommission"] == none | {
        "taker": "0.00030000"
    }
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.1"}
    _, of_order = rest.signed("POST", "/api/v3/order/test", **order, computeCommissionRates="true")
    assert of_order["standardCommissionForOrder"] == {"maker": "0.00060000", "taker": "0.00070000"}
    assert of_order["taxCommissionForOrder"] == {"maker": "0.00000000", "taker": "0.00030000"}
    assert (of_order["discount"]["enabledForAccount"], of_order["discount"]["discount"]) == (True, "0.40000000")
    _, account = rest.signed("GET", "/api/v3/account")
    assert (account["makerCommission"], account["sellerCommission"]) == (4, 2)
    assert account["commissionRates"]["seller"] == "0.00020000"


def test_a_fill_paid_in_bnb(quiet: Simulator, rest: Rest, ws_api: WsApi) -> None:
    quiet.accounts.pay_in_bnb()
    ws_api.subscribe()
    _, body = rest.market("SELL", quantity="0.1")
    (fill,) = body["fills"]
    # 6000 USDT are 0.1 BTC at the last price of 60000, and a BNB was 0.0095 BTC.
    assert (fill["commissionAsset"], fill["commission"]) == ("BNB", "0.00789473")
    trade = [ws_api.event("executionReport") for _ in range(2)][1]
    assert (trade["N"], trade["n"]) == ("BNB", "0.00789473")
    position = ws_api.event("outboundAccountPosition")
    assert {entry["a"] for entry in position["B"]} == {"BTC", "USDT", "BNB"}
    quiet.market.rules("BTCUSDT", discount_allowed=False)
    assert rest.market("SELL", quantity="0.1")[1]["fills"][0]["commissionAsset"] == "USDT"


def test_a_kind_of_commission_has_a_name(quiet: Simulator) -> None:
    with pytest.raises(ValueError, match="a commission is one of standard, special, tax"):
        quiet.accounts.commission("secret", maker="0.1")
