"""A life of a market worker that was abandoned has no effect, whatever it still holds (fault F144)."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.market_side import MarketSide
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.topic_probe import TopicProbe
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import Worker
from exconn_sync.model.enums import BookState
from exconn_sync.model.wire import RestCall
from tests.live.market import BOOK, BTC, DRIVER, TRADES, depth, instruments, snapshot, trade
from tests.live.support import Conn, Desk, Server, listen
from tests.unit.support import LIMIT, until


class Rest:
    """Gives snapshots of the book, at the id that the test says."""

    def __init__(self) -> None:
        self.update_id = 10

    def call(self, call: RestCall[Any], timeout: float | None, *, is_background: bool | None = None) -> Any:
        return snapshot(self.update_id)


class Hold:
    """Holds a thread at a fault point until the test lets it go; the thread that comes first after ``arm``."""

    def __init__(self) -> None:
        self._is_armed = threading.Event()
        self.held = threading.Event()
        self.go_on = threading.Event()

    def arm(self) -> None:
        self._is_armed.set()

    def __call__(self) -> None:
        if self._is_armed.is_set() and not self.held.is_set():
            self.held.set()
            assert self.go_on.wait(LIMIT)


class Market:
    """The market side of a connector against a server that the test plays."""

    def __init__(self, server: Server) -> None:
        desk = self.desk = Desk(server.url)
        object.__setattr__(desk.parts.config, "endpoints", {"stream": server.url.rstrip("/")})
        self.rest = Rest()
        catalogue = Catalogue("binance")
        catalogue.replace(instruments(BTC))
        self.readiness = Readiness({"stream": ["stream"]})
        self.workers: list[Worker] = []
        self.trades = listen(desk.parts.pipeline.bus, "trade")
        self.side = MarketSide(
            desk.parts, DRIVER, cast(RestClient, self.rest), cast(TopicProbe, None), catalogue, self.readiness,
            desk.executor, random.Random(1), self.workers.append, cast(ServerClock, None),
        )  # fmt: skip
        desk.worker = self.side.first_worker()

    def trade_numbers(self, count: int) -> list[int]:
        return [int(self.trades.get(LIMIT).trade_id) for _ in range(count)]

    def until_live(self, update_id: int) -> None:
        def is_live() -> bool:
            view = self.side.books.view(BTC)
            return view.state is BookState.LIVE and view.update_id == update_id

        until(is_live)


def accept(conn: Conn) -> None:
    """Accept the subscription of a new connection."""
    _, text = conn.frame()
    assert b"SUBSCRIBE" in text
    conn.text(b'{"result":null,"id":1}')


@contextmanager
def two_lives() -> Iterator[tuple[Market, Conn, Conn, Hold, threading.Thread]]:
    """Give a market whose first life is held and abandoned, with the connections of both lives."""
    hold = Hold()
    with Server() as server, installed("stream.after_read", hold):
        market = Market(server)
        worker = market.desk.worker
        market.side.feed.want(TRADES)
        market.side.feed.want(BOOK)
        worker.start(market.desk.exits.put)
        old = server.accept()
        accept(old)
        market.until_live(10)
        hold.arm()
        old.text(trade(1), depth(11, 11))
        assert hold.held.wait(LIMIT)
        first = worker._thread
        assert first is not None
        worker.retire()
        market.rest.update_id = 20
        worker.start(market.desk.exits.put)
        new = server.accept()
        accept(new)
        market.until_live(20)
        try:
            yield market, old, new, hold, first
        finally:
            hold.go_on.set()
            market.desk.stop()
            first.join(LIMIT)


def test_what_an_abandoned_life_still_holds_is_not_delivered() -> None:
    """No event twice, no old one after a new one, and the book is the new life's (fault F144)."""
    with two_lives() as (market, old, new, hold, first):
        new.text(trade(1), trade(2), depth(21, 22))
        assert market.trade_numbers(2) == [1, 2]
        market.until_live(22)
        old.text(trade(2), trade(3), depth(12, 40))
        hold.go_on.set()
        first.join(LIMIT)
        assert not first.is_alive()
        assert old.ended.wait(LIMIT), "its connection is closed"
        new.text(trade(3), depth(23, 23))
        assert market.trade_numbers(1) == [3]
        market.until_live(23)
        assert market.trades.pending == 0


def test_the_end_of_an_abandoned_life_is_nobodys_loss() -> None:
    """Neither the readiness nor the book nor the listeners of connections hear of it (fault F144)."""
    with two_lives() as (market, old, new, hold, first):
        until(market.readiness.events["stream"].is_set)
        while market.desk.events.pending:
            market.desk.events.get(0)
        old.leave()
        hold.go_on.set()
        first.join(LIMIT)
        new.text(depth(21, 21))
        market.until_live(21)
        assert market.readiness.events["stream"].is_set()
        assert market.desk.events.pending == 0
        assert market.side.is_open


def test_topics_wanted_later_are_asked_for_by_the_present_life() -> None:
    with two_lives() as (market, _, new, hold, first):
        hold.go_on.set()
        first.join(LIMIT)
        market.side.feed.release(TRADES)
        _, text = new.frame()
        assert b"UNSUBSCRIBE" in text
        assert b"btcusdt@trade" in text


def test_the_next_connection_of_a_market_is_a_worker_of_its_own() -> None:
    with Server() as server:
        market = Market(server)
        assert market.side.feed.lanes[0].reporter.name == "market"
        assert market.workers == []
        market.side._open(market.side._lane(market.side.feed, 2))
        assert [each.name for each in market.workers] == ["binance-market-2"]
        assert not market.side.is_open
        market.desk.executor.stop(Deadline.after(market.desk.parts.clock.monotonic_ns(), LIMIT))
