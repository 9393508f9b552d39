"""Pages of rows, newest first, and the tokens that lead from one to the next (Bybit: 2.7)."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.params import Params

WEEK_MS = 7 * 86_400_000
Row = TypeVar("Row")


def time_window(params: Params, now: int) -> tuple[int, int]:
    """The span that ``startTime`` and ``endTime`` mean: at most seven days (Bybit: 4.12)."""
    start, end = params.integer("startTime"), params.integer("endTime")
    if start is None and end is None:
        return now - WEEK_MS, now
    if start is None:
        return (end or 0) - WEEK_MS, end or 0
    if end is None:
        return start, start + WEEK_MS
    if not 0 <= end - start <= WEEK_MS:
        raise errors.bad_parameter("the time range must not exceed 7 days")
    return start, end


def page(
    params: Params,
    rows: Sequence[Row],
    key_of: Callable[[Row], str],
    limit: int,
    behind: Callable[[str], int | None] = lambda _: None,
) -> tuple[list[Row], str]:
    """The rows behind the one that ``cursor`` names, and the token for what follows; none on the last page.

    A token is given percent-encoded, and taken back as it was given. It may name a row that is not there any more:
    ``behind`` tells by its key at which index the rows behind it begin, None for one that never was.
    """
    cursor = params.text("cursor")
    start = 0
    if cursor:
        # Read from a query it is decoded once; encoded a second time it is another text, and names nothing.
        keys = [f"{key_of(row)}:1,{key_of(row)}:1" for row in rows]
        key = cursor.partition(":")[0]
        found = keys.index(cursor) + 1 if cursor in keys else behind(key) if cursor == f"{key}:1,{key}:1" else None
        if found is None:
            raise errors.bad_parameter("cursor is invalid")
        start = found
    chosen = list(rows[start : start + limit])
    is_last = start + limit >= len(rows)
    token = "" if is_last or not chosen else quote(f"{key_of(chosen[-1])}:1,{key_of(chosen[-1])}:1", safe="")
    return chosen, token
