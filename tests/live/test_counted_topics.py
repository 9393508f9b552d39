"""Candles, tickers, aggregates and partial books: over a replacement, after a reconnect, and when they go quiet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import AggregateTrade, PartialBook
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.wire import Topic
from tests.live.market import BTC, MarketDesk, Wire, data
from tests.live.support import listen
from tests.live.test_silence import Probe, book, traded

SECOND = 1_000_000_000
NO_WORD = {"o": "1", "h": "2", "l": "1", "c": "2", "v": "3", "q": "4"}


def kline(number: int) -> bytes:
    """Return the frame of a moment: at each even one a candle of two ends, and at the same time the next one begins."""
    start, is_closed = (number - 2, True) if number % 2 == 0 else (number - 1, False)
    candle = {**NO_WORD, "t": start, "T": start + 1, "f": 1, "L": 2, "n": 2, "x": is_closed, "V": "1", "Q": "1"}
    return data("btcusdt@kline_1m", e="kline", E=number // 2 * 2, s="BTCUSDT", k=candle)


def aggregate(number: int) -> bytes:
    return data("btcusdt@aggTrade", e="aggTrade", E=1, a=number, p="1", q="1", f=1, l=2, T=1, m=True)


def ticker(number: int) -> bytes:
    return data(
        "btcusdt@ticker_1h", e="1hTicker", E=number, **NO_WORD, p="-1", P="1", w="1", O=1, C=2, F=1, L=2, n=2
    )  # fmt: skip


def mini_ticker(number: int) -> bytes:
    return data("btcusdt@miniTicker", e="24hrMiniTicker", E=number, **NO_WORD)


def average(number: int) -> bytes:
    return data("btcusdt@avgPrice", e="avgPrice", E=number, i="5m", w="1", T=1)


def partial(number: int) -> bytes:
    return data("btcusdt@depth5@100ms", lastUpdateId=number, bids=[["1", "1"]], asks=[["2", "1"]])


@dataclass(frozen=True)
class Kind:
    topic: Topic
    frame: Callable[[int], bytes]
    number: Callable[[Any], int]


KINDS = [
    Kind(Topic(Channel.AGGREGATE_TRADE, BTC), aggregate, lambda event: int(event.trade_id)),
    Kind(
        Topic(Channel.KLINE, BTC, "1m"),
        kline,
        lambda event: event.open_time // 1_000_000 + (2 if event.is_closed else 1),
    ),
    Kind(Topic(Channel.TICKER, BTC, "1h"), ticker, lambda event: event.exchange_time // 1_000_000),
    Kind(Topic(Channel.MINI_TICKER, BTC), mini_ticker, lambda event: event.exchange_time // 1_000_000),
    Kind(Topic(Channel.AVERAGE_PRICE, BTC), average, lambda event: event.exchange_time // 1_000_000),
    Kind(Topic(Channel.PARTIAL_BOOK, BTC, "5"), partial, lambda event: event.update_id),
]
ALL = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.topic.channel.value)


class Watched:
    """A desk with one topic, a primary connection, and what is delivered."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.desk = MarketDesk(kind.topic)
        self.events = listen(self.desk.bus, kind.topic.channel.value)
        self.primary = self.desk.connect()
        self.primary.accept()

    def brings(self, wire: Wire, *numbers: int) -> None:
        wire.brings(*map(self.kind.frame, numbers))

    def numbers(self) -> list[int]:
        return [self.kind.number(self.events.get(0)) for _ in range(self.events.pending)]


@ALL
def test_a_replacement_leaves_neither_a_gap_nor_a_repetition(kind: Kind) -> None:
    """Also where the last word on a candle has the time of the first on the next one (fault F044)."""
    desk = Watched(kind)
    successor = desk.desk.connect()
    desk.brings(desk.primary, 10, 11)
    successor.accept()
    desk.brings(successor, 13)
    assert desk.numbers() == [10, 11]
    desk.brings(desk.primary, 12, 13)
    assert desk.numbers() == [12, 13]
    assert desk.desk.feed.has_switched()
    desk.brings(desk.primary, 14)
    desk.brings(successor, 14, 15)
    desk.desk.feed.replace()
    desk.brings(successor, 16)
    assert desk.numbers() == [14, 15, 16]


@ALL
def test_a_front_end_that_is_behind_repeats_nothing_after_a_reconnect(kind: Kind) -> None:
    """(fault F066)"""
    desk = Watched(kind)
    desk.brings(desk.primary, 10, 11)
    desk.desk.feed.on_lost(ConnectionFailed("reset"))
    again = desk.desk.connect()
    again.accept()
    desk.brings(again, 10, 11, 12, 13)
    assert desk.numbers() == [10, 11, 12, 13]


@ALL
def test_a_variant_reaches_those_who_want_it_or_all(kind: Kind) -> None:
    desk = Watched(kind)
    bus, topic = desk.desk.bus, kind.topic
    key = (topic.channel.value, "binance", BTC, *([topic.variant] if topic.variant else []))
    assert [each.pattern[0] for each in bus.concerned(key)] == [topic.channel.value]
    assert bus.concerned((*key[:3], "another")) == bus.concerned(key)


# --- when they go quiet ---------------------------------------------------------------------------------------------


def last_word(kind: Kind, at_ns: int) -> Any:
    one = Decimal(1)
    if kind.topic.channel is Channel.AGGREGATE_TRADE:
        first = TradeId("1")
        return AggregateTrade("binance", BTC, first, first, first, one, one, Side.BUY, at_ns, 0)
    if kind.topic.channel is Channel.KLINE:
        return Kline("binance", BTC, "1m", 0, 1, one, one, one, one, one, one, 1, one, one, False, at_ns, 0)
    return Ticker("binance", BTC, "24h", one, one, one, one, one, one, at_ns, 0)


COUNTED = pytest.mark.parametrize("kind", KINDS[:-1], ids=lambda kind: kind.topic.channel.value)


@COUNTED
@pytest.mark.parametrize(
    ("ages", "verdict"),
    [
        ([], "quiet"),
        ([300.0], "quiet"),
        ([300.0, 120.0], "quiet"),
        ([300.0, 60.0], "silent"),
        ([60.0, 1.0], "silent"),
        ([300.0, 2.0], "unverified"),
        ([0.5 - number / 100 for number in range(10)], "silent"),
    ],
)
def test_a_topic_that_counts_trades_owes_a_word_after_one(kind: Kind, ages: list[float], verdict: str) -> None:
    """Its last word is 100 s old. A trade of just now may be told in a moment, unless there are many (fault F060)."""
    desk = Probe()
    now_ns = desk.clock.time_ns()
    desk.rest.answer = [traded(number, now_ns - int(age * SECOND)) for number, age in enumerate(ages)]
    assert desk.ask(kind.topic, last_word(kind, now_ns - 100 * SECOND)) == verdict
    assert desk.rest.paths == ["/api/v3/trades"]


@COUNTED
@pytest.mark.parametrize(("age", "verdict"), [(3600.0, "quiet"), (61.0, "quiet"), (59.0, "silent")])
def test_without_a_word_so_far_the_subscription_counts(kind: Kind, age: float, verdict: str) -> None:
    desk = Probe()
    desk.rest.answer = [traded(0, 0), traded(1, desk.clock.time_ns() - int(age * SECOND)), traded(2, None)]
    assert desk.ask(kind.topic, quiet_for=60.0) == verdict


@pytest.mark.parametrize(
    ("bids", "asks", "verdict"),
    [
        ([("1.50000000", "2.0"), ("1.4", "1"), ("1.3", "9")], [("3", "4.0")], "quiet"),
        ([("1.5", "2"), ("1.4", "2")], [("3", "4")], "silent"),
        ([("1.5", "2")], [("3", "4")], "silent"),
        ([("1.5", "2"), ("1.4", "1")], [("3", "5")], "silent"),
    ],
)
def test_partial_books_are_compared_by_their_levels(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], verdict: str
) -> None:
    """The update id moves with deeper levels, too (fault F060)."""
    desk = Probe()
    desk.rest.answer = book(99, bids, asks)
    last = PartialBook(
        "binance", BTC, 7, ((Decimal("1.50"), Decimal(2)), (Decimal("1.4"), Decimal("1.0"))),
        ((Decimal(3), Decimal("4.000")),), None, 0,
    )  # fmt: skip
    assert desk.ask(KINDS[-1].topic, last) == verdict
    assert desk.rest.paths == ["/api/v3/depth"]


def test_a_partial_book_that_never_came_is_compared_with_the_first_look() -> None:
    desk = Probe()
    desk.rest.answer = book(1, [("1", "1"), ("0.9", "1")], [("2", "1")])
    assert desk.ask(KINDS[-1].topic, quiet_for=60) == "quiet"
    desk.clock.advance(100)
    assert desk.ask(KINDS[-1].topic, quiet_for=160) == "quiet"
    desk.rest.answer = book(2, [("1", "1"), ("0.9", "7")], [("2", "1")])
    assert desk.ask(KINDS[-1].topic, quiet_for=300) == "silent"


def test_a_silent_topic_is_named_with_its_variant() -> None:
    kind = KINDS[1]
    desk = Watched(kind).desk
    wire = desk.feed._primary
    assert wire is not None
    desk.clock.advance(61)
    wire.on_tick(desk.clock.monotonic_ns())
    desk.questions[-1][2].set_result("silent")
    desk.clock.advance(0.1)
    wire.on_tick(desk.clock.monotonic_ns())
    desk.clock.advance(2.1)
    wire.on_tick(desk.clock.monotonic_ns())
    ((where, text),) = desk.problems()
    assert where == "kline.BTC-USDT.1m"
    assert "no kline of BTC-USDT" in text
