"""A connection that is to take over does not bring everything: the one in use is kept (faults F044, F046, F047)."""

from __future__ import annotations

import pytest

from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import BookState
from exconn_sync.model.wire import Topic
from tests.live.market import BOOK, BTC, ETH_TRADES, TRADES, MarketDesk, Wire, depth, snapshot, trade
from tests.live.support import READY, connected, counted
from tests.unit.support import LIMIT, until


def beside(*topics: Topic) -> tuple[MarketDesk, Wire, Wire]:
    """Return a desk with an established primary, and a successor that was asked for everything."""
    desk = MarketDesk(*topics)
    primary = desk.connect()
    primary.accept()
    return desk, primary, desk.connect()


def flow(desk: MarketDesk, wire: Wire, numbers: range) -> None:
    """Bring trades, one a second."""
    for number in numbers:
        desk.clock.advance(1)
        wire.brings(trade(number))


def test_what_flows_over_the_old_connection_alone_is_lacking() -> None:
    """The exchange has acknowledged it and lost it (fault F047)."""
    desk, primary, successor = beside(TRADES, ETH_TRADES)
    successor.accept()
    flow(desk, primary, range(1, 11))
    assert not desk.feed.has_switched()
    assert desk.feed.lacking() == "trade.BTC-USDT"
    successor.brings(trade(11))
    assert desk.feed.lacking() == ""


def test_what_flows_on_neither_is_not_lacking() -> None:
    desk, _, successor = beside(TRADES)
    successor.accept()
    desk.clock.advance(100)
    assert desk.feed.lacking() == ""


def test_a_topic_that_is_given_up_meanwhile_is_not_lacking() -> None:
    desk, primary, successor = beside(TRADES, ETH_TRADES)
    successor.accept()
    flow(desk, primary, range(1, 11))
    desk.lane.topics = frozenset({ETH_TRADES})
    desk.feed.look_again()
    assert desk.feed.lacking() == ""


def test_of_many_topics_a_few_are_named() -> None:
    symbols = tuple(f"S{number}-USDT" for number in range(5))
    topics = [Topic(TRADES.channel, symbol) for symbol in symbols]
    desk = MarketDesk(*topics, symbols=symbols)
    primary = desk.connect()
    primary.accept()
    desk.connect().accept()
    desk.clock.advance(2)
    primary.brings(*[trade(1, symbol) for symbol in symbols])
    desk.clock.advance(2)
    assert desk.feed.lacking().endswith(" and 2 more")


def test_a_topic_that_only_the_connection_that_ended_brought_is_asked_for_again_at_once() -> None:
    """Nobody waits for a minute until its silence is noticed, and its book is not readable meanwhile (fault F047)."""
    desk, primary, successor = beside(BOOK, ETH_TRADES)
    desk.snapshots[0].set_result(snapshot(10))
    desk.run()
    primary.brings(depth(11, 12))
    successor.accept()
    for update in range(13, 20):
        desk.clock.advance(1)
        primary.brings(depth(update, update))
    assert desk.shelf.view(BTC).state is BookState.LIVE
    desk.feed.replace()
    assert desk.shelf.view(BTC).state is BookState.STALE
    assert desk.lane.states[-1] == (False, "")
    assert successor.accept() == [("UNSUBSCRIBE", ["btcusdt@depth@100ms"]), ("SUBSCRIBE", ["btcusdt@depth@100ms"])]
    assert desk.lane.states[-1] == (True, "")


def refusing(names: list[str]) -> bool:
    """Refuse the trades of BTC."""
    return "btcusdt@trade" in names


def test_what_only_the_successor_is_refused_is_lacking_and_nobody_hears_of_it() -> None:
    """The connection in use brings it, and is not given up for one that will not (faults F044, F046)."""
    desk, primary, successor = beside(TRADES, ETH_TRADES)
    successor.accept(refusing)
    assert successor.handler.is_established
    assert not desk.feed.has_switched()
    assert desk.feed.lacking() == "trade.BTC-USDT"
    desk.feed.forget_successor()
    primary.brings(trade(1))
    assert desk.trade_numbers() == [1]
    assert desk.problems() == []


def test_what_both_connections_are_refused_is_not_lacking_and_told_once() -> None:
    """(faults F044, F046)"""
    desk = MarketDesk(TRADES, ETH_TRADES)
    desk.connect().accept(refusing)
    successor = desk.connect()
    successor.accept(refusing)
    assert desk.feed.lacking() == ""
    desk.feed.replace()
    assert [where for where, _ in desk.problems()] == ["trade.BTC-USDT"]


def test_a_topic_refused_by_the_only_connection_left_is_told_and_not_called_silent() -> None:
    """Its book is not readable, and nobody asks the exchange about its silence (faults F045, F046)."""
    desk, primary, successor = beside(BOOK, TRADES)
    desk.snapshots[0].set_result(snapshot(10))
    desk.run()
    primary.brings(depth(11, 12), trade(1))
    successor.accept(lambda names: "btcusdt@depth@100ms" in names)
    desk.feed.replace()
    ((where, text),) = desk.problems()
    assert (where, text) == ("orderbook.BTC-USDT", "subscription of orderbook.BTC-USDT refused: 2: no such stream")
    assert desk.shelf.view(BTC).state is BookState.STALE
    assert desk.feed.refusals.shown == {BOOK: text}
    for number in range(2, 200):
        desk.clock.advance(1)
        successor.brings(trade(number))
        successor.tick()
    assert desk.questions == []


def test_a_topic_that_the_new_connection_is_not_refused_any_more_is_over() -> None:
    """(fault F046)"""
    desk = MarketDesk(TRADES)
    desk.connect().accept(refusing)
    assert list(desk.feed.refusals.shown) == [TRADES]
    successor = desk.connect()
    successor.accept()
    desk.feed.replace()
    assert desk.feed.refusals.shown == {}
    successor.brings(trade(1))
    assert desk.trade_numbers() == [1]


def test_a_successor_that_lacks_something_is_given_up_and_another_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection in use goes on, and nobody but a counter hears of it (faults F044, F047)."""
    monkeypatch.setattr("exconn_sync._live.socket_session._OVERLAP_LIMIT", 0.1)
    monkeypatch.setattr("exconn_sync._live.socket_session._NEXT_REPLACEMENT", 0.05)
    with connected() as (server, desk, first):
        desk.feed.lacks = "trade.BTC-USDT"
        desk.replace()
        for number in (2, 3):
            second = server.accept()
            desk.expect(f"open {number}")
            second.text(READY)
            desk.expect("forget")
            assert second.ended.wait(LIMIT)
        first.text(b"on and on")
        assert desk.feed.messages.get(timeout=LIMIT) == (1, b"on and on")
        desk.feed.lacks = ""
        server.accept().text(READY)
        desk.expect("open 4", "replace")
        assert first.ended.wait(LIMIT)
        assert desk.feed.lost.empty()
        assert counted(desk.metrics, "connection.replacement_failed") == 2
        trail = [entry.what for entry in desk.reporter.recorder.trail()]
        assert "no successor: the successor does not bring trade.BTC-USDT" in trail


def test_successors_are_tried_at_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them costs the exchange a connection; one that is good begins anew (fault F048)."""
    with connected() as (_, desk, _):
        session = desk.session
        pauses: list[float] = []
        monkeypatch.setattr(session._rotation, "postponed", lambda now_ns, seconds: pauses.append(seconds))

        def work() -> None:
            for _ in range(6):
                session._postpone(ConnectionFailed("none"))
            session._failed_successors = 0
            session._postpone(ConnectionFailed("none"))

        session.post(work)
        until(lambda: len(pauses) == 7)
        assert pauses == [30, 60, 120, 240, 300, 300, 30]
