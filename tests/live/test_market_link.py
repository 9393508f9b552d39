"""What a market connection asks for, and what it makes of answers, lost answers, refusals and garbage."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from exconn_sync._live.market_feed import MarketFeed, MarketLane
from exconn_sync._runtime.readiness import Readiness
from exconn_sync.errors import ConnectionFailed
from exconn_sync.model.enums import BookState, Channel
from exconn_sync.model.wire import Topic
from tests.live.market import (
    BOOK,
    BTC,
    ETH_TRADES,
    TICKER,
    TRADES,
    MarketDesk,
    Wire,
    depth,
    instruments,
    snapshot,
    ticker,
    trade,
)
from tests.live.support import counted


def test_everything_is_asked_for_at_once_and_settled_by_the_answer() -> None:
    """Topics are packed into few requests (fault F048)."""
    desk = MarketDesk(TRADES, TICKER, BOOK)
    wire = desk.connect()
    ((method, names, request_id),) = wire.requests()
    assert (method, sorted(names)) == (
        "SUBSCRIBE", ["btcusdt@bookTicker", "btcusdt@depth@100ms", "btcusdt@trade"],
    )  # fmt: skip
    assert desk.lane.states[-1] == (False, "")
    established = [wire.handler.is_established]
    assert desk.snapshots == []
    wire.answer(request_id)
    assert desk.lane.states[-1] == (True, "")
    assert desk.lane.covered == frozenset({TRADES, TICKER, BOOK})
    established.append(wire.handler.is_established)
    assert established == [False, True]
    assert len(desk.snapshots) == 1, "changes can flow now"
    assert wire.brings(trade(7), ticker(3))
    assert desk.trade_numbers() == [7]
    assert desk.tickers.get(0).update_id == 3


def test_topics_come_and_go_while_it_is_connected() -> None:
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    desk.lane.topics = frozenset({ETH_TRADES})
    desk.feed.look_again([ETH_TRADES])
    assert desk.lane.states[-1] == (False, "")
    wire.brings(trade(1), trade(2, "ETH-USDT"))
    assert desk.trade_numbers() == [2], "an end counts at once, whatever still arrives"
    assert wire.accept() == [("SUBSCRIBE", ["ethusdt@trade"]), ("UNSUBSCRIBE", ["btcusdt@trade"])]
    assert desk.lane.states[-1] == (True, "")
    wire.brings(trade(3))
    assert desk.trade_numbers() == []
    assert counted(desk.metrics, "stream.unwanted") == 2


def test_of_a_refused_batch_the_others_are_subscribed_and_the_bad_one_is_named() -> None:
    """It is split until the bad topic is known, told once with its symbol, and tried again later (fault F046)."""
    symbols = tuple(f"S{number}-USDT" for number in range(50))
    topics = [Topic(Channel.TRADE, symbol) for symbol in symbols]
    desk = MarketDesk(*topics, symbols=symbols)
    wire = desk.connect()
    asked = wire.accept(lambda names: "s17usdt@trade" in names)
    assert len([names for _, names in asked if names != ["s17usdt@trade"]]) <= 2 * 6
    assert desk.problems() == [("trade.S17-USDT", "subscription of trade.S17-USDT refused: 2: no such stream")]
    assert [topic.symbol for topic in topics if not wire.handler.is_acknowledged(topic)] == ["S17-USDT"]
    assert desk.lane.states[-1] == (True, ""), "nobody waits for what will not come"
    # Somebody new wants it: it is tried again, and that is told again where it fails.
    desk.feed.look_again([topics[17]])
    assert desk.lane.states[-1] == (False, "")
    assert wire.accept(lambda names: True) == [("SUBSCRIBE", ["s17usdt@trade"])]
    assert [where for where, _ in desk.problems()] == ["trade.S17-USDT"]


def refusals(desk: MarketDesk, wire: Wire, seconds: int) -> list[tuple[int, list[str]]]:
    """Let seconds pass and refuse what is asked; return in which second which names were asked for."""
    asked = []
    for second in range(1, seconds + 1):
        desk.pass_time(1, wire)
        for _, names, request_id in wire.requests():
            asked.append((second, names))
            wire.answer(request_id, "no such stream")
    return asked


def test_a_refused_topic_is_asked_for_again_at_growing_pauses_and_told_once() -> None:
    """A refusal may pass; nobody waits for that, nor hears of each attempt (fault F046)."""
    desk = MarketDesk(TRADES, TICKER)
    wire = desk.connect()
    ((_, _, request_id),) = wire.requests()
    wire.answer(request_id, "busy")
    wire.accept(lambda names: "btcusdt@trade" in names)
    asked = refusals(desk, wire, 200)
    assert [names for _, names in asked] == [["btcusdt@trade"]] * len(asked)
    assert [later - earlier for (earlier, _), (later, _) in pairwise(asked)] == [2, 4, 8, 16, 32, 60, 60]
    assert len(desk.problems()) == 1
    assert all(is_settled for is_settled, _ in desk.lane.states[-10:]), "also while it is asked for"
    desk.pass_time(60, wire)
    wire.accept()
    assert desk.feed.refusals.shown == {}
    wire.brings(trade(1))
    assert desk.trade_numbers() == [1]


def test_what_was_refused_for_a_reason_that_is_over_comes_back_at_once() -> None:
    """Many topics do not wait for as many turns, and cost little until then (faults F046, F048)."""
    symbols = tuple(f"S{number}-USDT" for number in range(40))
    topics = [Topic(Channel.TRADE, symbol) for symbol in symbols]
    desk = MarketDesk(*topics, symbols=symbols)
    wire = desk.connect()
    wire.accept(lambda names: True)
    assert len(desk.feed.refusals.shown) == 40
    asked = refusals(desk, wire, 60)
    assert len(asked) <= 62
    while not (requests := wire.requests()):
        desk.pass_time(1, wire)
    ((_, some, request_id),) = requests
    assert len(some) <= 2
    wire.answer(request_id)
    ((_, others, request_id),) = wire.requests()
    assert len(others) == 40 - len(some)
    wire.answer(request_id)
    assert all(map(wire.handler.is_acknowledged, topics))
    assert desk.feed.refusals.shown == {}


def test_a_refused_topic_that_nobody_wants_any_more_is_forgotten() -> None:
    """Neither asked for again nor shown (fault F046)."""
    desk = MarketDesk(TRADES, BOOK)
    wire = desk.connect()
    wire.accept(lambda names: "btcusdt@depth@100ms" in names)
    assert list(desk.feed.refusals.shown) == [BOOK]
    desk.lane.topics = frozenset({TRADES})
    desk.feed.look_again()
    assert desk.feed.refusals.shown == {}
    assert desk.shelf.states() == {}
    assert refusals(desk, wire, 100) == []


def test_a_book_that_is_refused_no_more_is_loaded() -> None:
    """Without waiting for a change: none was owed (fault F046)."""
    desk = MarketDesk(BOOK)
    wire = desk.connect()
    wire.accept(lambda names: True)
    assert desk.snapshots == []
    desk.pass_time(2, wire)
    wire.accept()
    assert len(desk.snapshots) == 1


def test_an_unknown_symbol_is_named_once_and_the_others_are_asked_for() -> None:
    desk = MarketDesk(TRADES, Topic(Channel.TRADE, "NOPE-USDT"))
    wire = desk.connect()
    assert wire.accept() == [("SUBSCRIBE", ["btcusdt@trade"])]
    ((where, text),) = desk.problems()
    assert where == "trade.NOPE-USDT"
    assert "NOPE-USDT" in text
    assert desk.lane.states[-1] == (True, "")


def test_a_symbol_that_left_the_catalogue_can_still_be_given_up() -> None:
    """A delisting costs its own topics, not the connection of all others."""
    desk = MarketDesk(TRADES, ETH_TRADES)
    wire = desk.connect()
    wire.accept()
    desk.catalogue.replace(instruments("ETH-USDT"))
    desk.lane.topics = frozenset({ETH_TRADES})
    desk.feed.look_again()
    assert wire.accept() == [("UNSUBSCRIBE", ["btcusdt@trade"])]
    assert desk.problems() == []


def test_a_lost_answer_does_not_matter_where_the_data_flow() -> None:
    """The truth is the data: such a topic is acknowledged, watched, and its book synchronized (fault F047)."""
    desk = MarketDesk(TRADES, BOOK, topic_timeout=60)
    wire = desk.connect()
    wire.requests()
    wire.brings(trade(1), depth(5, 6))
    desk.pass_time(9.9, wire)
    assert desk.lane.states[-1] == (False, "")
    desk.pass_time(0.2, wire)
    assert desk.lane.states[-1] == (True, "")
    assert wire.handler.is_established
    assert wire.requests() == []
    assert desk.problems() == []
    assert desk.demands == []
    desk.snapshots[-1].set_result(snapshot(5))
    desk.run()
    assert desk.shelf.view(BTC).state is BookState.LIVE
    desk.pass_time(61, wire)
    assert desk.questions, "it is watched for silence like any other"


def test_no_answer_and_no_data_are_asked_for_once_more_and_then_elsewhere() -> None:
    """Once more after the limit; then the connection is replaced, and the topic is named (fault F047)."""
    desk = MarketDesk(TRADES, TICKER)
    wire = desk.connect()
    assert len(wire.requests()) == 1
    wire.brings(ticker(1))
    desk.pass_time(10.1, wire)
    assert [(method, names) for method, names, _ in wire.requests()] == [("SUBSCRIBE", ["btcusdt@trade"])]
    assert (desk.demands, desk.problems()) == ([], [])
    desk.pass_time(10.1, wire)
    assert desk.demands == ["no answer to 1 subscriptions"]
    assert desk.problems() == [("trade.BTC-USDT", "no answer to the subscription of trade.BTC-USDT")]


def listed(wire: Wire, request_id: int, *names: str) -> None:
    wire.brings(json.dumps({"result": names, "id": request_id}).encode())


def test_a_quiet_topic_without_an_answer_is_looked_for_in_the_exchanges_list() -> None:
    """What is there is not asked for again, what is not is, without waiting any longer (fault F047)."""
    desk = MarketDesk(TRADES, ETH_TRADES, TICKER)
    wire = desk.connect()
    wire.requests()
    wire.brings(ticker(1))
    desk.pass_time(4.9, wire)
    assert wire.requests() == []
    desk.pass_time(0.2, wire)
    ((method, _, question),) = wire.requests()
    assert method == "LIST_SUBSCRIPTIONS"
    desk.pass_time(1.0, wire)
    assert wire.requests() == [], "one question is enough"
    listed(wire, question, "btcusdt@trade", "btcusdt@bookTicker")
    ((method, names, again),) = wire.requests()
    assert (method, names) == ("SUBSCRIBE", ["ethusdt@trade"])
    assert wire.handler.is_acknowledged(TRADES)
    assert wire.handler.is_acknowledged(TICKER)
    wire.answer(again)
    assert desk.problems() == []
    assert desk.lane.states[-1] == (True, "")


def test_a_topic_that_is_missing_in_the_list_twice_is_sought_elsewhere() -> None:
    """(fault F047)"""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    for _ in range(2):
        assert [method for method, _, _ in wire.requests()] == ["SUBSCRIBE"]
        desk.pass_time(5.1, wire)
        ((_, _, question),) = wire.requests()
        listed(wire, question)
    assert desk.demands == ["no answer to 1 subscriptions"]
    assert desk.problems() == [("trade.BTC-USDT", "no answer to the subscription of trade.BTC-USDT")]


def test_a_list_that_is_refused_leaves_it_to_the_time() -> None:
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.requests()
    desk.pass_time(5.1, wire)
    ((_, _, question),) = wire.requests()
    wire.answer(question, "not today")
    desk.pass_time(5.1, wire)
    assert [method for method, _, _ in wire.requests()] == ["SUBSCRIBE"]
    assert desk.problems() == []


def test_a_lost_answer_on_a_successor_is_not_made_up_for_by_the_primary() -> None:
    """Data of the old connection prove nothing about the new one (faults F044, F047)."""
    desk = MarketDesk(TRADES)
    primary = desk.connect()
    primary.accept()
    successor = desk.connect()
    assert len(successor.requests()) == 1
    for number in range(1, 25):
        desk.clock.advance(1)
        primary.brings(trade(number))
        primary.tick()
        successor.tick()
    assert not successor.handler.is_established
    assert desk.trade_numbers() == list(range(1, 25))
    assert len(successor.requests()) >= 1


def test_frames_of_the_last_life_of_a_topic_are_no_answer() -> None:
    """A topic that is asked for again starts without proof (fault F047)."""
    desk = MarketDesk(TRADES, TICKER)
    wire = desk.connect()
    wire.requests()
    wire.brings(trade(1))
    wire.answer(1)
    desk.lane.topics = frozenset({TICKER})
    desk.feed.look_again()
    ((_, _, ended),) = wire.requests()
    wire.answer(ended)
    desk.lane.topics = frozenset({TICKER, TRADES})
    desk.feed.look_again([TRADES])
    assert len(wire.requests()) == 1
    desk.pass_time(10.1, wire)
    assert len(wire.requests()) == 1, "asked for again"
    assert not wire.handler.is_acknowledged(TRADES)


def test_two_thousand_topics_are_restored_within_the_limits_of_the_exchange() -> None:
    """Never more requests in a second, topics in a request or on a connection than allowed (fault F048)."""
    symbols = tuple(f"S{number}-USDT" for number in range(2000))
    desks: dict[int, MarketDesk] = {}
    readiness = Readiness({"stream": ["stream"]})
    feed = MarketFeed(1024, readiness, lambda owner, number: MarketLane(owner, number, None), lambda lane: None)  # type: ignore[arg-type]
    for symbol in symbols:
        feed.want(Topic(Channel.TRADE, symbol))
    assert [len(lane.topics) for lane in feed.lanes] == [1024, 976]
    for lane in feed.lanes:
        desk = desks[lane.number] = MarketDesk(*lane.topics, symbols=symbols)
        wire = desk.connect()
        sent_at: list[int] = []
        names: list[str] = []
        for _ in range(200):
            for method, params, request_id in wire.requests():
                assert method == "SUBSCRIBE"
                assert len(params) <= 200
                sent_at.append(desk.clock.monotonic_ns())
                names += params
                wire.answer(request_id)
            if wire.handler.is_established:
                break
            desk.pass_time(0.05, wire)
        assert sorted(names) == sorted(topic.symbol.replace("-", "").lower() + "@trade" for topic in lane.topics)
        for at in sent_at:
            assert len([each for each in sent_at if at <= each < at + 1_100_000_000]) <= 4
        lane.settled(desk.lane.states[-1][0])
    assert readiness.events["stream"].is_set()


def test_the_pace_is_kept_by_the_shortest_wait() -> None:
    """What is held back goes as soon as it may, not at some later look (fault F048)."""
    symbols = tuple(f"S{number}-USDT" for number in range(1000))
    desk = MarketDesk(*[Topic(Channel.TRADE, symbol) for symbol in symbols], symbols=symbols)
    wire = desk.connect()
    assert len(wire.requests()) == 4
    desk.clock.advance(0.5)
    assert wire.tick() == pytest.approx(0.6)
    assert wire.requests() == []
    desk.pass_time(0.6, wire)
    assert len(wire.requests()) == 1


def test_an_announced_end_has_the_connection_replaced() -> None:
    """In the shape of combined streams, and bare (fault F045)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(json.dumps({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": 1}}).encode())
    wire.brings(b'{"e":"serverShutdown","E":1}')
    assert desk.demands == ["the exchange announced: shutdown"] * 2
    assert desk.trade_numbers() == []


GARBAGE = [
    b"",
    b"{",
    b"not json",
    b"<html></html>",
    b'{"stream":"btcusdt@trade","data":{"e":"trade","t":"x"}}',
    trade(2).replace(b"1.5", b"\xff\xfe"),
    b"\xff\xfe",
]


@pytest.mark.parametrize("bad", GARBAGE)
def test_a_malformed_message_is_told_and_harms_no_other(bad: bytes) -> None:
    """The rest of the read is delivered, and the connection goes on (faults F030, F032)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(trade(1), bad, trade(3))
    assert desk.trade_numbers() == [1, 3]
    assert len(desk.problems()) == 1


def test_too_much_garbage_ends_the_connection() -> None:
    """It brings nothing that can be used; but a bad message now and then does not add up (fault F032)."""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    for _ in range(5):
        wire.brings(*[b"{"] * 900)
        desk.clock.advance(10.1)
    wire.brings(*[b"{"] * 1000)
    with pytest.raises(ConnectionFailed, match="more than 1000 malformed messages"):
        wire.brings(b"{")


def test_a_complaint_about_nothing_is_told() -> None:
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.answer(999, "what?")
    wire.answer(998)
    assert desk.problems() == [("market stream", "the exchange complained: 2: what?")]


def test_a_message_that_is_not_known_is_counted() -> None:
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    assert not wire.brings(b'{"e":"somethingNew"}')
    assert counted(desk.metrics, "stream.unrecognized") == 1
    assert desk.problems() == []


def test_another_connection_is_asked_for_at_growing_pauses() -> None:
    """A topic may be dead on every connection: replacing does not go on without an end (fault F060)."""
    desk = MarketDesk(TRADES)
    asked: list[float] = []
    begin_ns = desk.clock.monotonic_ns()
    while len(asked) < 10:
        if desk.feed.try_another("silent"):
            asked.append((desk.clock.monotonic_ns() - begin_ns) / 1e9)
        desk.clock.advance(10)
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert desk.demands == ["silent"] * 10


def test_a_silent_topic_is_asked_for_again_and_then_its_connection_is_replaced() -> None:
    """Its book is not readable meanwhile, and it is told what is done (fault F060)."""
    desk = MarketDesk(BOOK, TICKER, topic_timeout=60)
    wire = desk.connect()
    wire.accept()
    desk.snapshots[0].set_result(snapshot(10))
    desk.run()
    assert desk.shelf.view(BTC).state is BookState.LIVE
    for _ in range(62):
        desk.clock.advance(1)
        wire.brings(ticker(1))
        wire.tick()
    ((topic, quiet_for, future),) = desk.questions
    assert topic == BOOK
    assert quiet_for >= 60
    future.set_result("silent")
    wire.tick()
    assert desk.problems() == [], "news may be on their way"
    desk.pass_time(2.1, wire)
    ((where, text),) = desk.problems()
    assert where == "orderbook.BTC-USDT"
    assert text.endswith("although the exchange has newer ones; asked for again")
    assert desk.shelf.view(BTC).state is BookState.STALE
    assert desk.lane.states[-1] == (False, "")
    assert wire.accept() == [("UNSUBSCRIBE", ["btcusdt@depth@100ms"]), ("SUBSCRIBE", ["btcusdt@depth@100ms"])]
    assert desk.lane.states[-1] == (True, "")
    assert len(desk.snapshots) == 1, "a snapshot alone would look alive"
    for _ in range(62):
        desk.clock.advance(1)
        wire.brings(ticker(1))
        wire.tick()
    desk.questions[1][2].set_result("silent")
    wire.tick()
    desk.pass_time(2.1, wire)
    assert desk.demands == ["orderbook.BTC-USDT stays silent"]
    assert desk.problems()[0][1].endswith("its connection is replaced")
    assert wire.requests() == []
