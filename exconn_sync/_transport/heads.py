"""The head of an answer, split by hand where it is as it should be.

http.client has each head read by the parser for e-mail, and urllib3 copies what that found; together they take half of
the time of a whole call. Both need only the few headers that tell where the answer ends. So they are given those, and
the others are read here. What is folded, malformed, too long or too much goes through whole: what it is worth and which
error it is, http.client says.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from http.client import HTTPResponse

_FRAMING = frozenset(
    {"connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
_LONGEST_LINE = 65536
_MOST_LINES = 100
_CONTINUE = b" 100"


class LightResponse(HTTPResponse):
    """An answer of http.client whose ``headers`` are those that tell where it ends.

    Attributes:
        whole_head: all headers, with names in lower case; those that came several times are one, with commas.
    """

    whole_head: dict[str, str]

    def begin(self) -> None:
        """Read the head, as http.client does."""
        if hasattr(self, "whole_head"):
            return
        stream = self.fp
        lines = read_head(stream)
        while lines[0][8:12] == _CONTINUE:
            lines = read_head(stream)
        framing: list[bytes] = []
        found = split(lines[1:], framing)
        if found is not None:
            lines = [lines[0], *framing, b"\r\n"]
        self.fp = io.BufferedReader(io.BytesIO(b"".join(lines)))
        try:
            super().begin()
        finally:
            # Whatever happens: it is closed with the answer.
            self.fp = stream
        self.whole_head = joined(self.headers.items()) if found is None else found


def read_head(stream: io.BufferedReader) -> list[bytes]:
    """Return the lines of a head as they are, as far as http.client would read them; the first one may be empty."""
    lines = [stream.readline(_LONGEST_LINE + 1)]
    while lines[-1] and len(lines[-1]) <= _LONGEST_LINE and len(lines) <= _MOST_LINES + 1:
        if len(lines) > 1 and lines[-1] in (b"\r\n", b"\n"):
            break
        lines.append(stream.readline(_LONGEST_LINE + 1))
    return lines


def split(lines: Sequence[bytes], framing: list[bytes]) -> dict[str, str] | None:
    """Return the headers in the lines that follow the first one; None where they are not as they should be.

    Lines that tell where the answer ends are put into ``framing``.
    """
    if not lines or lines[-1] not in (b"\r\n", b"\n"):
        return None
    found: dict[str, str] = {}
    for line in lines[:-1]:
        name, colon, value = line.decode("iso-8859-1").partition(":")
        key, value = name.lower(), value.strip()
        if not colon or not name.isprintable() or not name or " " in name or "\r" in value:
            return None
        found[key] = f"{found[key]}, {value}" if key in found else value
        if key in _FRAMING:
            framing.append(line)
    return found


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers by name in lower case, those of one name as one, in their order."""
    found: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        found[key] = f"{found[key]}, {value}" if key in found else value
    return found
