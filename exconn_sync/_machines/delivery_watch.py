"""When a subscriber is too far behind, or stuck: each told once an episode (faults F136, F156)."""

from __future__ import annotations

import sys

_NS = 1_000_000_000


class DeliveryWatch:
    """Watches one subscriber. Told the time; ``alarm_at`` says cheaply when it wants to be asked.

    Args:
        alarm: number of waiting events that is too many; None where events may be dropped instead.
        stuck_after: seconds without progress after which a callback counts as stuck.

    Attributes:
        alarm_at: number of waiting events at which to call ``raise_alarm``; out of reach during an episode.
        is_raised: True during an episode of lagging: it ends when a tenth of the alarm is left.
    """

    __slots__ = ("_alarm", "_done", "_seen_at", "_stuck_ns", "_was_stuck", "alarm_at", "is_raised")

    def __init__(self, alarm: int | None, stuck_after: float) -> None:
        self._alarm = sys.maxsize if alarm is None else alarm
        self._stuck_ns = int(stuck_after * _NS)
        self._done = -1
        self._seen_at = 0
        self._was_stuck = False
        self.alarm_at = self._alarm
        self.is_raised = False

    def raise_alarm(self, waiting: int) -> bool:
        """Return whether an episode of lagging begins with so many events waiting."""
        if waiting < self.alarm_at:
            return False
        self.is_raised = True
        self.alarm_at = sys.maxsize
        return True

    def lower_alarm(self, waiting: int) -> None:
        """End the episode where few enough wait."""
        if self.is_raised and waiting <= self._alarm // 10:
            self.is_raised = False
            self.alarm_at = self._alarm

    def is_stuck(self, now_ns: int, busy_since: int | None, done: int, done_of_batch: int) -> bool:
        """Return whether the subscriber is found to be stuck now, for the first time since it last made progress.

        ``busy_since`` is when it took the batch of events that it works on, None where it has none; ``done`` is how
        many events it is done with ever, and ``done_of_batch`` how many of this batch.
        """
        if busy_since is None:
            self._was_stuck = False
            return False
        if done != self._done:
            self._done = done
            self._seen_at = now_ns
            self._was_stuck = False
        if self._was_stuck:
            return False
        # When a call began that is not the first of its batch is not noted: it had when we first saw it.
        began = self._seen_at if done_of_batch else busy_since
        self._was_stuck = now_ns - began >= self._stuck_ns
        return self._was_stuck
