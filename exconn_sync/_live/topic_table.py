"""Which topics one connection was asked for, and which of them the exchange has acknowledged.

What is wanted outlives every connection and is handed in; what a connection acknowledged dies with it. Pure: told the
time, no thread, no socket.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass

from exconn_sync.model.wire import Topic

_ASKED_AT_MOST = 2


@dataclass
class Request:
    """One subscribe or unsubscribe request under way."""

    topics: tuple[Topic, ...]
    is_subscribe: bool
    sent_ns: int


class TopicTable:
    """The state of each topic on one connection.

    An acknowledgement is not believed alone, nor is a missing one fatal: a topic that delivers is acknowledged, and so
    is one in the exchange's own list; one that got no answer is asked for a second time (fault F047). A refused request
    of several topics is split until it is known which of them the exchange refuses (fault F046).
    """

    def __init__(self) -> None:
        self._acknowledged: set[Topic] = set()
        self._under_way: dict[int, Request] = {}
        # The topics of those requests; kept, because a thousand topics are looked at with each answer.
        self._busy: set[Topic] = set()
        # Those of the requests that end something.
        self._ending: set[Topic] = set()
        self._refused: set[Topic] = set()
        # Those of them that are asked for once more.
        self._retrying: set[Topic] = set()
        self._renewing: set[Topic] = set()
        self._asked: dict[Topic, int] = {}
        self._at_once: dict[Topic, int] = {}

    def is_settled(self, wanted: Set[Topic]) -> bool:
        """Return whether every wanted topic is acknowledged or was refused, and none is being renewed or ended."""
        is_ending = bool(self._renewing) or not self._ending.isdisjoint(wanted)
        return not is_ending and wanted <= self._acknowledged | self._refused

    def is_acknowledged(self, topic: Topic) -> bool:
        """Return whether the connection delivers this topic."""
        return topic in self._acknowledged

    def is_refused(self, topic: Topic) -> bool:
        """Return whether the exchange has refused this topic."""
        return topic in self._refused

    def to_subscribe(self, wanted: Set[Topic]) -> list[Topic]:
        """Return the wanted topics that have to be asked for, in a stable order."""
        given_up = self._refused - self._retrying
        return sorted(wanted - self._acknowledged - self._busy - given_up, key=_order)

    def to_unsubscribe(self, wanted: Set[Topic]) -> list[Topic]:
        """Return the topics that are delivered although nobody wants them any more, or that are renewed."""
        surplus = self._acknowledged & self._renewing | self._acknowledged - wanted
        return sorted(surplus - self._busy, key=_order)

    def forgive(self, topic: Topic) -> None:
        """Ask for a refused topic again, and wait for it: somebody new wants it."""
        self._refused.discard(topic)
        self._retrying.discard(topic)
        self._asked.pop(topic, None)

    def retry(self, topic: Topic) -> None:
        """Ask for a refused topic again, in a request with others where it may; nobody waits for it meanwhile."""
        if topic in self._refused:
            self._retrying.add(topic)
            self._at_once.pop(topic, None)
            self._asked.pop(topic, None)

    def renew(self, topic: Topic) -> None:
        """Have a topic ended and asked for again: it delivers nothing although there is something.

        One that was refused has nothing to end, and is asked for again at once.
        """
        if topic in self._acknowledged:
            self._renewing.add(topic)
        else:
            self.forgive(topic)

    def batches(self, topics: list[Topic], most: int) -> list[list[Topic]]:
        """Return topics in requests of at most ``most``, smaller ones where a larger one was refused."""
        found: list[list[Topic]] = []
        for topic in topics:
            limit = min(self._at_once.get(topic, most), most)
            if found and len(found[-1]) < min(limit, self._at_once.get(found[-1][0], most)):
                found[-1].append(topic)
            else:
                found.append([topic])
        return found

    def sent(self, request_id: int, topics: Iterable[Topic], *, is_subscribe: bool, now_ns: int) -> None:
        """Note that a request left."""
        request = self._under_way[request_id] = Request(tuple(topics), is_subscribe, now_ns)
        self._busy.update(request.topics)
        if is_subscribe:
            for topic in request.topics:
                self._asked[topic] = self._asked.get(topic, 0) + 1
        else:
            self._ending.update(request.topics)

    def answered(self, request_id: int, *, is_success: bool) -> Request | None:
        """Note the answer to a request; return the request, None for an unknown one."""
        request = self._over(request_id)
        if request is None:
            return None
        if not request.is_subscribe:
            self._end(request.topics)
        elif is_success:
            self._acknowledge(request.topics)
        elif len(request.topics) == 1:
            self._refused.update(request.topics)
            self._retrying.difference_update(request.topics)
        else:
            for topic in request.topics:
                self._at_once[topic] = max(len(request.topics) // 2, 1)
                self._asked[topic] = 0
        return request

    def is_of_one(self, request_id: int) -> bool:
        """Return whether a request under way is about one topic only."""
        request = self._under_way.get(request_id)
        return request is not None and len(request.topics) == 1

    @property
    def is_waiting(self) -> bool:
        """True while an answer is missing."""
        return bool(self._under_way)

    def overdue(self, now_ns: int, limit_ns: int, has_delivered: Set[Topic]) -> tuple[list[Topic], list[Topic]]:
        """Give up requests that got no answer within the limit.

        Topics of them that deliver on this connection count as acknowledged; the others will be asked for once more.
        Returns the former, and of the latter those for which asking again is no use.
        """
        late = [key for key, request in self._under_way.items() if now_ns - request.sent_ns > limit_ns]
        return self._without_answer(late, has_delivered)

    def listed(self, asked_ns: int, names: Set[Topic], has_delivered: Set[Topic]) -> tuple[list[Topic], list[Topic]]:
        """Note which topics the exchange says that the connection has, asked at that time.

        That is the answer to the subscriptions that were sent before. Returns the same as ``overdue``.
        """
        settled = [
            key for key, request in self._under_way.items() if request.is_subscribe and request.sent_ns < asked_ns
        ]
        return self._without_answer(settled, names | has_delivered)

    def next_doubt_ns(self, patience_ns: int, listed_ns: int, has_delivered: Set[Topic]) -> int | None:
        """Return the time at which a subscription has been without answer and data for too long, None for never.

        The exchange was last asked for its list at ``listed_ns``: what was sent before needs no other question.
        """
        sent = [
            request.sent_ns
            for request in self._under_way.values()
            if request.is_subscribe
            and request.sent_ns >= listed_ns
            and any(topic not in has_delivered for topic in request.topics)
        ]
        return min(sent) + patience_ns if sent else None

    def next_overdue_ns(self, limit_ns: int) -> int | None:
        """Return the time at which the oldest request is overdue, None where none is under way."""
        sent = [request.sent_ns for request in self._under_way.values()]
        return min(sent) + limit_ns if sent else None

    def _without_answer(self, request_ids: Iterable[int], proven: Set[Topic]) -> tuple[list[Topic], list[Topic]]:
        """Give up requests; return their topics that are live, and those for which asking again is no use."""
        live: list[Topic] = []
        hopeless: list[Topic] = []
        for request_id in request_ids:
            request = self._over(request_id)
            if request is None:
                continue
            if not request.is_subscribe:
                self._end(request.topics)
                continue
            live += [topic for topic in request.topics if topic in proven]
            hopeless += [
                topic for topic in request.topics if topic not in proven and self._asked.get(topic, 0) >= _ASKED_AT_MOST
            ]
        self._acknowledge(live)
        return live, hopeless

    def _acknowledge(self, topics: Iterable[Topic]) -> None:
        for topic in topics:
            self._acknowledged.add(topic)
            self._refused.discard(topic)
            self._retrying.discard(topic)
            self._asked.pop(topic, None)

    def _end(self, topics: Iterable[Topic]) -> None:
        self._acknowledged.difference_update(topics)
        self._renewing.difference_update(topics)

    def _over(self, request_id: int) -> Request | None:
        """Take a request from those under way; a topic is never in two of them."""
        request = self._under_way.pop(request_id, None)
        if request is not None:
            self._busy.difference_update(request.topics)
            self._ending.difference_update(request.topics)
        return request


def _order(topic: Topic) -> tuple[str, str, str]:
    return topic.symbol, topic.channel.value, topic.variant
