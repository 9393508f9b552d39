"""When a connection is to be replaced ahead of time (faults F044, F045)."""

from __future__ import annotations

import random

_NS = 1_000_000_000
_MINUTE_NS = 60 * _NS
_HOUR_NS = 60 * _MINUTE_NS
_DAY_NS = 24 * _HOUR_NS

_SPREAD = 0.1
# With a window: before the 24 hours of the exchanges, and this much of it at random.
_GREATEST_AGE_NS = 23 * _HOUR_NS + 30 * _MINUTE_NS
_AGE_SPREAD_NS = 10 * _MINUTE_NS
# Two turns of windows are a day apart, and less by their length; anything much nearer is a step of the wall clock.
_LEAST_BETWEEN_TURNS_NS = 12 * _HOUR_NS


class RotationPlan:
    """Plans the replacements of one connection of several. Not thread-safe.

    Exchanges end connections after 24 hours. Without a window a connection is replaced at an age of ``rotate_after``
    seconds, less a share of up to a tenth that is drawn for each connection: several that were opened together are not
    replaced together (fault F044).

    With a ``window``, two times of day in UTC such as ``("02:00", "04:00")`` or ``("23:30", "00:30")``, it is replaced
    once in each window that began after it was opened, at a moment drawn from all of the window; one that is missed is
    made up for until the window ends. In any case it is replaced when it is 23.5 hours old, or up to ten minutes
    earlier; ``rotate_after`` does not count then.

    Ages are measured on the monotonic clock. The wall clock only finds the windows, and two turns are never closer than
    12 hours: a step of the wall clock may move a turn, but not repeat it.

    An announced shutdown is due at once (fault F045).
    """

    def __init__(self, rotate_after: float, window: tuple[str, str] | None, rng: random.Random) -> None:
        self._rotate_after_ns = int(rotate_after * _NS)
        self._begin_ns = self._length_ns = 0
        self._has_window = window is not None
        if window is not None:
            self._begin_ns, end_ns = (_time_of_day_ns(each) for each in window)
            self._length_ns = (end_ns - self._begin_ns) % _DAY_NS or _DAY_NS
        self._rng = rng
        self._greatest_age_ns = self._point_ns = 0
        self._draw()
        self._opened_ns: int | None = None
        self._not_before_ns: int | None = None
        self._is_demanded = False
        self._reported_turn_ns: int | None = None
        self._last_turn_ns: int | None = None

    def opened(self, now_ns: int, wall_ns: int) -> None:
        """Note that a new connection is in use, whether it replaced one or not; ``wall_ns`` is since the Unix epoch."""
        if self._is_in_window(wall_ns):
            self._last_turn_ns = now_ns
        elif self._reported_turn_ns is not None:
            # The window ended, or the wall clock left it, while the connection was being replaced.
            self._last_turn_ns = self._reported_turn_ns
        self._reported_turn_ns = None
        self._is_demanded = False
        self._not_before_ns = None
        self._opened_ns = now_ns
        self._draw()

    def demand(self, now_ns: int) -> None:
        """Note an announced shutdown; repeating it does not undo a postponement."""
        del now_ns  # told like every other event; a demand is due at once
        if not self._is_demanded:
            self._is_demanded = True
            self._not_before_ns = None

    def postponed(self, now_ns: int, seconds: float) -> None:
        """Note that an attempt failed: the next one is not due before so many seconds from now."""
        self._not_before_ns = now_ns + int(seconds * _NS)

    def is_due(self, now_ns: int, wall_ns: int) -> bool:
        """Return whether the connection is to be replaced now; True until it is ``opened``, ``postponed`` or missed."""
        if self._wait_ns(now_ns, wall_ns) > 0:
            return False
        if self._turn_in_ns(now_ns, wall_ns) == 0:
            self._reported_turn_ns = now_ns
        return True

    def until_due(self, now_ns: int, wall_ns: int) -> float:
        """Return the seconds until the connection is to be replaced; 0 where it is now.

        Ask anew from time to time: a step of the wall clock changes the answer.
        """
        return self._wait_ns(now_ns, wall_ns) / _NS

    def _wait_ns(self, now_ns: int, wall_ns: int) -> int:
        wait_ns = 0
        if not self._is_demanded:
            age_ns = 0 if self._opened_ns is None else now_ns - self._opened_ns
            wait_ns = self._greatest_age_ns - age_ns
            turn_ns = self._turn_in_ns(now_ns, wall_ns)
            if turn_ns is not None:
                wait_ns = min(wait_ns, turn_ns)
        if self._not_before_ns is not None:
            wait_ns = max(wait_ns, self._not_before_ns - now_ns)
        return max(wait_ns, 0)

    def _turn_in_ns(self, now_ns: int, wall_ns: int) -> int | None:
        """Return the time until the window asks for a replacement, or None where none of the next ones will."""
        if not self._has_window or self._opened_ns is None:
            return None
        opened_wall_ns = wall_ns - (now_ns - self._opened_ns)
        earliest_ns = wall_ns
        if self._last_turn_ns is not None:
            earliest_ns = max(wall_ns, wall_ns - now_ns + self._last_turn_ns + _LEAST_BETWEEN_TURNS_NS)
        latest_begin_ns = self._latest_begin_ns(wall_ns)
        for begin_ns in (latest_begin_ns, latest_begin_ns + _DAY_NS, latest_begin_ns + 2 * _DAY_NS):
            turn_ns = max(begin_ns + self._point_ns, earliest_ns)
            if opened_wall_ns < begin_ns and turn_ns < begin_ns + self._length_ns:
                return turn_ns - wall_ns
        return None

    def _is_in_window(self, wall_ns: int) -> bool:
        return self._has_window and wall_ns < self._latest_begin_ns(wall_ns) + self._length_ns

    def _latest_begin_ns(self, wall_ns: int) -> int:
        """Return when the window began that is open or was open last."""
        return (wall_ns - self._begin_ns) // _DAY_NS * _DAY_NS + self._begin_ns

    def _draw(self) -> None:
        """Draw what is random about one connection."""
        share = self._rng.random()
        if self._has_window:
            self._greatest_age_ns = _GREATEST_AGE_NS - int(share * _AGE_SPREAD_NS)
            self._point_ns = int(self._rng.random() * self._length_ns)
        else:
            self._greatest_age_ns = self._rotate_after_ns - int(share * _SPREAD * self._rotate_after_ns)


def _time_of_day_ns(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * _HOUR_NS + int(minutes) * _MINUTE_NS
