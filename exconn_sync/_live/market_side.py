"""The market connections of one life of a connector, put together: lanes, their workers, books and probes."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from exconn_sync._live.backfill import Backfiller, missed_call
from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.market_feed import MarketFeed, MarketLane
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.session_parts import SessionParts
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.snapshot_desk import SnapshotDesk
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._live.stream_feed import StreamFeed
from exconn_sync._live.topic_probe import LEVELS, BookMark, TopicProbe, Verdict
from exconn_sync._live.topic_survey import Mark, TopicSurvey, mark_of, tops_mark
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.executor import Executor, Priority
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import Worker, WorkerRun
from exconn_sync.model.enums import Channel
from exconn_sync.model.limits import Lane
from exconn_sync.model.market import BookSnapshot
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import ExchangeDriver

_SNAPSHOT_LEVELS = 1000


class MarketSide:
    """Makes the worker of each market connection, and hands it to ``start_worker`` when it is needed."""

    def __init__(
        self,
        parts: SessionParts,
        driver: ExchangeDriver,
        rest: RestClient,
        probe: TopicProbe,
        catalogue: Catalogue,
        readiness: Readiness,
        executor: Executor,
        rng: random.Random,
        start_worker: Callable[[Worker], None],
        server_clock: ServerClock,
    ) -> None:
        self._parts = parts
        self._driver = driver
        self._rest = rest
        self._probe = probe
        self._survey = TopicSurvey(driver, rest, catalogue, parts.config.timeouts.request)
        self._catalogue = catalogue
        self._executor = executor
        self._rng = rng
        self._start_worker = start_worker
        self._server_clock = server_clock
        self.books = BookShelf(driver.name, parts.clock)
        self._snapshots = SnapshotDesk(self.books, self._load_snapshot, self._wanted, parts.clock, executor.most_bulk)
        self.feed = MarketFeed(driver.stream_limits.topics_per_connection, readiness, self._lane, self._open)

    @property
    def is_open(self) -> bool:
        """True while every market connection stands. Exact, from any thread."""
        return all(lane.is_open for lane in self.feed.lanes)

    def first_worker(self) -> Worker:
        """Return the worker of the connection that is always there."""
        return self._worker(self.feed.lanes[0])

    def on_hang(self, worker: str, reason: str) -> None:
        """The worker of a connection was abandoned, if it is one of these; on the supervisor's thread."""
        for lane in self.feed.lanes:
            if worker == self._name_of(lane):
                lane.session = None
                self.books.lose(lane.number, reason)
                lane.settled(False, reason)
                lane.reporter.down(reason, 0, 0.0)

    def _name_of(self, lane: MarketLane) -> str:
        return f"{self._driver.name}-{lane.reporter.name}"

    def _lane(self, owner: MarketFeed, number: int) -> MarketLane:
        name = "market" if number == 1 else f"market-{number}"
        settle = self._parts.config.reconnect.settle
        return MarketLane(owner, number, ConnectionReporter(name, settle, self._parts.pipeline, self._parts.clock))

    def _open(self, lane: MarketLane) -> None:
        self._start_worker(self._worker(lane))

    def _worker(self, lane: MarketLane) -> Worker:
        def body(run: WorkerRun) -> None:
            # Everything that a life changes is made anew for it: an abandoned one cannot touch its successor.
            SocketSession(self._parts, lane.reporter, run, lambda session: self._feed_of(lane, session)).work()

        return Worker(self._name_of(lane), body, self._parts.clock)

    def _feed_of(self, lane: MarketLane, session: SocketSession) -> StreamFeed:
        parts, driver, snapshots = self._parts, self._driver, self._snapshots
        books = BookKeeper(
            self.books, lane.number, driver, parts.pipeline, parts.clock, self._rng, snapshots.fetch, session.post,
            lambda symbol: feed.renew_book(symbol), _SNAPSHOT_LEVELS, snapshots.on_tick,
        )  # fmt: skip

        def ask(topic: Topic, quiet_for: float) -> Future[Verdict]:
            # What came before it was subscribed says nothing of what it owes since.
            last = feed.last_of(topic) if silence.has_come(topic) else None
            book: BookMark = None
            if topic.channel is Channel.ORDER_BOOK:
                is_numbered = driver.has_numbers_of_rest(topic)
                book = books.update_id(topic.symbol) if is_numbered else books.levels(topic.symbol, LEVELS)
            question = partial(self._probe.ask, topic, last, book, quiet_for)
            return self._executor.submit(question, priority=Priority.BULK)

        def survey(topics: list[Topic]) -> Future[dict[Topic, Mark]]:
            return self._executor.submit(partial(self._survey.ask, topics), priority=Priority.BULK)

        def held(topics: list[Topic]) -> dict[Topic, Mark]:
            last = feed.last_events(topic for topic in topics if topic.channel is not Channel.ORDER_BOOK)
            marks = {topic: mark_of(event) for topic, event in last.items() if silence.has_come(topic)}
            for topic in topics:
                bid, ask = books.top(topic.symbol) if topic.channel is Channel.ORDER_BOOK else (None, None)
                if bid is not None and ask is not None:
                    marks[topic] = tops_mark(bid, ask)
            return marks

        silence = SilenceWatch(parts.config.reconnect.topic_timeout, ask, parts.clock, session.look_soon, survey, held)
        feed = StreamFeed(
            lane, parts.config, driver, self._catalogue, books, parts.pipeline, parts.clock, silence,
            session.demand_replacement, lane.delivered(), session.is_current,
            Backfiller(
                parts.config.market_streams, driver, self._catalogue.get, self._fetch_missed, session.post,
                parts.pipeline, parts.clock,
            ),
        )  # fmt: skip
        lane.live(session, feed)
        return feed

    def _fetch_missed(self, topic: Topic, last: Any) -> Future[list[Any]]:
        server, settings = self._server_clock, self._parts.config.market_streams
        instrument = self._catalogue.get(topic.symbol)
        call = missed_call(self._driver, topic, last, instrument, server.now_ns() - server.bound_ns)
        clock = self._parts.clock
        deadline = Deadline.after(clock.monotonic_ns(), settings.backfill_limit)

        def fetch() -> list[Any]:
            return self._rest.call(call, deadline.remaining(clock.monotonic_ns()), is_background=True)

        return self._executor.submit(fetch, priority=Priority.BULK, deadline=deadline)

    def _wanted(self, symbol: str) -> int:
        """Return how many subscribers want a book."""
        return len(self._parts.pipeline.bus.concerned(self._parts.pipeline.key(Channel.ORDER_BOOK, symbol)))

    def _load_snapshot(self, symbol: str) -> Future[BookSnapshot]:
        call = self._driver.fetch_order_book(self._catalogue.get(symbol), _SNAPSHOT_LEVELS)
        call = replace(call, lane=Lane.SNAPSHOT)
        clock = self._parts.clock
        deadline = Deadline.after(clock.monotonic_ns(), self._parts.config.timeouts.snapshot)

        def fetch() -> BookSnapshot:
            return self._rest.call(call, deadline.remaining(clock.monotonic_ns()), is_background=True)

        return self._executor.submit(fetch, priority=Priority.BULK, deadline=deadline)
