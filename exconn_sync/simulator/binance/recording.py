"""Reading a recording line by line, without holding it."""

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

_WRAPPER_START = '{"stream":"'
_WRAPPER_MIDDLE = '","data":'
_KNOWN_QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "USD")
_FINEST = "0.00000001"


class _Line(msgspec.Struct, gc=False):
    n: int
    raw: str
    via: str = "ws"
    url: str = ""
    recv_ns: int | None = None


class _Depth(msgspec.Struct):
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A recorded REST answer and where in the recording it stands."""

    line: int
    body: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A recorded frame of one stream, wrapped as it was received."""

    line: int
    stream: str
    raw: str
    recv_ns: int | None

    @property
    def payload(self) -> str:
        """The frame without its wrapper, its text untouched."""
        return self.raw[len(_WRAPPER_START) + len(self.stream) + len(_WRAPPER_MIDDLE) : -1]


def _opened(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


class Recording:
    """A file of recorded messages: its snapshots, kept, and its frames, read anew by each connection."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.depth: dict[str, list[Snapshot]] = {}
        self.exchange_info: str | None = None
        self.streams: dict[str, None] = {}
        self._read_index()

    def frames(self) -> Iterator[Frame]:
        """All frames, in recorded order."""
        for entry in self._lines():
            stream = _stream_of(entry)
            if stream is not None:
                yield Frame(entry.n, stream, entry.raw, entry.recv_ns)

    def symbols(self) -> list[str]:
        """The symbols that appear in it."""
        names = {stream.partition("@")[0].upper() for stream in self.streams} | self.depth.keys()
        return sorted(names)

    def snapshot(self, symbol: str, passed_line: int) -> str | None:
        """The newest recorded depth of a symbol up to a line, or the first one."""
        known = self.depth.get(symbol)
        if not known:
            return None
        passed = [snapshot for snapshot in known if snapshot.line <= passed_line]
        return (passed or known[:1])[-1].body

    def grid(self, symbol: str) -> tuple[str, str]:
        """Tick and step of a symbol, as fine as the numbers of its snapshot."""
        known = self.depth.get(symbol)
        if not known:
            return _FINEST, _FINEST
        book = msgspec.json.decode(known[0].body, type=_Depth)
        levels = book.bids + book.asks
        return _finest(price for price, _ in levels), _finest(quantity for _, quantity in levels)

    def _lines(self) -> Iterator[_Line]:
        decode = msgspec.json.Decoder(_Line).decode
        try:
            with _opened(self.path) as lines:
                for line in lines:
                    yield decode(line)
        except (msgspec.MsgspecError, EOFError, zlib.error) as error:
            raise ValueError(f"{self.path} is not a recording: {error}") from error

    def _read_index(self) -> None:
        for entry in self._lines():
            stream = _stream_of(entry)
            if stream is not None:
                self.streams[stream] = None
            elif entry.via == "rest":
                self._index_answer(entry)

    def _index_answer(self, entry: _Line) -> None:
        url = urlsplit(entry.url)
        if url.path.endswith("/exchangeInfo") and self.exchange_info is None:
            self.exchange_info = entry.raw
        elif url.path.endswith("/depth"):
            symbol = parse_qs(url.query).get("symbol", [""])[0]
            self.depth.setdefault(symbol, []).append(Snapshot(entry.n, entry.raw))


def _stream_of(entry: _Line) -> str | None:
    if entry.via != "ws" or not entry.raw.startswith(_WRAPPER_START):
        return None
    return entry.raw[len(_WRAPPER_START) : entry.raw.index('"', len(_WRAPPER_START))]


def _finest(numbers: Iterable[str]) -> str:
    decimals = max((len(text.partition(".")[2].rstrip("0")) for text in numbers), default=8)
    return str(Decimal(1).scaleb(-decimals))


def split_symbol(name: str) -> tuple[str, str]:
    """Base and quote of a symbol, told apart by well-known quotes."""
    for quote in _KNOWN_QUOTES:
        if name.endswith(quote) and len(name) > len(quote):
            return name.removesuffix(quote), quote
    return name, ""
