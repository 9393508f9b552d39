"""Topics that bring nothing: who is asked about, what the exchange says, what is done (fault F060)."""

from __future__ import annotations

from concurrent.futures import Future
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import pytest

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.topic_probe import TopicProbe
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, RateLimitError
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import BookSnapshot, BookTicker, Trade
from exconn_sync.model.wire import RestCall, Topic
from exconn_sync.testing import ManualClock
from tests.live.market import BOOK, BTC, DRIVER, ETH_TRADES, TICKER, TRADES, instruments

TIMEOUT = 60.0


class Watch:
    """A watch whose questions the test answers."""

    def __init__(self, *topics: Topic) -> None:
        self.clock = ManualClock()
        self.asked: list[tuple[Topic, float]] = []
        self.futures: list[Future[Any]] = []
        self.woken = 0
        self.error: Exception | None = None
        self.watch = SilenceWatch(TIMEOUT, self.ask, self.clock, self.wake)
        for topic in topics:
            self.watch.started(topic, self.now)

    @property
    def now(self) -> int:
        return self.clock.monotonic_ns()

    def ask(self, topic: Topic, quiet_for: float) -> Future[Any]:
        if self.error is not None:
            raise self.error
        self.asked.append((topic, quiet_for))
        self.futures.append(Future())
        return self.futures[-1]

    def wake(self) -> None:
        self.woken += 1

    def after(self, seconds: float) -> list[tuple[Topic, str]]:
        """Let time pass; return what is to be done then."""
        self.clock.advance(seconds)
        return [(topic, action) for topic, action, _ in self.watch.tick(self.now)]

    def seen(self, *topics: Topic) -> None:
        self.watch.seen(topics, self.now)


def test_one_question_is_asked_at_a_time_and_not_more_than_one_a_second() -> None:
    """Questions cost request weight (fault F060)."""
    desk = Watch(TRADES, TICKER, BOOK)
    assert desk.after(59.9) == []
    assert desk.asked == []
    desk.after(0.1)
    assert [topic for topic, _ in desk.asked] == [TRADES]
    desk.after(5)
    assert len(desk.asked) == 1, "the first answer is not there"
    desk.futures[0].set_result("quiet")
    assert desk.woken == 1
    desk.after(0)
    assert len(desk.asked) == 2
    desk.futures[1].set_result("quiet")
    desk.after(0.5)
    assert len(desk.asked) == 2
    assert desk.watch.until_due(desk.now) == pytest.approx(0.5)
    desk.after(0.5)
    assert [topic for topic, _ in desk.asked] == [TRADES, TICKER, BOOK]


def test_a_topic_that_brings_something_is_not_asked_about() -> None:
    desk = Watch(TRADES, ETH_TRADES)
    for _ in range(100):
        desk.after(1)
        desk.seen(TRADES)
    assert [topic for topic, _ in desk.asked] == [ETH_TRADES]


def test_a_quiet_topic_is_asked_about_less_and_less() -> None:
    """An illiquid symbol is no failure (fault F060)."""
    desk = Watch(TRADES)
    at: list[float] = []
    begin = desk.now
    while len(at) < 5:
        before = len(desk.asked)
        assert desk.after(1) == []
        if len(desk.asked) > before:
            at.append((desk.now - begin) / 1e9)
            desk.futures[-1].set_result("quiet")
    pauses = [round(later - earlier) for earlier, later in pairwise(at)]
    assert all(0 <= pause - wanted <= 2 for pause, wanted in zip(pauses, [120, 240, 480, 960], strict=True))


def test_a_silent_topic_is_asked_for_again_and_then_its_connection_is_replaced() -> None:
    """News get a moment to arrive; then, by turns, the topic and its connection are made anew (fault F060)."""
    desk = Watch(TRADES)
    done: list[str] = []
    for _ in range(4):
        desk.after(60)
        desk.futures[-1].set_result("silent")
        assert desk.after(0) == []
        assert desk.watch.until_due(desk.now) == pytest.approx(2.0)
        assert desk.after(1.9) == []
        done += [action for _, action in desk.after(0.1)]
    assert done == ["resubscribe", "replace", "resubscribe", "replace"]


@pytest.mark.parametrize("when", ["before the answer", "after the answer"])
def test_news_that_arrive_after_the_question_end_it(when: str) -> None:
    """What the exchange had and the topic did not was only on its way, however long the answer took (fault F060)."""
    desk = Watch(TRADES)
    desk.after(60)
    desk.after(0.1)
    if when == "before the answer":
        desk.seen(TRADES)
        desk.after(5)
    desk.futures[0].set_result("silent")
    desk.after(0.1)
    if when == "after the answer":
        desk.seen(TRADES)
    assert desk.after(2) == []
    assert desk.after(30) == []


@pytest.mark.parametrize("is_error", [True, False])
def test_a_question_without_an_answer_is_asked_again_later(is_error: bool) -> None:
    desk = Watch(TRADES)
    desk.after(60)
    if is_error:
        desk.futures[0].set_exception(ConnectionFailed("no way"))
    else:
        desk.futures[0].set_result("unverified")
    assert desk.after(0) == []
    desk.after(59.9)
    assert len(desk.asked) == 1
    desk.after(0.1)
    assert len(desk.asked) == 2


def test_a_topic_that_was_ended_meanwhile_is_left_alone() -> None:
    desk = Watch(TRADES, TICKER)
    desk.after(60)
    assert [topic for topic, _ in desk.asked] == [TRADES]
    desk.watch.stopped(TRADES)
    desk.watch.stopped(TICKER)
    desk.futures[0].set_result("silent")
    assert desk.after(5) == []
    assert len(desk.asked) == 1, "nothing is asked about what nobody wants"
    assert not desk.watch.is_watching(TRADES)


def test_a_topic_subscribed_anew_meanwhile_gets_its_time() -> None:
    desk = Watch(TRADES)
    desk.after(60)
    desk.futures[0].set_result("silent")
    desk.after(1)
    desk.watch.started(TRADES, desk.now)
    assert desk.after(2) == []


def test_an_answer_about_a_lost_connection_has_no_effect() -> None:
    desk = Watch(TRADES)
    desk.after(60)
    desk.watch.clear()
    desk.watch.started(TRADES, desk.now)
    desk.futures[0].set_result("silent")
    assert desk.after(3) == []
    desk.after(57)
    assert len(desk.asked) == 2


def test_a_question_of_a_lost_connection_holds_up_no_other() -> None:
    """Its answer may take long; the topics of the next connection do not wait for it (fault F060)."""
    desk = Watch(TRADES)
    desk.after(60)
    desk.watch.clear()
    desk.watch.started(TRADES, desk.now)
    desk.after(60)
    assert len(desk.asked) == 2


def test_a_pool_that_is_stopped_answers_nothing_and_harms_nothing() -> None:
    desk = Watch(TRADES)
    desk.error = ConnectorStopped("the connector is stopped")
    assert desk.after(60) == []
    assert desk.after(60) == []


# --- what the exchange says -----------------------------------------------------------------------------------------


class Rest:
    """Answers calls with what the test put there."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.paths: list[str] = []
        self.are_background: list[bool | None] = []

    def call(self, call: RestCall[Any], timeout: float | None, *, is_background: bool | None = None) -> Any:
        self.paths.append(call.path)
        self.are_background.append(is_background)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Probe:
    def __init__(self) -> None:
        self.clock, self.rest = ManualClock(), Rest()
        catalogue = Catalogue("binance")
        catalogue.replace(instruments(BTC))
        self.server_clock = ServerClock(self.clock)
        self.server_clock.add(self.clock.monotonic_ns(), self.clock.monotonic_ns(), self.clock.time_ns())
        self.probe = TopicProbe(DRIVER, cast(RestClient, self.rest), catalogue, self.server_clock, 5.0)

    def ask(self, topic: Topic, last: Any = None, update_id: int | None = None, quiet_for: float = 60.0) -> str:
        return self.probe.ask(topic, last, update_id, quiet_for)


def traded(number: int, at_ns: int | None = 0) -> Trade:
    return Trade("binance", BTC, TradeId(str(number)), Decimal(1), Decimal(1), Side.BUY, at_ns, 0)


def book(update_id: int, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> BookSnapshot:
    return BookSnapshot("binance", BTC, update_id, bids, asks, 0)


def best(bid: str, bid_quantity: str, ask: str, ask_quantity: str) -> BookTicker:
    return BookTicker(
        "binance", BTC, Decimal(bid), Decimal(bid_quantity), Decimal(ask), Decimal(ask_quantity), 5, None, 0
    )


@pytest.mark.parametrize(("newest", "verdict"), [(99, "quiet"), (100, "quiet"), (101, "silent")])
def test_trades_are_compared_by_number(newest: int, verdict: str) -> None:
    """A number beyond the last delivered one did not come (fault F060)."""
    desk = Probe()
    desk.rest.answer = [traded(newest)]
    assert desk.ask(TRADES, traded(100)) == verdict
    assert desk.rest.paths == ["/api/v3/trades"]


@pytest.mark.parametrize(
    ("age", "verdict"), [(3600.0, "quiet"), (60.1, "quiet"), (59.999, "quiet"), (59.5, "silent"), (0.0, "silent")]
)
def test_without_a_trade_so_far_its_age_decides(age: float, verdict: str) -> None:
    """A trade from after the subscription should have come; in doubt about the clock it is none (fault F060)."""
    desk = Probe()
    desk.rest.answer = [traded(1, desk.clock.time_ns() - int(age * 1e9))]
    assert desk.ask(TRADES, quiet_for=60.0) == verdict


def test_a_symbol_without_any_trade_is_quiet_and_one_without_times_unknown() -> None:
    desk = Probe()
    desk.rest.answer = []
    assert desk.ask(TRADES) == "quiet"
    desk.rest.answer = [traded(1, None)]
    assert desk.ask(TRADES) == "unverified"


@pytest.mark.parametrize(("update_id", "verdict"), [(99, "quiet"), (100, "quiet"), (101, "silent")])
def test_books_are_compared_by_their_update_id(update_id: int, verdict: str) -> None:
    desk = Probe()
    desk.rest.answer = book(update_id, [], [])
    assert desk.ask(BOOK, update_id=100) == verdict
    assert desk.rest.paths == ["/api/v3/depth"]


def test_a_book_that_was_never_synchronized_is_silent() -> None:
    desk = Probe()
    desk.rest.answer = book(1, [], [])
    assert desk.ask(BOOK) == "silent"


@pytest.mark.parametrize(
    ("bids", "asks", "verdict"),
    [
        ([("1.50000000", "2.00"), ("1", "1")], [("3", "4.0")], "quiet"),
        ([("1.5", "2.1")], [("3", "4")], "silent"),
        ([("1.4", "2")], [("3", "4")], "silent"),
        ([], [("3", "4")], "silent"),
    ],
)
def test_best_prices_are_compared_by_value(
    bids: list[tuple[str, str]], asks: list[tuple[str, str]], verdict: str
) -> None:
    """Two sources write numbers differently; the update id moves with deeper levels, too (fault F060)."""
    desk = Probe()
    desk.rest.answer = book(99, bids, asks)
    assert desk.ask(TICKER, best("1.50", "2", "3.0", "4.000")) == verdict


def test_an_empty_side_is_the_same_in_both_sources() -> None:
    desk = Probe()
    desk.rest.answer = book(99, [], [("3", "4")])
    ticker = BookTicker("binance", TICKER.symbol, None, None, Decimal("3.0"), Decimal(4), 5, None, 0)
    assert desk.ask(TICKER, ticker) == "quiet"
    assert desk.ask(TICKER, best("1", "2", "3", "4")) == "silent"


def test_best_prices_that_never_changed_are_quiet() -> None:
    """A topic of changes has nothing to say where nothing changes; a change it did not tell is silence (fault F060)."""
    desk = Probe()
    desk.rest.answer = book(1, [("1", "1")], [("2", "1")])
    assert desk.ask(TICKER, quiet_for=60) == "quiet"
    for quiet_for in (180, 420):
        desk.clock.advance(100)
        desk.rest.answer = book(100, [("1.0", "1.00")], [("2", "1")])
        assert desk.ask(TICKER, quiet_for=quiet_for) == "quiet"
    desk.rest.answer = book(101, [("1", "7")], [("2", "1")])
    assert desk.ask(TICKER, quiet_for=900) == "silent"


def test_best_prices_of_an_earlier_subscription_prove_nothing() -> None:
    desk = Probe()
    desk.rest.answer = book(1, [("1", "1")], [("2", "1")])
    assert desk.ask(TICKER, quiet_for=60) == "quiet"
    desk.clock.advance(1000)
    desk.rest.answer = book(2, [("1.1", "1")], [("2", "1")])
    assert desk.ask(TICKER, quiet_for=60) == "quiet"
    desk.clock.advance(60)
    assert desk.ask(TICKER, quiet_for=120) == "quiet"


@pytest.mark.parametrize("topic", [TRADES, TICKER, BOOK])
@pytest.mark.parametrize(
    "error", [ConnectionFailed("no way"), RateLimitError("too many"), ConnectorStopped("the connector is stopped")]
)
def test_where_the_exchange_cannot_be_asked_nobody_knows(topic: Topic, error: Exception) -> None:
    desk = Probe()
    desk.rest.answer = error
    assert desk.ask(topic) == "unverified"


def test_a_symbol_that_is_gone_cannot_be_asked_about() -> None:
    desk = Probe()
    assert desk.ask(Topic(Channel.TRADE, "GONE-USDT")) == "unverified"
    assert desk.rest.paths == []


def test_a_question_holds_up_no_stop() -> None:
    """Nobody misses its answer, so a stop cuts it at once (fault F086)."""
    desk = Probe()
    desk.rest.answer = [traded(1)]
    desk.ask(TRADES, traded(1))
    desk.rest.answer = book(1, [], [])
    desk.ask(BOOK, None, 1)
    assert desk.rest.are_background == [True, True]
