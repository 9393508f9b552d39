"""Frames of candles, tickers, aggregates, average prices and partial books (Binance: 8.3)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import AggregateTrade, PartialBook
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import Topic
from tests.data import read_json
from tests.exchanges.binance.support import RECEIVED_AT, decoded, exact

SYMBOL = "BNB-BTC"
MS = 1_000_000
E, E_NS = 1672515782136, 1_672_515_782_136_000_000

AGGREGATE = {
    "e": "aggTrade", "E": E, "s": "BNBBTC", "a": 12345, "p": "0.001", "q": "100", "f": 100, "l": 105,
    "T": 1672515782100, "m": True, "M": True,
}  # fmt: skip
CANDLE = {
    "t": 1672515780000, "T": 1672515839999, "s": "BNBBTC", "i": "1m", "f": 100, "L": 200, "o": "0.0010", "c": "0.0020",
    "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100, "x": False, "q": "1.0000", "V": "500", "Q": "0.500",
    "B": "123456",
}  # fmt: skip
KLINE = {"e": "kline", "E": E, "s": "BNBBTC", "k": CANDLE}
MINI = {
    "e": "24hrMiniTicker", "E": E, "s": "BNBBTC", "c": "0.0025", "o": "0.0010", "h": "0.0026", "l": "0.0009",
    "v": "10000", "q": "18",
}  # fmt: skip
WINDOW = {
    "e": "1hTicker", "E": E, "s": "BNBBTC", "p": "-0.0015", "P": "-250.00", "o": "0.0010", "h": "0.0026", "l": "0.0009",
    "c": "0.0025", "w": "0.0018", "v": "10000", "q": "18", "O": 0, "C": 1675216573749, "F": 0, "L": 18150, "n": 18151,
}  # fmt: skip
DAY = {
    **WINDOW, "e": "24hrTicker", "x": "0.0008", "Q": "10", "b": "0.0024", "B": "11", "a": "0.0027", "A": "100",
}  # fmt: skip
AVERAGE = {"e": "avgPrice", "E": E, "s": "BNBBTC", "i": "5m", "w": "25776.86000000", "T": 1672515782100}
PARTIAL = {"lastUpdateId": 160, "bids": [["0.0024", "10"], ["0.0023", "1"]], "asks": [["0.0026", "100"]]}

TOPICS: dict[str, tuple[Topic, Any]] = {
    "aggTrade": (Topic(Channel.AGGREGATE_TRADE, SYMBOL), AGGREGATE),
    "kline": (Topic(Channel.KLINE, SYMBOL, "1m"), KLINE),
    "miniTicker": (Topic(Channel.MINI_TICKER, SYMBOL), MINI),
    "ticker": (Topic(Channel.TICKER, SYMBOL, "24h"), DAY),
    "ticker_1h": (Topic(Channel.TICKER, SYMBOL, "1h"), WINDOW),
    "avgPrice": (Topic(Channel.AVERAGE_PRICE, SYMBOL), AVERAGE),
    "depth5": (Topic(Channel.PARTIAL_BOOK, SYMBOL, "5"), PARTIAL),
}
ALL = pytest.mark.parametrize("name", TOPICS)


def wrapped(data: Any, stream: str = "unnamed") -> bytes:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":")).encode()


def read(name: str, data: Any = None, *, microseconds: bool = False) -> Any:
    topic, example = TOPICS[name]
    (event,) = decoded(DRIVER.decoder(topic, microseconds=microseconds), wrapped(example if data is None else data))
    return event


def places(data: Any, names: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the path of every field of a payload."""
    found = []
    for key, value in data.items():
        found.append((*names, key))
        if isinstance(value, dict):
            found += places(value, (*names, key))
    return found


def changed(data: Any, place: tuple[str, ...], *value: Any) -> Any:
    """Return a payload with a field replaced, or without it."""
    copy = json.loads(json.dumps(data))
    inner = copy
    for name in place[:-1]:
        inner = inner[name]
    if value:
        inner[place[-1]] = value[0]
    else:
        del inner[place[-1]]
    return copy


def test_an_aggregate_names_the_trades_in_it() -> None:
    assert read("aggTrade") == AggregateTrade(
        "binance", SYMBOL, TradeId("12345"), TradeId("100"), TradeId("105"), exact("0.001"), exact("100"), Side.SELL,
        1_672_515_782_100 * MS, RECEIVED_AT,
    )  # fmt: skip
    assert read("aggTrade", {**AGGREGATE, "m": False}).side is Side.BUY


def test_a_candle_is_exact() -> None:
    assert read("kline") == Kline(
        "binance", SYMBOL, "1m", 1_672_515_780_000 * MS, 1_672_515_839_999 * MS, exact("0.001"), exact("0.0025"),
        exact("0.0015"), exact("0.002"), exact("1000"), exact("1"), 100, exact("500"), exact("0.5"), False, E_NS,
        RECEIVED_AT, TradeId("100"), TradeId("200"),
    )  # fmt: skip
    assert read("kline", changed(KLINE, ("k", "x"), True)).is_closed


def test_a_candle_of_another_offset_has_the_interval_alone() -> None:
    decode = DRIVER.decoder(Topic(Channel.KLINE, SYMBOL, "1d@+08:00"))
    (candle,) = decoded(decode, wrapped(changed(KLINE, ("k", "i"), "1d")))
    assert isinstance(candle, Kline)
    assert candle.interval == "1d"


def test_a_candle_of_another_length_than_its_stream_is_refused() -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError, match="another length"):
        read("kline", changed(KLINE, ("k", "i"), "5m"))


@pytest.mark.parametrize("name", [name for name in TOPICS if not name.startswith("depth")])
def test_a_frame_about_another_symbol_than_its_stream_is_refused(name: str) -> None:
    """(fault F084)"""
    topic, example = TOPICS[name]
    decode = DRIVER.decoder(topic)
    stream = f"{example['s'].lower()}@{name}"
    assert len(decoded(decode, wrapped(example, stream))) == 1
    with pytest.raises(ProtocolError, match="another symbol"):
        decoded(decode, wrapped({**example, "s": "ETHUSDT"}, stream))


def test_a_candle_without_trades_names_none() -> None:
    empty = {**KLINE, "k": {**CANDLE, "f": -1, "L": -1, "n": 0, "v": "0.00000000"}}
    candle = read("kline", empty)
    assert (candle.first_trade_id, candle.last_trade_id, candle.trade_count) == (None, None, 0)
    assert str(candle.volume) == "0"


def test_a_candle_that_ends_before_it_begins_is_refused() -> None:
    """(fault F042)"""
    with pytest.raises(ProtocolError, match="before it begins"):
        read("kline", changed(KLINE, ("k", "T"), 1672515779999))


def test_a_mini_ticker_tells_little() -> None:
    assert read("miniTicker") == Ticker(
        "binance", SYMBOL, "24h", exact("0.001"), exact("0.0026"), exact("0.0009"), exact("0.0025"), exact("10000"),
        exact("18"), E_NS, RECEIVED_AT,
    )  # fmt: skip


def test_a_ticker_tells_all() -> None:
    assert read("ticker") == Ticker(
        "binance", SYMBOL, "24h", exact("0.001"), exact("0.0026"), exact("0.0009"), exact("0.0025"), exact("10000"),
        exact("18"), E_NS, RECEIVED_AT, last_quantity=exact("10"), price_change=exact("-0.0015"),
        price_change_percent=exact("-250"), average_price=exact("0.0018"), previous_close=exact("0.0008"),
        bid_price=exact("0.0024"), bid_quantity=exact("11"), ask_price=exact("0.0027"), ask_quantity=exact("100"),
        open_time=0, close_time=1_675_216_573_749 * MS, first_trade_id=TradeId("0"), last_trade_id=TradeId("18150"),
        trade_count=18151,
    )  # fmt: skip


@pytest.mark.parametrize("window", ["1h", "4h", "1d"])
def test_a_ticker_of_another_window_has_no_best_prices(window: str) -> None:
    decode = DRIVER.decoder(Topic(Channel.TICKER, SYMBOL, window))
    (ticker,) = decoded(decode, wrapped({**WINDOW, "e": f"{window}Ticker"}))
    assert isinstance(ticker, Ticker)
    assert (ticker.window, ticker.price_change_percent, ticker.trade_count) == (window, exact("-250"), 18151)
    assert (ticker.bid_price, ticker.previous_close, ticker.last_quantity) == (None, None, None)


def test_an_average_says_over_how_many_minutes() -> None:
    assert read("avgPrice") == AveragePrice(
        "binance", SYMBOL, exact("25776.86"), 5, E_NS, RECEIVED_AT, last_trade_time=1_672_515_782_100 * MS
    )
    assert read("avgPrice", {**AVERAGE, "i": "2h"}).minutes == 120


@pytest.mark.parametrize("span", ["", "m", "5", "5d", "-5m", "5.0m", "\u0665m", "9999999m", "5 m"])
def test_an_average_over_no_known_span_is_refused(span: str) -> None:
    with pytest.raises(ProtocolError, match="span"):
        read("avgPrice", {**AVERAGE, "i": span})


def test_a_partial_book_has_numbers() -> None:
    book = read("depth5")
    bids = ((exact("0.0024"), exact("10")), (exact("0.0023"), exact("1")))
    assert book == PartialBook("binance", SYMBOL, 160, bids, ((exact("0.0026"), exact("100")),), None, RECEIVED_AT)
    assert (book.best_bid, book.best_ask) == (bids[0], (exact("0.0026"), exact("100")))
    empty = read("depth5", {**PARTIAL, "bids": [], "asks": []})
    assert (empty.best_bid, empty.best_ask) == (None, None)


@pytest.mark.parametrize("update_id", [0, -1])
def test_a_partial_book_with_an_impossible_id_is_refused(update_id: int) -> None:
    """(fault F042)"""
    with pytest.raises(ProtocolError):
        read("depth5", {**PARTIAL, "lastUpdateId": update_id})


@ALL
def test_microseconds_are_kept(name: str) -> None:
    """The same moment in both units, but for the microseconds of one of them (Binance: 8.1)."""
    in_ms = read(name)
    example = TOPICS[name][1]
    for place in places(example):
        if place[-1] in ("E", "T", "t", "O", "C"):
            inner = example["k"] if len(place) > 1 else example
            example = changed(example, place, inner[place[-1]] * 1000 + 7)
    in_us = read(name, example, microseconds=True)
    times = [each for each in in_ms.__struct_fields__ if each.endswith("_time")]
    for each in times:
        before, after = getattr(in_ms, each), getattr(in_us, each)
        assert after == (None if before is None else before + 7_000)
    same = [each for each in in_ms.__struct_fields__ if each not in times]
    assert [getattr(in_us, each) for each in same] == [getattr(in_ms, each) for each in same]


@ALL
def test_unknown_fields_are_ignored(name: str) -> None:
    """(fault F036)"""
    example = TOPICS[name][1]
    new: dict[str, Any] = {"zz": {"deep": [1, {"x": 1.5}]}, "st": None}
    assert read(name, example | new) == read(name)
    if name == "kline":
        assert read(name, {**example, "k": CANDLE | new}) == read(name)


@ALL
def test_no_needed_field_may_be_missing_or_of_another_type(name: str) -> None:
    """All but the symbol, which the topic knows, and what is documented as unused (faults F038, F039)."""
    unused = {("s",), ("k", "s"), ("k", "i"), ("k", "B"), ("M",)}
    unused |= {("E",)} if name == "aggTrade" else set()
    example = TOPICS[name][1]
    for place in places(example):
        if place in unused:
            assert read(name, changed(example, place)) == read(name)
            continue
        # A payload that fits is believed without its kind, as long as it claims no other one.
        absent = [] if place == ("e",) else [changed(example, place)]
        for broken in (*absent, *(changed(example, place, bad) for bad in (None, 1.5, [1], {"a": 1}))):
            with pytest.raises(ProtocolError) as caught:
                read(name, broken)
            assert "unnamed" in caught.value.details["payload"]


@ALL
def test_what_belongs_to_another_stream_is_refused(name: str) -> None:
    for other, (_, example) in TOPICS.items():
        if other != name:
            with pytest.raises(ProtocolError):
                read(name, example)


@ALL
def test_what_the_subscriber_raises_is_not_taken_for_a_malformed_frame(name: str) -> None:
    def emit(event: object) -> None:
        raise ValueError("the subscriber's own")

    topic, example = TOPICS[name]
    with pytest.raises(ValueError, match="own"):
        DRIVER.decoder(topic)(wrapped(example), RECEIVED_AT, emit)


def test_a_price_is_never_negative_but_a_change_may_be() -> None:
    for field in ("c", "o", "h", "l", "v", "q", "w", "x", "Q", "b", "B", "a", "A"):
        with pytest.raises(ProtocolError, match="negative"):
            read("ticker", {**DAY, field: "-1"})


GRAIN = Decimal("0.00000001")
GRAINED = st.integers(1, 10**17).map(lambda grains: grains * GRAIN)


@given(st.lists(st.tuples(GRAINED, GRAINED), max_size=20))
def test_levels_are_exact(levels: list[tuple[Decimal, Decimal]]) -> None:
    rows = [[f"{price:.8f}", f"{quantity:.8f}"] for price, quantity in levels]
    book = read("depth5", {**PARTIAL, "bids": rows})
    assert [[f"{price:.8f}", f"{quantity:.8f}"] for price, quantity in book.bids] == rows


DOCUMENTED = {
    "Aggregate_Trade_Streams__aggTrade__payload.json": "aggTrade",
    "Kline_Candlestick_Streams_for_UTC__kline__payload.json": "kline",
    "Kline_Candlestick_Streams_with_timezone_offset__kline__payload.json": "kline",
    "Individual_Symbol_Mini_Ticker_Stream__24hrMiniTicker__payload.json": "miniTicker",
    "Individual_Symbol_Ticker_Streams__24hrTicker__payload.json": "ticker",
    "Individual_Symbol_Rolling_Window_Statistics_Stream__1hTicker__payload.json": "ticker_1h",
    "Average_Price__avgPrice__payload.json": "avgPrice",
    "Partial_Book_Depth_Streams__payload.json": "depth5",
}


@pytest.mark.parametrize(("file", "name"), DOCUMENTED.items())
def test_documented_payloads_are_understood(file: str, name: str) -> None:
    event = read(name, read_json("docs_examples", "binance_spot", "streams", file))
    assert type(event) is type(read(name))
