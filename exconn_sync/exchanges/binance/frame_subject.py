"""Whether a frame of the market streams is about what its stream is about (Binance: 8.1)."""

from __future__ import annotations

import msgspec


class _Named(msgspec.Struct):
    stream: str


_NAMED = msgspec.json.Decoder(_Named).decode


def subject_of(frame: bytes, symbol: str | None) -> str | None:
    """Return the symbol that a frame states, None where it states none.

    A decoder compares the next frames with it, so that this is called once for a stream and not for each frame.

    Raises:
        ValueError: the name of the frame's stream begins with another symbol (fault F084).
    """
    if symbol is not None:
        named, mark, _ = _NAMED(frame).stream.partition("@")
        if mark and named != symbol.lower():
            raise ValueError("a frame is about another symbol than its stream")
    return symbol
