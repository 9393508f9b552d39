"""Mistakes are told before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import AuthenticationError, Config, Connector, NotReady, OrderRequest, RiskRejected, ValidationError
from exconn_sync.config.settings import RiskLimits
from exconn_sync.ports.risk import Proposal
from exconn_sync.simulator import Simulator
from tests.integration.conftest import Connect

limit = OrderRequest.limit

WRONG_ORDERS: list[tuple[str, Callable[[], OrderRequest], str]] = [
    ("symbol", lambda: limit("NOPE-USDT", "buy", "0.1", "50000"), "not a spot symbol"),
    ("symbol", lambda: limit("BTCUSDT&side=SELL", "buy", "0.1", "50000"), "not a spot symbol"),
    (
        "quantity",
        lambda: limit("BTC-USDT", "buy", "0.1000001", "50000"),
        "lot step 0.00001; the nearest valid one is 0.1",
    ),
    ("price", lambda: limit("BTC-USDT", "buy", "0.1", "50000.001"), "tick size 0.01; the nearest valid one is 50000"),
    ("quantity", lambda: limit("BTC-USDT", "buy", "0.00001", "50000"), "notional of 0.5"),
    ("price", lambda: limit("BTC-USDT", "buy", "0.1", 50000.0), "a float is not exact"),  # type: ignore[arg-type]
    ("price", lambda: limit("BTC-USDT", "buy", "0.1", "NaN"), "plain decimal number"),
    ("quantity", lambda: limit("BTC-USDT", "buy", "-1", "50000"), "greater than zero"),
    ("quantity", lambda: limit("BTC-USDT", "buy", True, "50000"), "must be a Decimal"),
    ("side", lambda: limit("BTC-USDT", "long", "0.1", "50000"), "must be one of buy, sell"),
    ("client_order_id", lambda: limit("BTC-USDT", "buy", "1", "50000", client_order_id="a b"), "1 to 36 characters"),
]


@pytest.mark.parametrize(("field", "make", "text"), WRONG_ORDERS)
def test_a_wrong_order_is_refused_and_never_sent(
    field: str, make: Callable[[], OrderRequest], text: str, quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    with pytest.raises(ValidationError) as caught:
        connector.place_order(make())
    assert caught.value.field == field
    assert text in caught.value.constraint
    assert caught.value.outcome == "not_sent"
    assert len(connector.orders) == 0
    assert quiet.accounts.orders() == []


def test_a_private_call_without_a_key_is_refused(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, credentials=None)
    order = limit("BTC-USDT", "buy", "0.1", "50000")
    for call in (lambda: connector.place_order(order), connector.fetch_balances, connector.fetch_open_orders):
        with pytest.raises(AuthenticationError) as caught:
            call()
        assert caught.value.outcome == "not_sent"


def test_an_unknown_exchange_lists_the_known_ones() -> None:
    with pytest.raises(ValidationError, match=r"known exchanges: .*binance"):
        Config.builder("binanec")


def test_a_missing_key_names_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXCONN_BINANCE_API_KEY", raising=False)
    monkeypatch.delenv("EXCONN_BINANCE_API_SECRET", raising=False)
    with pytest.raises(AuthenticationError, match="EXCONN_BINANCE_API_KEY and EXCONN_BINANCE_API_SECRET"):
        Config.builder("binance").api_key_from_env()


def test_a_client_order_id_is_used_once(quiet: Simulator, connect: Connect) -> None:
    """(fault F115)"""
    connector = connect(quiet)
    connector.place_order(limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="once"))
    with pytest.raises(ValidationError, match="was used before"):
        connector.place_order(limit("BTC-USDT", "buy", "0.1", "50000", client_order_id="once"))
    assert len(quiet.accounts.orders()) == 1


def test_risk_limits_and_rules_refuse_before_anything_is_sent(quiet: Simulator, connect: Connect) -> None:
    class NoSells:
        name = "no_sells"

        def check(self, proposal: Proposal) -> None:
            if proposal.order.side == "sell":
                raise RiskRejected("selling is off", rule=self.name)

    limits = RiskLimits(max_order_notional=Decimal(1000))
    connector = connect(quiet, risk=limits, rules=(NoSells(),))
    with pytest.raises(RiskRejected, match="above the limit of 1000") as caught:
        connector.place_order(limit("BTC-USDT", "buy", "0.1", "50000"))
    assert caught.value.rule == "max_order_notional"
    with pytest.raises(RiskRejected, match="selling is off"):
        connector.place_order(limit("BTC-USDT", "sell", "0.01", "70000"))
    with pytest.raises(RiskRejected, match="cannot be told"):
        connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
    connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    assert len(quiet.accounts.orders()) == 1


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda c: c.on_trade("", print), "symbol"),
        (lambda c: c.on_trade("NOPE-USDT", print), "symbol"),
        (lambda c: c.on_trade("BTC-USDT", "print"), "callback"),
        (lambda c: c.on_trade("BTC-USDT", print, buffer=0), "buffer"),
        (lambda c: c.on_trade("BTC-USDT", print, overflow="explode"), "overflow"),
        (lambda c: c.on_order_book("BTC-USDT", print, depth=0), "depth"),
        (lambda c: c.subscribe("trades", print), "pattern"),
        (lambda c: c.subscribe("candles.binance.BTC-USDT", print), "pattern"),
        (lambda c: c.subscribe("kline.binance.BTC-USDT.1m.1m", print), "pattern"),
        (lambda c: c.subscribe("kline.binance.BTC-USDT.7m", print), "interval"),
        (lambda c: c.subscribe("orderbook.binance.BTC-USDT.1000ms", print), "pattern"),
        (lambda c: c.on_kline("BTC-USDT", "7m", print), "interval"),
        (lambda c: c.on_kline("BTC-USDT", "", print), "interval"),
        (lambda c: c.on_kline("BTC-USDT", 5, print), "interval"),
        (lambda c: c.on_kline("BTC-USDT", "1d", print, utc_offset="+07:00"), "interval"),
        (lambda c: c.on_kline("NOPE-USDT", "1d", print), "symbol"),
        (lambda c: c.on_ticker("BTC-USDT", print, window="7h"), "window"),
        (lambda c: c.stream_ticker("BTC-USDT", window="a.b"), "window"),
        (lambda c: c.on_partial_book("BTC-USDT", print, levels=50), "levels"),
        (lambda c: c.on_partial_book("BTC-USDT", print, levels="5"), "levels"),
        (lambda c: c.stream_partial_book("BTC-USDT", levels=5, interval_ms=50), "levels"),
        (lambda c: c.stream_partial_book("BTC-USDT", levels=5, interval_ms=True), "interval_ms"),
        (lambda c: c.order_book("NOPE-USDT"), "symbol"),
        (lambda c: c.request("PATCH", "/api/v3/time"), "method"),
        (lambda c: c.request("GET", "api/v3/time"), "path"),
        (lambda c: c.request("GET", "//evil.example/api"), "path"),
        (lambda c: c.request("GET", "/api/v3/time?x=1"), "path"),
        (lambda c: c.request("GET", "/api/v3/time", {"x": 1.5}), "x"),
        (lambda c: c.request("GET", "/api/v3/depth", {"symbol": "\ud800"}), "symbol"),
        (lambda c: c.request("GET", "/api/v3/depth", {"sym\udfff": "1"}), "params"),
        (lambda c: c.request("GET", "/api/v3/depth", {7: "1"}), "params"),
        (lambda c: c.request("GET", "/api/v3/depth", {"": "1"}), "params"),
        (lambda c: c.request("GET", "/api/v3/depth", [("symbol", "BTCUSDT")]), "params"),
        (lambda c: c.request("GET", "/api/v3/depth", "symbol=BTCUSDT"), "params"),
        (lambda c: c.request("GET", "/api/v3/depth", {"symbol": "BTCUSDT", "limit": 10**5000}), "limit"),
        (lambda c: c.cancel_order("never-seen"), "order"),
        (lambda c: c.place_order("buy"), "request"),
    ],
)
def test_a_wrong_argument_is_named(
    call: Callable[[Connector], Any], field: str, quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    with pytest.raises(ValidationError) as caught:
        call(connector)
    assert caught.value.field == field


@pytest.mark.parametrize("timeout", [10**400, 1e300, 10**10, 10**8], ids=["huge", "float", "century", "years"])
def test_a_limit_of_years_or_beyond_all_numbers_is_no_crash(timeout: float, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    assert connector.ping(timeout=timeout) > 0
    connector.wait_ready(timeout=timeout)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.1", "50000"), timeout=timeout)
    connector.cancel_order(order, timeout=timeout)
    assert order.wait(timeout=timeout)


def test_a_private_call_that_was_not_signed_is_told_how_to(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    with pytest.raises(AuthenticationError, match="pass signed=True"):
        connector.request("GET", "/api/v3/account")
    assert connector.request("GET", "/api/v3/account", signed=True)["canTrade"] is True


def test_readers_refuse_a_symbol_that_is_no_text(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    readers: tuple[Any, ...] = (connector.orders.open, connector.orders.history, connector.fills)
    for read in readers:
        with pytest.raises(ValidationError, match="must be a symbol such as BTC-USDT"):
            read(5)


def test_an_order_book_interval_that_is_not_offered_is_told_which_are() -> None:
    with pytest.raises(ValidationError, match="must be one of 100ms, 1000ms"):
        Config.builder("binance").market_streams(book_interval_ms=250).build()


def test_an_instrument_that_is_asked_for_too_early_is_not_called_unknown(quiet: Simulator) -> None:
    connector = Connector(quiet.config())
    with pytest.raises(NotReady, match="not loaded yet"):
        connector.instruments.get("BTC-USDT")


@pytest.mark.parametrize(
    ("quantity", "rule"), [("0.0150001", "LOT_SIZE"), ("0.00009", "NOTIONAL"), ("0.0150000000001", "PRECISION")]
)
def test_an_amend_to_a_quantity_that_breaks_a_rule_is_never_sent(
    quantity: str, rule: str, quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    with pytest.raises(ValidationError) as caught:
        connector.amend_order(order, quantity)
    assert (caught.value.field, caught.value.details["filter"]) == ("quantity", rule)
    assert not [request for request in quiet.request_log() if request.method == "PUT"]
    assert connector.amend_order(order, caught.value.details["nearest"]).quantity == caught.value.details["nearest"]


def test_a_callback_of_none_does_nothing(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively)
    nothing = connector.on_trade("BTC-USDT", None)
    assert not nothing.is_active
    nothing()
