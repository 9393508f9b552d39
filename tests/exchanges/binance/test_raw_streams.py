"""Raw events are given their stream by what they say themselves, and read as in an envelope."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync import ValidationError
from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER, RAW_DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import ServerNotice, SubscriptionReply, Topic, Unrecognized
from tests.data import documented_files, recorded_lines
from tests.exchanges.binance.support import decoded, instrument
from tests.unit.support import fixed

BTCUSDT = instrument("BTC", "USDT")
OFFERED = RAW_DRIVER.capabilities("production").streams
KINDS = [(channel, variant) for channel in sorted(RAW_DRIVER.channels) for variant in OFFERED[channel.value]]
CHANNELS = {"trade": Channel.TRADE, "bookTicker": Channel.BOOK_TICKER, "depth@100ms": Channel.ORDER_BOOK}


def test_the_form_of_the_url_decides() -> None:
    for end, driver in (("", DRIVER), ("/stream", DRIVER), ("/ws", RAW_DRIVER)):
        urls = {"rest": "https://x", "stream": "wss://host:9443" + end}
        assert DRIVER.for_endpoints(urls) is driver
        path = "/ws" if driver is RAW_DRIVER else "/stream"
        assert driver.stream_url(urls) == f"wss://host:9443{path}"
        assert driver.stream_url(urls, microseconds=True) == f"wss://host:9443{path}?timeUnit=MICROSECOND"


@pytest.mark.parametrize(("channel", "variant"), KINDS)
def test_no_two_topics_have_events_that_look_alike(channel: Channel, variant: str) -> None:
    """Each name of a stream that can be asked for is the name that its events get."""
    name = RAW_DRIVER.topic_name(Topic(channel, BTCUSDT.symbol, variant), BTCUSDT)
    kind: Any = {
        Channel.TRADE: {"e": "trade"}, Channel.AGGREGATE_TRADE: {"e": "aggTrade"}, Channel.BOOK_TICKER: {"u": 7},
        Channel.ORDER_BOOK: {"e": "depthUpdate"}, Channel.MINI_TICKER: {"e": "24hrMiniTicker"},
        Channel.AVERAGE_PRICE: {"e": "avgPrice"}, Channel.KLINE: {"e": "kline", "k": {"i": variant}},
        Channel.TICKER: {"e": "24hrTicker" if variant == "24h" else f"{variant}Ticker"},
    }[channel]  # fmt: skip
    assert RAW_DRIVER.topic_of_frame(json.dumps({**kind, "s": "BTCUSDT"}).encode()) == name


def test_recorded_frames_are_read_the_same_with_and_without_their_envelope() -> None:
    count = 0
    for line in recorded_lines("recordings", "binance_spot", "btcusdt_20240808.jsonl.gz"):
        wire: Any = json.loads(line["raw"])
        if "stream" not in wire:
            continue
        name = DRIVER.topic_of_frame(line["raw"].encode())
        topic = Topic(CHANNELS[str(name).partition("@")[2]], BTCUSDT.symbol)
        bare = json.dumps(wire["data"]).encode()
        assert RAW_DRIVER.topic_of_frame(bare) == name
        assert decoded(RAW_DRIVER.decoder(topic), bare) == decoded(DRIVER.decoder(topic), wire)
        count += 1
        if count == 500:
            return
    assert count == 500


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (b'{"result":null,"id":3}', SubscriptionReply(3)),
        (b'{"result":["btcusdt@trade"],"id":3}', SubscriptionReply(3, names=("btcusdt@trade",))),
        (b'{"code":2,"msg":"Invalid request","id":3}', SubscriptionReply(3, "2: Invalid request")),
        (b'{"e":"serverShutdown","E":1}', ServerNotice("shutdown")),
        (b'{"e":"moonPhase","s":"BTCUSDT"}', Unrecognized("moonPhase")),
        (b'{"lastUpdateId":1,"bids":[],"asks":[]}', Unrecognized("asks,bids,lastUpdateId")),
    ],
)
def test_frames_of_no_stream(frame: bytes, found: object) -> None:
    """(faults F035, F043, F045)"""
    assert RAW_DRIVER.topic_of_frame(frame) is None
    assert RAW_DRIVER.parse_control(frame) == found


@pytest.mark.parametrize(
    "frame",
    [
        b'{"e":"trade","t":1}',
        b'{"e":"trade","s":7}',
        b'{"e":"kline","s":"BTCUSDT"}',
        b'{"e":"kline","s":"BTCUSDT","k":{"i":1}}',
        b'{"e":"trade","s":"BTCUSDT","k":{"i":"1m"}}',
        b'{"e":"trade"',
        b'1},"data":{"e":"trade"',
    ],
)
def test_an_event_that_does_not_say_what_it_is_about_is_malformed(frame: bytes) -> None:
    """(fault F038)"""
    assert RAW_DRIVER.topic_of_frame(frame) is None
    with pytest.raises(ProtocolError) as error:
        RAW_DRIVER.parse_control(frame)
    assert "payload" in error.value.details


@pytest.mark.parametrize(
    ("channel", "variant"),
    [(Channel.PARTIAL_BOOK, ""), (Channel.ORDER_BOOK, "1000ms"), (Channel.KLINE, "1m@+08:00"), (Channel.KLINE, "7m")],
)
def test_what_cannot_be_told_apart_is_refused(channel: Channel, variant: str) -> None:
    topic = Topic(channel, BTCUSDT.symbol, variant)
    for ask in (
        lambda: RAW_DRIVER.variant(channel, variant),
        lambda: RAW_DRIVER.topic_name(topic, BTCUSDT),
        lambda: RAW_DRIVER.decoder(topic),
    ):
        with pytest.raises(ValidationError):
            ask()


@fixed
@given(st.binary(max_size=60) | st.sampled_from([path.read_bytes() for path in documented_files().values()] or [b"{}"]))
def test_any_bytes(frame: bytes) -> None:
    """(faults F032 to F034)"""
    name = RAW_DRIVER.topic_of_frame(frame)
    assert name is None or "@" in name
    for read in (RAW_DRIVER.parse_control, lambda raw: decoded(RAW_DRIVER.decoder(Topic(Channel.TRADE, "X")), raw)):
        with contextlib.suppress(ProtocolError):
            read(frame)


def test_a_symbol_in_another_script_is_found() -> None:
    """Names of symbols may be written in any script (Binance: 2)."""
    name = "这是测试币456"
    unusual = instrument(name, "USDT")
    topic = Topic(Channel.TRADE, unusual.symbol)
    event = {"e": "trade", "E": 1, "s": name + "USDT", "t": 7, "p": "1", "q": "2", "T": 1, "m": True}
    for frame in (json.dumps(event).encode(), json.dumps(event, ensure_ascii=False).encode()):
        assert RAW_DRIVER.topic_of_frame(frame) == RAW_DRIVER.topic_name(topic, unusual)
        (trade,) = decoded(RAW_DRIVER.decoder(topic), frame)
        assert trade.symbol == unusual.symbol
