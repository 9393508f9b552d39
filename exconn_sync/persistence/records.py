"""One record of a journal: a fact as text, with its number and a sum that tells whether it is what was written."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from exconn_sync.model.account import Fact
from exconn_sync.persistence.codec import Unreadable, from_text


class Record(NamedTuple):
    """A row of the journal's table, in the order of its columns."""

    number: int
    kind: str
    body: str
    checksum: int


def sealed(number: int, kind: str, body: str) -> Record:
    """Return the record of a fact's text under a number."""
    return Record(number, kind, body, _sum(number, kind, body))


def fact_in(record: Record) -> Fact:
    """Return the fact of a record. Raises Unreadable where it is not what was written."""
    number, kind, body, checksum = record
    # A damaged file may have any type in any column.
    if not (type(number) is type(checksum) is int and type(kind) is type(body) is str):
        raise Unreadable("a column has the wrong type")
    if _sum(number, kind, body) != checksum:
        raise Unreadable("the checksum does not fit")
    return from_text(kind, body)


def facts_in(records: Iterable[Record]) -> Iterator[Fact]:
    """Yield the facts of records that follow each other without a gap from number 1.

    Raises:
        Damage: a record is missing, or is not what was written.
    """
    expected = 1
    for record in records:
        if record.number != expected:
            raise Damage(expected, "it is missing")
        try:
            fact = fact_in(record)
        except Unreadable as error:
            raise Damage(expected, str(error)) from None
        yield fact
        expected += 1


class Damage(ValueError):
    """A record is not what was written; ``at`` is its number."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(f"record {at}: {why}")
        self.at = at


def _sum(number: int, kind: str, body: str) -> int:
    return zlib.crc32(f"{number} {kind} {body}".encode("utf-8", "surrogatepass"))
