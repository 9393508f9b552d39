"""Which topic a frame of a public stream belongs to, by its first bytes."""

from __future__ import annotations

from collections.abc import Callable

_MOST_KNOWN = 16_384


def topic_finder(start: bytes, decoded: Callable[[bytes], str | None]) -> Callable[[bytes], str | None]:
    """Return what tells the topic of a frame, None for a frame of none.

    ``start`` is how frames with a topic begin, up to the quote before its name; ``decoded`` reads the name from a whole
    object, or returns None. It is asked for beginnings that were not seen before, and for frames written in another way
    that may have a name.
    """
    name_at = len(start)
    key = start[1:].partition(b":")[0]
    # The topic of each beginning, up to the quote behind its name: the same few come again and again.
    known: dict[bytes, str] = {}

    def look_for_topic(frame: bytes) -> str | None:
        if not frame.startswith(start):
            return decoded(frame) if key in frame else None
        end = frame.find(b'"', name_at)
        if end < 0:
            return None
        beginning = frame[:end]
        name = decoded(beginning + b'"}')
        if name is not None:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[beginning] = name
        return name

    def topic_of_frame(frame: bytes) -> str | None:
        return known.get(frame[: frame.find(b'"', name_at)]) or look_for_topic(frame)

    return topic_of_frame
