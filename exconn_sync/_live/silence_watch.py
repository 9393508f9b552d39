"""Looks into topics that bring nothing although their connection lives (faults F047, F060)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any, Literal

from exconn_sync._live.topic_probe import Verdict
from exconn_sync._live.topic_survey import SURVEYED, Mark
from exconn_sync._machines.quiet_topics import QuietTopics
from exconn_sync._machines.survey_plan import SurveyPlan
from exconn_sync.errors import ConnectorStopped
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic
from exconn_sync.ports.clock import Clock

_NS = 1_000_000_000
_ARRIVAL = 2.0
"""Seconds in which news that the exchange had a moment ago may still arrive: it is not silent before that."""

_BETWEEN = 1.0
"""Seconds between two questions: they cost request weight."""

_FIRST_SURVEY = 3.0
"""Seconds after a subscription at which the exchange is asked how far it is with the topic."""

Ask = Callable[[Topic, float], "Future[Verdict]"]
Survey = Callable[[list[Topic]], "Future[dict[Topic, Mark]]"]
Held = Callable[[list[Topic]], dict[Topic, Mark]]
Action = tuple[Topic, Literal["resubscribe", "replace"], float]


class SilenceWatch:
    """Asks about many topics at once, then about single ones, and says what is to be done. Session's thread only.

    ``survey`` starts the question about many topics, and ``held`` tells what each of them has brought last; a topic of
    which it says nothing is asked about by itself, one at a time. ``ask`` starts the question about a topic that has
    been quiet for some seconds; ``wake`` makes the session tick.
    """

    def __init__(
        self,
        timeout: float,
        ask: Ask,
        clock: Clock,
        wake: Callable[[], None],
        survey: Survey | None = None,
        held: Held | None = None,
    ) -> None:
        self._quiet: QuietTopics[Topic] = QuietTopics(timeout)
        self._ask = ask
        self._clock = clock
        self._wake = wake
        self._survey = survey
        self._held = held
        self._plan: SurveyPlan[Topic, Mark] = SurveyPlan(_FIRST_SURVEY, _BETWEEN)
        self._surveying: tuple[Future[dict[Topic, Mark]], int] | None = None
        self._waiting: deque[Topic] = deque()
        self._asking: tuple[Topic, Future[Any], int] | None = None
        self._not_before_ns = 0
        self._found: deque[tuple[int, Topic, int]] = deque()
        self._started_ns: dict[Topic, int] = {}
        # Called at each read: without a call in between.
        self.seen: Callable[[Iterable[Topic], int], None] = self._quiet.seen

    def started(self, topic: Topic, now_ns: int) -> None:
        """Watch a topic, which is subscribed now."""
        self._started_ns[topic] = now_ns
        self._quiet.started(topic, now_ns)
        if self._survey is not None and topic.channel in SURVEYED:
            self._plan.started(topic, now_ns)

    def stopped(self, topic: Topic) -> None:
        """Watch a topic no longer."""
        self._started_ns.pop(topic, None)
        self._quiet.stopped(topic)
        self._plan.stopped(topic)

    def clear(self) -> None:
        """Forget everything: the connection is lost."""
        self._quiet.clear()
        self._started_ns.clear()
        self._waiting.clear()
        self._found.clear()
        self._asking = self._surveying = None
        self._plan.clear()

    def is_watching(self, topic: Topic) -> bool:
        """Return whether a topic is watched."""
        return topic in self._started_ns

    def has_come(self, topic: Topic) -> bool:
        """Return whether a topic has brought something since it was subscribed, as far as it was told."""
        seen_ns, started_ns = self._quiet.last_seen_ns(topic), self._started_ns.get(topic)
        return seen_ns is not None and started_ns is not None and seen_ns >= started_ns

    def tick(self, now_ns: int) -> list[Action]:
        """Return which topics are to be asked for again, or need another connection, with the seconds of silence."""
        self._take_answer(now_ns)
        self._take_survey(now_ns)
        for due in self._quiet.due(now_ns):
            if self._survey is not None and due.channel in SURVEYED:
                self._plan.is_due(due)
            else:
                self._waiting.append(due)
        self._begin_survey(now_ns)
        while self._waiting and self._waiting[0] not in self._started_ns:
            self._waiting.popleft()
        if self._asking is None and self._waiting and now_ns >= self._not_before_ns:
            self._question(self._waiting.popleft(), now_ns)
        actions: list[Action] = []
        while self._found and self._found[0][0] <= now_ns:
            _, topic, asked_ns = self._found.popleft()
            if self._is_silent_since(topic, asked_ns):
                quiet_for = self._quiet_for(topic, now_ns)
                actions.append((topic, self._quiet.found_silent(topic, now_ns), quiet_for))
        return actions

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until something is due, None for nothing."""
        due = [self._quiet.until_due(now_ns)]
        if self._found:
            due.append((self._found[0][0] - now_ns) / _NS)
        if self._waiting and self._asking is None:
            due.append((self._not_before_ns - now_ns) / _NS)
        if self._surveying is None:
            due.append(self._plan.until_due(now_ns))
        known = [each for each in due if each is not None]
        return max(min(known), 0.0) if known else None

    def _begin_survey(self, now_ns: int) -> None:
        if self._survey is None or self._surveying is not None:
            return
        topics = self._plan.begin(now_ns)
        if not topics:
            return
        self._plan.brought({} if self._held is None else self._held(topics))
        try:
            future = self._survey(topics)
        except ConnectorStopped:
            return
        self._surveying = (future, now_ns)
        future.add_done_callback(lambda _: self._wake())

    def _take_survey(self, now_ns: int) -> None:
        if self._surveying is None or not self._surveying[0].done():
            return
        (future, asked_ns), self._surveying = self._surveying, None
        has_failed = future.cancelled() or future.exception() is not None
        for topic, finding in self._plan.answered(None if has_failed else future.result()).items():
            if finding == "silent":
                self._found.append((now_ns + int(_ARRIVAL * _NS), topic, asked_ns))
            elif finding == "unknown" and has_failed:
                self._quiet.unverified(topic, now_ns)
            elif finding == "quiet" and topic.channel is not Channel.ORDER_BOOK:
                self._quiet.found_quiet(topic, now_ns)
            else:
                # Of a book the best prices are not everything.
                self._waiting.append(topic)

    def _question(self, topic: Topic, now_ns: int) -> None:
        self._not_before_ns = now_ns + int(_BETWEEN * _NS)
        try:
            future = self._ask(topic, self._quiet_for(topic, now_ns))
        except ConnectorStopped:
            return
        self._asking = (topic, future, now_ns)
        future.add_done_callback(lambda _: self._wake())

    def _take_answer(self, now_ns: int) -> None:
        if self._asking is None or not self._asking[1].done():
            return
        topic, future, asked_ns = self._asking
        self._asking = None
        verdict: Verdict = "unverified" if future.cancelled() or future.exception() else future.result()
        if verdict == "quiet":
            self._quiet.found_quiet(topic, now_ns)
        elif verdict == "unverified":
            self._quiet.unverified(topic, now_ns)
        else:
            self._found.append((now_ns + int(_ARRIVAL * _NS), topic, asked_ns))

    def _is_silent_since(self, topic: Topic, asked_ns: int) -> bool:
        """Return whether nothing came, and the topic was not subscribed anew, since the question was asked."""
        started_ns = self._started_ns.get(topic)
        if started_ns is None or started_ns > asked_ns:
            return False
        seen_ns = self._quiet.last_seen_ns(topic)
        return seen_ns is None or seen_ns <= asked_ns

    def _quiet_for(self, topic: Topic, now_ns: int) -> float:
        started_ns = self._started_ns.get(topic)
        if started_ns is None:
            return 0.0
        return (now_ns - max(started_ns, self._quiet.last_seen_ns(topic) or started_ns)) / _NS
