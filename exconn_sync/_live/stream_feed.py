"""What one life of a market worker feeds: decoded events to subscribers and books, whichever connection brings them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from exconn_sync._live.backfill import Backfiller
from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.link import Link
from exconn_sync._live.market_link import MarketLink
from exconn_sync._live.market_route import Floor, Overlap, Route
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.refusals import Refusals
from exconn_sync._live.silence_watch import SilenceWatch
from exconn_sync._live.topic_lane import Lane
from exconn_sync._live.unknown_kinds import UnknownKinds
from exconn_sync._live.unknown_parts import FrameLooks
from exconn_sync._machines.flow_comparison import FlowComparison
from exconn_sync._machines.replacement_pace import ReplacementPace
from exconn_sync._machines.retries import Retries
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.config import Config
from exconn_sync.errors import ExconnError, SilentTopic
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver

_NS = 1_000_000_000
_FLOW_PATIENCE = 2.0
"""Seconds that two connections of one exchange may be apart."""

_MOST_NAMED = 3


class StreamFeed:
    """Feed of a market session; on the session's thread only."""

    def __init__(
        self,
        lane: Lane,
        config: Config,
        driver: ExchangeDriver,
        catalogue: Catalogue,
        books: BookKeeper,
        pipeline: Pipeline,
        clock: Clock,
        silence: SilenceWatch,
        demand_replacement: Callable[[str], None],
        delivered: Mapping[Topic, Any] | None = None,
        is_current: Callable[[], bool] = lambda: True,
        backfill: Backfiller | None = None,
    ) -> None:
        self.lane = lane
        self.driver = driver
        self.catalogue = catalogue
        self.books = books
        self.pipeline = pipeline
        self.clock = clock
        self.silence = silence
        self._demand_replacement = demand_replacement
        self._is_current = is_current
        self._backfill = backfill
        if backfill is not None:
            backfill.deliver = self._deliver
        self._pace = ReplacementPace()
        self.request_ids = itertools.count(1)
        self.routes: dict[str, Route] = {}
        self._config = config
        # Newest event of each topic before the present connection, also of an earlier life (fault F066).
        self._last: dict[Topic, Any] = dict(delivered or {})
        self._primary: MarketLink | None = None
        self._successor: MarketLink | None = None
        # Only while there is a successor.
        self._flows: FlowComparison[Topic] | None = None
        self._end_of_successor = ""
        self._told_silent: dict[Topic, set[str]] = {}
        self.refusals = Refusals(pipeline)
        self.unknown_kinds = UnknownKinds(pipeline)
        self._looks = FrameLooks(driver, pipeline.metrics, clock)

    # --- the session's face -----------------------------------------------------------------------------------------

    def url(self) -> str:
        """Return where to connect."""
        return self.driver.stream_url(self._config.endpoints, microseconds=self._config.market_streams.microseconds)

    def handler(self, link: Link) -> MarketLink:
        """Return what handles a new connection."""
        made = MarketLink(self, link)
        if self._primary is None:
            self._primary = made
            self.routes.clear()
            wanted = self.lane.wanted()
            self.books.keep_only({topic.symbol for topic in wanted if topic.channel is Channel.ORDER_BOOK})
        else:
            if self._backfill is not None:
                self._backfill.give_up_all()
            self._successor, self._flows = made, FlowComparison(_FLOW_PATIENCE)
            for route in self.routes.values():
                route.gate = Overlap(route, made)
        return made

    def on_lost(self, error: ExconnError) -> None:
        """Mark books as unreadable and topics as not delivered."""
        was_open, self._primary = self._primary is not None, None
        for route in self.routes.values():
            if self._successor is None:
                route.gate = None
            if route.last is not None:
                self._last[route.topic] = route.last
        self.silence.clear()
        self.refusals.lost()
        self.lane.settled(False, error.message)
        if was_open:
            self.books.on_lost(error.message)

    def has_switched(self) -> bool:
        """Return whether every topic comes over the successor."""
        gates = (route.gate for route in self.routes.values())
        return all(gate.has_switched for gate in gates if isinstance(gate, Overlap))

    def lacking(self) -> str:
        """Return in words what comes over the primary connection alone, empty for nothing."""
        names = [topic.name for topic in self._missing()]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return ", ".join(names[:_MOST_NAMED]) + more

    def _missing(self) -> list[Topic]:
        """Return the topics that come over the primary connection, and not over its successor."""
        missing = [] if self._flows is None else self._flows.missing(self.clock.monotonic_ns())
        primary, successor = self._primary, self._successor
        if primary is not None and successor is not None:
            missing += [topic for topic in successor.refusals if primary.is_acknowledged(topic)]
        return missing

    def replace(self) -> None:
        """Let the successor be the primary connection, and deliver what it brought ahead of the old one."""
        missing, self._flows = self._missing(), None
        was_lost, self._primary, self._successor = self._primary is None, self._successor, None
        for route in self.routes.values():
            gate, route.gate = route.gate, None
            if isinstance(gate, Overlap):
                self._deliver(route, gate.finish())
                # The new one may be behind what the old one brought (fault F066).
                self._hold_back(route)
        link = self._primary
        if link is not None:
            for route in self.routes.values():
                # What was acknowledged while the other connection counted has to be told now.
                if link.is_acknowledged(route.topic) and (was_lost or not self.silence.is_watching(route.topic)):
                    self.delivers(route.topic)
            for topic in missing:
                # The old connection ended, or it would not have been let go.
                if topic not in link.refusals:
                    self._ask_again(link, topic)
            for topic, error in link.refusals.items():
                # Not told before: the connection in use brought it, or was to tell it.
                self.refused(topic, error)
            link.report()
        why, self._end_of_successor = self._end_of_successor, ""
        if why:
            self._demand_replacement(why)

    def forget_successor(self) -> None:
        """Go on with the primary connection alone."""
        self._successor = self._flows = None
        self._end_of_successor = ""
        for route in self.routes.values():
            gate = route.gate
            if isinstance(gate, Overlap):
                route.gate = None
                if gate.has_switched:
                    # What the lost one brought ahead of the other must not come twice, nor what it owed be missing.
                    self._deliver(route, gate.abort())
                    self._hold_back(route)

    def look_again(self, newcomers: Iterable[Topic] = ()) -> None:
        """Ask for what is wanted now; ``newcomers`` also where the exchange has refused them before."""
        for newcomer in newcomers:
            self.refusals.over(newcomer)
            for link in (self._primary, self._successor):
                if link is not None:
                    link.forgive(newcomer)
        for link in (self._primary, self._successor):
            if link is not None:
                link.settle()

    # --- for the links ----------------------------------------------------------------------------------------------

    def announce_end(self, link: MarketLink, why: str) -> None:
        """The exchange will end a connection soon: another one is needed at once (fault F045)."""
        if link is self._primary:
            self._demand_replacement(why)
        else:
            # Its turn comes when it is the one that counts.
            self._end_of_successor = why

    def try_another(self, why: str) -> bool:
        """Have the connection replaced because a topic does not come over it; return False where that is too soon."""
        if not self._pace.may_replace(self.clock.monotonic_ns()):
            return False
        self._demand_replacement(why)
        return True

    def new_retries(self) -> Retries[Topic]:
        """Return what says when a connection asks again for topics that it was refused."""
        settings = self._config.reconnect
        return Retries(settings.base, settings.cap)

    def is_primary(self, link: MarketLink) -> bool:
        """Return whether a connection is the one that counts."""
        return link is self._primary

    def hand_over(self, link: MarketLink, touched: Iterable[Route]) -> None:
        """Deliver what one read of a connection brought, each topic's events at once."""
        reach("stream.before_delivery")
        if not self._is_current():
            # Hung since the read, and abandoned: the next life delivers (fault F144).
            return
        if self._flows is not None:
            touched = list(touched)
            self._compare(link, [route.topic for route in touched])
        for route in touched:
            events, route.batch = route.batch, []
            gate = route.gate
            if gate is not None:
                if isinstance(gate, Floor) and self.clock.monotonic_ns() >= gate.until_ns:
                    route.gate = None
                else:
                    came, events = len(events), gate.let_pass(link, events)
                    if isinstance(gate, Floor) and len(events) < came:
                        self._count("stream.repeated", route.topic, came - len(events))
            route.is_fresh = True
            self._deliver(route, events)

    def _compare(self, link: MarketLink, topics: list[Topic]) -> None:
        flows, now_ns = self._flows, self.clock.monotonic_ns()
        if flows is None:
            return
        for topic in topics:
            if link is self._successor:
                flows.on_new(topic)
            else:
                flows.on_old(topic, now_ns)

    def open_route(self, topic: Topic, name: str) -> None:
        """Be ready for the frames of a topic."""
        if name in self.routes:
            return
        if topic.channel is Channel.ORDER_BOOK:
            self.books.add(topic.symbol)
        span = self.driver.span(topic)
        key = self.pipeline.key(topic.channel, topic.symbol, topic.variant)
        decode = self.driver.decoder(topic, microseconds=self._config.market_streams.microseconds)
        route = self.routes[name] = Route(topic, decode, key, span)
        if self._successor is not None:
            route.gate = Overlap(route, self._successor)
        self._looks.have_one(route, self.clock.monotonic_ns())
        route.last = self._last.pop(topic, None)
        if route.gate is None:
            self._hold_back(route, is_cut=True)

    def renew_book(self, symbol: str) -> None:
        """Have the topic of a book subscribed anew on the connection that counts, for the snapshot at its beginning."""
        if self._primary is None:
            # The next connection begins with one.
            return
        for route in list(self.routes.values()):
            if route.is_book and route.topic.symbol == symbol:
                self._primary.renew(route.topic)

    def close_route(self, topic: Topic, name: str) -> None:
        """Forget a topic that nobody wants any more."""
        self.routes.pop(name, None)
        self._last.pop(topic, None)
        self._told_silent.pop(topic, None)
        self.silence.stopped(topic)
        self.refusals.over(topic)
        if self._flows is not None:
            self._flows.ended(topic)
        if topic.channel is Channel.ORDER_BOOK:
            self.books.remove(topic.symbol)

    def acknowledged(self, link: MarketLink, topics: Iterable[Topic]) -> None:
        """The exchange has acknowledged topics on a connection."""
        for topic in topics:
            if link is self._primary:
                self.delivers(topic)
            elif self._flows is not None:
                self._flows.acknowledged(topic, self.clock.monotonic_ns())

    def refused(self, topic: Topic, error: ExconnError) -> None:
        """The exchange has refused a topic on the connection that counts: what is not there cannot be silent."""
        self.silence.stopped(topic)
        if topic.channel is Channel.ORDER_BOOK and topic not in self.refusals.shown:
            self.books.on_refused(topic.symbol, error.message)
        self.refusals.note(topic, error)

    def delivers(self, topic: Topic) -> None:
        """The exchange has acknowledged a topic on the connection that counts."""
        self.refusals.over(topic)
        self.silence.started(topic, self.clock.monotonic_ns())
        if topic.channel is Channel.ORDER_BOOK:
            self.books.on_subscribed(topic.symbol)

    def on_tick(self, link: MarketLink, now_ns: int) -> float | None:
        """Do what is due for books and silent topics; return the seconds until something is due again."""
        fresh = [route for route in self.routes.values() if route.is_fresh]
        if fresh:
            self.silence.seen([route.topic for route in fresh], now_ns)
            for route in fresh:
                route.is_fresh = False
                self._told_silent.pop(route.topic, None)
                self._looks.have_one(route, now_ns)
        for topic, action, quiet_for in self.silence.tick(now_ns):
            if topic in self.lane.wanted():
                self._on_silent(link, topic, action, quiet_for)
        # Asked last: what was done may have brought something nearer.
        backfill = None if self._backfill is None else self._backfill.on_tick(now_ns)
        due = [self.books.on_tick(now_ns), self.silence.until_due(now_ns), backfill]
        known = [each for each in due if each is not None]
        return min(known) if known else None

    def delivered(self) -> dict[Topic, Any]:
        """Return the newest event of each topic, for the life that follows; any thread, once this life is over."""
        newest = {route.topic: route.last for route in self.routes.copy().values() if route.last is not None}
        return {**self._last, **newest}

    def last_events(self, topics: Iterable[Topic]) -> dict[Topic, Any]:
        """Return the newest event of each of many topics that have brought one."""
        wanted = set(topics)
        routes = self.routes.values()
        return {route.topic: route.last for route in routes if route.topic in wanted and route.last is not None}

    def last_of(self, topic: Topic) -> Any:
        """Return the newest event of a topic, None where there is none."""
        found = [route.last for route in self.routes.values() if route.topic == topic]
        return found[0] if found else None

    def _deliver(self, route: Route, events: list[Any]) -> None:
        if not events:
            return
        route.last = events[-1]
        if route.is_book:
            self.books.on_diffs(route.topic.symbol, events)
        else:
            self.pipeline.bus.publish(route.key, events)

    def _hold_back(self, route: Route, *, is_cut: bool = False) -> None:
        """Let nothing pass that was delivered before, nor anything before what was missed; a book knows by itself."""
        if route.span is not None and route.last is not None and not route.is_book:
            if self._backfill is None:
                route.gate = Floor(route, route.span, self.clock.monotonic_ns())
            else:
                route.gate = self._backfill.gate(route, route.span, is_cut=is_cut)

    def _count(self, name: str, topic: Topic, amount: int = 1) -> None:
        self.pipeline.metrics.count(name, amount, exchange=self.driver.name, channel=topic.channel.value)

    def _ask_again(self, link: MarketLink, topic: Topic) -> None:
        """Have a topic subscribed anew that the connection which ended brought, and the one that is left does not."""
        if topic.channel is Channel.ORDER_BOOK:
            self.books.on_silent(topic.symbol, "only the connection that ended brought its changes")
        link.renew(topic)

    def _on_silent(self, link: MarketLink, topic: Topic, action: str, quiet_for: float) -> None:
        where = topic.name
        text = f"no {topic.channel} of {topic.symbol} for {quiet_for:.0f} s although the exchange has newer ones"
        is_replaced = action == "replace" and self.try_another(f"{where} stays silent")
        cure = "its connection is replaced" if is_replaced else "asked for again"
        if topic.channel is Channel.ORDER_BOOK:
            # Before it is told: whoever hears of it must not find the book readable.
            self.books.on_silent(topic.symbol, text)
        self._count("topic.silent", topic)
        told = self._told_silent.setdefault(topic, set())
        if cure not in told:
            # Once an episode: it ends with the next message.
            told.add(cure)
            self.pipeline.error(where, SilentTopic(f"{text}; {cure}", exchange=self.driver.name))
        if not is_replaced:
            link.renew(topic)
