"""What an exchange lacks is a typed error before anything is sent, whichever method is called, on every exchange."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from exconn_sync import (
    AuthenticationError,
    Config,
    Connector,
    ConnectorStopped,
    NotReady,
    OrderListRequest,
    OrderRequest,
    ValidationError,
)
from exconn_sync.exchanges._template.capabilities import MISSING as TEMPLATE_LACKS
from exconn_sync.ports.registry import find_driver
from exconn_sync.simulator import Simulator
from exconn_sync.testing.contract import methods
from tests.contract.venues import PATIENCE, VENUES, Venue
from tests.quiet import quiet_exchange

BTC = "BTC-USDT"
BUY = OrderRequest.limit(BTC, "buy", "0.02", "50000")
SELL = OrderRequest.limit(BTC, "sell", "0.02", "70000")
PAIR = OrderListRequest.oto(BUY, SELL)


def nothing(event: object) -> None:
    """Take an event."""


# Each method that some exchange lacks, and a call of it; ``{order}`` is an order that rests.
CALLS: dict[str, Callable[[Connector, Any], Any]] = {
    "fetch_aggregate_trades": lambda connector, order: connector.fetch_aggregate_trades(BTC),
    "fetch_average_price": lambda connector, order: connector.fetch_average_price(BTC),
    "fetch_klines": lambda connector, order: connector.fetch_klines(BTC, "1m"),
    "fetch_ticker": lambda connector, order: connector.fetch_ticker(BTC),
    "fetch_tickers": lambda connector, order: connector.fetch_tickers(),
    "on_aggregate_trade": lambda connector, order: connector.on_aggregate_trade(BTC, nothing),
    "on_average_price": lambda connector, order: connector.on_average_price(BTC, nothing),
    "on_kline": lambda connector, order: connector.on_kline(BTC, "1m", nothing),
    "on_mini_ticker": lambda connector, order: connector.on_mini_ticker(BTC, nothing),
    "on_partial_book": lambda connector, order: connector.on_partial_book(BTC, nothing),
    "on_ticker": lambda connector, order: connector.on_ticker(BTC, nothing),
    "stream_aggregate_trades": lambda connector, order: connector.stream_aggregate_trades(BTC),
    "stream_average_price": lambda connector, order: connector.stream_average_price(BTC),
    "stream_klines": lambda connector, order: connector.stream_klines(BTC, "1m"),
    "stream_mini_ticker": lambda connector, order: connector.stream_mini_ticker(BTC),
    "stream_partial_book": lambda connector, order: connector.stream_partial_book(BTC),
    "stream_ticker": lambda connector, order: connector.stream_ticker(BTC),
    "place_order": lambda connector, order: connector.place_order(BUY),
    "submit_order": lambda connector, order: connector.submit_order(BUY),
    "cancel_order": lambda connector, order: connector.cancel_order(order),
    "submit_cancel": lambda connector, order: connector.submit_cancel(order),
    "cancel_all": lambda connector, order: connector.cancel_all(BTC),
    "submit_cancel_all": lambda connector, order: connector.submit_cancel_all(BTC),
    "replace_order": lambda connector, order: connector.replace_order(order, BUY),
    "submit_replace": lambda connector, order: connector.submit_replace(order, BUY),
    "amend_order": lambda connector, order: connector.amend_order(order, "0.01"),
    "submit_amend": lambda connector, order: connector.submit_amend(order, "0.01"),
    "place_orders": lambda connector, order: connector.place_orders([BUY]),
    "cancel_orders": lambda connector, order: connector.cancel_orders([order]),
    "amend_orders": lambda connector, order: connector.amend_orders([(order, "0.01")]),
    "place_order_list": lambda connector, order: connector.place_order_list(PAIR),
    "submit_order_list": lambda connector, order: connector.submit_order_list(PAIR),
    "cancel_order_list": lambda connector, order: connector.cancel_order_list("no-such-list"),
    "test_order": lambda connector, order: connector.test_order(BUY),
    "fetch_balances": lambda connector, order: connector.fetch_balances(),
    "fetch_order": lambda connector, order: connector.fetch_order(order or "some-order", symbol=BTC),
    "fetch_open_orders": lambda connector, order: connector.fetch_open_orders(),
    "fetch_open_order_lists": lambda connector, order: connector.fetch_open_order_lists(),
    "fetch_order_history": lambda connector, order: connector.fetch_order_history(BTC),
    "fetch_fills": lambda connector, order: connector.fetch_fills(BTC),
    "fetch_allocations": lambda connector, order: connector.fetch_allocations(BTC),
    "fetch_amendments": lambda connector, order: connector.fetch_amendments(order),
    "fetch_prevented_matches": lambda connector, order: connector.fetch_prevented_matches(order),
    "fetch_commission": lambda connector, order: connector.fetch_commission(BTC),
    "fetch_account": lambda connector, order: connector.fetch_account(),
    "fetch_key": lambda connector, order: connector.fetch_key(),
    "fetch_order_counts": lambda connector, order: connector.fetch_order_counts(),
    "set_cancel_on_disconnect": lambda connector, order: connector.set_cancel_on_disconnect(10),
    "fetch_cancel_on_disconnect": lambda connector, order: connector.fetch_cancel_on_disconnect(),
}

# What a connector asks by itself.
OF_ITS_OWN = frozenset(
    {"/api/v3/time", "/api/v3/exchangeInfo", "/api/v3/account", "/api/v3/openOrders", "/api/v3/openOrderList",
     "/api/v3/myTrades", "/api/v3/depth", "/v5/market/time", "/v5/market/instruments-info",
     "/v5/account/wallet-balance", "/v5/order/realtime", "/v5/execution/list", "/v1/time", "/v1/symbols",
     "/v1/balances", "/v1/orders/open", "/v1/fills"}
)  # fmt: skip


def attempt(connector: Connector, name: str, order: Any) -> Exception | None:
    """Return the error of a call, also one that a future gets; None where there is none."""
    try:
        result = CALLS[name](connector, order)
        if isinstance(result, Future):
            result.result(PATIENCE)
    except Exception as error:  # noqa: BLE001 - which one it is, is what is judged
        return error
    return None


def test_the_table_has_every_method_that_some_exchange_lacks() -> None:
    lacking = set(TEMPLATE_LACKS)
    for exchange in {*VENUES} - {"template"}:
        driver = find_driver(exchange)
        lacking |= {name for environment in driver.environments for name in driver.capabilities(environment).missing}
    assert lacking <= set(CALLS)
    assert set(CALLS) <= methods.ALL


def test_whatever_is_missing_is_refused_and_the_exchange_sees_nothing(venue: Venue, connector: Connector) -> None:
    order = connector.place_order(BUY)
    assert order.wait("new", PATIENCE)
    missing = connector.capabilities.missing
    assert missing, "every exchange lacks something"
    streams, before = len(venue.subscriptions()), len(venue.requests())
    for name in missing:
        error = attempt(connector, name, order)
        assert isinstance(error, ValidationError), f"{name}: {error!r}"
        assert (error.outcome, error.exchange) == ("not_sent", venue.name), name
    sent = [seen for seen in venue.requests()[before:] if seen.path not in OF_ITS_OWN or seen.method != "GET"]
    assert sent == []
    assert len(venue.subscriptions()) == streams
    assert connector.fetch_order(order).status == "new"


def test_what_is_not_missing_is_not_refused(venue: Venue, connector: Connector) -> None:
    """No capability is denied that there is: the call gets an answer, or an error that the exchange itself gives."""
    for name in CALLS:
        # A list that nobody knows is none to cancel.
        if name != "cancel_order_list" and connector.capabilities.offers(name):
            order = connector.place_order(BUY)
            assert order.wait("new", PATIENCE)
            error = attempt(connector, name, order)
            assert error is None or getattr(error, "outcome", None) == "refused", f"{name}: {error!r}"
            connector.cancel_all(BTC)


def demo(simulator: Simulator) -> Config:
    urls = {name: url for name, url in simulator.addresses().items() if name != "trade"}
    key = simulator.accounts.client_key()
    builder = Config.builder("bybit").environment("demo").endpoints(**urls)
    return builder.credentials(key.api_key, key.api_secret).build()


def market_data(simulator: Simulator) -> Config:
    builder = Config.builder("binance").environment("market_data")
    return builder.endpoints(rest=simulator.rest, stream=simulator.stream).build()


def test_what_demo_lacks_is_refused_too() -> None:
    with quiet_exchange("bybit", demo=True) as simulator, Connector(demo(simulator)) as connector:
        # Its market data are those of another host.
        assert connector.account_ready.wait(PATIENCE)
        order = connector.place_order(BUY)
        assert order.wait("new", PATIENCE)
        before = len(simulator.request_log())
        for name in connector.capabilities.missing:
            error = attempt(connector, name, order)
            assert isinstance(error, ValidationError), f"{name}: {error!r}"
            assert error.outcome == "not_sent", name
        sent = simulator.request_log()[before:]
        assert [seen for seen in sent if seen.path not in OF_ITS_OWN or seen.method != "GET"] == []


def test_what_an_environment_without_keys_lacks_is_refused_too() -> None:
    """There no key can be given: what would need one says so."""
    with quiet_exchange("binance") as simulator, Connector(market_data(simulator)) as connector:
        connector.wait_ready(PATIENCE)
        before = len(simulator.request_log())
        for name in connector.capabilities.missing:
            error = attempt(connector, name, "some-order")
            assert isinstance(error, (ValidationError, AuthenticationError)), f"{name}: {error!r}"
            assert error.outcome == "not_sent", name
        sent = simulator.request_log()[before:]
        assert [seen for seen in sent if seen.path not in OF_ITS_OWN] == []


def test_before_the_start_the_capabilities_can_be_read(venue: Venue) -> None:
    connector = Connector(venue.config(), clock=venue.clock)
    found = connector.capabilities
    assert (found.exchange, found.offers("place_order")) == (venue.name, True)
    for name in found.missing:
        error = attempt(connector, name, "some-order")
        assert isinstance(error, (ValidationError, ConnectorStopped, NotReady)), f"{name}: {error!r}"
