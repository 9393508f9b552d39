"""What is told of a connection that goes up and down (F019, invariant I31)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from exconn_sync._machines.episodes import Episodes
from tests.machines.make import SECOND, fixed


def is_settled(episodes: Episodes) -> bool:
    """Return what a property says; the type checker takes it for unchanging otherwise."""
    return episodes.is_settled


def test_the_first_up_is_told_at_once() -> None:
    episodes = Episodes(3.0)
    assert not is_settled(episodes)
    assert episodes.until_due(0) is None
    assert episodes.up(0)
    assert is_settled(episodes)
    assert episodes.until_due(0) is None
    assert not episodes.settled(100 * SECOND)
    assert (episodes.losses, episodes.reason) == (0, "")


def test_a_first_state_that_is_down_is_told() -> None:
    episodes = Episodes(3.0)
    assert episodes.down(0, "refused")
    assert not episodes.down(SECOND, "refused again")
    assert (episodes.losses, episodes.reason) == (1, "refused")
    assert not is_settled(episodes)
    assert episodes.up(2 * SECOND)
    assert is_settled(episodes)
    assert not episodes.settled(100 * SECOND)


def test_a_blip_gives_one_down_and_one_up() -> None:
    episodes = Episodes(3.0)
    episodes.up(0)
    assert episodes.down(10 * SECOND, "reset")
    assert not episodes.up(10 * SECOND + 1)
    assert not is_settled(episodes)
    assert episodes.until_due(10 * SECOND + 1) == 3.0
    assert not episodes.settled(13 * SECOND)
    assert episodes.settled(13 * SECOND + 1)
    assert not episodes.settled(13 * SECOND + 1)
    assert is_settled(episodes)
    assert episodes.until_due(14 * SECOND) is None


def test_a_flapping_connection_gives_one_down_and_one_up() -> None:
    """It drops a second after each connect, for ten minutes (fault F019)."""
    episodes, told = Episodes(3.0), []
    episodes.up(0)
    for second in range(1, 601):
        event = episodes.down(second * SECOND, f"drop {second}") if second % 2 else episodes.up(second * SECOND)
        told += [second] if event or episodes.settled(second * SECOND) else []
    assert told == [1]
    assert (episodes.losses, episodes.reason) == (300, "drop 1")
    assert episodes.settled(603 * SECOND)


def test_failed_attempts_are_no_losses_and_do_not_change_the_reason() -> None:
    episodes = Episodes(3.0)
    episodes.up(0)
    assert episodes.down(1, "no byte for 45 s")
    for attempt in range(5):
        assert not episodes.down(2 + attempt, "refused")
    assert (episodes.losses, episodes.reason) == (1, "no byte for 45 s")


def test_the_next_episode_counts_anew() -> None:
    episodes = Episodes(1.0)
    episodes.up(0)
    episodes.down(1, "one")
    episodes.up(2)
    episodes.down(3, "two")
    episodes.up(4)
    assert episodes.settled(4 + SECOND)
    assert (episodes.losses, episodes.reason) == (2, "one")
    assert episodes.down(5 + SECOND, "three")
    assert (episodes.losses, episodes.reason) == (1, "three")


def test_hearing_of_an_up_again_does_not_put_it_off() -> None:
    episodes = Episodes(3.0)
    episodes.up(0)
    episodes.down(0, "reset")
    episodes.up(SECOND)
    episodes.up(3 * SECOND)
    assert episodes.settled(4 * SECOND)


def test_an_up_that_was_lost_before_anybody_asked_is_not_told() -> None:
    episodes = Episodes(3.0)
    episodes.up(0)
    episodes.down(0, "reset")
    episodes.up(SECOND)
    assert not episodes.down(100 * SECOND, "reset again")
    assert not episodes.settled(200 * SECOND)


def test_without_settling_time_an_up_is_told_when_asked() -> None:
    episodes = Episodes(0.0)
    episodes.up(0)
    episodes.down(1, "reset")
    assert not episodes.up(2)
    assert episodes.until_due(2) == 0.0
    assert episodes.settled(2)


class Told(RuleBasedStateMachine):
    """A connection, and a subscriber who believes what he is told."""

    @initialize()
    def begin(self) -> None:
        self.episodes = Episodes(3.0)
        self.now = 0
        self.is_up: bool | None = None
        self.since = 0
        self.told: list[bool] = []

    def take(self, is_told: bool, is_up: bool) -> None:
        if is_told:
            assert self.told[-1:] != [is_up], "what is told alternates"
            assert self.is_up is is_up, "nothing is told that is not so"
            self.told.append(is_up)

    def change(self, is_up: bool) -> None:
        if self.is_up is not is_up:
            self.is_up, self.since = is_up, self.now

    @rule(pause=st.integers(0, 2 * SECOND))
    def lose(self, pause: int) -> None:
        self.now += pause
        self.change(False)
        was_down_told = self.told[-1:] == [False]
        is_told = self.episodes.down(self.now, "reset")
        assert is_told is not was_down_told, "a down is never delayed, and told once"
        self.take(is_told, False)

    @rule(pause=st.integers(0, 2 * SECOND))
    def connect(self, pause: int) -> None:
        self.now += pause
        self.change(True)
        is_told = self.episodes.up(self.now)
        assert is_told is (True not in self.told), "only the very first up is told at once"
        self.take(is_told, True)

    @rule(pause=st.integers(0, 2 * SECOND))
    def ask(self, pause: int) -> None:
        self.now += pause
        wait = self.episodes.until_due(self.now)
        is_told = self.episodes.settled(self.now)
        assert is_told is (wait == 0)
        assert not is_told or self.now - self.since >= 3 * SECOND
        self.take(is_told, True)

    @rule()
    def wait_as_long_as_it_says(self) -> None:
        wait = self.episodes.until_due(self.now)
        if wait is not None:
            self.now += round(wait * SECOND)
            assert self.episodes.settled(self.now)
            self.take(True, True)
        assert self.told[-1:] == ([] if self.is_up is None else [self.is_up]), "no silence about what lasts"

    @invariant()
    def it_knows_what_was_told(self) -> None:
        if hasattr(self, "told"):
            assert self.episodes.is_settled is (self.is_up is True and self.told[-1:] == [True])


TestTold = Told.TestCase
TestTold.settings = settings(derandomize=True, deadline=None, max_examples=100, stateful_step_count=30)


@fixed
@given(st.lists(st.integers(0, 3 * SECOND - 1), min_size=1, max_size=40))
def test_a_connection_that_never_lasts_is_told_as_down_once(lives: list[int]) -> None:
    episodes, now, told = Episodes(3.0), 0, 0
    episodes.up(now)
    for life in lives:
        told += episodes.down(now, "reset")
        told += episodes.up(now)
        now += life
        told += episodes.settled(now)
    assert told == 1
