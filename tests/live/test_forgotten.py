"""What one connection, subscription or life must not hand on to the next, and what it must."""

from __future__ import annotations

from typing import Any

from exconn_sync import SilentTopic
from exconn_sync._live.topic_table import TopicTable
from exconn_sync.errors import ConnectionFailed
from tests.live.market import BOOK, BTC, ETH_TRADES, TICKER, TRADES, MarketDesk, trade

SHUTDOWN = b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}'


def connected(*topics: Any) -> tuple[MarketDesk, Any]:
    desk = MarketDesk(*topics)
    wire = desk.connect()
    wire.accept()
    return desk, wire


def test_nobody_is_asked_about_topics_of_a_lost_connection() -> None:
    """They are watched again once they are acknowledged (fault F060)."""
    desk, wire = connected(TRADES)
    desk.pass_time(55, wire)
    desk.feed.on_lost(ConnectionFailed("reset"))
    wire = desk.connect()
    desk.pass_time(9, wire)
    assert desk.questions == []
    wire.accept()
    desk.pass_time(61, wire)
    assert [topic for topic, _, _ in desk.questions] == [TRADES]


def test_nobody_is_asked_about_a_topic_that_was_given_up() -> None:
    """Questions cost request weight (fault F060)."""
    desk, wire = connected(TRADES, ETH_TRADES)
    desk.lane.topics = frozenset({ETH_TRADES})
    desk.feed.look_again()
    wire.accept()
    desk.pass_time(61, wire)
    for _, _, future in desk.questions:
        future.set_result("quiet")
    desk.pass_time(2, wire)
    assert [topic for topic, _, _ in desk.questions] == [ETH_TRADES]


def test_a_topic_nobody_wants_is_not_called_silent() -> None:
    """Its end may wait for the pace while the answer about it arrives (fault F060)."""
    desk, wire = connected(TRADES, ETH_TRADES)
    desk.pass_time(61, wire)
    topic, _, future = desk.questions[0]
    desk.lane.topics -= {topic}
    future.set_result("silent")
    desk.pass_time(0, wire)
    desk.pass_time(2.1, wire)
    assert desk.problems() == []
    assert wire.requests() == []


def test_each_silence_of_a_topic_is_told() -> None:
    """An episode ends with the next message; the one after it is told anew (fault F060)."""
    desk, wire = connected(TRADES)
    for number in (1, 2):
        wire.brings(trade(number))
        desk.pass_time(0, wire)
        desk.pass_time(61, wire)
        desk.questions[-1][2].set_result("silent")
        desk.pass_time(0, wire)
        desk.pass_time(2.1, wire)
        wire.accept()
        told = [desk.errors.get(0).error for _ in range(desk.errors.pending)]
        assert [type(error) for error in told] == [SilentTopic]


def test_a_book_that_nobody_wants_any_more_does_not_outlive_its_connection() -> None:
    desk, _ = connected(BOOK)
    assert list(desk.shelf.entries) == [BTC]
    desk.feed.on_lost(ConnectionFailed("reset"))
    desk.lane.topics = frozenset({TRADES})
    desk.connect().accept()
    assert list(desk.shelf.entries) == []


def test_a_topic_that_was_given_up_is_not_remembered() -> None:
    """Also where the connection that delivered it was lost before (fault F066)."""
    desk, wire = connected(TRADES, ETH_TRADES)
    successor = desk.connect()
    successor.accept()
    wire.brings(trade(7))
    desk.feed.on_lost(ConnectionFailed("reset"))
    desk.feed.replace()
    assert set(desk.feed.delivered()) == {TRADES}
    desk.lane.topics = frozenset({ETH_TRADES})
    desk.feed.look_again()
    successor.accept()
    assert desk.feed.delivered() == {}


def test_an_announced_end_dies_with_the_successor_that_announced_it() -> None:
    """The one that follows will last (fault F045)."""
    desk, _ = connected(TRADES)
    doomed = desk.connect()
    doomed.accept()
    doomed.brings(SHUTDOWN)
    desk.feed.forget_successor()
    desk.connect().accept()
    desk.feed.replace()
    assert desk.demands == []


def test_a_successor_says_nothing_about_the_connection_that_counts() -> None:
    """Neither that topics are missing nor that they come: the old connection brings them (fault F044)."""
    desk, primary = connected(TRADES)
    told = len(desk.lane.states)
    desk.pass_time(50, primary)
    successor = desk.connect()
    assert all(is_settled for is_settled, _ in desk.lane.states[told:])
    successor.accept()
    desk.pass_time(11, primary)
    assert [topic for topic, _, _ in desk.questions] == [TRADES], "its silence goes on"


def test_data_of_a_successor_without_an_answer_say_nothing_about_the_connection_that_counts() -> None:
    """An acknowledgement by data is one of that connection alone (faults F044, F047)."""
    desk, primary = connected(TRADES)
    desk.pass_time(45, primary)
    successor = desk.connect()
    successor.requests()
    successor.brings(trade(1))
    desk.pass_time(10.5, successor)
    assert successor.handler.is_established
    started = desk.silence._started_ns[TRADES]
    assert started < desk.clock.monotonic_ns() - 50_000_000_000


def test_long_after_the_last_trouble_a_replacement_is_demanded_as_at_first() -> None:
    """The pauses double while one follows another, and only then."""
    desk, _ = connected(TRADES)
    assert desk.feed.try_another("first")
    desk.clock.advance(30)
    assert desk.feed.try_another("second")
    desk.clock.advance(59)
    assert not desk.feed.try_another("too soon")
    desk.clock.advance(3602)
    assert desk.feed.try_another("long after")
    desk.clock.advance(30)
    assert desk.feed.try_another("as at first")


def test_a_forgiven_topic_is_asked_for_as_often_as_a_new_one() -> None:
    """What was refused once has not used up the second question of who wants it later (faults F046, F047)."""
    table = TopicTable()
    table.sent(1, [TICKER], is_subscribe=True, now_ns=0)
    table.answered(1, is_success=False)
    table.forgive(TICKER)
    table.sent(2, [TICKER], is_subscribe=True, now_ns=0)
    assert table.overdue(11, 10, set()) == ([], [])
    assert table.to_subscribe({TICKER}) == [TICKER]
