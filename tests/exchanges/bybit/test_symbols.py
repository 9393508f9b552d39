"""instruments-info becomes instruments (Bybit: 4.2)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.trading_rules import Feature, SymbolPhase
from tests.data import read_json
from tests.exchanges.bybit.support import RECEIVED_AT, envelope, response

CALL = DRIVER.fetch_instruments()


def symbol(**changes: Any) -> dict[str, Any]:
    lot = {
        "basePrecision": "0.000001", "quotePrecision": "0.0000001", "minOrderQty": "0.000011", "maxOrderQty": "83",
        "minOrderAmt": "5", "maxOrderAmt": "8000000", "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5",
        "postOnlyMaxLimitOrderSize": "60000",
    }  # fmt: skip
    return {
        "symbolId": 9, "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "status": "Trading",
        "marginTrading": "utaOnly", "lotSizeFilter": lot | changes.pop("lot", {}), "priceFilter": {"tickSize": "0.01"},
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"}, **changes,
    }  # fmt: skip


def parsed(*symbols: Any, cursor: str = "") -> Instruments:
    return CALL.parse(response(envelope({"category": "spot", "list": symbols, "nextPageCursor": cursor})))


def test_rules_become_exact_limits() -> None:
    found = parsed(symbol()).get("BTC-USDT")
    assert (found.exchange, found.exchange_symbol, found.base, found.quote) == ("bybit", "BTCUSDT", "BTC", "USDT")
    assert found.is_trading
    assert (found.tick_size, found.lot_step) == (Decimal("0.01"), Decimal("0.000001"))
    assert (found.max_quantity, found.market_max_quantity) == (Decimal(83), Decimal("41.5"))
    assert (found.min_notional, found.market_min_notional) == (Decimal(5), Decimal(5))
    assert (found.base_precision, found.quote_precision) == (6, 7)
    assert found.offers(Feature.MARGIN)
    assert not found.offers(Feature.OCO)


def test_rules_that_are_not_enforced_any_more_are_not_enforced_here() -> None:
    """(Bybit: 4.2, 10.25: minOrderQty, maxOrderQty and maxOrderAmt are dead)"""
    found = parsed(symbol()).get("BTC-USDT")
    assert (found.min_quantity, found.max_notional) == (ZERO, ZERO)
    found.check(OrderRequest.limit("BTC-USDT", "buy", "0.000001", price=5_000_000))


def test_the_least_value_of_an_order_is_checked() -> None:
    found = parsed(symbol()).get("BTC-USDT")
    with pytest.raises(ValidationError) as caught:
        found.check(OrderRequest.limit("BTC-USDT", "buy", "0.0001", price=49_999))
    assert caught.value.details["filter"] == "NOTIONAL"


@pytest.mark.parametrize(
    ("status", "phase", "is_trading"),
    [
        ("Trading", SymbolPhase.TRADING, True),
        ("1", SymbolPhase.TRADING, True),
        ("PreLaunch", SymbolPhase.CLOSED, False),
        ("Sleeping", SymbolPhase.UNKNOWN, False),
    ],
)
def test_a_status_means_a_phase(status: str, phase: SymbolPhase, is_trading: bool) -> None:
    found = parsed(symbol(status=status)).get("BTC-USDT")
    assert (found.status, found.phase, found.is_trading) == (status, phase, is_trading)


def test_prices_may_have_as_many_decimals_as_their_step() -> None:
    """A step of prices that is finer than that of amounts must not be refused."""
    found = parsed(symbol(priceFilter={"tickSize": "0.0000000001"}, lot={"quotePrecision": "0.00001"})).get("BTCUSDT")
    assert found.quote_precision == 10


def test_a_symbol_without_the_newer_limits_has_none() -> None:
    wire = symbol()
    del wire["lotSizeFilter"]["maxLimitOrderQty"], wire["lotSizeFilter"]["maxMarketOrderQty"], wire["marginTrading"]
    found = parsed(wire).get("BTC-USDT")
    assert (found.max_quantity, found.market_max_quantity) == (ZERO, ZERO)
    assert found.offers(Feature.MARGIN), "it does not say: the exchange decides"
    assert not parsed(symbol(marginTrading="none")).get("BTC-USDT").offers(Feature.MARGIN)


def test_every_kind_of_order_is_offered_but_the_unknown_one() -> None:
    kinds = parsed(symbol()).get("BTC-USDT").order_types
    assert OrderType.OTHER not in kinds
    assert OrderType.STOP_LIMIT in kinds


@pytest.mark.parametrize(
    "broken",
    [
        symbol(symbol=None), symbol(lotSizeFilter={}), symbol(priceFilter={"tickSize": ""}), symbol(baseCoin=1),
        symbol(lot={"basePrecision": 0.1}), symbol(lot={"minOrderAmt": "NaN"}),
    ],
)  # fmt: skip
def test_a_symbol_that_lacks_what_we_need_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        parsed(broken)


def test_pages_are_joined_and_cursors_go_back_as_they_came() -> None:
    """(Bybit: 2.7; fault F089)"""
    pages = CALL.pages
    assert pages is not None
    cursor = "132766%3A2%2C132766%3A2"
    first = response(envelope({"list": [symbol()], "nextPageCursor": cursor}))
    params = pages.next_params(first)
    assert params is not None
    assert dict(params) == {"category": "spot", "limit": "1000", "cursor": cursor}
    assert pages.next_params(response(envelope({"list": [symbol()], "nextPageCursor": ""}))) is None
    assert pages.next_params(response(envelope({"list": [], "nextPageCursor": cursor}))) is None
    assert pages.next_params(response(envelope({"list": [symbol()]}))) is None
    other = symbol(symbol="ETHUSDT", baseCoin="ETH")
    joined = pages.join([parsed(symbol()), parsed(other)])
    assert {each.symbol for each in joined} == {"BTC-USDT", "ETH-USDT"}
    assert joined.loaded_at == RECEIVED_AT
    assert joined.allowances.orders == 500


def test_real_symbols_are_read() -> None:
    """Testnet answers of 2023 with the status of that time, and the documented example."""
    (item,) = [
        each
        for each in read_json("third_party", "bybit_v5_rest_hirokisan.json")["items"]
        if "instruments-info-spot" in each["name"]
    ]
    found = CALL.parse(response(envelope(json.loads(item["payload_text"])["Spot"])))
    assert len(found) > 100
    assert all(each.tick_size > 0 and each.lot_step > 0 for each in found)
