"""Who wants what, on which connection it comes, and when everything comes."""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Iterable
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.market_feed import MarketFeed, MarketLane
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._live.stream_feed import StreamFeed
from exconn_sync._runtime.readiness import Readiness
from exconn_sync.errors import ThreadsUnavailable
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic
from tests.unit.support import Background, in_threads

TOPICS = [Topic(Channel.TRADE, f"S{number}-USDT") for number in range(8)]
ONE, TWO, THREE = TOPICS[:3]


class Session:
    """Counts what is posted; whether it is open is up to the test."""

    def __init__(self) -> None:
        self.posted: list[Any] = []
        self.is_open = False

    def post(self, task: Any) -> None:
        self.posted.append(task)


class Looks:
    def __init__(self) -> None:
        self.newcomers: list[list[Topic]] = []

    def look_again(self, newcomers: Iterable[Topic]) -> None:
        self.newcomers.append(list(newcomers))


class Desk:
    def __init__(self, capacity: int = 2) -> None:
        self.readiness = Readiness({"stream": ["stream"]})
        self.opened: list[int] = []
        self.lock = threading.Lock()
        self.feed = MarketFeed(capacity, self.readiness, self._make, self._open)

    def _make(self, owner: MarketFeed, number: int) -> MarketLane:
        return MarketLane(owner, number, cast(ConnectionReporter, None))

    def _open(self, lane: MarketLane) -> None:
        # The lock of the feed is not held: a worker that is started may ask for topics at once.
        self.feed.wanted()
        with self.lock:
            self.opened.append(lane.number)

    @property
    def is_ready(self) -> bool:
        return self.readiness.events["stream"].is_set()

    def topics(self) -> list[set[Topic]]:
        return [set(lane.wanted()) for lane in self.feed.lanes]


def live(lane: MarketLane) -> tuple[Session, Looks]:
    session, looks = Session(), Looks()
    lane.live(cast(SocketSession, session), cast(StreamFeed, looks))
    return session, looks


def test_a_connection_is_opened_when_the_others_are_full_and_stays() -> None:
    desk = Desk(2)
    for topic in (ONE, TWO):
        desk.feed.want(topic)
    assert desk.opened == [], "the first one is there from the beginning"
    desk.feed.want(THREE)
    assert desk.opened == [2]
    assert desk.topics() == [{ONE, TWO}, {THREE}]
    desk.feed.release(THREE)
    assert desk.topics() == [{ONE, TWO}, set()]
    desk.feed.want(TOPICS[3])
    assert desk.topics() == [{ONE, TWO}, {TOPICS[3]}]
    assert desk.opened == [2], "it is used again"


def test_a_topic_lasts_as_long_as_somebody_wants_it() -> None:
    desk = Desk()
    desk.feed.want(ONE)
    desk.feed.want(ONE)
    desk.feed.release(ONE)
    assert desk.feed.wanted() == {ONE}
    desk.feed.release(ONE)
    assert desk.feed.wanted() == set()
    assert desk.topics() == [set()]


def test_a_release_that_overtakes_its_want_leaves_the_others_alone() -> None:
    desk = Desk()
    desk.feed.want(ONE)
    desk.feed.release(TWO)
    desk.feed.want(TWO)
    assert desk.feed.wanted() == {ONE}
    assert desk.topics() == [{ONE}]
    desk.feed.want(TWO)
    assert desk.topics() == [{ONE, TWO}]


def test_it_is_ready_while_everything_comes_over_every_connection() -> None:
    desk = Desk(1)
    desk.feed.want(ONE)
    desk.feed.want(TWO)
    first, second = desk.feed.lanes
    states = [desk.is_ready]
    first.settled(True)
    states.append(desk.is_ready)
    second.settled(True)
    states.append(desk.is_ready)
    second.settled(False, "reset")
    states.append(desk.is_ready)
    assert states == [False, False, True, False]
    assert desk.readiness.whys("stream") == {"stream": "reset"}


def test_a_connection_that_is_down_is_asked_to_look_once_however_much_changes() -> None:
    """What waits for it does not grow with the length of an outage."""
    desk = Desk(8)
    (lane,) = desk.feed.lanes
    session, looks = live(lane)
    for _ in range(1000):
        for topic in (ONE, TWO):
            desk.feed.want(topic)
            desk.feed.release(topic)
    assert len(session.posted) == 1
    desk.feed.want(THREE)
    session.posted.pop()()
    assert [sorted(topics, key=str) for topics in looks.newcomers] == [[ONE, TWO, THREE]]
    desk.feed.want(ONE)
    session.posted.pop()()
    assert looks.newcomers[1:] == [[ONE]], "it is asked anew after a look"


def test_no_newcomer_is_left_behind_by_looks_that_come_meanwhile() -> None:
    """Whoever asks while the connection looks is in this look or in the next."""
    desk = Desk(8)
    (lane,) = desk.feed.lanes
    session, looks = live(lane)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    session.post = lambda task: tasks.put(task)  # type: ignore[method-assign]

    def serve() -> None:
        for task in iter(tasks.get, None):
            task()

    server = Background(serve)

    def come_and_go(index: int) -> None:
        for _ in range(300):
            desk.feed.want(TOPICS[index])
            desk.feed.release(TOPICS[index])
        desk.feed.want(TOPICS[index])

    in_threads(4, come_and_go)
    tasks.put(None)
    server.result()
    assert {topic for topics in looks.newcomers for topic in topics} == set(TOPICS[:4])
    assert lane._look is not None
    assert not lane._look._newcomers


def test_a_topic_wanted_while_a_connection_looks_is_waited_for() -> None:
    """What it says then is about the topics before, and must not make ready what has not been asked for yet."""
    desk = Desk()
    desk.feed.want(ONE)
    (lane,) = desk.feed.lanes
    looked_at = lane.wanted()
    desk.feed.want(TWO)
    lane.settled(True, covered=looked_at)
    ready = [desk.is_ready]
    looked_at = lane.wanted()
    lane.settled(True, covered=looked_at)
    ready.append(desk.is_ready)
    desk.feed.release(TWO)
    lane.settled(True, covered=looked_at)
    ready.append(desk.is_ready)
    assert ready == [False, True, True], "in the end it knew of more than is wanted"


def test_it_is_not_ready_from_the_moment_on_when_something_new_is_wanted() -> None:
    """Whoever waits next waits for the new topic too; a second subscriber of an old one changes nothing."""
    desk = Desk()
    desk.feed.want(ONE)
    desk.feed.lanes[0].settled(True)
    desk.feed.want(ONE)
    states = [desk.is_ready]
    desk.feed.want(TWO)
    states.append(desk.is_ready)
    assert states == [True, False]


def test_a_connection_is_told_of_its_own_topics_only() -> None:
    desk = Desk(1)
    desk.feed.want(ONE)
    desk.feed.want(TWO)
    (first, first_looks), (second, second_looks) = (live(lane) for lane in desk.feed.lanes)
    desk.feed.release(TWO)
    desk.feed.want(ONE)
    for session in (first, second):
        for task in session.posted:
            task()
    assert first_looks.newcomers == [[ONE]], "a refused topic is tried again for whoever comes new"
    assert second_looks.newcomers == [[]]


def test_the_present_life_of_the_worker_is_told_and_no_earlier_one() -> None:
    desk = Desk()
    lane = desk.feed.lanes[0]
    old, _ = live(lane)
    new, looks = live(lane)
    old.is_open = True
    assert not lane.is_open
    desk.feed.want(ONE)
    assert old.posted == []
    new.posted[0]()
    assert looks.newcomers == [[ONE]]


def test_wants_and_releases_from_many_threads_add_up() -> None:
    desk = Desk(3)

    def body(index: int) -> None:
        rng = random.Random(index)
        mine: list[Topic] = []
        for _ in range(300):
            if mine and rng.random() < 0.5:
                desk.feed.release(mine.pop(rng.randrange(len(mine))))
            else:
                mine.append(rng.choice(TOPICS))
                desk.feed.want(mine[-1])
        while mine:
            desk.feed.release(mine.pop())
        desk.feed.want(TOPICS[index])

    in_threads(6, body)
    assert desk.feed.wanted() == set(TOPICS[:6])
    lanes = desk.topics()
    assert set().union(*lanes) == set(TOPICS[:6])
    assert sum(map(len, lanes)) == 6, "none on two connections"
    assert all(len(lane) <= 3 for lane in lanes)
    assert sorted(desk.opened) == list(range(2, len(lanes) + 1)), "each was started once"


class Wants(RuleBasedStateMachine):
    """The feed against a plain count of each topic, with connections that settle and are lost at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(2)
        self.counts = dict.fromkeys(TOPICS, 0)
        self.settled: dict[int, bool] = {1: False}
        self.was_on: dict[Topic, int] = {}

    @rule(topic=st.sampled_from(TOPICS))
    def want(self, topic: Topic) -> None:
        self.counts[topic] += 1
        self.desk.feed.want(topic)
        for lane in self.desk.feed.lanes:
            self.settled.setdefault(lane.number, False)
            if topic in lane.wanted() and self.counts[topic] == 1:
                self.settled[lane.number] = False

    @rule(topic=st.sampled_from(TOPICS))
    def release(self, topic: Topic) -> None:
        self.counts[topic] -= 1
        self.desk.feed.release(topic)

    @rule(index=st.integers(0, 3), is_settled=st.booleans())
    def settle(self, index: int, is_settled: bool) -> None:
        lanes = self.desk.feed.lanes
        lane = lanes[index % len(lanes)]
        lane.settled(is_settled)
        self.settled[lane.number] = is_settled

    @invariant()
    def everything_wanted_is_on_one_connection(self) -> None:
        wanted = {topic for topic, count in self.counts.items() if count > 0}
        assert self.desk.feed.wanted() == wanted
        lanes = self.desk.topics()
        assert set().union(*lanes) == wanted
        assert sum(map(len, lanes)) == len(wanted)
        assert all(len(lane) <= 2 for lane in lanes)

    @invariant()
    def no_topic_moves(self) -> None:
        now = {topic: lane.number for lane in self.desk.feed.lanes for topic in lane.wanted()}
        assert all(self.was_on.get(topic, number) == number for topic, number in now.items())
        self.was_on = now

    @invariant()
    def it_is_ready_when_all_are_settled(self) -> None:
        if self.desk.is_ready:
            assert all(self.settled.values())

    @invariant()
    def each_connection_was_opened_once(self) -> None:
        assert self.desk.opened == [lane.number for lane in self.desk.feed.lanes][1:]


TestWants = Wants.TestCase
TestWants.settings = settings(derandomize=True, deadline=None, max_examples=40, stateful_step_count=30)


def test_a_connection_whose_worker_cannot_be_started_is_begun_by_whoever_wants_it_next() -> None:
    """The process has no thread left for a moment; the others are waited for as before (fault F143)."""
    desk = Desk(capacity=1)
    feed = desk.feed
    feed.want(ONE)
    feed.lanes[0].settled(True)
    failures = [ThreadsUnavailable("none left")]
    begin = feed._open_lane

    def scarce(lane: MarketLane) -> None:
        if failures:
            raise failures.pop()
        begin(lane)

    feed._open_lane = scarce
    with pytest.raises(ThreadsUnavailable):
        feed.want(TWO)
    assert feed.wanted() == {ONE}
    assert [lane.number for lane in feed.lanes] == [1]
    assert desk.readiness.events["stream"].is_set()
    feed.want(TWO)
    assert desk.opened == [2]
    assert feed.lanes[1].topics == {TWO}
    assert not desk.readiness.events["stream"].is_set()


def test_a_new_topic_is_missing_until_its_own_connection_has_it() -> None:
    """What another connection says does not make up for it."""
    desk = Desk(2)
    for topic in (ONE, TWO, THREE):
        desk.feed.want(topic)
    first, second = desk.feed.lanes
    first.settled(True)
    second.settled(True)
    states = [desk.is_ready]
    desk.feed.want(TOPICS[3])
    assert second.wanted() == {THREE, TOPICS[3]}
    first.settled(True)
    states.append(desk.is_ready)
    second.settled(True)
    states.append(desk.is_ready)
    assert states == [True, False, True]


def test_the_place_of_a_topic_that_was_given_up_is_free_for_others() -> None:
    desk = Desk(1)
    for topic in TOPICS:
        desk.feed.want(topic)
        desk.feed.release(topic)
    assert desk.opened == []
    assert desk.topics() == [set()]
