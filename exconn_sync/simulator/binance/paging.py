"""Which rows of a long list an answer holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.params import Params

MAX_ROWS = 1000
_DEFAULT_ROWS = 500
_MICROSECONDS_FROM = 10**14
_DAY_MS = 86_400_000

Row = TypeVar("Row")


def time_of(params: Params, name: str) -> int | None:
    """A time in microseconds; it may be sent in milliseconds too, and its size tells which."""
    value = params.integer(name)
    if value is None:
        return None
    return value if value >= _MICROSECONDS_FROM else value * 1000


def time_range(params: Params) -> tuple[int | None, int | None]:
    """``startTime`` and ``endTime`` of a private list in milliseconds, at most a day apart (Binance: 5.6)."""
    times = time_of(params, "startTime"), time_of(params, "endTime")
    start, end = (None if time is None else time // 1000 for time in times)
    if start is not None and end is not None and end - start > _DAY_MS:
        raise errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def between(rows: list[Row], time: Callable[[Row], int], start: int | None, end: int | None) -> list[Row]:
    """The rows of a time (ms, both bounds included)."""
    return [row for row in rows if (start is None or time(row) >= start) and (end is None or time(row) <= end)]


def page_of(rows: list[Row], limit: int, *, forward: bool) -> list[Row]:
    """With a lower bound the oldest rows from there, otherwise the newest ones."""
    return rows[:limit] if forward else rows[-limit:]


@dataclass(frozen=True, slots=True)
class Page:
    """What the caller wants: from an id on, between two times (µs, both included), or the newest."""

    limit: int
    from_id: int | None = None
    start: int | None = None
    end: int | None = None

    @classmethod
    def by_time(cls, params: Params) -> "Page":
        """Read ``startTime``, ``endTime`` and ``limit``."""
        start, end = time_of(params, "startTime"), time_of(params, "endTime")
        return cls(params.limit(_DEFAULT_ROWS, MAX_ROWS), None, start, end)

    @classmethod
    def by_id(cls, params: Params) -> "Page":
        """Read ``fromId`` and ``limit``."""
        return cls(params.limit(_DEFAULT_ROWS, MAX_ROWS), params.integer("fromId"))

    @classmethod
    def by_id_or_time(cls, params: Params) -> "Page":
        """Read all of them; an id does not go with a time."""
        page = cls.by_time(params)
        from_id = params.integer("fromId")
        if from_id is not None and not (page.start is None and page.end is None):
            raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
        return cls(page.limit, from_id, page.start, page.end)

    def of(self, rows: Sequence[Row], id_of: Callable[[Row], int], time_of_row: Callable[[Row], int]) -> list[Row]:
        """The rows of a list that is sorted by id and time (ms), oldest first."""
        if self.from_id is not None:
            wanted = (row for row in rows if id_of(row) >= self.from_id)
            return list(islice(wanted, self.limit))
        found = [row for row in rows if self._holds(time_of_row(row) * 1000)]
        return found[: self.limit] if self.start is not None else found[-self.limit :]

    def _holds(self, time_us: int) -> bool:
        return (self.start is None or time_us >= self.start) and (self.end is None or time_us <= self.end)
