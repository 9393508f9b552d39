"""Times of the user's own, checked before anything is asked for: other units would ask for the whole past."""

from __future__ import annotations

from exconn_sync.errors import ValidationError

_EARLIEST_NS = 10**17
"""March 1973: what lies before is a time in seconds, milliseconds or microseconds."""


def check_span(start: object, end: object) -> None:
    """Check the bounds of a span of time, None for an open one. Raises ValidationError."""
    for field, value in (("start", start), ("end", end)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError(field, value, "must be integer nanoseconds since the Unix epoch")
        if not _EARLIEST_NS <= value < 2**63:
            raise ValidationError(field, value, "is no time of this century in nanoseconds since the Unix epoch")
    if isinstance(start, int) and isinstance(end, int) and start > end:
        raise ValidationError("start", start, "must not be after the end")
