"""What a caller says about the variant of a stream, as the text that drivers understand."""

from __future__ import annotations

from exconn_sync.errors import ValidationError


def text_variant(field: str, wanted: object) -> str:
    """Return a checked text. Raises ValidationError."""
    if not isinstance(wanted, str) or not wanted or "." in wanted:
        raise ValidationError(field, wanted, "must be a text such as 1h")
    return wanted


def kline_variant(interval: object, utc_offset: object) -> str:
    """Return the variant of candles of a length, aligned to UTC or to an offset from it. Raises ValidationError."""
    text = text_variant("interval", interval)
    return text if utc_offset is None else f"{text}@{text_variant('utc_offset', utc_offset)}"


def partial_book_variant(levels: object, interval_ms: object) -> str:
    """Return the variant of a partial book, by its levels a side and the time between two. Raises ValidationError."""
    text = str(_whole("levels", levels))
    return text if interval_ms is None else f"{text}@{_whole('interval_ms', interval_ms)}ms"


def _whole(field: str, wanted: object) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1:
        raise ValidationError(field, wanted, "must be a whole number of at least 1")
    return wanted
