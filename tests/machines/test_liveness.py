"""Verdicts on connections that are silent, deaf or slow (F008, F010, F011, F024, F025, F163)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.liveness import Liveness
from tests.machines.make import SECOND, fixed

TEN = 10 * SECOND


def test_silence_kills_at_the_limit_and_not_before() -> None:
    """No byte at all, though nothing reports an error (fault F008)."""
    liveness = Liveness(10.0, 5.0, 7)
    assert liveness.verdict(7 + TEN - 1) == ""
    assert liveness.verdict(7 + TEN) == "no byte for 10 s"
    assert liveness.last_byte_ns == 7


def test_bytes_put_off_the_end() -> None:
    liveness = Liveness(10.0, 5.0, 0)
    liveness.received(TEN - 1, is_partial=False)
    assert liveness.last_byte_ns == TEN - 1
    assert liveness.verdict(2 * TEN - 2) == ""
    assert liveness.verdict(2 * TEN - 1) == "no byte for 10 s"


def test_sending_is_no_life() -> None:
    """A ping that was sent, and an answer that is only claimed, bring no byte (fault F008)."""
    liveness = Liveness(10.0, 5.0, 0)
    liveness.probed(8 * SECOND)
    liveness.pong()
    assert liveness.verdict(TEN) == "no byte for 10 s"


def test_a_quiet_connection_is_probed_at_half_the_limit() -> None:
    """The exchange stops its own pings (fault F024)."""
    liveness = Liveness(10.0, 5.0, 0)
    assert not liveness.probe_due(5 * SECOND - 1)
    assert liveness.probe_due(5 * SECOND)


def test_a_busy_connection_is_probed_as_well() -> None:
    """Data arrives, our messages do not (fault F010)."""
    liveness = Liveness(45.0, 5.0, 0)
    for second in range(1, 23):
        liveness.received(second * SECOND, is_partial=False)
    assert not liveness.probe_due(22_499_999_999)
    assert liveness.probe_due(22_500_000_000)
    liveness.probed(22_500_000_000)
    for second in range(23, 45):
        liveness.received(second * SECOND, is_partial=False)
        assert liveness.verdict(second * SECOND) == ""
    assert liveness.verdict(45 * SECOND - 1) == ""
    assert liveness.verdict(45 * SECOND) == "no answer to a ping for 22.5 s"


def test_no_second_probe_while_one_is_unanswered() -> None:
    liveness = Liveness(10.0, 5.0, 0)
    liveness.probed(SECOND)
    liveness.received(9 * SECOND, is_partial=False)
    assert not liveness.probe_due(100 * SECOND)
    liveness.pong()
    assert liveness.probe_due(6 * SECOND)
    assert not liveness.probe_due(6 * SECOND - 1)


def test_a_probe_sent_too_early_does_not_put_off_the_verdict_on_the_first() -> None:
    liveness = Liveness(10.0, 5.0, 0)
    liveness.probed(SECOND)
    liveness.probed(4 * SECOND)
    assert liveness.verdict(6 * SECOND) == "no answer to a ping for 5 s"


def test_any_pong_answers() -> None:
    """A pong without having asked does no harm, and any shape counts (fault F025)."""
    liveness = Liveness(10.0, 5.0, 0)
    liveness.pong()
    assert liveness.verdict(0) == ""
    liveness.probed(SECOND)
    liveness.received(5 * SECOND, is_partial=False)
    liveness.pong()
    assert liveness.verdict(TEN) == ""


def test_a_message_that_drips_is_given_up() -> None:
    """A byte every second keeps every read short, but the message must end (fault F011)."""
    liveness = Liveness(10.0, 5.0, 0)
    for second in range(1, 6):
        liveness.received(second * SECOND, is_partial=True)
        assert liveness.verdict(second * SECOND) == ""
    liveness.received(6 * SECOND - 1, is_partial=True)
    assert liveness.verdict(6 * SECOND - 1) == ""
    assert liveness.verdict(6 * SECOND) == "a message did not end within 5 s"


def test_a_message_that_ended_in_time_does_not_count_against_the_next() -> None:
    liveness = Liveness(10.0, 5.0, 0)
    liveness.received(SECOND, is_partial=True)
    liveness.received(5 * SECOND, is_partial=False)
    assert liveness.verdict(7 * SECOND) == ""
    liveness.received(7 * SECOND, is_partial=True)
    assert liveness.verdict(12 * SECOND - 1) == ""
    assert liveness.verdict(12 * SECOND) != ""


def test_a_busy_connection_whose_reads_end_within_messages_is_no_drip() -> None:
    liveness = Liveness(10.0, 2.0, 0)
    for second in range(1, 9):
        liveness.received(second * SECOND, is_partial=True, has_ended=True)
        assert liveness.verdict(second * SECOND) == ""


def test_a_late_program_reads_before_it_judges() -> None:
    """The interpreter was busy for longer than every limit; the answers wait in the socket (fault F163)."""
    liveness = Liveness(10.0, 5.0, 0)
    liveness.probed(5 * SECOND)
    liveness.received(5 * SECOND, is_partial=True)
    late = 60 * SECOND
    liveness.received(late, is_partial=False)
    liveness.pong()
    assert liveness.verdict(late) == ""
    assert liveness.probe_due(late)


def test_who_overslept_gives_all_limits_anew() -> None:
    """Nobody asked in time, so nothing can be missed yet (fault F163)."""
    liveness = Liveness(10.0, 3.0, 0)
    late = 60 * SECOND
    liveness.overslept(late)
    assert liveness.verdict(late) == ""
    assert liveness.probe_due(late)
    assert liveness.last_byte_ns == 0, "data are as old as they are"
    liveness.probed(late)
    assert liveness.verdict(late + 5 * SECOND - 1) == ""
    assert liveness.verdict(late + 5 * SECOND) == "no answer to a ping for 5 s"
    assert liveness.verdict(late + TEN) == "no byte for 10 s"
    liveness.received(late + TEN, is_partial=True)
    liveness.overslept(2 * late)
    assert liveness.verdict(2 * late) == ""
    assert liveness.verdict(2 * late + 3 * SECOND) == "a message did not end within 3 s"
    assert liveness.verdict(2 * late + 5 * SECOND) == "no answer to a ping for 5 s"


@pytest.mark.parametrize(
    ("is_probed", "is_partial", "expected"),
    [(False, False, 5.0), (True, False, 5.0), (True, True, 3.0), (False, True, 3.0)],
)
def test_the_wait_ends_with_what_comes_first(is_probed: bool, is_partial: bool, expected: float) -> None:
    liveness = Liveness(10.0, 3.0, 0)
    if is_probed:
        liveness.probed(0)
    liveness.received(0, is_partial=is_partial)
    assert liveness.until_due(0) == expected
    assert liveness.until_due(100 * SECOND) == 0.0


steps = st.lists(
    st.tuples(st.integers(0, 4 * SECOND), st.sampled_from(["whole", "partial", "next", "pong", "probe"])), max_size=40
)


@fixed
@given(steps)
def test_nothing_changes_before_the_wait_is_over(steps: list[tuple[int, str]]) -> None:
    liveness, now = Liveness(10.0, 3.0, 0), 0
    for pause, step in steps:
        now += pause
        if step == "pong":
            liveness.pong()
        elif step == "probe":
            if liveness.probe_due(now):
                liveness.probed(now)
        else:
            liveness.received(now, is_partial=step != "whole", has_ended=step == "next")
        before = (liveness.verdict(now), liveness.probe_due(now))
        wait = round(liveness.until_due(now) * SECOND)
        if before == ("", False):
            assert wait > 0
            assert (liveness.verdict(now + wait - 1), liveness.probe_due(now + wait - 1)) == before
            assert (liveness.verdict(now + wait), liveness.probe_due(now + wait)) != before
        else:
            assert wait == 0


def test_a_probe_that_is_held_back_is_not_waited_for() -> None:
    """The other limits count all the same (faults F008, F010, F011)."""
    liveness = Liveness(10.0, 3.0, 0)
    assert liveness.until_due(5 * SECOND) == 0
    assert liveness.until_due(5 * SECOND, is_probe_held_back=True) == 5.0
    liveness.received(6 * SECOND, is_partial=True)
    assert liveness.until_due(6 * SECOND, is_probe_held_back=True) == 3.0


def test_an_exchange_may_want_to_be_asked_more_often() -> None:
    """The answer may take as long as the pause between two questions (fault F025)."""
    seldom, often = Liveness(100, 10, 0), Liveness(100, 10, 0, ping_every=20)
    assert not seldom.probe_due(20 * SECOND)
    assert often.probe_due(20 * SECOND)
    often.probed(20 * SECOND)
    often.received(39 * SECOND, is_partial=False)
    assert often.verdict(39 * SECOND) == ""
    assert often.verdict(40 * SECOND) == "no answer to a ping for 20 s"
    assert Liveness(10, 10, 0, ping_every=20).probe_due(5 * SECOND), "never less often"
