"""Measures candidates in turns, so that whatever else the machine does falls on all of them alike.

Times are those of the processor for the measuring thread, not of the clock on the wall: a busy machine makes them a
little longer, by colder caches, and does not make them many times longer.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from statistics import median

Work = Callable[[], object]
"""Does all calls of one repetition."""


@dataclass(frozen=True)
class Candidate:
    """Something to be measured.

    ``prepare`` gives, for so many calls, what does all of them, and clears up afterwards; only the work itself counts.
    """

    name: str
    prepare: Callable[[int], AbstractContextManager[Work]]


@dataclass
class Measured:
    """What was measured of one candidate: microseconds a call, one figure a repetition."""

    name: str
    microseconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The figure in the middle."""
        return median(self.microseconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest figure."""
        return min(self.microseconds), max(self.microseconds)


def measure(candidates: Sequence[Candidate], *, repetitions: int, calls: int) -> list[Measured]:
    """Measure all candidates in turns, forwards and backwards by turns; the first turn only warms up."""
    results = {candidate.name: Measured(candidate.name) for candidate in candidates}
    for turn in range(repetitions + 1):
        order = candidates if turn % 2 else tuple(reversed(candidates))
        for candidate in order:
            figure = _microseconds(candidate, calls)
            if turn:
                results[candidate.name].microseconds.append(figure)
    return [results[candidate.name] for candidate in candidates]


def _microseconds(candidate: Candidate, calls: int) -> float:
    with candidate.prepare(calls) as work:
        # What the preparation has left behind is not collected at the expense of what is measured.
        gc.collect()
        begun = time.thread_time_ns()
        work()
        taken = time.thread_time_ns() - begun
    return taken / 1000 / calls
