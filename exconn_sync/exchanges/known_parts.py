"""What of a payload this version does not know: fields and words that are on no table (faults F036, F040).

Parsers pass such things by, which is right and leaves no trace. This second look leaves one. It costs more than a typed
decode, so whoever calls it chooses which payloads are looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from exconn_sync.exchanges.decoding import MALFORMED, clean_text

_MOST_PARTS = 8
_PART_LENGTH = 60


@dataclass(frozen=True)
class KnownParts:
    """The documented fields of one kind of payload, at whatever depth they stand, used by this version or not.

    ``words`` has the known words of those fields whose values are words, or lists of words. ``maps`` names the objects
    whose own keys are data, such as assets: those are not looked at.
    """

    names: frozenset[str]
    words: Mapping[str, Collection[str]] = field(default_factory=dict)
    maps: frozenset[str] = frozenset()


def known(names: str, words: Mapping[str, Collection[str]] | None = None, maps: str = "") -> KnownParts:
    """Return known parts whose names stand in one text, apart by blanks."""
    return KnownParts(frozenset(names.split()), words or {}, frozenset(maps.split()))


def read_json(payload: bytes) -> Any:
    """Return any JSON; None for what is none, because the parser has said so already. Numbers are not for use."""
    try:
        return msgspec.json.decode(payload)
    except MALFORMED:
        return None


def unknown_parts(of: str, known_parts: KnownParts, value: Any) -> tuple[str, ...]:
    """Return ``<of> field <name>`` and ``<of> <name> <word>`` for what is new in a decoded payload.

    Each is on one printable line and of bounded length, and there are few of them, however many the payload has: the
    exchange, or whoever stands in its place, chose them.
    """
    found: dict[str, None] = {}
    waiting = [value]
    while waiting and len(found) < _MOST_PARTS:
        value = waiting.pop()
        if type(value) is dict:
            for name, inner in value.items():
                if name not in known_parts.names:
                    found[clean_text(f"{of} field {name}", _PART_LENGTH)] = None
                    continue
                for word in _words(known_parts.words.get(name), inner):
                    found[clean_text(f"{of} {name} {word}", _PART_LENGTH)] = None
                if type(inner) in (dict, list) and name not in known_parts.maps:
                    waiting.append(inner)
        elif type(value) is list and value and type(value[0]) is dict:
            # Lists of anything else have no names: levels of a book, candles.
            waiting += value
    return tuple(found)[:_MOST_PARTS]


def _words(of_field: Collection[str] | None, value: Any) -> list[str]:
    if of_field is None:
        return []
    words = value if type(value) is list else [value]
    return [word for word in words if type(word) is str and word and word not in of_field]
