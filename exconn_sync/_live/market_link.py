"""One market connection: what it was asked for, and its frames, decoded a read at a time.

Per message it does a cheap look for the topic, one typed decode and one append; per read it hands each topic's list
over once. A malformed message is reported and skipped; the connection and the other messages are not touched by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from exconn_sync._live.topic_table import TopicTable
from exconn_sync._machines.garbage import GarbageCount
from exconn_sync._machines.retries import Retries
from exconn_sync.errors import ConnectionFailed, ExconnError, ProtocolError, ValidationError
from exconn_sync.model.wire import Pong, ServerNotice, SubscriptionReply, Topic

if TYPE_CHECKING:
    from exconn_sync._live.link import Link
    from exconn_sync._live.market_route import Route
    from exconn_sync._live.stream_feed import StreamFeed

_NS = 1_000_000_000
_ANSWER_LIMIT_NS = 10 * _NS
_LIST_AFTER_NS = 5 * _NS
"""After this time without an answer the exchange is asked what it has subscribed."""


class MarketLink:
    """Handler of one market connection; on the session's thread only."""

    def __init__(self, feed: StreamFeed, link: Link) -> None:
        self._feed = feed
        self._link = link
        self._table = TopicTable()
        # By what name each topic was asked for: a symbol may leave the catalogue while its topic is subscribed.
        self._names: dict[Topic, str] = {}
        # Topics that brought something while an answer was missing.
        self._has_delivered: set[Topic] = set()
        # Whether the pace holds something back; kept, because asking the table costs a look at every topic.
        self._is_held_back = False
        # When the exchange was last asked for its list of topics, and by which request.
        self._listed_ns = -1
        self._list_id: int | None = None
        # Why the exchange refused topics on this connection, as long as it does.
        self.refusals: dict[Topic, ExconnError] = {}
        self._retries: Retries[Topic] = feed.new_retries()
        self._garbage = GarbageCount()

    @property
    def is_established(self) -> bool:
        """True where every wanted topic is acknowledged or was refused."""
        return self._table.is_settled(self._feed.lane.wanted())

    def on_open(self) -> None:
        """Subscribe everything that is wanted."""
        self.settle()

    def settle(self) -> None:
        """Ask the exchange for what is missing and end what is too much, at the pace that it allows."""
        wanted = self._feed.lane.wanted()
        for topic in [topic for topic in self.refusals if topic not in wanted]:
            self._refusal_over(topic)
            self._table.forgive(topic)
            self._feed.close_route(topic, self._names.get(topic, ""))
        has_asked = self._request(self._known(self._table.to_subscribe(wanted)), is_subscribe=True)
        has_ended = self._request(self._table.to_unsubscribe(wanted), is_subscribe=False)
        self._is_held_back = not (has_asked and has_ended)
        self.report()

    def report(self) -> None:
        """Tell whether everything that is wanted comes, where this connection is the one that counts."""
        if self._feed.is_primary(self):
            wanted = self._feed.lane.wanted()
            self._feed.lane.settled(self._table.is_settled(wanted), covered=wanted)

    def is_acknowledged(self, topic: Topic) -> bool:
        """Return whether this connection delivers a topic."""
        return self._table.is_acknowledged(topic)

    def forgive(self, topic: Topic) -> None:
        """Ask for a topic again that was refused: somebody new wants it."""
        self._table.forgive(topic)
        self._refusal_over(topic)

    def renew(self, topic: Topic) -> None:
        """End a topic and ask for it again; one that was refused is asked for again."""
        self._table.renew(topic)
        self._refusal_over(topic)
        self.settle()

    def on_tick(self, now_ns: int) -> float | None:
        """Send what the pace held back, look for answers that never came and for topics that went silent."""
        due: list[float] = []
        overdue_ns = self._table.next_overdue_ns(_ANSWER_LIMIT_NS)
        if overdue_ns is not None:
            if now_ns > overdue_ns:
                self._on_overdue(now_ns)
            due.append(max((overdue_ns - now_ns) / _NS, 0.1))
            due.append(self._look_at_list(now_ns))
        again = self._retries.due(now_ns)
        if again is not None:
            self._table.retry(again)
        if self._is_held_back or again is not None:
            self.settle()
        retry_due = self._retries.until_due(now_ns)
        if retry_due is not None:
            due.append(retry_due)
        if self._is_held_back:
            due.append(self._link.pace.until_request(now_ns))
        if self._feed.is_primary(self):
            feed_due = self._feed.on_tick(self, now_ns)
            if feed_due is not None:
                due.append(feed_due)
        return min(due) if due else None

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Decode one read's messages and hand each topic's events over once."""
        routes, topic_of_frame = self._feed.routes, self._feed.driver.topic_of_frame
        touched: dict[str, Route] = {}
        newest: Route | None = None
        is_useful = False
        for frame in messages:
            name = topic_of_frame(frame)
            route = None if name is None else routes.get(name)
            if route is None or name is None:
                is_useful |= self._other(frame, name)
                continue
            try:
                route.decode(frame, received_at, route.batch.append)
            except ProtocolError as error:
                self._on_garbage(route.topic.name, error)
                continue
            if route is not newest:
                # Messages of one topic often come in a row.
                touched[name] = newest = route
        if touched:
            if self._table.is_waiting:
                self._has_delivered.update(route.topic for route in touched.values())
            self._feed.hand_over(self, touched.values())
        return bool(touched) or is_useful

    def _other(self, frame: bytes, name: str | None) -> bool:
        """Handle a frame without news; return whether it proves a connection on which nothing is due."""
        if name is not None:
            # A topic that was just given up, or was never asked for (fault F064).
            self._feed.pipeline.metrics.count("stream.unwanted", exchange=self._feed.driver.name)
            return False
        try:
            control = self._feed.driver.parse_control(frame)
        except ProtocolError as error:
            self._on_garbage("market stream", error)
            return False
        if isinstance(control, Pong):
            self._link.pong()
            return True
        if isinstance(control, SubscriptionReply):
            self._on_reply(control)
        elif isinstance(control, ServerNotice):
            # No promise is made of how long the connection goes on (fault F045).
            self._feed.announce_end(self, f"the exchange announced: {control.kind}")
        else:
            self._feed.unknown_kinds.note(control.kind)
        return False

    def _on_garbage(self, where: str, error: ProtocolError) -> None:
        self._feed.pipeline.error(where, error)
        if too_much := self._garbage.count(self._feed.clock.monotonic_ns()):
            raise ConnectionFailed(f"{too_much}: {error.message}") from error

    def _look_at_list(self, now_ns: int) -> float:
        """Ask which topics the connection has, where a subscription has long been without answer and data (F047).

        Returns the seconds until this is to be looked at again.
        """
        doubt_ns = self._table.next_doubt_ns(_LIST_AFTER_NS, self._listed_ns, self._has_delivered)
        if doubt_ns is None:
            return _LIST_AFTER_NS / _NS
        if now_ns < doubt_ns:
            return (doubt_ns - now_ns) / _NS
        if not self._link.pace.may_request(now_ns):
            return self._link.pace.until_request(now_ns)
        request_id = next(self._feed.request_ids)
        question = self._feed.driver.encode_list(request_id)
        self._listed_ns = now_ns
        if question is not None:
            self._list_id = request_id
            self._link.send(question)
        return _LIST_AFTER_NS / _NS

    def _on_list(self, reply: SubscriptionReply) -> None:
        """Take the exchange's list for the answer to what was asked before it; without one, time decides."""
        self._list_id = None
        if reply.names is None:
            return
        names = set(reply.names)
        has = {topic for topic, name in self._names.items() if name in names}
        live, hopeless = self._table.listed(self._listed_ns, has, self._has_delivered)
        self._accepted(tuple(live))
        self._seek_elsewhere(hopeless)
        self.settle()

    def _on_reply(self, reply: SubscriptionReply) -> None:
        if reply.request_id == self._list_id:
            self._on_list(reply)
            return
        # Of one topic it is no refusal that it is there; of several nobody knows which.
        is_success = not reply.error or (reply.is_already and self._table.is_of_one(reply.request_id))
        request = self._table.answered(reply.request_id, is_success=is_success)
        if request is None:
            if reply.error:
                error = ExconnError(f"the exchange complained: {reply.error}")
                self._feed.pipeline.error("market stream", error)
            return
        if request.is_subscribe and is_success:
            self._accepted(request.topics)
        elif request.is_subscribe and len(request.topics) == 1:
            topic = request.topics[0]
            text = f"subscription of {topic.name} refused: {reply.error}"
            self._refused(topic, ExconnError(text))
        self.settle()

    def _accepted(self, topics: tuple[Topic, ...]) -> None:
        was_refused = [topic for topic in topics if topic in self.refusals]
        for topic in was_refused:
            self._refusal_over(topic)
        if was_refused:
            # Whatever the trouble was, it may be over for all: they need not wait for their turns.
            for topic in self.refusals:
                self._table.retry(topic)
        self._feed.acknowledged(self, topics)

    def _refusal_over(self, topic: Topic) -> None:
        self.refusals.pop(topic, None)
        self._retries.forget(topic)

    def _refused(self, topic: Topic, error: ExconnError) -> None:
        self.refusals[topic] = error
        self._retries.failed(topic, self._feed.clock.monotonic_ns())
        if self._feed.is_primary(self):
            self._feed.refused(topic, error)

    def _on_overdue(self, now_ns: int) -> None:
        delivering, hopeless = self._table.overdue(now_ns, _ANSWER_LIMIT_NS, self._has_delivered)
        if self._feed.is_primary(self):
            for topic in delivering:
                self._feed.delivers(topic)
        self._seek_elsewhere(hopeless)
        self.settle()

    def _seek_elsewhere(self, hopeless: list[Topic]) -> None:
        for topic in hopeless:
            self._feed.pipeline.error(topic.name, ExconnError(f"no answer to the subscription of {topic.name}"))
        if hopeless:
            self._feed.try_another(f"no answer to {len(hopeless)} subscriptions")

    def _known(self, topics: list[Topic]) -> list[Topic]:
        """Return the topics whose symbol exists; the others are reported once and given up."""
        known: list[Topic] = []
        for topic in topics:
            try:
                self._feed.catalogue.get(topic.symbol)
            except ValidationError as error:
                request_id = next(self._feed.request_ids)
                now_ns = self._feed.clock.monotonic_ns()
                self._table.sent(request_id, [topic], is_subscribe=True, now_ns=now_ns)
                self._table.answered(request_id, is_success=False)
                self._refused(topic, error)
            else:
                known.append(topic)
        return known

    def _name(self, topic: Topic) -> str:
        name = self._names.get(topic)
        if name is None:
            feed = self._feed
            name = self._names[topic] = feed.driver.topic_name(topic, feed.catalogue.get(topic.symbol))
        return name

    def _request(self, topics: list[Topic], *, is_subscribe: bool) -> bool:
        """Send requests for the topics; return False where the pace holds some of them back."""
        driver = self._feed.driver
        for part in self._table.batches(topics, driver.stream_limits.topics_per_request):
            now_ns = self._feed.clock.monotonic_ns()
            if not self._link.pace.may_request(now_ns):
                return False
            names = [self._name(topic) for topic in part]
            request_id = next(self._feed.request_ids)
            for topic, name in zip(part, names, strict=True):
                self._has_delivered.discard(topic)
                if is_subscribe:
                    self._feed.open_route(topic, name)
                elif topic not in self._feed.lane.wanted():
                    self._feed.close_route(topic, name)
            encode = driver.encode_subscribe if is_subscribe else driver.encode_unsubscribe
            self._table.sent(request_id, part, is_subscribe=is_subscribe, now_ns=now_ns)
            self._link.send(encode(names, request_id))
        return True
