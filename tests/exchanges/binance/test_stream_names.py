"""Names of streams, their variants, and the address that asks for microseconds (Binance: 8.1, 8.3)."""

from __future__ import annotations

import pytest

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic
from tests.exchanges.binance.support import BTCUSDT

INTERVALS = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]


@pytest.mark.parametrize(
    ("channel", "variant", "name"),
    [
        (Channel.TRADE, "", "trade"),
        (Channel.AGGREGATE_TRADE, "", "aggTrade"),
        (Channel.BOOK_TICKER, "", "bookTicker"),
        (Channel.ORDER_BOOK, "", "depth@100ms"),
        (Channel.ORDER_BOOK, "1000ms", "depth"),
        (Channel.PARTIAL_BOOK, "", "depth20@100ms"),
        (Channel.PARTIAL_BOOK, "5", "depth5@100ms"),
        (Channel.PARTIAL_BOOK, "10", "depth10@100ms"),
        (Channel.PARTIAL_BOOK, "10@1000ms", "depth10"),
        (Channel.KLINE, "", "kline_1m"),
        *((Channel.KLINE, interval, f"kline_{interval}") for interval in INTERVALS),
        *((Channel.KLINE, f"{interval}@+08:00", f"kline_{interval}@+08:00") for interval in INTERVALS),
        (Channel.TICKER, "", "ticker"),
        (Channel.TICKER, "24h", "ticker"),
        (Channel.TICKER, "1h", "ticker_1h"),
        (Channel.TICKER, "4h", "ticker_4h"),
        (Channel.TICKER, "1d", "ticker_1d"),
        (Channel.MINI_TICKER, "", "miniTicker"),
        (Channel.AVERAGE_PRICE, "", "avgPrice"),
    ],
)
def test_each_topic_has_its_stream(channel: Channel, variant: str, name: str) -> None:
    topic = Topic(channel, "BTC-USDT", variant)
    assert DRIVER.topic_name(topic, BTCUSDT) == f"btcusdt@{name}"
    assert callable(DRIVER.decoder(topic))


def test_every_channel_of_public_data_is_offered() -> None:
    assert DRIVER.channels == {channel for channel in Channel if channel.is_market_data}


@pytest.mark.parametrize(
    ("channel", "wanted", "spelling"),
    [
        (Channel.ORDER_BOOK, "100ms", ""),
        (Channel.PARTIAL_BOOK, "20@100ms", "20"),
        (Channel.PARTIAL_BOOK, "", "20"),
        (Channel.KLINE, "", "1m"),
        (Channel.TICKER, "", "24h"),
        (Channel.TRADE, "", ""),
    ],
)
def test_what_means_the_same_is_spelt_the_same(channel: Channel, wanted: str, spelling: str) -> None:
    """Two spellings would be two topics, and the exchange asked twice."""
    assert DRIVER.variant(channel, wanted) == spelling
    assert DRIVER.variant(channel, spelling) == spelling


@pytest.mark.parametrize(
    ("channel", "wanted", "field"),
    [
        (Channel.KLINE, "2m", "interval"),
        (Channel.KLINE, "1m@+09:00", "interval"),
        (Channel.KLINE, "1D", "interval"),
        (Channel.TICKER, "2h", "window"),
        (Channel.PARTIAL_BOOK, "50", "levels"),
        (Channel.PARTIAL_BOOK, "5@250ms", "levels"),
        (Channel.PARTIAL_BOOK, "@100ms", "levels"),
        (Channel.ORDER_BOOK, "250ms", "book_interval_ms"),
        (Channel.ORDER_BOOK, "@100ms", "book_interval_ms"),
        (Channel.TRADE, "fast", "variant"),
        (Channel.TRADE, "@100ms", "variant"),
        (Channel.ORDER, "", "channel"),
    ],
)
def test_what_binance_does_not_offer_is_refused(channel: Channel, wanted: str, field: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DRIVER.variant(channel, wanted)
    assert caught.value.field == field
    topic = Topic(channel, "BTC-USDT", wanted)
    with pytest.raises(ValidationError):
        DRIVER.topic_name(topic, BTCUSDT)
    with pytest.raises(ValidationError):
        DRIVER.decoder(topic)


def test_microseconds_are_asked_for_in_the_address() -> None:
    urls = DRIVER.endpoints("demo")
    assert DRIVER.stream_url(urls, microseconds=True) == urls["stream"] + "/stream?timeUnit=MICROSECOND"
    assert DRIVER.account_url(urls, microseconds=True) == urls["ws_api"] + "?timeUnit=MICROSECOND"
    assert DRIVER.stream_url(urls) == urls["stream"] + "/stream"


def test_a_topic_has_a_name_for_people() -> None:
    assert Topic(Channel.TRADE, "BTC-USDT").name == "trade.BTC-USDT"
    assert Topic(Channel.KLINE, "BTC-USDT", "1m").name == "kline.BTC-USDT.1m"
