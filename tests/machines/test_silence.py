"""How long nothing is asked after the exchange said that it was too much."""

from __future__ import annotations

from exconn_sync._machines.silence import Silence
from exconn_sync.model.limits import LONGEST_SILENCE

NOW = 1_000_000_000


def test_what_the_exchange_says_counts() -> None:
    """(faults F076, F078)"""
    silence = Silence()
    assert silence.begin(7, 60, NOW - 50, NOW)
    assert silence.left_ms(NOW) == 7000
    assert silence.left_ms(NOW + 7000) == 0


def test_without_a_word_it_is_longer_each_time_that_it_happens_again() -> None:
    """(fault F077)"""
    silence, now, lengths = Silence(), NOW, []
    for _ in range(5):
        assert silence.begin(None, 120, now, now)
        lengths.append(silence.left_ms(now) // 1000)
        now = silence.until_ms + 1000
    assert lengths == [120, 240, 480, 960, 1920]


def test_it_grows_to_days_and_no_further() -> None:
    """(fault F077)"""
    silence, now = Silence(), NOW
    for _ in range(40):
        silence.begin(None, 120, now, now)
        now = silence.until_ms + 1000
    assert silence.until_ms + 1000 - now == 0
    silence.begin(None, 120, now, now)
    assert silence.left_ms(now) == LONGEST_SILENCE * 1000
    assert silence.begin(1e12, 120, silence.until_ms, silence.until_ms)
    assert silence.left_ms(silence.until_ms - int(LONGEST_SILENCE * 1000)) == LONGEST_SILENCE * 1000


def test_refusals_of_requests_that_left_together_are_one_case() -> None:
    """(fault F077)"""
    silence = Silence()
    assert silence.begin(None, 60, NOW - 100, NOW)
    for late in range(20):
        assert not silence.begin(None, 60, NOW - 90, NOW + late)
    assert silence.repeats == 0
    assert silence.left_ms(NOW) == 60_019, "of several answers the one that ends last counts"


def test_an_old_silence_is_forgotten() -> None:
    """(fault F077)"""
    silence = Silence()
    silence.begin(None, 60, NOW, NOW)
    later = NOW + 2 * 3_600_000
    assert silence.begin(None, 60, later, later)
    assert silence.left_ms(later) == 60_000


def test_it_is_never_nothing_and_never_shortened() -> None:
    """(faults F076, F077)"""
    silence = Silence()
    silence.begin(0.0, 60, NOW, NOW)
    assert silence.left_ms(NOW) == 1000
    silence.begin(30, 60, NOW, NOW)
    silence.begin(2, 60, NOW, NOW + 1)
    assert silence.left_ms(NOW) == 30_000
