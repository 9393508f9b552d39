"""Malformed messages are borne up to a rate (faults F032, F033)."""

from exconn_sync._machines.garbage import LIMIT, PERIOD, GarbageCount

NS = 1_000_000_000


def test_one_more_than_the_limit_within_the_period_count() -> None:
    """(fault F032)"""
    garbage = GarbageCount()
    assert not any(garbage.count(5 * NS + number) for number in range(LIMIT))
    assert garbage.count(6 * NS) == "more than 1000 malformed messages"


def test_a_new_period_begins_with_the_first_one_after_the_last_period() -> None:
    """(fault F033)"""
    garbage = GarbageCount()
    assert not any(garbage.count(100 * NS) for _ in range(LIMIT))
    later_ns = int((100 + PERIOD) * NS) + 1
    assert not any(garbage.count(later_ns) for _ in range(LIMIT))
    assert garbage.count(later_ns + 1)
