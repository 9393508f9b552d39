"""Reading recorded messages line by line, without holding them, and sending them in time."""

import asyncio
import gzip
import zlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, cast

import msgspec

_KNOWN_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "USD")
_SHORTEST_SLEEP_S = 0.001
FRAMES_BETWEEN_BREATHS = 64
"""Writing to a fast reader never waits, so others get their turn after so many frames."""


class Line(msgspec.Struct, gc=False):
    """One recorded message: its number, its text, which way it came, and when."""

    n: int
    raw: str
    via: str = "ws"
    url: str = ""
    recv_ns: int | None = None


def recorded_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, perhaps with gzip; ValueError for a file that is no recording."""
    decode = msgspec.json.Decoder(Line).decode
    try:
        with _opened(path) as lines:
            for line in lines:
                yield decode(line)
    except (msgspec.MsgspecError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a recording: {error}") from error


def finest(numbers: Iterable[str]) -> str:
    """The smallest step of numbers written with as many decimals as these."""
    decimals = max((len(text.partition(".")[2].rstrip("0")) for text in numbers), default=8)
    return str(Decimal(1).scaleb(-decimals))


def split_symbol(name: str) -> tuple[str, str]:
    """Base and quote of a symbol, told apart by well-known quotes."""
    for quote in _KNOWN_QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return name.removesuffix(quote), quote
    return name, ""


class Pacer:
    """Turns the recorded receive times into waits."""

    def __init__(self, pace: float | None) -> None:
        self._pace = pace
        self._first_ns: int | None = None
        self._began = 0.0

    async def until(self, recv_ns: int | None) -> None:
        """Wait until what was received at that time is due."""
        if self._pace is None or recv_ns is None:
            return
        now = asyncio.get_running_loop().time()
        if self._first_ns is None:
            self._first_ns, self._began = recv_ns, now
        wait = self._began + (recv_ns - self._first_ns) / 1e9 / self._pace - now
        if wait > _SHORTEST_SLEEP_S:
            await asyncio.sleep(wait)


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
