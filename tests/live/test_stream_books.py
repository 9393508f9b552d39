"""Books whose snapshots come in the stream itself, as Bybit's do: a missing one is a reason to subscribe anew."""

from __future__ import annotations

import json

import pytest

from exconn_sync.config.settings import Reconnect
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import BookState, Channel
from exconn_sync.model.wire import Topic
from tests.exchanges.bybit import frames
from tests.live.market import BTC, MarketDesk, Wire
from tests.live.support import counted

BOOK = Topic(Channel.ORDER_BOOK, BTC)
BEST = Topic(Channel.BOOK_TICKER, BTC)
TRADES = Topic(Channel.TRADE, BTC)
NAME = "orderbook.200.BTCUSDT"


class Desk(MarketDesk):
    """A desk at Bybit; its requests are answered by hand."""

    def __init__(self, *topics: Topic, idle_timeout: float = 1e6) -> None:
        super().__init__(*topics, exchange="bybit")
        object.__setattr__(self.config, "reconnect", Reconnect(idle_timeout=idle_timeout, topic_timeout=60))

    def state(self) -> BookState:
        """The state of the book, as a reader sees it."""
        return self.shelf.view(BTC).state

    def ids(self) -> list[int]:
        """Return the versions of the book shown since the last call."""
        return [self.views.get(0).update_id for _ in range(self.views.pending)]


def asked(wire: Wire) -> list[tuple[str, list[str], int]]:
    """Return the requests since the last call: operation, topics, id."""
    new, wire._read = wire.socket.texts[wire._read :], len(wire.socket.texts)
    requests = [json.loads(each) for each in new]
    return [(each["op"], each["args"], int(each["req_id"])) for each in requests if "args" in each]


def accept(wire: Wire) -> list[tuple[str, list[str]]]:
    """Answer all requests, also those that follow; return them."""
    seen = []
    while requests := asked(wire):
        for operation, names, request_id in requests:
            seen.append((operation, names))
            wire.brings(frames.reply(request_id, operation=operation))
    return seen


def live_desk(update_id: int = 7) -> tuple[Desk, Wire]:
    desk = Desk(BOOK)
    wire = desk.connect()
    assert accept(wire) == [("subscribe", [NAME])]
    wire.brings(frames.book(update_id))
    assert desk.state() is BookState.LIVE
    desk.ids()
    return desk, wire


def test_the_snapshot_comes_with_the_topic_and_rest_is_not_asked() -> None:
    """(Bybit: 6.3)"""
    desk = Desk(BOOK)
    wire = desk.connect()
    accept(wire)
    assert desk.state() is BookState.SYNCING
    wire.brings(frames.book(7), frames.delta(8, [("100.5", "0")]))
    assert desk.state() is BookState.LIVE
    assert desk.ids() == [7, 8]
    desk.run()
    assert (desk.snapshots, asked(wire)) == ([], [])
    view = desk.shelf.view(BTC)
    assert (view.bids[0].__class__, str(view.bids[0][0]), view.exchange_time) == (tuple, "100.0", frames.AT_MS * 10**6)


def test_a_snapshot_may_come_before_the_answer() -> None:
    desk = Desk(BOOK)
    wire = desk.connect()
    wire.brings(frames.book(7))
    assert desk.state() is BookState.LIVE
    accept(wire)
    desk.pass_time(30, wire)
    desk.run()
    assert asked(wire) == []


def test_a_later_snapshot_replaces_the_book_whatever_its_number() -> None:
    """(Bybit: 6.3, rules 1 and 3; fault F057)"""
    desk, wire = live_desk(100)
    wire.brings(frames.delta(101, [("99", "5")]), frames.book(1, [("50", "1")], [("51", "1")]), frames.delta(2))
    assert desk.ids() == [101, 1, 2]
    assert [str(price) for price, _ in desk.shelf.view(BTC).bids] == ["50"]


def test_a_repeated_snapshot_is_a_sign_of_life_and_no_new_version() -> None:
    """(Bybit: 6.3, rule 4; fault F058)"""
    desk, wire = live_desk(7)
    desk.clock.advance(5)
    wire.brings(frames.book(7))
    assert desk.ids() == []
    assert desk.shelf.view(BTC).age == 0


def test_after_a_gap_the_topic_is_subscribed_anew_until_a_snapshot_comes() -> None:
    """(Bybit: 6.3, rule 6; faults F050, F051)"""
    desk, wire = live_desk(7)
    wire.brings(frames.delta(9))
    assert desk.state() is BookState.SYNCING
    desk.run()
    ((operation, names, request_id),) = asked(wire)
    assert (operation, names) == ("unsubscribe", [NAME])
    wire.brings(frames.delta(10))
    desk.run()
    assert asked(wire) == [], "once"
    wire.brings(frames.reply(request_id, operation="unsubscribe"))
    assert accept(wire) == [("subscribe", [NAME])]
    wire.brings(frames.book(20), frames.delta(21))
    assert desk.state() is BookState.LIVE
    assert desk.ids() == [20, 21], "what came before the snapshot is in it"
    assert counted(desk.metrics, "book.lost") == 1


def test_a_book_that_is_lost_again_and_again_waits_longer_each_time() -> None:
    """An exchange whose numbers do not go up by one is not asked for one snapshot after the other (fault F048)."""
    desk, wire = live_desk(7)
    waits = []
    for _ in range(9):
        wire.brings(frames.delta(99))
        waited = 0
        desk.run()
        while ("subscribe", [NAME]) not in accept(wire):
            desk.pass_time(0.1, wire)
            desk.run()
            waited += 1
        waits.append(waited)
        wire.brings(frames.book(7))
        assert desk.state() is BookState.LIVE
    assert waits[0] == 0, "the first time at once"
    assert sum(waits[1:4]) < sum(waits[5:8])
    assert max(waits) <= 101
    desk.pass_time(11, wire)
    wire.brings(frames.delta(8), frames.delta(99))
    desk.run()
    assert accept(wire), "it has lived for a while: a new case"


@pytest.mark.parametrize("update_id", [2, 6])
def test_a_lower_number_without_a_snapshot_is_a_gap_too(update_id: int) -> None:
    """A restart whose snapshot was lost must not leave a book behind that looks alive and never changes."""
    desk, wire = live_desk(7)
    wire.brings(frames.delta(update_id))
    desk.run()
    assert desk.state() is BookState.SYNCING
    assert asked(wire)[0][0] == "unsubscribe"


def test_a_topic_that_brings_no_snapshot_is_subscribed_anew_after_a_while() -> None:
    """(fault F054)"""
    desk = Desk(BOOK)
    wire = desk.connect()
    accept(wire)
    desk.pass_time(9, wire)
    desk.run()
    assert asked(wire) == []
    desk.pass_time(2, wire)
    assert [where for where, _ in desk.problems()] == ["snapshot of BTC-USDT"]
    desk.pass_time(1, wire)
    desk.run()
    assert accept(wire) == [("unsubscribe", [NAME]), ("subscribe", [NAME])]
    wire.brings(frames.book(5))
    assert desk.state() is BookState.LIVE
    desk.pass_time(60, wire)
    desk.run()
    assert asked(wire) == []


def test_a_change_without_a_snapshot_before_it_shows_that_it_was_lost() -> None:
    """The topic is acknowledged, so it owes a snapshot first: nobody waits for it until its time is over."""
    desk = Desk(BOOK)
    wire = desk.connect()
    accept(wire)
    wire.brings(frames.delta(8))
    assert desk.state() is BookState.SYNCING
    assert [where for where, _ in desk.problems()] == ["snapshot of BTC-USDT"]
    assert asked(wire) == [], "after a pause"
    desk.pass_time(0.3, wire)
    desk.run()
    assert accept(wire) == [("unsubscribe", [NAME]), ("subscribe", [NAME])]
    wire.brings(frames.book(20), frames.delta(21))
    assert desk.ids() == [20, 21]


def test_a_malformed_snapshot_is_told_and_asked_for_again() -> None:
    """(fault F059)"""
    desk, wire = live_desk(7)
    wire.brings(frames.book(8, [("1", "x")]))
    assert desk.state() is BookState.BROKEN
    desk.run()
    assert len(desk.problems()) == 1
    assert asked(wire)[0][0] == "unsubscribe"


def test_a_crossed_snapshot_is_not_shown() -> None:
    """(fault F059)"""
    desk, wire = live_desk(7)
    wire.brings(frames.book(8, [("102", "1")], [("101", "1")]))
    assert desk.state() is BookState.BROKEN
    assert desk.ids() == []


def test_a_book_of_a_lost_connection_begins_anew_on_the_next() -> None:
    desk, wire = live_desk(7)
    desk.feed.on_lost(ConnectionFailed("reset"))
    assert desk.state() is BookState.STALE
    desk.run()
    again = desk.connect()
    accept(again)
    again.brings(frames.book(3))
    assert desk.state() is BookState.LIVE
    assert desk.shelf.view(BTC).update_id == 3
    assert asked(wire) == []


def test_a_successor_takes_the_book_over_without_a_gap() -> None:
    """(fault F044)"""
    desk, wire = live_desk(7)
    successor = desk.connect()
    accept(successor)
    successor.brings(frames.book(6), frames.delta(7), frames.delta(8, [("99", "1")]))
    wire.brings(frames.delta(8, [("99", "1")]))
    assert desk.feed.has_switched()
    desk.feed.replace()
    successor.brings(frames.delta(9))
    assert desk.ids() == [8, 9]
    assert desk.state() is BookState.LIVE


def test_a_topic_that_the_connection_has_already_is_no_refusal() -> None:
    """(Bybit: 6.1)"""
    desk = Desk(TRADES)
    wire = desk.connect()
    ((_, _, request_id),) = asked(wire)
    wire.brings(frames.reply(request_id, error="error:already subscribed,topic:publicTrade.BTCUSDT"))
    assert desk.problems() == []
    assert wire.handler.is_acknowledged(TRADES)


def test_of_several_topics_of_which_one_is_there_the_others_are_asked_for_again() -> None:
    """One bad topic fails the whole request (Bybit: 6.1)."""
    desk = Desk(TRADES, BEST)
    wire = desk.connect()
    ((_, names, request_id),) = asked(wire)
    assert len(names) == 2
    wire.brings(frames.reply(request_id, error="error:already subscribed,topic:publicTrade.BTCUSDT"))
    requests = asked(wire)
    assert sorted(name for _, (name,), _ in requests) == ["orderbook.1.BTCUSDT", "publicTrade.BTCUSDT"]
    for _, (name,), number in requests:
        wire.brings(frames.reply(number, error="error:already subscribed" if "Trade" in name else ""))
    assert wire.handler.is_established
    assert desk.problems() == []


def test_signs_of_life_are_asked_for_and_given_in_the_words_of_the_exchange() -> None:
    """(Bybit: 6.1, 6.2; fault F025)"""
    desk = Desk(TRADES, idle_timeout=20)
    wire = desk.connect()
    accept(wire)
    for number in range(1, 5):
        desk.clock.advance(10.1)
        wire.tick()
        assert wire.socket.texts.count(b'{"op":"ping"}') == number
        assert wire.brings(frames.PONG), "it proves a connection on which nothing is due"
    assert wire.socket.pings == 0
    assert counted(desk.metrics, "stream.unrecognized") == 0


def test_no_more_than_ten_topics_are_asked_for_at_once() -> None:
    """(Bybit: 3.4; fault F048)"""
    symbols = tuple(f"S{number}-USDT" for number in range(25))
    desk = MarketDesk(*(Topic(Channel.TRADE, symbol) for symbol in symbols), symbols=symbols, exchange="bybit")
    wire = desk.connect()
    assert [len(names) for _, names, _ in asked(wire)] == [10, 10, 5]
