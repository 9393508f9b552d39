"""A file of recorded messages of this wire."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from exconn_sync.simulator.core.symbols import SymbolSpec, spec_of
from exconn_sync.simulator.recorded import Line, finest, recorded_lines, split_symbol

_TOPIC = re.compile(r'\{"topic":"([^"]+)"')
_FINEST = "0.00000001"


class _Head(msgspec.Struct):
    topic: str = ""


class _Book(msgspec.Struct):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _BookMessage(msgspec.Struct):
    data: _Book


@dataclass(frozen=True, slots=True)
class Frame:
    """A recorded message of a topic, its text untouched."""

    topic: str
    raw: str
    recv_ns: int | None


class Recording:
    """Its answers of REST, kept, and its messages, read anew by each walk."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.answers: dict[str, str] = {}
        """The newest recorded answer to each path of REST."""
        self.topics: dict[str, str] = {}
        """Each topic with its first message."""
        for line in recorded_lines(self.path):
            if line.via == "rest":
                self.answers[urlsplit(line.url).path] = line.raw
            elif topic := _topic_of(line):
                self.topics.setdefault(topic, line.raw)

    def frames(self) -> Iterator[Frame]:
        """All messages, in recorded order; answers to commands are none."""
        for line in recorded_lines(self.path):
            topic = _topic_of(line) if line.via == "ws" else ""
            if topic:
                yield Frame(topic, line.raw, line.recv_ns)

    def specs(self) -> list[SymbolSpec]:
        """The pairs that appear in it, with grids as fine as the numbers of their books."""
        names = sorted({topic.rpartition(".")[2] for topic in self.topics})
        return [self._spec(name) for name in names]

    def _spec(self, name: str) -> SymbolSpec:
        base, quote = split_symbol(name)
        tick, step = _FINEST, _FINEST
        for topic, raw in self.topics.items():
            if topic.startswith("orderbook.") and topic.endswith(f".{name}"):
                book = msgspec.json.decode(raw, type=_BookMessage).data
                rows = book.b + book.a
                tick, step = finest(price for price, _ in rows), finest(size for _, size in rows)
        return spec_of(base, quote, tick=tick, step=step, min_notional="5", start_price="1")


def _topic_of(line: Line) -> str:
    if line.via != "ws":
        return ""
    match = _TOPIC.match(line.raw)
    if match is not None:
        return match[1]
    # Other products put their keys into another order (Bybit: 6.3).
    return msgspec.json.decode(line.raw, type=_Head).topic
