"""Commands over a socket: each is known to be unsent, answered, or of unknown outcome (fault model 0.1)."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import pytest

from exconn_sync import Config
from exconn_sync._live.command_socket import CommandFeed, CommandLink
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.link import Link
from exconn_sync._live.pending_command import Declined, PendingCommand
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._runtime.bus import Bus
from exconn_sync.config.settings import Reconnect
from exconn_sync.errors import ConnectionFailed, ExconnError, NotReady, RequestTimeout
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import HttpResponse
from exconn_sync.ports.registry import find_driver
from exconn_sync.testing import ManualClock
from tests.live.fakes import FakeSocket, link_over
from tests.live.support import listen
from tests.unit.support import Background, in_threads, until

DRIVER = find_driver("bybit")
ANSWER = HttpResponse(200, {}, b"{}", 1)


# --- one command ----------------------------------------------------------------------------------------------------


def test_an_answer_is_given_to_the_caller() -> None:
    pending = PendingCommand(7)
    assert pending.claim()
    pending.answered(ANSWER)
    assert pending.wait(0) is ANSWER
    pending.lost("late")
    assert pending.wait(0) is ANSWER, "what came first counts"


def test_what_was_sent_and_is_not_answered_is_unknown() -> None:
    """(fault F067)"""
    pending = PendingCommand(7)
    assert pending.claim()
    pending.lost("reset")
    with pytest.raises(ConnectionFailed) as caught:
        pending.wait(0)
    assert caught.value.outcome == "unknown"
    late = PendingCommand(8)
    assert late.claim()
    with pytest.raises(RequestTimeout) as timed_out:
        late.wait(0)
    assert timed_out.value.outcome == "unknown"


def test_what_was_given_up_before_it_was_sent_never_leaves() -> None:
    pending = PendingCommand(7)
    with pytest.raises(RequestTimeout) as caught:
        pending.wait(0)
    assert caught.value.outcome == "not_sent"
    assert not pending.claim()


def test_what_was_lost_before_it_was_sent_may_go_another_way() -> None:
    pending = PendingCommand(7)
    pending.lost("reset")
    with pytest.raises(Declined):
        pending.wait(0)
    assert not pending.claim()
    declined = PendingCommand(8)
    assert declined.claim()
    declined.declined()
    with pytest.raises(Declined):
        declined.wait(0)


def test_of_sending_and_giving_up_one_comes_first() -> None:
    """Whatever the threads do: what is called unsent was not sent."""
    for _ in range(200):
        pending = PendingCommand(7)
        sent: list[bool] = []
        outcomes: list[str | None] = []

        def work(index: int, pending: PendingCommand = pending, sent: Any = sent, outcomes: Any = outcomes) -> None:
            if index == 0:
                sent.append(pending.claim())
                return
            try:
                pending.wait(0)
            except ExconnError as error:
                outcomes.append(error.outcome)

        in_threads(2, work)
        assert (sent, outcomes) in (([True], ["unknown"]), ([False], ["not_sent"]))


# --- the socket -----------------------------------------------------------------------------------------------------


class Session:
    """Does what is posted when the test says so."""

    def __init__(self) -> None:
        self.posted: deque[Callable[[], None]] = deque()
        self.demands: list[str] = []

    def post(self, task: Callable[[], None]) -> None:
        self.posted.append(task)

    def work(self) -> None:
        until(lambda: self.posted)
        self.posted.popleft()()

    def demand_replacement(self, why: str) -> None:
        self.demands.append(why)


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.config = Config("bybit", reconnect=Reconnect(idle_timeout=1e6))
        self.bus, self.metrics = Bus(), MemoryMetrics()
        self.errors = listen(self.bus, "error", "bybit")
        server_clock = ServerClock(self.clock)
        server_clock.add(self.clock.monotonic_ns(), self.clock.monotonic_ns(), self.clock.time_ns())
        self.session = Session()
        wire = DRIVER.command_wire("production")
        assert wire is not None
        self.feed = CommandFeed(
            self.config, wire, KeyRing(DRIVER.signer(Secret("k" * 18), Secret("s" * 36))),
            Pipeline("bybit", self.bus, self.clock, self.metrics), self.clock, server_clock,
            cast(SocketSession, self.session),
        )  # fmt: skip

    def connect(self, *, signed_in: bool = True) -> Wire:
        wire = Wire(self)
        if signed_in:
            wire.brings(op="auth", retCode=0)
        return wire

    def asks(self, seconds: float = 10.0) -> Background:
        """Send a command on another thread, which the session's thread writes as its id."""
        return Background(lambda: self.feed.ask(lambda number: str(number).encode(), seconds))


class Wire:
    def __init__(self, desk: Desk) -> None:
        self.socket = FakeSocket()
        self.link: Link = link_over(self.socket, desk.clock, desk.config)
        self.handler: CommandLink = desk.feed.handler(self.link)
        self.link.handler = self.handler
        self.handler.on_open()

    def brings(self, **frame: Any) -> bool:
        self.socket.brings(json.dumps({"retCode": 0, "retMsg": "OK", "connId": "c"} | frame).encode())
        return self.link.take()

    def answers(self, request_id: int, **frame: Any) -> None:
        self.brings(**{"op": "order.create", "reqId": str(request_id), "data": {"orderId": str(request_id)}} | frame)

    def sent(self) -> int:
        return int(self.socket.texts[-1])


def test_the_key_is_shown_and_the_secret_is_not() -> None:
    wire = Desk().connect(signed_in=False)
    (text,) = wire.socket.texts
    assert json.loads(text)["args"][0] == "k" * 18
    assert b"ssss" not in text


def test_no_command_goes_over_a_socket_that_is_not_signed_in() -> None:
    desk = Desk()
    with pytest.raises(Declined):
        desk.feed.ask(lambda number: b"", 1)
    wire = desk.connect(signed_in=False)
    with pytest.raises(Declined):
        desk.feed.ask(lambda number: b"", 1)
    wire.brings(op="auth", retCode=0)
    assert desk.feed.is_ready


def test_answers_are_told_apart_by_their_ids() -> None:
    """They come in any order (Bybit: 8.3)."""
    desk = Desk()
    wire = desk.connect()
    asked, numbers = [], []
    for _ in range(3):
        asked.append(desk.asks())
        desk.session.work()
        numbers.append(wire.sent())
    assert len(set(numbers)) == 3
    for number in (numbers[2], numbers[0], numbers[1]):
        wire.answers(number)
    for one, number in zip(asked, numbers, strict=True):
        assert json.loads(one.result().body)["result"] == {"orderId": str(number)}
    wire.answers(numbers[0])
    assert wire.handler.under_way == {}, "an answer nobody waits for is none"


def test_commands_under_way_when_the_connection_is_lost_are_unknown() -> None:
    """(fault F067)"""
    desk = Desk()
    wire = desk.connect()
    sent = desk.asks()
    desk.session.work()
    waiting = desk.asks()
    until(lambda: desk.session.posted)
    desk.feed.on_lost(ConnectionFailed("reset"))
    with pytest.raises(ConnectionFailed) as caught:
        sent.result()
    assert caught.value.outcome == "unknown"
    desk.session.work()
    with pytest.raises(Declined):
        waiting.result()
    assert len(wire.socket.texts) == 2, "the sign-in and one command"


def test_a_command_given_up_is_not_written() -> None:
    desk = Desk()
    wire = desk.connect()
    with pytest.raises(RequestTimeout) as caught:
        desk.asks(seconds=0).result()
    assert caught.value.outcome == "not_sent"
    desk.session.work()
    assert len(wire.socket.texts) == 1


def test_a_command_that_cannot_be_stamped_goes_another_way() -> None:
    desk = Desk()
    desk.connect()

    def frame(number: int) -> bytes:
        raise NotReady("no clock")

    asked = Background(lambda: desk.feed.ask(frame, 10))
    desk.session.work()
    with pytest.raises(Declined):
        asked.result()


def test_a_socket_that_restarts_ends_what_is_under_way_and_takes_nothing_new() -> None:
    """(Bybit: 5, 9.4)"""
    desk = Desk()
    wire = desk.connect()
    first, second = desk.asks(), None
    desk.session.work()
    number = wire.sent()
    second = desk.asks()
    desk.session.work()
    wire.answers(wire.sent(), retCode=10019, retMsg="restarting", data={})
    with pytest.raises(Declined):
        second.result()
    assert desk.session.demands == ["the exchange takes no new commands on it"]
    assert not desk.feed.is_ready
    wire.answers(number)
    assert first.result().status == 200


def test_a_successor_takes_the_new_commands_and_lets_the_old_ones_end() -> None:
    """(fault F044)"""
    desk = Desk()
    old = desk.connect()
    first = desk.asks()
    desk.session.work()
    number = old.sent()
    new = desk.connect()
    second = desk.asks()
    desk.session.work()
    assert len(old.socket.texts) == len(new.socket.texts) == 2
    assert not desk.feed.has_switched(), "a command is under way on the old connection"
    old.answers(number)
    first.result()
    assert desk.feed.has_switched()
    desk.feed.replace()
    new.answers(new.sent())
    second.result()
    assert desk.feed.is_ready
    assert desk.feed.lacking() == ""


def test_a_successor_that_is_given_up_loses_its_commands_only() -> None:
    desk = Desk()
    old = desk.connect()
    first = desk.asks()
    desk.session.work()
    number = old.sent()
    desk.connect()
    second = desk.asks()
    desk.session.work()
    desk.feed.forget_successor()
    with pytest.raises(ConnectionFailed):
        second.result()
    old.answers(number)
    first.result()


def test_a_refused_sign_in_is_told_and_tried_again_later() -> None:
    desk = Desk()
    wire = desk.connect(signed_in=False)
    with pytest.raises(ConnectionFailed, match="not signed in"):
        wire.brings(op="auth", retCode=10003, retMsg="too many sessions")
    assert desk.errors.get(1).error.code == "authentication"
    assert not wire.handler.is_established


def test_a_sign_in_that_is_not_answered_ends_the_connection() -> None:
    """(fault F063)"""
    desk = Desk()
    wire = desk.connect(signed_in=False)
    desk.clock.advance(11)
    with pytest.raises(ConnectionFailed, match="no answer to the authentication"):
        wire.link.look_after(desk.clock.monotonic_ns())


def test_unreadable_answers_harm_no_other_until_there_are_too_many() -> None:
    """(faults F032, F038)"""
    desk = Desk()
    wire = desk.connect()
    asked = desk.asks()
    desk.session.work()
    wire.socket.brings(b"not json")
    wire.link.take()
    assert desk.errors.get(1).error.code == "protocol"
    wire.brings(op="pong", data=["1"])
    wire.brings(op="order.sing", reqId="1")
    wire.answers(wire.sent())
    asked.result()

    def flood() -> None:
        for _ in range(1000):
            wire.socket.brings(b"not json")
            wire.link.take()

    with pytest.raises(ConnectionFailed):
        flood()


def test_the_end_of_the_thread_ends_every_wait() -> None:
    desk = Desk()
    desk.connect()
    sent, waiting = desk.asks(), None
    desk.session.work()
    waiting = desk.asks()
    until(lambda: desk.session.posted)
    desk.feed.close("its thread has ended")
    with pytest.raises(ConnectionFailed) as caught:
        sent.result()
    assert caught.value.outcome == "unknown"
    with pytest.raises(Declined):
        waiting.result()
    with pytest.raises(Declined):
        desk.feed.ask(lambda number: b"", 1)
