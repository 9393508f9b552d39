"""Two connections bring one topic: what subscribers see is one sequence (faults F044, F066)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._live.market_route import Floor, Overlap, Route
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import BookState, Channel
from exconn_sync.model.wire import Topic
from tests.live.market import BOOK, BTC, DRIVER, ETH_TRADES, TICKER, TRADES, MarketDesk, depth, snapshot, ticker, trade
from tests.live.support import counted
from tests.unit.support import fixed


def overlapping(*topics: Topic) -> tuple[MarketDesk, Any, Any]:
    """Return a desk with an established primary, and a successor that was asked for everything."""
    desk = MarketDesk(*topics)
    primary = desk.connect()
    primary.accept()
    return desk, primary, desk.connect()


def test_a_topic_is_switched_without_a_gap_or_a_repetition() -> None:
    desk, primary, successor = overlapping(TRADES)
    primary.brings(trade(1), trade(2))
    successor.accept()
    assert not desk.feed.has_switched()
    successor.brings(trade(4))
    assert desk.trade_numbers() == [1, 2], "3 is still to come over the old one"
    primary.brings(trade(3))
    assert desk.trade_numbers() == [3, 4]
    assert desk.feed.has_switched()
    primary.brings(trade(4))
    successor.brings(trade(5), trade(6))
    primary.brings(trade(5))
    desk.feed.replace()
    successor.brings(trade(7))
    assert desk.trade_numbers() == [5, 6, 7]
    assert desk.lane.states[-1] == (True, "")


def test_each_topic_switches_for_itself_and_a_quiet_one_at_the_end() -> None:
    desk, primary, successor = overlapping(TRADES, ETH_TRADES)
    successor.accept()
    primary.brings(trade(1))
    successor.brings(trade(2))
    assert not desk.feed.has_switched(), "nothing happened on the other topic"
    desk.feed.replace()
    successor.brings(trade(3), trade(1, "ETH-USDT"))
    assert desk.trade_numbers() == [1, 2, 3, 1]


def test_a_book_goes_on_over_a_replacement() -> None:
    """It is live all the time, and no snapshot is asked for (fault F044)."""
    desk, primary, successor = overlapping(BOOK)
    desk.snapshots[0].set_result(snapshot(10))
    desk.run()
    primary.brings(depth(11, 12))
    successor.accept()
    successor.brings(depth(13, 15))
    primary.brings(depth(13, 14))
    successor.brings(depth(16, 16))
    desk.feed.replace()
    successor.brings(depth(17, 18))
    view = desk.shelf.view(BTC)
    assert (view.state, view.update_id) == (BookState.LIVE, 18)
    assert len(desk.snapshots) == 1


def test_a_successor_lost_after_the_switch_leaves_neither_a_gap_nor_a_repetition() -> None:
    """The old connection goes on, from behind what was already delivered (fault F044)."""
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    primary.brings(trade(1))
    successor.brings(trade(2), trade(3))
    assert desk.feed.has_switched()
    desk.feed.forget_successor()
    primary.brings(trade(2), trade(3), trade(4))
    primary.brings(trade(5))
    assert desk.trade_numbers() == [1, 2, 3, 4, 5]


def test_what_the_old_connection_brought_after_the_switch_is_not_lost_with_the_successor() -> None:
    """The new one fed the topic but was behind when it was lost (fault F044)."""
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    primary.brings(trade(1))
    successor.brings(trade(2))
    primary.brings(trade(2), trade(3), trade(4))
    assert desk.trade_numbers() == [1, 2]
    desk.feed.forget_successor()
    assert desk.trade_numbers() == [3, 4]
    primary.brings(trade(5))
    assert desk.trade_numbers() == [5]


def test_a_primary_lost_before_the_switch_hands_over_what_the_successor_has() -> None:
    """What came over the new one is delivered, nothing of it twice (faults F044, F066)."""
    desk, primary, successor = overlapping(TRADES, ETH_TRADES)
    primary.brings(trade(10), trade(11))
    ((_, _, request_id),) = successor.requests()
    successor.brings(trade(14), trade(15))
    assert desk.trade_numbers() == [10, 11]
    desk.feed.on_lost(ConnectionFailed("reset"))
    assert desk.lane.states[-1] == (False, "reset")
    desk.feed.replace()
    assert desk.trade_numbers() == [14, 15]
    successor.answer(request_id)
    assert desk.lane.states[-1] == (True, "")
    successor.brings(trade(15), trade(16))
    assert desk.trade_numbers() == [16]


def test_a_successor_that_is_behind_repeats_nothing() -> None:
    """A front end that lags sends again what was delivered before (fault F066)."""
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    primary.brings(trade(10), trade(11))
    desk.feed.on_lost(ConnectionFailed("reset"))
    desk.feed.replace()
    successor.brings(trade(8), trade(9), trade(10))
    successor.brings(trade(11), trade(12))
    assert desk.trade_numbers() == [10, 11, 12]
    desk.pass_time(61, successor)
    assert [topic for topic, _, _ in desk.questions] == [TRADES], "watched on the new connection, too"


def test_a_topic_acknowledged_by_the_successor_alone_is_watched_after_the_replacement() -> None:
    desk = MarketDesk(TRADES)
    primary = desk.connect()
    assert len(primary.requests()) == 1
    successor = desk.connect()
    successor.accept()
    desk.feed.replace()
    assert desk.lane.states[-1] == (True, "")
    desk.pass_time(61, successor)
    assert [topic for topic, _, _ in desk.questions] == [TRADES]


def test_a_successor_that_is_to_end_soon_is_replaced_in_its_turn() -> None:
    """An announcement on the new connection is not lost with the end of the overlap (fault F045)."""
    desk, _, successor = overlapping(TRADES)
    successor.accept()
    successor.brings(b'{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')
    assert desk.demands == []
    desk.feed.replace()
    assert desk.demands == ["the exchange announced: shutdown"]
    desk.connect().accept()
    desk.feed.replace()
    assert len(desk.demands) == 1


def test_a_topic_wanted_during_the_overlap_comes_over_both() -> None:
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    desk.lane.topics = frozenset({TRADES, ETH_TRADES})
    desk.feed.look_again([ETH_TRADES])
    assert [names for _, names, _ in primary.requests()] == [["ethusdt@trade"]]
    assert [names for _, names, _ in successor.requests()] == [["ethusdt@trade"]]
    primary.brings(trade(1, "ETH-USDT"))
    successor.brings(trade(1, "ETH-USDT"), trade(2, "ETH-USDT"))
    primary.brings(trade(2, "ETH-USDT"))
    assert desk.trade_numbers() == [1, 2]


def test_after_a_reconnect_what_was_delivered_before_is_held_back() -> None:
    """The new server may be behind the old one (fault F066)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(10), trade(11))
    desk.feed.on_lost(ConnectionFailed("reset"))
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(9), trade(10))
    wire.brings(trade(11), trade(12))
    wire.brings(trade(13))
    assert desk.trade_numbers() == [10, 11, 12, 13]


def reconnected(desk: MarketDesk, *frames: bytes) -> Any:
    """Return a connection that follows one which brought these frames."""
    wire = desk.connect()
    wire.accept()
    wire.brings(*frames)
    desk.feed.on_lost(ConnectionFailed("reset"))
    wire = desk.connect()
    wire.accept()
    return wire


def test_numbers_that_begin_anew_are_known_by_their_time() -> None:
    """What happened later is no repetition, whatever its number; what did not, is one, and counted (F057, F066)."""
    desk = MarketDesk(TRADES)
    wire = reconnected(desk, trade(100, at_ms=5000))
    wire.brings(trade(98, at_ms=4000), trade(99, at_ms=5000))
    desk.clock.advance(20)
    wire.brings(trade(100, at_ms=5000))
    assert desk.trade_numbers() == [100]
    assert counted(desk.metrics, "stream.repeated") == 3
    wire.brings(trade(1, at_ms=5001), trade(2, at_ms=5001))
    wire.brings(trade(3, at_ms=5002))
    assert desk.trade_numbers() == [1, 2, 3]
    assert counted(desk.metrics, "stream.repeated") == 3


def test_numbers_without_times_that_are_far_lower_begin_anew() -> None:
    """No server is as far behind (faults F057, F066)."""
    desk = MarketDesk(TICKER)
    wire = reconnected(desk, ticker(1_000_000))
    wire.brings(ticker(999_000))
    assert desk.tickers.pending == 1
    wire.brings(ticker(10), ticker(11))
    wire.brings(ticker(12))
    assert [desk.tickers.get(0).update_id for _ in range(desk.tickers.pending)] == [1_000_000, 10, 11, 12]


def test_numbers_without_times_silence_no_topic_for_long() -> None:
    """Where there is no telling, what comes is held back for 5 s, and counted (faults F057, F066)."""
    desk = MarketDesk(TICKER)
    wire = reconnected(desk, ticker(100))
    wire.brings(ticker(60))
    desk.clock.advance(4.9)
    wire.brings(ticker(61))
    assert desk.tickers.pending == 1
    assert counted(desk.metrics, "stream.repeated") == 2
    desk.clock.advance(0.1)
    wire.brings(ticker(62))
    assert [desk.tickers.get(0).update_id for _ in range(desk.tickers.pending)] == [100, 62]


def test_an_exchange_that_begins_its_numbers_anew_silences_no_topic() -> None:
    """Whatever its clock says, what is held back is held back for 30 s at most (fault F066)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(1000))
    desk.feed.on_lost(ConnectionFailed("reset"))
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(1))
    desk.clock.advance(29.9)
    wire.brings(trade(2))
    assert desk.trade_numbers() == [1000]
    desk.clock.advance(0.1)
    wire.brings(trade(3))
    wire.brings(trade(4))
    assert desk.trade_numbers() == [3, 4]


def test_two_reconnects_in_a_row_remember_what_was_delivered() -> None:
    """Also where the connection in between brought nothing (fault F066)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(10))
    for _ in range(2):
        desk.feed.on_lost(ConnectionFailed("reset"))
        wire = desk.connect()
        wire.accept()
    wire.brings(trade(10), trade(11))
    assert desk.trade_numbers() == [10, 11]


def unnumbered() -> Route:
    return Route(TRADES, DRIVER.decoder(TRADES), ("trade", "binance", BTC), None)


def test_without_numbers_the_old_connection_feeds_a_topic_to_its_end() -> None:
    """There is no telling which event is which (fault F044)."""
    old, new = object(), object()
    gate = Overlap(unnumbered(), new)
    assert gate.let_pass(old, ["a"]) == ["a"]
    assert gate.let_pass(new, ["a", "b"]) == []
    assert not gate.has_switched
    assert gate.finish() == []
    assert gate.abort() == []


def test_the_first_new_event_ends_the_floor() -> None:
    route = Route(TRADES, DRIVER.decoder(TRADES), ("trade", "binance", BTC), lambda event: (event, event))
    route.last = 5
    route.gate = floor = Floor(route, lambda event: (event, event), 0)
    assert floor.let_pass(None, [4, 5]) == []
    assert route.gate is floor
    assert floor.let_pass(None, [5, 6, 7]) == [6, 7]
    assert route.gate is None


@pytest.mark.parametrize("behind", [0, 1, 5])
def test_a_successor_that_is_behind_when_it_takes_over_repeats_nothing(behind: int) -> None:
    """It joined up long ago, but the old connection has brought more than it since (fault F066)."""
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    primary.brings(*[trade(number) for number in range(1, 3 + behind)])
    successor.brings(trade(2))
    assert desk.feed.has_switched()
    desk.feed.replace()
    successor.brings(*[trade(number) for number in range(3, 10)])
    assert desk.trade_numbers() == list(range(1, 10))


STEPS = st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=12)


@fixed
@given(ahead=st.integers(0, 5), steps=STEPS, end=st.sampled_from(["replaced", "successor lost", "primary lost"]))
def test_however_the_two_interleave_nothing_comes_twice_and_nothing_is_missing(
    ahead: int, steps: list[tuple[bool, int]], end: str
) -> None:
    """Both bring the same trades, each at its own speed; whichever is lost, the other one goes on (fault F044)."""
    desk, primary, successor = overlapping(TRADES)
    successor.accept()
    # The primary one has brought the first, and the successor begins a little later in the row.
    primary.brings(trade(1))
    old, new = 1, 1 + ahead
    for is_new, count in steps:
        if is_new:
            successor.brings(*[trade(number) for number in range(new + 1, new + count + 1)])
            new += count
        else:
            primary.brings(*[trade(number) for number in range(old + 1, old + count + 1)])
            old += count
    is_switched = desk.feed.has_switched()
    if end == "successor lost":
        desk.feed.forget_successor()
        primary.brings(*[trade(number) for number in range(old + 1, old + 20)])
    else:
        if end == "primary lost" and not is_switched:
            desk.feed.on_lost(ConnectionFailed("reset"))
        desk.feed.replace()
        successor.brings(*[trade(number) for number in range(new + 1, new + 20)])
    got = desk.trade_numbers()
    assert got == sorted(set(got)), "in order, and nothing twice"
    if is_switched or end == "successor lost":
        assert got == list(range(1, got[-1] + 1)), "nothing is missing"
    assert got[-1] >= max(old, new)


@pytest.mark.parametrize("channel", [Channel.TRADE, Channel.BOOK_TICKER, Channel.ORDER_BOOK])
def test_every_channel_of_binance_is_numbered(channel: Channel) -> None:
    """Without numbers a replacement would have to wait for its limit."""
    assert DRIVER.span(Topic(channel, BTC)) is not None
