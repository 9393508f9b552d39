"""Who has hung: a worker that lives but says nothing for too long (fault F144).

A process that was suspended, or whose interpreter was kept busy, must not lose its workers for it (fault F163): they
could not speak. So silence is looked at twice, and looks that come late prove nothing.
"""

from __future__ import annotations

from collections.abc import Hashable

_NS = 1_000_000_000

CONFIRM = 0.5
"""Seconds between the first look at a silent worker and the one that decides."""
LATE = 1.0
"""Seconds of delay after which all workers get their whole time anew."""
_UNSURE = 0.25
"""Seconds of delay after which a first look has to be repeated."""


class Watchdog:
    """Decides over heartbeats. Not thread-safe.

    ``key`` names one life of a worker. ``promise_ns`` is the moment until which that life has announced to be silent:
    its last heartbeat, or later where it said so.
    """

    def __init__(self, hang_timeout: float) -> None:
        self._hang_ns = int(hang_timeout * _NS)
        self._spared_until_ns = 0
        self._suspected_ns: dict[Hashable, int] = {}

    def woke(self, now_ns: int, planned_ns: int | None) -> None:
        """Say that the next looks were planned for a moment, and come now."""
        late_ns = 0 if planned_ns is None else now_ns - planned_ns
        if late_ns > LATE * _NS:
            self._spared_until_ns = now_ns + self._hang_ns
            self._suspected_ns.clear()
        elif late_ns > _UNSURE * _NS:
            self._suspected_ns = dict.fromkeys(self._suspected_ns, now_ns)

    def next_look(self, key: Hashable, promise_ns: int) -> int:
        """Return the moment at which a life has to be looked at if it stays silent."""
        overdue_ns = self._overdue(promise_ns)
        suspected_ns = self._suspected_ns.get(key)
        if suspected_ns is None or suspected_ns < overdue_ns:
            return overdue_ns
        return suspected_ns + int(CONFIRM * _NS)

    def is_hung(self, key: Hashable, promise_ns: int, now_ns: int) -> bool:
        """Look at a life; return whether it is to be given up."""
        overdue_ns = self._overdue(promise_ns)
        if now_ns < overdue_ns:
            self._suspected_ns.pop(key, None)
            return False
        suspected_ns = self._suspected_ns.get(key)
        if suspected_ns is None or suspected_ns < overdue_ns:
            self._suspected_ns[key] = now_ns
            return False
        return now_ns - suspected_ns >= CONFIRM * _NS

    def forget(self, key: Hashable) -> None:
        """Forget a life that has ended."""
        self._suspected_ns.pop(key, None)

    def _overdue(self, promise_ns: int) -> int:
        return max(promise_ns + self._hang_ns, self._spared_until_ns)
