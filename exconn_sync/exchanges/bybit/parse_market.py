"""Answers about public data (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from exconn_sync.exchanges.bybit.envelope import EnvelopeReader, Rows
from exconn_sync.model.wire import HttpResponse, Params

_LONGEST_NANOS = 19


class _Time(msgspec.Struct, rename="camel"):
    time_nano: str


_TIME = EnvelopeReader(_Time)
_ANY_ROWS = EnvelopeReader(Rows[msgspec.Raw])


def parse_ping(response: HttpResponse) -> None:
    """Read the clock, whose answer proves that the exchange answers. Raises ProtocolError."""
    parse_time(response)


def parse_time(response: HttpResponse) -> int:
    """Read the exchange's clock, in nanoseconds. Raises ProtocolError."""

    def build(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) == _LONGEST_NANOS):
            raise ValueError("a time is not a number of nanoseconds")
        return int(text)

    return _TIME.read(response.body, lambda wire: build(wire.result.time_nano))


def next_page(params: Params) -> Callable[[HttpResponse], Params | None]:
    """Return what tells from an answer to a question with these parameters how to ask for the page after it.

    The last page has an empty cursor; an empty page is the last one too (Bybit: 2.7).
    """

    def following(response: HttpResponse) -> Params | None:
        result = _ANY_ROWS.read(response.body, lambda wire: wire.result)
        if not result.next_page_cursor or not result.rows:
            return None
        return (*(pair for pair in params if pair[0] != "cursor"), ("cursor", result.next_page_cursor))

    return following
