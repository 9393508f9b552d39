"""Replacements of a connection that silent topics ask for."""

from __future__ import annotations

import itertools

from exconn_sync._machines.replacement_pace import ReplacementPace

_NS = 1_000_000_000


def allowed(pace: ReplacementPace, seconds: range) -> list[int]:
    return [second for second in seconds if pace.may_replace(second * _NS)]


def test_the_pauses_double_up_to_an_hour() -> None:
    times = allowed(ReplacementPace(), range(4 * 3600))
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [
        30, 60, 120, 240, 480, 960, 1920, 3600, 3600,
    ]  # fmt: skip


def test_they_begin_anew_when_nobody_asked_for_long() -> None:
    pace = ReplacementPace()
    assert allowed(pace, range(200)) == [0, 30, 90]
    assert allowed(pace, range(5000, 5100)) == [5000, 5030, 5090]
