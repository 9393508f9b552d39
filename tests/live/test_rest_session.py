"""What REST must provide: the clock and the instruments, looked after at their intervals."""

from __future__ import annotations

import queue
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from exconn_sync import Config
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.rest_session import RestSession
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.subscription import PullSubscription
from exconn_sync._runtime.worker import Worker, WorkerExit
from exconn_sync.config.settings import Intervals, Reconnect
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, RateLimitError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.clock import SystemClock
from tests.live.market import BTC, DRIVER, instruments
from tests.live.support import listen
from tests.unit.support import LIMIT, until

TIME, INFO = "time", "exchangeInfo"


class Rest:
    """Notes each call, and fails while ``error`` is set."""

    def __init__(self) -> None:
        self.calls: queue.Queue[str] = queue.Queue()
        self.error: Exception | None = None

    def call(self, call: RestCall[Any], timeout: float | None, *, is_background: bool | None = None) -> Any:
        name = call.path.rpartition("/")[2]
        self.calls.put(name)
        if self.error is not None:
            raise self.error
        return time.time_ns() if name == TIME else instruments(BTC)

    def expect(self, *names: str) -> None:
        assert [self.calls.get(timeout=LIMIT) for _ in names] == list(names)


WHOLE = (TIME, TIME, TIME, INFO)
AGAIN = (TIME, TIME, TIME)


class Desk:
    def __init__(self, ping: float, clock: float, settle: float = 0.03) -> None:
        bus = self.bus = Bus()
        self.events = listen(bus, "connection")
        self.clock, self.rest = SystemClock(), Rest()
        config = Config(
            "binance",
            intervals=Intervals(ping=ping, clock=clock),
            reconnect=Reconnect(base=0.01, cap=0.02, settle=settle),
        )
        self.readiness = Readiness({"rest": ["clock", "instruments"]})
        self.catalogue, self.loaded = Catalogue("binance"), 0
        self.session = RestSession(
            config, DRIVER, cast(RestClient, self.rest), self.clock, ServerClock(self.clock), self.catalogue,
            self.readiness, Pipeline("binance", bus, self.clock, MemoryMetrics()), random.Random(1), self._loaded,
        )  # fmt: skip
        self.exits: queue.Queue[WorkerExit] = queue.Queue()
        self.worker = Worker("test-rest", self.session.body, self.clock)

    def _loaded(self) -> None:
        self.loaded += 1


@contextmanager
def working(desk: Desk) -> Iterator[Desk]:
    desk.worker.start(desk.exits.put)
    try:
        yield desk
    finally:
        desk.worker.signal()
        assert desk.worker.join(LIMIT)
        assert desk.exits.get(timeout=LIMIT).error is None


def test_everything_is_loaded_before_it_is_ready() -> None:
    with working(Desk(ping=1000, clock=1000)) as desk:
        desk.readiness.wait("rest", LIMIT)
        desk.rest.expect(*WHOLE)
        assert desk.loaded == 1
        assert desk.catalogue.get(BTC).symbol == BTC
        assert desk.events.get(LIMIT).is_up
        assert desk.session.reporter.is_settled


def test_a_budget_that_is_used_up_is_no_lost_connection() -> None:
    """Orders go on as far as their share allows, and nobody is told of a loss (fault F160)."""
    with working(Desk(ping=0.01, clock=1000)) as desk:
        desk.readiness.wait("rest", LIMIT)
        assert desk.events.get(LIMIT).is_up
        desk.rest.error = RateLimitError("the request budget is used up", retry_after=0.01, outcome="not_sent")
        desk.rest.expect(*WHOLE, *[TIME] * 4)
        assert desk.readiness.events["rest"].is_set()
        desk.rest.error = ConnectionFailed("away")
        assert not desk.events.get(LIMIT).is_up, "the first that is told, and of a loss that is one"


def test_between_whole_looks_one_cheap_request_shows_that_it_works() -> None:
    with working(Desk(ping=0.01, clock=1000)) as desk:
        desk.rest.expect(*WHOLE, *[TIME] * 8)
        assert desk.loaded == 1


def test_the_clock_is_synchronized_at_its_interval_and_the_instruments_are_kept() -> None:
    """Also where the pings are further apart than that."""
    with working(Desk(ping=1000, clock=0.02)) as desk:
        desk.rest.expect(*WHOLE, *AGAIN, *AGAIN)


def test_whoever_asks_gets_a_whole_look_at_once() -> None:
    with working(Desk(ping=1000, clock=1000)) as desk:
        desk.rest.expect(*WHOLE)
        desk.session.synchronize()
        desk.rest.expect(*AGAIN)
        desk.session.synchronize()
        desk.rest.expect(*AGAIN)


def test_a_failure_is_told_once_tried_again_and_mended_by_a_whole_look() -> None:
    with working(Desk(ping=0.01, clock=1000)) as desk:
        desk.rest.expect(*WHOLE)
        assert desk.events.get(LIMIT).is_up
        desk.rest.error = ConnectionFailed("REST is down")
        down = desk.events.get(LIMIT)
        assert (down.is_up, down.connection, down.reason) == (False, "rest", "REST is down")
        until(lambda: desk.readiness.missing("rest") == ("clock",))
        assert desk.readiness.whys("rest") == {"clock": "REST is down"}
        while not desk.rest.calls.empty():
            desk.rest.calls.get()
        desk.rest.expect(TIME, TIME)
        desk.rest.error = None
        desk.readiness.wait("rest", LIMIT)
        assert desk.events.get(LIMIT).is_up, "told when it has settled, and no other loss before"
        assert desk.session.reporter.is_settled


def test_it_settles_without_another_request() -> None:
    """An up is told when its time has come, though nothing is due by then."""
    desk = Desk(ping=1000, clock=1000, settle=0.05)
    desk.rest.error = ConnectionFailed("not yet")
    with working(desk):
        assert not desk.events.get(LIMIT).is_up
        desk.rest.error = None
        # The very first up ends the episode at once; it is the second one that has to settle.
        assert desk.events.get(LIMIT).is_up
        desk.rest.error = ConnectionFailed("lost")
        desk.session.synchronize()
        assert not desk.events.get(LIMIT).is_up
        desk.rest.error = None
        assert desk.events.get(LIMIT).is_up


def test_a_stop_breaks_every_wait() -> None:
    for error in (None, ConnectionFailed("REST is down")):
        desk = Desk(ping=1000, clock=1000)
        desk.rest.error = error
        with working(desk):
            desk.rest.expect(TIME)


def test_a_connector_that_stops_ends_it_without_a_word() -> None:
    desk = Desk(ping=1000, clock=1000)
    desk.rest.error = ConnectorStopped("the connector is stopped")
    with working(desk):
        desk.rest.expect(TIME)
        assert desk.worker.join(LIMIT)
    assert desk.events.pending == 0


def test_an_abandoned_life_says_nothing() -> None:
    """Neither what it found nor that it failed (fault F144)."""
    for error in (None, ConnectionFailed("REST is down")):
        desk = Desk(ping=0.01, clock=1000)
        with working(desk):
            desk.rest.expect(*WHOLE)
            assert desk.events.get(LIMIT).is_up
            desk.worker.retire()
            desk.rest.error = error
            assert desk.worker.join(LIMIT), "it asks for nothing any more"
        assert desk.events.pending == 0
        assert desk.readiness.missing("rest") == ()


def test_a_failure_of_a_cheap_request_is_followed_by_a_whole_look() -> None:
    """The clock may have changed meanwhile, and its next turn may be far away."""
    with working(Desk(ping=0.01, clock=1000)) as desk:
        desk.rest.expect(*WHOLE, TIME)
        synchronized_ns = desk.session._synchronized_ns
        desk.rest.error = ConnectionFailed("REST is down")
        until(lambda: desk.readiness.missing("rest") == ("clock",))
        desk.rest.error = None
        until(lambda: desk.session._synchronized_ns > synchronized_ns)


def test_after_a_success_attempts_are_counted_anew() -> None:
    with working(Desk(ping=0.01, clock=1000)) as desk:
        desk.readiness.wait("rest", LIMIT)
        desk.rest.error = ConnectionFailed("REST is down")
        assert desk.events.get(LIMIT).is_up
        assert desk.events.get(LIMIT).attempt == 1
        desk.rest.error = None
        assert desk.events.get(LIMIT).is_up
        desk.rest.error = ConnectionFailed("REST is down again")
        assert desk.events.get(LIMIT).attempt == 1


def test_subscribers_are_looked_after_although_nothing_is_published() -> None:
    """A callback may hang while no event comes that would show it (fault F136)."""
    looks: queue.Queue[int] = queue.Queue()

    class Looked(PullSubscription[Any]):
        def look(self, now_ns: int) -> None:
            looks.put(now_ns)

    with working(Desk(ping=0.01, clock=1000)) as desk:
        key = ("trade", "binance", "*")
        desk.bus.add(Looked(key, Mailbox(0, "drop_oldest"), lambda subscription: None))
        assert looks.get(timeout=LIMIT) > 0


def test_a_doubt_renews_the_instruments_but_a_flood_of_doubts_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F065)"""
    monkeypatch.setattr("exconn_sync._live.rest_session._DOUBTED_AGE_NS", 0)
    with working(Desk(ping=1000, clock=1000)) as desk:
        desk.readiness.wait("rest", LIMIT)
        desk.rest.expect(*WHOLE)
        desk.session.doubt_instruments()
        desk.rest.expect(*WHOLE)
        until(lambda: desk.loaded == 2)
        monkeypatch.setattr("exconn_sync._live.rest_session._DOUBTED_AGE_NS", 3600 * 10**9)
        for _ in range(100):
            desk.session.doubt_instruments()
        # The next look of its own is what comes first; fresh instruments are not part of it.
        desk.session.synchronize()
        desk.rest.expect(*AGAIN)
        desk.session.synchronize()
        desk.rest.expect(*AGAIN)
        assert desk.loaded == 2
        # The doubt is kept until they are old enough.
        monkeypatch.setattr("exconn_sync._live.rest_session._DOUBTED_AGE_NS", 0)
        desk.session.synchronize()
        desk.rest.expect(*WHOLE)
