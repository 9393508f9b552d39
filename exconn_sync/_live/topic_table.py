"""Which topics are wanted, which were asked for, and which the exchange has acknowledged.

What the user wants outlives every connection; what a connection acknowledged dies with it. Pure: told the time,
no thread, no socket.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from exconn_sync.model.wire import Topic


@dataclass
class Request:
    """One subscribe or unsubscribe request under way."""

    topics: tuple[Topic, ...]
    is_subscribe: bool
    sent_ns: int


class TopicTable:
    """Wanted topics with the number of those who want them, and the state of each on the present connection."""

    def __init__(self) -> None:
        self._wanted: Counter[Topic] = Counter()
        self._acknowledged: set[Topic] = set()
        self._under_way: dict[int, Request] = {}
        self._refused: set[Topic] = set()

    @property
    def wanted(self) -> set[Topic]:
        """All topics that somebody wants."""
        return {topic for topic, count in self._wanted.items() if count > 0}

    @property
    def is_settled(self) -> bool:
        """True where every wanted topic is acknowledged or was refused."""
        return self.wanted <= self._acknowledged | self._refused

    def is_acknowledged(self, topic: Topic) -> bool:
        """Return whether the present connection delivers this topic."""
        return topic in self._acknowledged

    def want(self, topic: Topic) -> None:
        """Note that one more wants the topic.

        Wants and releases come from several threads, so a release may overtake its want: the count is below zero then.
        """
        self._count(topic, 1)
        self._refused.discard(topic)

    def release(self, topic: Topic) -> None:
        """Note that one fewer wants the topic."""
        self._count(topic, -1)

    def _count(self, topic: Topic, change: int) -> None:
        self._wanted[topic] += change
        if self._wanted[topic] == 0:
            del self._wanted[topic]

    def reset(self) -> None:
        """Forget everything about the connection that was lost; refused topics are asked for again."""
        self._acknowledged.clear()
        self._under_way.clear()
        self._refused.clear()

    def to_subscribe(self) -> list[Topic]:
        """Return the wanted topics that were not asked for yet, in a stable order."""
        busy = {topic for request in self._under_way.values() for topic in request.topics}
        missing = [t for t in self.wanted if t not in self._acknowledged and t not in busy and t not in self._refused]
        return sorted(missing, key=_order)

    def to_unsubscribe(self) -> list[Topic]:
        """Return the topics that are delivered although nobody wants them any more."""
        busy = {topic for request in self._under_way.values() for topic in request.topics}
        return sorted(self._acknowledged - self.wanted - busy, key=_order)

    def sent(self, request_id: int, topics: Iterable[Topic], *, is_subscribe: bool, now_ns: int) -> None:
        """Note that a request left."""
        self._under_way[request_id] = Request(tuple(topics), is_subscribe, now_ns)

    def answered(self, request_id: int, *, is_success: bool) -> Request | None:
        """Note the answer to a request; return the request, None for an unknown one."""
        request = self._under_way.pop(request_id, None)
        if request is None:
            return None
        if request.is_subscribe and is_success:
            self._acknowledged.update(request.topics)
        elif request.is_subscribe:
            self._refused.update(request.topics)
        else:
            self._acknowledged.difference_update(request.topics)
        return request

    def overdue(self, now_ns: int, limit_ns: int) -> list[Request]:
        """Return the requests that got no answer for longer than the limit."""
        return [request for request in self._under_way.values() if now_ns - request.sent_ns > limit_ns]


def _order(topic: Topic) -> tuple[str, str]:
    return topic.symbol, topic.channel.value
