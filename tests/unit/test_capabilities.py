"""What an exchange is said to lack is refused before anything is sent, and what it is said to offer is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from exconn_sync import Capabilities, Config, Connector, ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.wire import Topic
from exconn_sync.ports.registry import find_driver

EXCHANGES = ["binance", "bybit"]


def all_environments() -> Iterator[tuple[str, str]]:
    for exchange in EXCHANGES:
        for environment in find_driver(exchange).environments:
            yield exchange, environment


def of(exchange: str, environment: str = "production") -> Capabilities:
    return Connector(Config(exchange, environment=environment)).capabilities


@pytest.mark.parametrize(("exchange", "environment"), list(all_environments()))
def test_they_speak_of_methods_that_there_are(exchange: str, environment: str) -> None:
    found = of(exchange, environment)
    assert (found.exchange, found.environment) == (exchange, environment)
    for table in (found.missing, found.limited):
        assert all(callable(getattr(Connector, name, None)) for name in table)
        assert all(why and not why.endswith(".") for why in table.values())
    assert not set(found.missing) & set(found.limited)
    assert found.offers("on_trade")
    assert all(not found.offers(name) for name in found.missing)


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_each_offered_stream_has_a_topic_and_a_decoder(exchange: str) -> None:
    driver, instrument = find_driver(exchange), Instrument(exchange, "BTC-USDT", "BTCUSDT", "BTC", "USDT")
    streams = of(exchange).streams
    assert {Channel(word) for word in streams} == driver.channels
    names = set()
    for word, variants in streams.items():
        channel = Channel(word)
        assert variants[0] == driver.variant(channel)
        for variant in variants:
            topic = Topic(channel, "BTC-USDT", driver.variant(channel, variant))
            assert topic.variant == variant
            names.add(driver.topic_name(topic, instrument))
            assert callable(driver.decoder(topic))
    assert len(names) == sum(map(len, streams.values())), "no two topics share a name"


STREAMS: dict[str, tuple[Channel, tuple[Any, ...]]] = {
    "trade": (Channel.TRADE, ()), "book_ticker": (Channel.BOOK_TICKER, ()), "order_book": (Channel.ORDER_BOOK, ()),
    "aggregate_trade": (Channel.AGGREGATE_TRADE, ()), "kline": (Channel.KLINE, ("1m",)),
    "ticker": (Channel.TICKER, ()), "mini_ticker": (Channel.MINI_TICKER, ()),
    "average_price": (Channel.AVERAGE_PRICE, ()), "partial_book": (Channel.PARTIAL_BOOK, ()),
}  # fmt: skip


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_is_refused_exactly_where_it_is_said_to_be_missing(exchange: str, name: str) -> None:
    channel, arguments = STREAMS[name]
    connector = Connector(Config(exchange))
    is_offered = channel.value in connector.capabilities.streams
    method = f"on_{name}"
    assert connector.capabilities.offers(method) is is_offered
    if is_offered:
        getattr(connector, method)("BTC-USDT", *arguments, print)
    else:
        with pytest.raises(ValidationError) as caught:
            getattr(connector, method)("BTC-USDT", *arguments, print)
        assert caught.value.outcome == "not_sent"
    connector.stop(5)


def test_an_environment_without_keys_offers_nothing_that_needs_one() -> None:
    found = of("binance", "market_data")
    assert not found.offers("place_order")
    assert not found.offers("fetch_balances")
    assert found.key_types == ()


def test_they_cannot_be_changed() -> None:
    found = of("bybit")
    with pytest.raises(TypeError):
        found.missing["on_trade"] = "no"  # type: ignore[index]
