"""The pages as the tests read them: links, anchors, code blocks, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=ticks)[ ]*$", re.MULTILINE | re.DOTALL)
_INLINE_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, whether it is marked as not to be run, its text, and where it begins."""

    info: str
    body: str
    line: int

    @property
    def language(self) -> str:
        """First word of the info string."""
        return self.info.partition(" ")[0]


def pages() -> list[Path]:
    """Return every page that belongs to the project."""
    found = [path for path in DOCS.rglob("*.md") if "_build" not in path.parts]
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "changes" / "README.md", *sorted(found)]


def name_of(path: Path) -> str:
    """Return the page's path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(match["info"].strip(), match["body"], text.count("\n", 0, match.start()) + 2)
        for match in _FENCE.finditer(text)
    ]


def prose(path: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def inline_code(path: Path) -> list[str]:
    """Return what stands between backticks in the text of a page."""
    return [match[2] for match in _INLINE_CODE.finditer(prose(path))]


def links(path: Path) -> Iterator[str]:
    """Yield the targets of the links of a page; what stands between backticks is no link."""
    for match in _LINK.finditer(_INLINE_CODE.sub("", prose(path))):
        yield match["target"]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as source viewers and the documentation's builder make them."""
    found: set[str] = set()
    for match in _HEADING.finditer(prose(path)):
        slug = re.sub(r"[^\w\- ]", "", match["text"].strip().lower()).replace(" ", "-")
        number = 0
        while (unique := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(unique)
    return found


def first_column(path: Path, heading: str) -> list[str]:
    """Return the first cell of each row, its backticks removed, of the first table whose first heading is this."""
    lines = prose(path).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    cells: list[str] = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells.append(line.split("|")[1].strip().strip("`"))
    return cells
