"""When not finding an order proves that it does not exist (fault model 0.1)."""

from __future__ import annotations

import pytest

from exconn_sync._machines.absence import AbsenceProof, deadline_of
from tests.machines.make import SECOND

UNTIL = 100 * SECOND
LAG = 2.0
NOTHING, FOUND, FAILED = (True, False), (False, False), (True, True)
Look = tuple[float, tuple[bool, bool]]


def proof_after(looks: list[Look], read_lag: float = LAG) -> AbsenceProof:
    proof = AbsenceProof(UNTIL, read_lag)
    for seconds, (found_nothing, failed) in looks:
        proof.look(int(seconds * SECOND), found_nothing, failed)
    return proof


@pytest.mark.parametrize(
    ("looks", "is_proven"),
    [
        ([], False),
        ([(101, NOTHING)], False),
        ([(101, NOTHING), (103, NOTHING)], True),
        ([(103, NOTHING), (101, NOTHING)], True),
        ([(101, NOTHING), (102.9, NOTHING)], False),
        ([(101, NOTHING), (102, NOTHING), (103, NOTHING)], True),
        ([(101, NOTHING), (101, NOTHING)], False),
        ([(100, NOTHING), (103, NOTHING)], False),
        ([(50, NOTHING), (99, NOTHING)], False),
        ([(99, NOTHING), (101, NOTHING), (103, NOTHING)], True),
        ([(101, NOTHING), (103, FAILED)], False),
        ([(101, FAILED), (103, NOTHING)], False),
        ([(101, NOTHING), (103, FAILED), (104, NOTHING)], True),
        ([(101, FOUND), (103, NOTHING), (105, NOTHING)], False),
        ([(50, FOUND), (103, NOTHING), (105, NOTHING)], False),
        ([(101, NOTHING), (103, NOTHING), (105, FOUND)], False),
    ],
)
def test_two_complete_looks_after_the_deadline_are_needed(looks: list[Look], is_proven: bool) -> None:
    """(fault F069)"""
    assert proof_after(looks).is_proven is is_proven


def test_one_look_reported_twice_is_one_even_without_read_lag() -> None:
    assert not proof_after([(101, NOTHING), (101, NOTHING)], read_lag=0).is_proven
    assert proof_after([(101, NOTHING), (101.001, NOTHING)], read_lag=0).is_proven


def test_the_next_look_is_the_earliest_one_that_counts() -> None:
    proof = proof_after([])
    for _ in range(2):
        assert not proof.is_proven
        moment = proof.next_look_at_ns()
        early = proof_after([])
        early.look(moment - 1, found_nothing=True)
        proof.look(moment, found_nothing=True)
    assert proof.is_proven
    assert proof.next_look_at_ns() == UNTIL + 1 + 2 * SECOND


def test_a_look_before_the_next_moment_is_wasted() -> None:
    proof = proof_after([])
    proof.look(proof.next_look_at_ns() - 1, found_nothing=True)
    assert proof.next_look_at_ns() == UNTIL + 1
    proof.look(UNTIL + 1, found_nothing=True)
    proof.look(proof.next_look_at_ns() - 1, found_nothing=True)
    assert not proof.is_proven


def test_the_deadline_adds_up_everything_that_may_delay_the_exchange() -> None:
    """(fault F069)"""
    assert deadline_of(1_000, 5_000, 10_000, 123, 500) == 16_500 * 1_000_000 + 123
