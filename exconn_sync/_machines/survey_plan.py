"""When an exchange is asked about many topics at once, and what its answer says about each (faults F047, F060)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T", bound=Hashable)
M = TypeVar("M", bound=tuple[str, ...])

_NS = 1_000_000_000
_FEW = 20
_LONGER = 10

Finding: TypeAlias = Literal["quiet", "silent", "unknown"]


class SurveyPlan(Generic[T, M]):
    """Surveys of the topics of one connection, one at a time. Not thread-safe.

    A mark says how far the exchange is with a topic: the number of its newest trade, its best prices. A topic is asked
    about once soon after it was subscribed, so that its mark from then on is known: what happened before is no news
    that it owes. Later, when it has brought nothing for long, a mark that differs from what it brought, or from that
    first one where it has brought nothing yet, shows that it is silent. An empty mark says that nothing has happened
    for longer than anybody waits.

    A survey costs nearly the same for any number of topics, so all that are waiting share the next one. After a large
    one the pause is ten times ``between`` seconds.
    """

    def __init__(self, after: float, between: float) -> None:
        self._after_ns = int(after * _NS)
        self._between_ns = int(between * _NS)
        self._not_before_ns = 0
        # Topics without a first mark, with the time of their subscription; and the first marks.
        self._fresh_ns: dict[T, int] = {}
        self._first: dict[T, M] = {}
        self._due: dict[T, None] = {}
        # What is asked at present: fresh topics, and due ones with what they brought.
        self._asked_fresh: set[T] = set()
        self._asked_due: dict[T, M | None] = {}

    def started(self, topic: T, now_ns: int) -> None:
        """Note that a topic is subscribed, for the first time or again: what happened before is not owed."""
        self.stopped(topic)
        self._fresh_ns[topic] = now_ns

    def stopped(self, topic: T) -> None:
        """Forget a topic."""
        self._fresh_ns.pop(topic, None)
        self._first.pop(topic, None)
        self._due.pop(topic, None)
        self._asked_due.pop(topic, None)
        self._asked_fresh.discard(topic)

    def clear(self) -> None:
        """Forget all topics, and what is asked at present."""
        self._fresh_ns.clear()
        self._first.clear()
        self._due.clear()
        self._asked_due.clear()
        self._asked_fresh.clear()

    def is_due(self, topic: T) -> None:
        """Note that a topic has brought nothing for long: the next survey asks about it."""
        self._due[topic] = None

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until a survey may be begun, None where nothing waits for one."""
        begin_ns = [now_ns] if self._due else []
        if self._fresh_ns:
            begin_ns.append(min(self._fresh_ns.values()) + self._after_ns)
        return max(min(begin_ns) - now_ns, self._not_before_ns - now_ns, 0) / _NS if begin_ns else None

    def begin(self, now_ns: int) -> list[T]:
        """Return the topics of the survey that is to be made now; those that are not due yet come along if they may."""
        until_due = self.until_due(now_ns)
        if until_due is None or until_due > 0:
            return []
        self._asked_fresh = {topic for topic, at_ns in self._fresh_ns.items() if now_ns - at_ns >= self._after_ns}
        for topic in self._asked_fresh:
            del self._fresh_ns[topic]
        self._asked_due = dict.fromkeys(self._due)
        self._due.clear()
        topics = [*self._asked_due, *(topic for topic in self._asked_fresh if topic not in self._asked_due)]
        self._not_before_ns = now_ns + self._between_ns * (1 if len(topics) <= _FEW else _LONGER)
        return topics

    def brought(self, held: Mapping[T, M]) -> None:
        """Say what topics of the survey have brought last, since they were subscribed; before the answer is there."""
        self._asked_due = {topic: held.get(topic) for topic in self._asked_due}

    def answered(self, marks: Mapping[T, M] | None) -> dict[T, Finding]:
        """Note the answer to a survey, None where there was none; return what it says about the topics that were due.

        A topic of which nothing can be said is ``unknown``.
        """
        fresh, self._asked_fresh = self._asked_fresh, set()
        due, self._asked_due = self._asked_due, {}
        found = marks or {}
        findings = {topic: self._compare(topic, held, found.get(topic)) for topic, held in due.items()}
        self._first.update((topic, found[topic]) for topic in fresh if topic in found)
        return findings

    def _compare(self, topic: T, held: M | None, mark: M | None) -> Finding:
        if mark is None:
            return "unknown"
        if not mark:
            self._first.setdefault(topic, mark)
            return "quiet"
        if held is None:
            held = self._first.get(topic)
        if held is None:
            # The survey of its beginning failed: this one takes its place.
            self._first[topic] = mark
            return "unknown"
        return "quiet" if mark == held else "silent"
