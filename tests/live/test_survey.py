"""Topics that are asked about together, and how soon a silent one among them is found (faults F047, F060)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from decimal import Decimal
from typing import Any, cast

import pytest

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.topic_survey import NOTHING, Mark, TopicSurvey, mark_of, tops_mark
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import AggregateTrade, BookTicker
from exconn_sync.model.wire import HttpResponse, RestCall, Topic
from exconn_sync.testing import ManualClock
from tests.live.market import BOOK, BTC, DRIVER, ETH, ETH_TRADES, TICKER, TRADES, instruments

DAY = (
    b'{"symbol":"%s","priceChange":"0","priceChangePercent":"0","weightedAvgPrice":"1","prevClosePrice":"1",'
    b'"lastPrice":"1","lastQty":"1","bidPrice":"1","bidQty":"1","askPrice":"2","askQty":"1","openPrice":"1",'
    b'"highPrice":"1","lowPrice":"1","volume":"1","quoteVolume":"1","openTime":1,"closeTime":2,"firstId":%d,'
    b'"lastId":%d,"count":%d}'
)
BEST = b'{"symbol":"%s","bidPrice":"1.50","bidQty":"2.0","askPrice":"3","askQty":"4.00"}'


class Rest:
    """Answers questions by their path, and notes them."""

    def __init__(self, **bodies: bytes) -> None:
        self.bodies = bodies
        self.asked: list[tuple[str, str]] = []

    def call(self, call: RestCall[Any], timeout: float, *, is_background: bool) -> Any:
        name = call.path.rpartition("/")[2]
        params = dict(call.params)
        self.asked.append((name, params.get("symbols") or params.get("symbol") or "all"))
        assert is_background
        return call.parse(HttpResponse(200, {}, self.bodies["day" if name == "24hr" else "best"], 0))


def survey(rest: Rest, *symbols: str) -> TopicSurvey:
    catalogue = Catalogue("binance")
    catalogue.replace(instruments(*(symbols or (BTC, ETH))))
    return TopicSurvey(DRIVER, cast(RestClient, rest), catalogue, 10)


def test_two_questions_tell_how_far_the_exchange_is_with_everything() -> None:
    """The number of the newest trade, and the best prices (fault F060)."""
    day = b"[" + DAY % (b"BTCUSDT", 1, 17, 17) + b"," + DAY % (b"ETHUSDT", -1, -1, 0) + b"]"
    rest = Rest(day=day, best=b"[" + BEST % b"BTCUSDT" + b"]")
    aggregates = Topic(Channel.AGGREGATE_TRADE, BTC)
    marks = survey(rest).ask([TRADES, aggregates, ETH_TRADES, TICKER, BOOK])
    best = ("1.5", "2", "3", "4")
    assert marks == {TRADES: ("17",), aggregates: ("17",), ETH_TRADES: NOTHING, TICKER: best, BOOK: best}
    assert rest.asked == [("24hr", '["BTCUSDT","ETHUSDT"]'), ("bookTicker", "BTCUSDT")]


def test_what_nobody_asks_about_is_not_asked_for_and_many_symbols_are_not_named() -> None:
    """(fault F078)"""
    rest = Rest(day=b"[]", best=b"[]")
    assert survey(rest).ask([]) == {}
    assert rest.asked == []
    symbols = [f"S{number}-USDT" for number in range(101)]
    survey(rest, *symbols).ask([Topic(Channel.BOOK_TICKER, symbol) for symbol in symbols])
    assert rest.asked == [("bookTicker", "all")]


def test_a_symbol_that_left_the_catalogue_harms_no_other() -> None:
    rest = Rest(day=b"[" + DAY % (b"BTCUSDT", 1, 17, 17) + b"]")
    assert survey(rest, BTC).ask([TRADES, ETH_TRADES]) == {TRADES: ("17",)}


def test_marks_of_both_sides_are_the_same_texts() -> None:
    numbers = [Decimal(text) for text in ("1.50", "2", "3", "4.0")]
    best = BookTicker("binance", BTC, numbers[0], numbers[1], numbers[2], numbers[3], 5, None, 0)
    aggregate = AggregateTrade(
        "binance", BTC, TradeId("3"), TradeId("15"), TradeId("17"), numbers[0], numbers[1], Side.BUY, None, 0
    )
    assert mark_of(aggregate) == ("17",)
    assert mark_of(best) == tops_mark((Decimal("1.5"), Decimal(2)), (Decimal("3.00"), Decimal(4)))


def test_an_empty_side_has_a_mark_of_its_own() -> None:
    best = BookTicker("binance", BTC, Decimal(1), Decimal(2), None, None, 5, None, 0)
    assert mark_of(best) == ("1", "2", "", "")


class Desk:
    """A watch over topics, and an exchange that answers at once."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.marks: dict[Topic, Mark] = {}
        self.held: dict[Topic, Mark] = {}
        self.surveyed: list[int] = []
        self.asked: list[Topic] = []
        self.error: Exception | None = None
        self.watch = SilenceWatch(
            60.0, self._ask, self.clock, lambda: None, self._survey, lambda topics: self.held,
        )  # fmt: skip

    @property
    def now(self) -> int:
        return self.clock.monotonic_ns()

    def start(self, *topics: Topic) -> None:
        for topic in topics:
            self.watch.started(topic, self.now)

    def _ask(self, topic: Topic, quiet_for: float) -> Future[Any]:
        self.asked.append(topic)
        return done("quiet")

    def _survey(self, topics: list[Topic]) -> Future[dict[Topic, Mark]]:
        self.surveyed.append(len(topics))
        if self.error is not None:
            failed: Future[dict[Topic, Mark]] = Future()
            failed.set_exception(self.error)
            return failed
        return done({topic: self.marks[topic] for topic in topics if topic in self.marks})

    def until(self, seconds: float, found: Callable[[list[Topic]], bool]) -> float:
        """Let time pass until something is found; return after how many seconds."""
        begin = self.now
        while self.now - begin < seconds * 1e9:
            self.clock.advance(0.1)
            if found([topic for topic, _, _ in self.watch.tick(self.now)]):
                return (self.now - begin) / 1e9
        raise AssertionError(f"not found within {seconds} s")


def done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


def many(count: int) -> list[Topic]:
    return [Topic(Channel.TRADE, f"S{number}-USDT") for number in range(count)]


@pytest.mark.parametrize("count", [0, 100, 300, 1000])
@pytest.mark.parametrize("channel", [Channel.TRADE, Channel.BOOK_TICKER, Channel.ORDER_BOOK])
def test_a_silent_topic_is_found_as_soon_among_a_thousand_quiet_ones(count: int, channel: Channel) -> None:
    """Within 15 s after ``topic_timeout``, at a bounded cost (faults F047, F060)."""
    desk = Desk()
    dead = Topic(channel, BTC)
    quiet = many(count)
    desk.marks = dict.fromkeys((*quiet, dead), ("1",))
    desk.start(*quiet, dead)
    desk.until(10, lambda found: bool(desk.surveyed))
    desk.watch.tick(desk.now)
    desk.marks[dead] = ("2",)
    assert desk.until(75, lambda found: dead in found) < 65
    assert desk.surveyed == [count + 1, count + 1]
    assert desk.asked == []


def test_what_happened_before_a_subscription_is_not_owed() -> None:
    """A symbol that traded during an outage and is quiet since is not silent (faults F001, F060)."""
    desk = Desk()
    desk.marks = {TRADES: ("7",)}
    desk.start(TRADES)
    for _ in range(3000):
        desk.clock.advance(0.1)
        assert desk.watch.tick(desk.now) == []


def test_a_quiet_book_is_asked_about_by_itself_because_its_best_prices_are_not_all() -> None:
    """(fault F060)"""
    desk = Desk()
    desk.marks = {BOOK: ("1", "2", "3", "4"), TICKER: ("1", "2", "3", "4")}
    desk.start(BOOK, TICKER)
    desk.until(75, lambda found: bool(desk.asked))
    assert desk.asked == [BOOK]


def test_where_the_survey_fails_all_are_asked_about_later() -> None:
    """REST is down: the streams go on (fault F060)."""
    desk = Desk()
    desk.error = ConnectionFailed("down")
    desk.start(TRADES, ETH_TRADES)
    desk.until(200, lambda found: len(desk.surveyed) == 3)
    assert desk.asked == []
    desk.error = None
    desk.marks = {TRADES: ("1",), ETH_TRADES: ("1",)}
    desk.until(100, lambda found: desk.asked == [TRADES])


def test_a_topic_of_which_the_exchange_says_nothing_is_asked_about_by_itself() -> None:
    desk = Desk()
    desk.start(TRADES)
    desk.until(75, lambda found: desk.asked == [TRADES])


def test_a_lost_connection_ends_its_survey() -> None:
    desk = Desk()
    desk.marks = {TRADES: ("1",)}
    desk.start(TRADES)
    desk.until(10, lambda found: bool(desk.surveyed))
    desk.watch.clear()
    desk.clock.advance(100)
    assert desk.watch.tick(desk.now) == []
    assert desk.watch.until_due(desk.now) is None
