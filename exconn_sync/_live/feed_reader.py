"""Reads the market stream: one connection, every wanted topic on it, from bytes to subscribers in batches.

Per message it does a cheap look for the topic, one typed decode and one append; per read it hands each topic's list
over once. A malformed message is reported and skipped; the connection and the other messages are not touched by it.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from exconn_sync._live.books import BookKeeper
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.topic_table import TopicTable
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.subscription import Key
from exconn_sync.config import Config
from exconn_sync.errors import ConnectionFailed, ExconnError, ProtocolError, ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import ServerNotice, SubscriptionReply, Topic, Unrecognized
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import Decode, ExchangeDriver

STREAM = "stream"
_NS = 1_000_000_000
_ANSWER_LIMIT_NS = 10 * _NS
_HELD_BACK_PAUSE = 0.2


class _Route:
    """Where the frames of one topic go. ``batch`` collects a read's events; its ``append`` is looked up once."""

    __slots__ = ("batch", "decode", "key", "topic")

    def __init__(self, topic: Topic, decode: Decode, key: Key) -> None:
        self.topic = topic
        self.decode = decode
        self.key = key
        self.batch: list[Any] = []


class FeedReader:
    """Handler of the market connection. ``want`` and ``release`` may be called from any thread."""

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        catalogue: Catalogue,
        books: BookKeeper,
        pipeline: Pipeline,
        readiness: Readiness,
        clock: Clock,
        send: Callable[[bytes], None],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        self._config = config
        self._driver = driver
        self._catalogue = catalogue
        self._books = books
        self._pipeline = pipeline
        self._readiness = readiness
        self._clock = clock
        self._send = send
        self._post = post
        self._table = TopicTable()
        # Guards the table: subscribers come and go on other threads.
        self._lock = threading.Lock()
        self._routes: dict[str, _Route] = {}
        self._request_ids = itertools.count(1)
        self._sent_ns: deque[int] = deque()
        self._is_open = False
        # Whether the message limit holds something back; kept, because asking the table costs a look at every topic.
        self._is_held_back = False

    # --- any thread -------------------------------------------------------------------------------------------------

    def want(self, topic: Topic) -> None:
        """Subscribe a topic for one more; it is asked for on this and every later connection.

        Raises:
            ValidationError: more topics than one connection carries.
        """
        with self._lock:
            limit = self._driver.stream_limits.topics_per_connection
            is_new = topic not in self._table.wanted
            if is_new and len(self._table.wanted) >= limit:
                raise ValidationError("symbol", topic.symbol, f"more than {limit} topics on one connection")
            self._table.want(topic)
        if is_new:
            # Before this returns: whoever waits for ``stream_ready`` next must wait for this topic too.
            self._readiness.lost(STREAM)
        self._post(self._settle)

    def release(self, topic: Topic) -> None:
        """End a topic for one; it is unsubscribed when nobody wants it any more."""
        with self._lock:
            self._table.release(topic)
        self._post(self._settle)

    def wanted(self) -> set[Topic]:
        """Return all wanted topics."""
        with self._lock:
            return self._table.wanted

    # --- the session's thread ---------------------------------------------------------------------------------------

    def url(self) -> str:
        """Return where to connect."""
        return self._driver.stream_url(self._config.endpoints)

    def on_open(self) -> None:
        """Subscribe everything that is wanted."""
        self._is_open = True
        self._sent_ns.clear()
        self._routes.clear()
        with self._lock:
            self._table.reset()
            wanted = self._table.wanted
        self._books.keep_only({topic.symbol for topic in wanted if topic.channel is Channel.ORDER_BOOK})
        self._settle()

    def on_lost(self, error: ExconnError) -> None:
        """Mark books as unreadable and topics as not delivered."""
        was_open, self._is_open = self._is_open, False
        self._readiness.lost(STREAM, error.message)
        with self._lock:
            self._table.reset()
        if was_open:
            self._books.on_lost(error.message)

    def on_tick(self, now_ns: int) -> float | None:
        """Send what the message limit held back, retry snapshots, look for answers that never came."""
        with self._lock:
            overdue = self._table.overdue(now_ns, _ANSWER_LIMIT_NS)
        if overdue:
            names = ", ".join(f"{t.channel}.{t.symbol}" for request in overdue for t in request.topics[:3])
            raise ConnectionFailed(f"no answer to the subscription of {names}")
        if self._is_held_back:
            self._settle()
        due = self._books.on_tick(now_ns)
        if not self._is_held_back:
            return due
        return _HELD_BACK_PAUSE if due is None else min(due, _HELD_BACK_PAUSE)

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Decode one read's messages and hand each topic's events over once."""
        routes, topic_of_frame = self._routes, self._driver.topic_of_frame
        touched: dict[str, _Route] = {}
        for frame in messages:
            name = topic_of_frame(frame)
            route = None if name is None else routes.get(name)
            if route is None or name is None:
                self._other(frame, name)
                continue
            try:
                route.decode(frame, received_at, route.batch.append)
            except ProtocolError as error:
                self._pipeline.error(f"{route.topic.channel}.{route.topic.symbol}", error)
                continue
            touched[name] = route
        for route in touched.values():
            events, route.batch = route.batch, []
            if route.topic.channel is Channel.ORDER_BOOK:
                self._books.on_diffs(route.topic.symbol, events)
            else:
                self._pipeline.bus.publish(route.key, events)
        return bool(touched)

    def _other(self, frame: bytes, name: str | None) -> None:
        if name is not None:
            # A topic that was just given up: its last frames are still on their way.
            return
        try:
            control = self._driver.parse_control(frame)
        except ProtocolError as error:
            self._pipeline.error("market stream", error)
            return
        if isinstance(control, SubscriptionReply):
            self._on_reply(control)
        elif isinstance(control, ServerNotice):
            raise ConnectionFailed(f"the exchange announced: {control.kind}")
        elif isinstance(control, Unrecognized):
            self._pipeline.metrics.count("stream.unrecognized", exchange=self._driver.name, kind=control.kind)

    def _on_reply(self, reply: SubscriptionReply) -> None:
        with self._lock:
            request = self._table.answered(reply.request_id, is_success=not reply.error)
        if request is None:
            if reply.error:
                self._pipeline.error("market stream", ExconnError(f"the exchange complained: {reply.error}"))
            return
        for topic in request.topics:
            if reply.error:
                error = ExconnError(f"subscription of {topic.channel}.{topic.symbol} refused: {reply.error}")
                self._pipeline.error(f"{topic.channel}.{topic.symbol}", error)
            elif request.is_subscribe and topic.channel is Channel.ORDER_BOOK:
                self._books.on_subscribed(topic.symbol)
        self._settle()

    def _settle(self) -> None:
        """Ask the exchange for what is missing and end what is too much, within its message limit."""
        if not self._is_open:
            return
        with self._lock:
            missing, surplus = self._table.to_subscribe(), self._table.to_unsubscribe()
        self._request(self._known(missing), is_subscribe=True)
        self._request(surplus, is_subscribe=False)
        with self._lock:
            is_settled = self._table.is_settled
            self._is_held_back = bool(self._table.to_subscribe() or self._table.to_unsubscribe())
        if is_settled:
            self._readiness.met(STREAM)
        else:
            self._readiness.lost(STREAM)

    def _known(self, topics: list[Topic]) -> list[Topic]:
        """Return the topics whose symbol exists; the others are reported once and given up."""
        known: list[Topic] = []
        for topic in topics:
            try:
                self._catalogue.get(topic.symbol)
            except ValidationError as error:
                request_id = next(self._request_ids)
                with self._lock:
                    self._table.sent(request_id, [topic], is_subscribe=True, now_ns=self._clock.monotonic_ns())
                    self._table.answered(request_id, is_success=False)
                self._pipeline.error(f"{topic.channel}.{topic.symbol}", error)
            else:
                known.append(topic)
        return known

    def _request(self, topics: list[Topic], *, is_subscribe: bool) -> None:
        size = self._driver.stream_limits.topics_per_request
        for start in range(0, len(topics), size):
            now_ns = self._clock.monotonic_ns()
            if not self._may_send(now_ns):
                return
            part = topics[start : start + size]
            names = [self._driver.topic_name(topic, self._catalogue.get(topic.symbol)) for topic in part]
            request_id = next(self._request_ids)
            if is_subscribe:
                self._open_routes(part, names)
                message = self._driver.encode_subscribe(names, request_id)
            else:
                self._close_routes(part, names)
                message = self._driver.encode_unsubscribe(names, request_id)
            with self._lock:
                self._table.sent(request_id, part, is_subscribe=is_subscribe, now_ns=now_ns)
            self._sent_ns.append(now_ns)
            self._send(message)

    def _may_send(self, now_ns: int) -> bool:
        while self._sent_ns and now_ns - self._sent_ns[0] >= _NS:
            self._sent_ns.popleft()
        return len(self._sent_ns) < self._driver.stream_limits.requests_per_second

    def _open_routes(self, topics: list[Topic], names: list[str]) -> None:
        for topic, name in zip(topics, names, strict=True):
            if topic.channel is Channel.ORDER_BOOK:
                self._books.add(topic.symbol)
            key = self._pipeline.key(topic.channel, topic.symbol)
            self._routes[name] = _Route(topic, self._driver.decoder(topic), key)

    def _close_routes(self, topics: list[Topic], names: list[str]) -> None:
        for topic, name in zip(topics, names, strict=True):
            self._routes.pop(name, None)
            if topic.channel is Channel.ORDER_BOOK:
                self._books.remove(topic.symbol)
