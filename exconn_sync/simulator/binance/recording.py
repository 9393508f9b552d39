"""Reading a recording line by line, without holding it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from exconn_sync.simulator.recorded import Line, finest, recorded_lines

_WRAPPER_START = '{"stream":"'
_WRAPPER_MIDDLE = '","data":'
_FINEST = "0.00000001"


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
        for entry in recorded_lines(self.path):
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
        return finest(price for price, _ in levels), finest(quantity for _, quantity in levels)

    def _read_index(self) -> None:
        for entry in recorded_lines(self.path):
            stream = _stream_of(entry)
            if stream is not None:
                self.streams[stream] = None
            elif entry.via == "rest":
                self._index_answer(entry)

    def _index_answer(self, entry: Line) -> None:
        url = urlsplit(entry.url)
        if url.path.endswith("/exchangeInfo") and self.exchange_info is None:
            self.exchange_info = entry.raw
        elif url.path.endswith("/depth"):
            symbol = parse_qs(url.query).get("symbol", [""])[0]
            self.depth.setdefault(symbol, []).append(Snapshot(entry.n, entry.raw))


def _stream_of(entry: Line) -> str | None:
    if entry.via != "ws" or not entry.raw.startswith(_WRAPPER_START):
        return None
    return entry.raw[len(_WRAPPER_START) : entry.raw.index('"', len(_WRAPPER_START))]
