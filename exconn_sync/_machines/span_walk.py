"""Walks through a long time in questions that an exchange answers: short spans, and few enough rows in each.

How rows of one answer are sorted differs and is sometimes not documented, so that "go on after the last row" can lose
some. A span whose answer is full is asked for again in two halves instead.
"""

from __future__ import annotations

from collections import deque

from exconn_sync.model.wire import HistoryLimits, TimeSpan


class SpanWalk:
    """Gives spans until the whole time is covered; the caller says how many rows each answer had.

    Both ends are milliseconds since the Unix epoch, and included.
    """

    def __init__(self, first_ms: int, last_ms: int, limits: HistoryLimits) -> None:
        self._rows, self._is_whole = limits.rows, limits.is_whole
        self._todo: deque[TimeSpan] = deque()
        while first_ms <= last_ms:
            end_ms = min(last_ms, first_ms + limits.longest_ms - 1)
            self._todo.append(TimeSpan(first_ms, end_ms))
            first_ms = end_ms + 1

    def next(self) -> TimeSpan | None:
        """Return the span to ask for, oldest first; None where the whole time is covered."""
        return self._todo[0] if self._todo else None

    def answered(self, rows: int) -> bool:
        """Note how many rows the answer for the present span had; return whether they are all that there are.

        A full answer is to be thrown away, because its span comes again in halves. One of a single millisecond cannot
        be divided: it counts, although more may exist.
        """
        span = self._todo.popleft()
        if self._is_whole or rows < self._rows or span.first_ms == span.last_ms:
            return True
        middle = (span.first_ms + span.last_ms) // 2
        self._todo.appendleft(TimeSpan(middle + 1, span.last_ms))
        self._todo.appendleft(TimeSpan(span.first_ms, middle))
        return False
