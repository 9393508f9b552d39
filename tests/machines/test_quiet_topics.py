"""Topics that go quiet, and what is done about them (F047, F060)."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exconn_sync._machines.quiet_topics import QuietTopics
from tests.machines.make import SECOND

TEN = 10 * SECOND


def watched(*topics: str) -> QuietTopics[str]:
    quiet: QuietTopics[str] = QuietTopics(10.0)
    for topic in topics:
        quiet.started(topic, 0)
    return quiet


def test_a_topic_without_any_message_is_due_after_the_timeout() -> None:
    """It was acknowledged, but no data came (fault F047)."""
    quiet = watched("a")
    assert quiet.until_due(0) == 10.0
    assert quiet.due(TEN - 1) == []
    assert quiet.due(TEN) == ["a"]
    assert quiet.due(100 * TEN) == [], "each only once"
    assert quiet.until_due(100 * TEN) is None
    assert quiet.last_seen_ns("a") is None


def test_a_message_puts_it_off() -> None:
    """One topic goes quiet while the others go on (fault F060)."""
    quiet = watched("a", "b")
    for second in range(1, 30):
        quiet.seen(["a"] if second > 7 else ["a", "b"], second * SECOND)
        assert quiet.due(second * SECOND) == (["b"] if second == 17 else [])
    assert quiet.last_seen_ns("a") == 29 * SECOND
    assert quiet.last_seen_ns("b") == 7 * SECOND


def test_several_are_returned_in_the_order_of_their_start() -> None:
    assert watched("c", "a", "b").due(TEN) == ["c", "a", "b"]


def test_a_message_ends_the_doubt() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.seen(["a"], 2 * TEN)
    assert quiet.until_due(2 * TEN) == 10.0
    assert quiet.due(3 * TEN - 1) == []
    assert quiet.due(3 * TEN) == ["a"]


def test_patience_with_an_illiquid_topic_doubles_up_to_a_limit() -> None:
    """An illiquid symbol is no failure (fault F060)."""
    quiet, now = watched("a"), 0
    for factor in (1, 2, 4, 8, 16, 32, 64, 64, 64):
        assert quiet.until_due(now) == 10.0 * factor
        now += factor * TEN
        assert quiet.due(now - 1) == []
        assert quiet.due(now) == ["a"]
        quiet.found_quiet("a", now)


def test_a_message_resets_the_patience() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.found_quiet("a", TEN)
    quiet.seen(["a"], 2 * TEN)
    assert quiet.due(3 * TEN) == ["a"]


def test_a_silent_topic_is_asked_for_again_then_the_connection_is_replaced_by_turns() -> None:
    """Subscribe again once, then replace the connection (fault F047)."""
    quiet, answers = watched("a"), []
    for look in range(1, 6):
        now = look * TEN
        assert quiet.due(now) == ["a"]
        answers.append(quiet.found_silent("a", now))
        quiet.started("a", now)
    assert answers == ["resubscribe", "replace", "resubscribe", "replace", "resubscribe"]


def test_a_message_in_between_starts_again_with_resubscribing() -> None:
    quiet = watched("a")
    assert quiet.found_silent("a", TEN) == "resubscribe"
    quiet.seen(["a"], TEN + 1)
    assert quiet.found_silent("a", 3 * TEN) == "resubscribe"


def test_news_ends_the_patience_that_was_won() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.found_quiet("a", TEN)
    quiet.due(3 * TEN)
    assert quiet.found_silent("a", 3 * TEN) == "resubscribe"
    assert quiet.due(4 * TEN) == ["a"]


def test_what_could_not_be_checked_is_asked_again_after_the_timeout() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.found_quiet("a", TEN)
    assert quiet.due(3 * TEN) == ["a"]
    quiet.unverified("a", 3 * TEN)
    assert quiet.until_due(3 * TEN) == 10.0
    assert quiet.due(4 * TEN - 1) == []
    assert quiet.due(4 * TEN) == ["a"]
    quiet.found_quiet("a", 4 * TEN)
    assert quiet.until_due(4 * TEN) == 40.0, "the patience was kept"


def test_a_new_subscription_counts_from_its_beginning() -> None:
    quiet = watched("a")
    quiet.seen(["a"], SECOND)
    quiet.started("a", 5 * SECOND)
    assert quiet.last_seen_ns("a") == SECOND
    assert quiet.due(15 * SECOND - 1) == []
    assert quiet.due(15 * SECOND) == ["a"]


def test_reports_are_void_where_a_message_came_during_the_look() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.seen(["a"], TEN + 5)
    quiet.found_quiet("a", TEN + 6)
    quiet.unverified("a", TEN + 7)
    assert quiet.due(2 * TEN + 4) == []
    assert quiet.due(2 * TEN + 5) == ["a"]


def test_reports_are_void_where_nothing_was_asked() -> None:
    quiet = watched("a")
    quiet.found_quiet("a", SECOND)
    quiet.unverified("a", SECOND)
    assert quiet.due(TEN - 1) == []
    assert quiet.due(TEN) == ["a"]


def test_the_end_of_one_topic_s_patience_does_not_hasten_another() -> None:
    quiet = watched("a")
    quiet.due(TEN)
    quiet.found_quiet("a", TEN)
    quiet.started("b", 25 * SECOND)
    assert quiet.due(3 * TEN) == ["a"]
    quiet.unverified("a", 3 * TEN)
    assert quiet.due(35 * SECOND) == ["b"]
    assert quiet.due(4 * TEN) == ["a"]


def test_nothing_is_known_of_topics_that_are_not_watched() -> None:
    quiet = watched("a")
    quiet.stopped("a")
    quiet.stopped("never there")
    quiet.seen(["a", "b"], SECOND)
    quiet.found_quiet("a", SECOND)
    quiet.unverified("a", SECOND)
    assert quiet.found_silent("a", SECOND) == "resubscribe"
    assert quiet.found_silent("a", SECOND) == "resubscribe"
    assert quiet.last_seen_ns("a") is None
    assert quiet.until_due(SECOND) is None
    assert quiet.due(100 * TEN) == []


def test_after_clear_nothing_is_due() -> None:
    quiet = watched("a", "b")
    quiet.seen(["a"], SECOND)
    quiet.clear()
    assert quiet.until_due(0) is None
    assert quiet.due(100 * TEN) == []
    quiet.started("b", 100 * TEN)
    assert quiet.due(101 * TEN) == ["b"]


def test_a_thousand_lively_topics_are_looked_at_only_now_and_then() -> None:
    """While messages flow, most calls of ``due`` end at once (fault F158)."""
    quiet: QuietTopics[int] = QuietTopics(10.0)
    for topic in range(1000):
        quiet.started(topic, topic)
    looks = 0
    for second in range(1, 101):
        quiet.seen(range(1000), second * SECOND)
        looks += quiet.until_due(second * SECOND) == 0.0
        assert quiet.due(second * SECOND) == []
    assert 5 <= looks <= 12


TOPICS = st.sampled_from("abc")


class Watched(RuleBasedStateMachine):
    """The same rules written as one record per topic, looked at as a whole each time."""

    @initialize()
    def begin(self) -> None:
        self.quiet: QuietTopics[str] = QuietTopics(10.0)
        self.now = 0
        self.seen_at: dict[str, int | None] = {}
        self.due_at: dict[str, int | None] = {}
        self.patience: dict[str, int] = {}
        self.turn: dict[str, bool] = {}

    @rule(pause=st.integers(0, 30 * SECOND))
    def wait(self, pause: int) -> None:
        self.now += pause

    @rule(topic=TOPICS)
    def start(self, topic: str) -> None:
        self.quiet.started(topic, self.now)
        self.seen_at.setdefault(topic, None)
        self.due_at[topic] = self.now + TEN
        self.patience[topic] = 1
        self.turn.setdefault(topic, False)

    @rule(topic=TOPICS)
    def stop(self, topic: str) -> None:
        self.quiet.stopped(topic)
        for record in (self.seen_at, self.due_at, self.patience, self.turn):
            record.pop(topic, None)

    @rule(topics=st.lists(TOPICS, max_size=5))
    def message(self, topics: list[str]) -> None:
        self.quiet.seen(topics, self.now)
        for topic in set(topics) & set(self.seen_at):
            self.seen_at[topic] = self.now
            self.due_at[topic] = self.now + TEN
            self.patience[topic] = 1
            self.turn[topic] = False

    @rule()
    def ask(self) -> None:
        expected = {topic for topic, due in self.due_at.items() if due is not None and due <= self.now}
        found = self.quiet.due(self.now)
        assert len(found) == len(set(found))
        assert set(found) == expected
        for topic in found:
            self.due_at[topic] = None

    @rule(topic=TOPICS)
    def quiet_there(self, topic: str) -> None:
        self.quiet.found_quiet(topic, self.now)
        if topic in self.due_at and self.due_at[topic] is None:
            self.patience[topic] = min(64, 2 * self.patience[topic])
            self.due_at[topic] = self.now + self.patience[topic] * TEN

    @rule(topic=TOPICS)
    def cannot_look(self, topic: str) -> None:
        self.quiet.unverified(topic, self.now)
        if topic in self.due_at and self.due_at[topic] is None:
            self.due_at[topic] = self.now + TEN

    @rule(topic=TOPICS)
    def news_there(self, topic: str) -> None:
        answer = self.quiet.found_silent(topic, self.now)
        assert answer == ("replace" if self.turn.get(topic) else "resubscribe")
        if topic in self.due_at:
            self.turn[topic] = not self.turn[topic]
            self.patience[topic] = 1
            self.due_at[topic] = self.now + TEN

    @invariant()
    def it_is_never_late(self) -> None:
        if not hasattr(self, "due_at"):
            return
        waits = [max(0, due - self.now) for due in self.due_at.values() if due is not None]
        told = self.quiet.until_due(self.now)
        assert not waits or (told is not None and round(told * SECOND) <= min(waits))
        assert all(self.quiet.last_seen_ns(topic) == self.seen_at.get(topic) for topic in "abc")


TestWatched = Watched.TestCase
TestWatched.settings = settings(derandomize=True, deadline=None, max_examples=100, stateful_step_count=40)
