"""The account stream: signing in, events, and what happens when the exchange ends or refuses them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import pytest

from exconn_sync import Config
from exconn_sync._live.account_reader import AccountFeed, AccountLink
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.link import Link
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._store.account_store import AccountStore
from exconn_sync.config.settings import Reconnect
from exconn_sync.errors import AuthenticationError, ClockSkew, ConnectionFailed, NotReady, RateLimitError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import LoginReply
from exconn_sync.testing import ManualClock
from tests.live.fakes import FakeSocket, link_over
from tests.live.market import DRIVER
from tests.live.support import counted, listen

POSITION = {"e": "outboundAccountPosition", "E": 1, "u": 1, "B": [{"a": "BTC", "f": "1.5", "l": "0"}]}
TERMINATED = {"e": "eventStreamTerminated", "E": 1}


class Store:
    def __init__(self) -> None:
        self.facts: list[Any] = []

    def apply(self, facts: Any) -> None:
        self.facts += facts

    def order_of(self, fact: OrderFact) -> OrderState | None:
        """Return an order of ours that has not traded, unless its id says something else."""
        filled = "1" if fact.client_order_id == "known" else "0"
        is_own = fact.client_order_id != "other"
        state = OrderState("binance", fact.symbol, fact.client_order_id, filled_quantity=Decimal(filled), is_own=is_own)
        return None if fact.client_order_id == "unheard" else state

    def order(self, client_order_id: str) -> OrderState | None:
        """Return nothing: no order of these tests is waited for."""
        del client_order_id
        return None


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.config = Config("binance", reconnect=Reconnect(idle_timeout=1e6))
        self.bus, self.metrics = Bus(), MemoryMetrics()
        self.errors = listen(self.bus, "error")
        self.readiness = Readiness({"account": ["account"], "orders": ["account", "reconciled"]})
        server_clock = self.server_clock = ServerClock(self.clock)
        server_clock.add(self.clock.monotonic_ns(), self.clock.monotonic_ns(), self.clock.time_ns())
        self.store = Store()
        self.reconciled = self.skews = 0
        self.demands: list[str] = []
        self.limits: list[RateLimitError] = []
        self.first_fills: list[int] = []
        self.figures: list[UsedFigure] = []
        self.feed = AccountFeed(
            self.config, DRIVER, KeyRing(DRIVER.signer(Secret("k" * 64), Secret("s" * 64))), Catalogue("binance"),
            cast(AccountStore, self.store), Pipeline("binance", self.bus, self.clock, self.metrics), self.readiness,
            self.clock, server_clock, self._reconcile, self._skew, self.demands.append,
            self.limits.append, self.first_fills.append, self.figures.extend,
        )  # fmt: skip

    def _reconcile(self) -> None:
        self.reconciled += 1

    def _skew(self) -> None:
        self.skews += 1

    @property
    def is_ready(self) -> bool:
        return self.readiness.events["account"].is_set()

    def connect(self) -> Wire:
        return Wire(self)

    def signed_in(self) -> Wire:
        wire = self.connect()
        wire.accept()
        return wire


class Wire:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.socket = FakeSocket()
        self.link: Link = link_over(self.socket, desk.clock, desk.config)
        self.handler: AccountLink = desk.feed.handler(self.link)
        self.link.handler = self.handler
        self.handler.on_open()

    def brings(self, *messages: Any) -> bool:
        self.socket.brings(*[each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages])
        return self.link.take()

    def event(self, **event: Any) -> bool:
        return self.brings({"subscriptionId": 0, "event": event})

    def accept(self) -> None:
        """Accept the newest sign-in."""
        request_id = json.loads(self.socket.texts[-1])["id"]
        self.brings({"id": request_id, "status": 200, "result": {"subscriptionId": 0}})

    def refuse(self, code: int, request_id: int | None) -> None:
        self.brings({"id": request_id, "status": 401, "error": {"code": code, "msg": "no"}})

    def tick(self) -> float:
        return self.link.look_after(self.desk.clock.monotonic_ns())


def test_the_key_is_shown_and_the_secret_is_not() -> None:
    desk = Desk()
    wire = desk.connect()
    (text,) = wire.socket.texts
    assert json.loads(text)["params"]["apiKey"] == "k" * 64
    assert b"ssss" not in text
    assert [entry.what for entry in wire.link.recorder.trail()] == ["sign-in sent"]
    assert not any("k" * 64 in entry.what for entry in wire.link.recorder.trail()), "what we sent is not kept"


def test_events_count_once_the_key_is_accepted() -> None:
    """And what happened before is looked up, because the stream does not repeat it."""
    desk = Desk()
    wire = desk.connect()
    before = (desk.is_ready, desk.reconciled, wire.handler.is_established)
    wire.accept()
    assert before == (False, 0, False)
    assert (desk.is_ready, desk.reconciled, wire.handler.is_established) == (True, 1, True)
    assert wire.event(**POSITION)
    assert [fact.asset for fact in desk.store.facts] == ["BTC"]


@pytest.mark.parametrize("code", [-1022, -2014, -2015])
def test_a_refused_key_is_told_to_whoever_waits(code: int) -> None:
    """It is told, and cannot be waited for (fault F062)."""
    desk = Desk()
    wire = desk.connect()
    with pytest.raises(AuthenticationError) as caught:
        wire.refuse(code, 1)
    desk.feed.on_lost(caught.value)
    with pytest.raises(AuthenticationError):
        desk.readiness.wait("account", 0)
    assert desk.errors.pending == 1
    assert desk.skews == 0


def test_a_sign_in_outside_of_its_window_is_made_again_once_the_clock_is_set() -> None:
    """Time can be mended, so it is no reason to give up (fault F062)."""
    desk = Desk()
    wire = desk.connect()
    wire.refuse(-1021, 1)
    assert (desk.skews, desk.errors.pending) == (1, 0)
    assert wire.tick() < 1.0, "it looks soon again"
    assert len(wire.socket.texts) == 1
    desk.clock.advance(0.1)
    now = desk.clock.monotonic_ns()
    desk.server_clock.add(now, now, desk.clock.time_ns())
    desk.server_clock.round_ended(now)
    wire.tick()
    assert len(wire.socket.texts) == 2
    wire.accept()
    assert wire.handler.is_established


def test_a_sign_in_that_stays_outside_of_its_window_ends_the_connection() -> None:
    """(fault F062)"""
    desk = Desk()
    wire = desk.connect()
    wire.refuse(-1021, 1)
    desk.clock.advance(0.1)
    desk.server_clock.round_ended(desk.clock.monotonic_ns())
    wire.tick()
    with pytest.raises(ClockSkew) as caught:
        wire.refuse(-1021, 2)
    desk.feed.on_lost(caught.value)
    assert (desk.skews, desk.errors.pending) == (2, 1)
    with pytest.raises(NotReady):
        desk.readiness.wait("account", 0)


def test_a_clock_that_is_not_set_ends_the_connection_in_time() -> None:
    """(faults F062, F063)"""
    desk = Desk()
    wire = desk.connect()
    wire.refuse(-1021, 1)
    desk.clock.advance(10.1)
    with pytest.raises(ConnectionFailed, match="no answer to the authentication"):
        wire.tick()


def test_a_key_that_dies_in_the_session_is_answered_without_an_id() -> None:
    """The answer to no request is an answer to all (fault F062)."""
    desk = Desk()
    wire = desk.signed_in()
    with pytest.raises(AuthenticationError):
        wire.refuse(-2015, None)


def test_answers_to_other_requests_mean_nothing() -> None:
    """(fault F043)"""
    desk = Desk()
    wire = desk.connect()
    wire.brings({"id": 77, "status": 200, "result": {"subscriptionId": 0}})
    wire.refuse(-2015, 77)
    wire.brings({"id": None, "status": 200, "result": {"subscriptionId": 0}})
    assert not wire.handler.is_established
    assert desk.reconciled == 0


def test_a_sign_in_that_is_not_answered_ends_the_connection() -> None:
    """An open connection alone brings nothing (fault F063)."""
    desk = Desk()
    wire = desk.connect()
    for _ in range(10):
        desk.clock.advance(1)
        assert wire.tick() <= 1.0
    assert not desk.is_ready
    desk.clock.advance(0.1)
    with pytest.raises(ConnectionFailed, match="no answer to the authentication"):
        wire.tick()


def test_a_late_answer_is_taken_within_the_limit() -> None:
    """Late is not never (fault F063)."""
    desk = Desk()
    wire = desk.connect()
    desk.clock.advance(9.9)
    wire.tick()
    wire.accept()
    desk.clock.advance(100)
    wire.tick()
    assert desk.is_ready


def test_events_ended_by_the_exchange_are_asked_for_again_and_looked_up() -> None:
    """Not ready meanwhile, and reconciled after the new sign-in (fault F061)."""
    desk = Desk()
    wire = desk.signed_in()
    desk.readiness.met("reconciled")
    wire.event(**TERMINATED)
    assert desk.readiness.missing("account") == ("account",)
    assert desk.readiness.missing("orders") == ("account", "reconciled")
    assert len(wire.socket.texts) == 2
    assert desk.reconciled == 1
    wire.accept()
    assert desk.is_ready
    assert desk.reconciled == 2


def test_a_sign_in_after_an_end_has_a_limit_as_well() -> None:
    """And the answer to the first one does not count for it (faults F061, F063)."""
    desk = Desk()
    wire = desk.signed_in()
    desk.clock.advance(50)
    wire.event(**TERMINATED)
    wire.brings({"id": 1, "status": 200, "result": {"subscriptionId": 0}})
    desk.clock.advance(10.1)
    with pytest.raises(ConnectionFailed, match="no answer"):
        wire.tick()


def test_a_flood_of_unreadable_messages_asks_for_few_comparisons() -> None:
    """Each might have been about an order; one comparison in five seconds covers them (fault F038)."""
    desk = Desk()
    wire = desk.signed_in()
    before = desk.reconciled
    for _ in range(100):
        wire.brings(b"{garbage", b'{"event":{"e":"executionReport","c":5}}')
        wire.tick()
        desk.clock.advance(0.1)
    assert desk.reconciled - before == 2
    desk.clock.advance(5)
    wire.tick()
    assert desk.reconciled - before == 3, "the last ones are not forgotten"
    desk.clock.advance(100)
    wire.tick()
    assert desk.reconciled - before == 3
    assert counted(desk.metrics, "errors") == 200


def test_each_unknown_kind_of_event_is_doubted_once() -> None:
    """It may mean something for the account, but not each time (fault F035)."""
    desk = Desk()
    wire = desk.signed_in()
    for kind in ("somethingNew", "somethingNew", "anotherThing", "somethingNew"):
        wire.event(e=kind)
        desk.clock.advance(10)
        wire.tick()
    assert desk.reconciled == 1 + 2
    assert counted(desk.metrics, "stream.unrecognized") == 4
    assert desk.errors.pending == 0


REPORT = {
    "e": "executionReport", "E": 1, "s": "BTCUSDT", "c": "mine", "S": "BUY", "x": "NEWS", "X": "NEW", "i": 5, "z": "0",
    "T": 1,
}  # fmt: skip


def test_an_unknown_kind_of_execution_counts_and_is_doubted_once() -> None:
    """(fault F035)"""
    desk = Desk()
    wire = desk.signed_in()
    for _ in range(2):
        wire.event(**REPORT)
        desk.clock.advance(10)
        wire.tick()
    assert [fact.client_order_id for fact in desk.store.facts] == ["mine", "mine"]
    assert desk.reconciled == 1 + 1
    assert counted(desk.metrics, "stream.unrecognized") == 2


def test_a_lock_from_outside_has_the_balances_compared() -> None:
    """Its event has an amount only (fault F116)."""
    desk = Desk()
    wire = desk.signed_in()
    wire.event(e="balanceUpdate", E=1, a="BTC", d="5", T=1)
    wire.tick()
    before = desk.reconciled
    wire.event(e="externalLockUpdate", E=1, a="BTC", d="5", T=1)
    wire.tick()
    assert (before, desk.reconciled) == (1, 2)


def test_an_announced_end_has_the_connection_replaced() -> None:
    """In both shapes of the account stream (fault F045)."""
    desk = Desk()
    wire = desk.signed_in()
    wire.event(e="serverShutdown", E=1)
    wire.brings({"e": "serverShutdown", "E": 1})
    assert desk.demands == ["the exchange announced: shutdown"] * 2
    assert desk.is_ready, "it still brings events"


def test_a_successor_takes_over_after_a_moment_of_both() -> None:
    """What is on its way on the old connection still counts (fault F044)."""
    desk = Desk()
    old = desk.signed_in()
    new = desk.connect()
    before = desk.feed.has_switched()
    new.accept()
    assert desk.reconciled == 2
    desk.clock.advance(0.9)
    assert (before, desk.feed.has_switched()) == (False, False)
    desk.clock.advance(0.1)
    assert desk.feed.has_switched()
    old.event(**POSITION)
    new.event(**POSITION)
    assert len(desk.store.facts) == 2, "the store takes each once"
    desk.feed.replace()
    assert desk.is_ready
    assert desk.reconciled == 2


def test_a_successor_signed_in_after_the_primary_was_lost_makes_it_ready() -> None:
    desk = Desk()
    desk.signed_in()
    new = desk.connect()
    desk.feed.on_lost(ConnectionFailed("reset"))
    ready = [desk.is_ready]
    desk.feed.replace()
    ready.append(desk.is_ready)
    new.accept()
    ready.append(desk.is_ready)
    assert ready == [False, False, True]


def test_a_successor_of_a_connection_whose_events_ended_makes_it_ready() -> None:
    """The exchange ended the events of the old one, whose new sign-in is never answered (faults F044, F061)."""
    desk = Desk()
    old = desk.signed_in()
    new = desk.connect()
    new.accept()
    old.event(**TERMINATED)
    before = desk.is_ready
    desk.feed.replace()
    assert (before, desk.is_ready) == (False, True)
    assert desk.reconciled == 3, "what happened meanwhile is looked up"


def test_a_successor_that_is_ended_says_nothing_about_the_primary() -> None:
    desk = Desk()
    desk.signed_in()
    new = desk.connect()
    new.accept()
    new.event(**TERMINATED)
    assert desk.is_ready
    assert not new.handler.is_established
    desk.feed.forget_successor()
    assert not desk.feed.has_switched()
    assert desk.is_ready


def test_a_loss_leaves_nothing_reconciled() -> None:
    """What happens while nothing comes is unknown (fault F061)."""
    desk = Desk()
    desk.signed_in()
    desk.readiness.met("reconciled")
    desk.feed.on_lost(ConnectionFailed("reset"))
    assert desk.readiness.missing("orders") == ("account", "reconciled")


def test_a_stream_that_is_ended_again_and_again_needs_a_new_connection() -> None:
    """Signing in at once each time would be a loop without a pause (fault F061)."""
    desk = Desk()
    wire = desk.signed_in()
    wire.event(**TERMINATED)
    wire.accept()
    desk.clock.advance(10)
    wire.event(**TERMINATED)
    wire.accept()
    desk.clock.advance(9.9)
    with pytest.raises(ConnectionFailed, match="again and again"):
        wire.event(**TERMINATED)


def test_an_announced_end_dies_with_the_successor_that_announced_it() -> None:
    """The one that follows will last (fault F045)."""
    desk = Desk()
    desk.signed_in()
    doomed = desk.connect()
    doomed.accept()
    doomed.event(e="serverShutdown", E=1)
    desk.feed.forget_successor()
    desk.connect().accept()
    desk.feed.replace()
    assert desk.demands == []


FILL = {
    "e": "executionReport", "E": 1, "s": "BTCUSDT", "S": "BUY", "x": "TRADE", "X": "PARTIALLY_FILLED", "i": 7, "T": 5,
    "t": 3, "q": "2", "l": "0.5", "z": "0.5", "L": "10",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"c": "own"}, [5_000_000]),
        ({"c": "own", "z": "0.7"}, []),
        ({"c": "own", "x": "NEW", "t": -1, "z": "0", "l": "0", "L": "0"}, []),
        ({"c": "known"}, []),
        ({"c": "other"}, []),
        ({"c": "unheard"}, []),
    ],
)
def test_only_the_first_fill_of_an_order_of_ours_gives_something_back(change: dict[str, Any], told: list[int]) -> None:
    """Once, however often it is told; of orders of others we may not have counted anything (Binance: 4)."""
    desk = Desk()
    desk.signed_in().event(**FILL | change)
    assert desk.first_fills == told
    assert desk.store.facts


def test_a_limit_in_the_answer_to_the_sign_in_is_passed_on() -> None:
    """(fault F076)"""
    desk = Desk()
    wire = desk.connect()
    request_id = json.loads(wire.socket.texts[-1])["id"]
    error = {"code": -1003, "msg": "Too many requests queued.", "data": {"serverTime": 1_000, "retryAfter": 8_000}}
    with pytest.raises(RateLimitError):
        wire.brings({"id": request_id, "status": 418, "error": error})
    ((limit),) = desk.limits
    assert (limit.retry_after, limit.details["http_status"]) == (7.0, 418)


def test_what_a_reply_says_is_used_is_heard_each_time() -> None:
    """Also of a refused one, and of one that is repeated on its connection (fault F077; Binance: 11)."""
    desk = Desk()
    wire = desk.connect()
    row = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
    for count, ends in ((4, True), (6, False)):
        request_id = json.loads(wire.socket.texts[-1])["id"]
        wire.brings(
            {"id": request_id, "status": 200, "result": {"subscriptionId": 0}, "rateLimits": [row | {"count": count}]}
        )
        if ends:
            wire.brings({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": 1}})
    assert desk.figures == [UsedFigure("REQUEST_WEIGHT", 60_000, 4), UsedFigure("REQUEST_WEIGHT", 60_000, 6)]
    assert desk.is_ready


def test_an_answer_that_names_no_request_is_about_the_one_under_way() -> None:
    """(Bybit: 7.1)"""
    desk = Desk()
    wire = desk.connect()
    wire.handler._on_login(LoginReply(None, is_final=False))
    assert len(wire.socket.texts) == 2, "signed in, so events are asked for"
    wire.handler._on_login(LoginReply(None))
    assert desk.is_ready
    before = desk.reconciled
    wire.handler._on_login(LoginReply(None))
    assert desk.reconciled == before, "nothing is under way any more"
