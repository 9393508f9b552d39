"""Environments of Bybit, and how a configuration chooses among them (Bybit: 1)."""

from __future__ import annotations

from typing import Any

import pytest

from exconn_sync import Config, Connector, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import RestCall

ORDERS = "ws://127.0.0.1:1/v5/trade"


def test_production_and_testnet_are_whole() -> None:
    assert dict(DRIVER.endpoints("production")) == {
        "rest": "https://api.bybit.com",
        "public": "wss://stream.bybit.com/v5/public/spot",
        "private": "wss://stream.bybit.com/v5/private",
        "trade": "wss://stream.bybit.com/v5/trade",
    }
    assert dict(DRIVER.endpoints("testnet")) == {
        "rest": "https://api-testnet.bybit.com",
        "public": "wss://stream-testnet.bybit.com/v5/public/spot",
        "private": "wss://stream-testnet.bybit.com/v5/private",
        "trade": "wss://stream-testnet.bybit.com/v5/trade",
    }


def test_demo_takes_public_data_from_production_and_no_orders_over_a_socket() -> None:
    """(Bybit: 1.2, 9.2)"""
    assert dict(DRIVER.endpoints("demo")) == {
        "rest": "https://api-demo.bybit.com",
        "public": "wss://stream.bybit.com/v5/public/spot",
        "private": "wss://stream-demo.bybit.com/v5/private",
    }


@pytest.mark.parametrize(
    ("site", "rest", "stream"),
    [
        ("nl", "api.bybit.nl", "stream.bybit.com"), ("tr", "api.bybit.tr", "stream.bybit.tr"),
        ("kz", "api.bybit.kz", "stream.bybit.kz"), ("ge", "api.bybitgeorgia.ge", "stream.bybitgeorgia.ge"),
        ("ae", "api.bybit.ae", "stream.bybit.com"), ("id", "api.bybit.id", "stream.bybit.id"),
        ("eu", "api.bybit.eu", "stream.bybit.com"), ("jp", "api.manepa.jp", "stream.manepa.jp"),
        ("hk", "api.bybit.com.hk", "stream.bybit.com"),
        ("jp_testnet", "api-testnet.manepa.jp", "stream-testnet.bybit.com"),
    ],
)  # fmt: skip
def test_a_site_of_registration_is_an_environment(site: str, rest: str, stream: str) -> None:
    config = Config("bybit", environment=site)
    assert config.endpoints["rest"] == f"https://{rest}"
    assert config.endpoints["private"] == f"wss://{stream}/v5/private"
    assert DRIVER.stream_url(config.endpoints) == f"wss://{stream}/v5/public/spot"


def test_an_environment_of_another_exchange_is_refused() -> None:
    with pytest.raises(ValidationError, match="production, testnet, demo"):
        Config("bybit", environment="market_data")
    with pytest.raises(ValidationError, match="market_data on binance"):
        Config("binance", environment="eu")


def test_single_addresses_are_replaced_by_the_names_of_the_exchange() -> None:
    builder = Config.builder("bybit").endpoints(rest="http://127.0.0.1:1", public="ws://127.0.0.1:1/v5/public/spot")
    config = builder.build()
    assert config.endpoints["rest"] == "http://127.0.0.1:1"
    assert config.endpoints["trade"] == "wss://stream.bybit.com/v5/trade"
    of_account = Config.builder("bybit").endpoints(private="ws://localhost:1", trade=ORDERS).build()
    assert of_account.endpoints["trade"] == ORDERS
    with pytest.raises(ValidationError, match="must be given without /v5"):
        Config.builder("bybit").endpoints(rest="https://api.bybit.com/v5")
    with pytest.raises(ValidationError, match="knows only rest, public, private, trade"):
        Config.builder("bybit").endpoints(stream="ws://127.0.0.1:1")
    with pytest.raises(ValidationError, match="knows only rest, public, private"):
        Config.builder("bybit").environment("demo").endpoints(trade=ORDERS).build()


def test_the_environment_of_the_process_chooses_too() -> None:
    variables = {
        "EXCONN_BYBIT_ENVIRONMENT": "eu", "EXCONN_BYBIT_ENDPOINT_PUBLIC": "wss://example.org/v5/public/spot",
    }  # fmt: skip
    config = Config.from_env("bybit", variables)
    assert (config.environment, config.endpoints["rest"]) == ("eu", "https://api.bybit.eu")
    assert config.endpoints["public"] == "wss://example.org/v5/public/spot"


@pytest.mark.parametrize(
    ("settings", "variant"),
    [
        ({}, ""), ({"book_levels": 50}, "50"), ({"book_levels": 200}, ""), ({"book_levels": 1000}, "1000"),
        ({"book_interval_ms": 20}, "50"), ({"book_interval_ms": 100}, ""),
        ({"book_levels": 50, "book_interval_ms": 20}, "50"),
    ],
)  # fmt: skip
def test_books_come_in_the_depth_that_is_asked_for(settings: dict[str, Any], variant: str) -> None:
    config = Config.builder("bybit").market_streams(**settings).build()
    assert DRIVER.variant(Channel.ORDER_BOOK, config.market_streams.book) == variant


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"book_levels": 1}, "book_levels"), ({"book_levels": 500}, "book_levels"), ({"book_levels": 0}, "book_levels"),
        ({"book_interval_ms": 10}, "book_interval_ms"),
        ({"book_levels": 50, "book_interval_ms": 100}, "book_interval_ms"),
    ],
)  # fmt: skip
def test_a_depth_that_is_not_offered_is_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.builder("bybit").market_streams(**settings).build()
    assert caught.value.field == field


def test_binance_has_books_of_one_depth_only() -> None:
    with pytest.raises(ValidationError):
        Config.builder("binance").market_streams(book_levels=50).build()


def test_what_demo_lacks_is_refused_before_anything_is_sent() -> None:
    """(Bybit: 1.3)"""
    builder = Config.builder("bybit").environment("demo")
    config = builder.endpoints(rest="http://127.0.0.1:1", public="ws://127.0.0.1:1", private="ws://127.0.0.1:1").build()
    connector = Connector(config)
    connector.start()
    try:
        for method, path in (("POST", "/v5/order/create-batch"), ("GET", "/v5/account/fee-rate")):
            with pytest.raises(ValidationError) as caught:
                connector.request(method, path)
            assert (caught.value.field, caught.value.value, caught.value.outcome) == ("environment", "demo", "not_sent")
    finally:
        assert connector.stop(5) == []


@pytest.mark.parametrize(
    ("environment", "name"), [("production", "bybit"), ("eu", "bybit"), ("testnet", "bybit"), ("demo", "bybit")]
)
def test_all_hosts_count_the_requests_of_an_address_together(environment: str, name: str) -> None:
    """(Bybit: 3.1)"""
    assert DRIVER.budget_name(DRIVER.endpoints(environment)) == name
    assert DRIVER.budget_name({"rest": "http://127.0.0.1:8080"}) == "bybit:127.0.0.1:8080"


def test_a_raw_call_carries_its_parameters_where_the_exchange_takes_them() -> None:
    get = DRIVER.raw_call("get", "/v5/order/realtime", (("category", "spot"),), is_signed=True)
    assert (get.method, get.params, get.body, get.is_command) == ("GET", (("category", "spot"),), None, False)
    post = DRIVER.raw_call("POST", "/v5/order/create", (("category", "spot"),), is_signed=True, body={"isLeverage": 1})
    assert (post.params, post.body, post.is_command) == ((), b'{"category":"spot","isLeverage":1}', True)
    batch: RestCall[object] = DRIVER.raw_call(
        "POST", "/v5/order/create-batch", (), is_signed=True, body={"category": "spot", "request": [{}, {}, {}]}
    )
    assert [cost.amount for cost in batch.costs] == [1, 3], "a batch counts by its orders (Bybit: 3.3)"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "/v5/market/time", {}), ("PUT", "/v5/order/amend", None), ("GET", "/v5/../x", None), ("GET", "v5", None)],
)
def test_a_raw_call_that_would_do_harm_is_refused(method: str, path: str, body: dict[str, int] | None) -> None:
    """A GET with a body is answered with a ban (Bybit: 2.2)."""
    with pytest.raises(ValidationError):
        DRIVER.raw_call(method, path, (), is_signed=False, body=body)


def test_a_float_never_gets_into_a_body() -> None:
    connector = Connector(Config("bybit"))
    for body in ({"qty": 0.1}, {"request": [{"qty": 0.1}]}, {"a": {"b": {1: 2}}}, {"a": [[[[[[1]]]]]]}, [1]):
        with pytest.raises(ValidationError) as caught:
            connector.request("POST", "/v5/order/create", body=body)  # type: ignore[arg-type]
        assert caught.value.outcome == "not_sent"
