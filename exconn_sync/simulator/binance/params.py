"""Request parameters: taken apart exactly as sent, read one by one, and none may stay unread."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import unquote_plus

from exconn_sync.simulator.binance import errors

_DECIMAL = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER = r"^[0-9]{1,19}$"
SECURITY_NAMES = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})
"""What secures a request. A call that takes none of it refuses it over REST like any other name."""


class Params:
    """Named texts which are read with a type; ``finish`` complains about those nobody read.

    ``passed_by`` are names that belong to no call: signed as all others, and read elsewhere, if at all.
    """

    def __init__(self, values: Mapping[str, str], passed_by: frozenset[str] = frozenset()) -> None:
        self._values = values
        self._passed_by = passed_by
        self._read: set[str] = set()
        self._absent: frozenset[str] = frozenset()

    @classmethod
    def from_http(cls, query: str, body: str) -> "Params":
        """From the raw query and form body; the query wins when both have a name."""
        return cls({**_pairs(body), **_pairs(query)})

    def named(self, name: str) -> str:
        """What a parameter is called on the wire."""
        return name

    def takes(self, name: str) -> bool:
        """Whether there is such a parameter at all."""
        return name not in self._absent

    def peek(self, name: str) -> str | None:
        """A value without marking it as read."""
        return self._values.get(self.named(name)) if self.takes(name) else None

    def items(self) -> Iterable[tuple[str, str]]:
        """All names and values."""
        return self._values.items()

    def optional(self, name: str) -> str | None:
        """A text, or None when it was not sent."""
        value = self._read_value(name)
        if value == "":
            raise errors.empty_parameter(self.named(name))
        return value

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self._read_value(name)
        if not value:
            raise errors.missing_parameter(self.named(name))
        return value

    def matching(self, name: str, pattern: str) -> str | None:
        """A text in a given form."""
        value = self.optional(name)
        if value is not None and not re.fullmatch(pattern, value):
            raise errors.illegal_characters(self.named(name), pattern)
        return value

    def decimal(self, name: str) -> Decimal | None:
        """A price or quantity."""
        value = self.matching(name, _DECIMAL)
        return None if value is None else Decimal(value)

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        value = self.matching(name, _INTEGER)
        return default if value is None else int(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """A true or false."""
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise errors.illegal_characters(name, "true|false")
        return value.lower() == "true"

    def limit(self, default: int, largest: int) -> int:
        """The number of rows wanted, cut to what is possible."""
        wanted = self.integer("limit", default)
        return min(wanted or default, largest)

    def finish(self) -> None:
        """Refuse the request if it has parameters that were not read."""
        sent = self._values.keys() - self._passed_by
        unread = sent - self._read
        if unread and not self._read:
            raise errors.too_many_parameters(0, len(sent))
        if unread:
            raise errors.unread_parameters(len(sent) - len(unread), len(sent))

    def _read_value(self, name: str) -> str | None:
        if not self.takes(name):
            return None
        self._read.add(self.named(name))
        return self._values.get(self.named(name))


class LegParams(Params):
    """The parameters of one order of a list: the usual names on the inside, its own on the wire.

    ``names`` are those that are called otherwise, and None for one that there is not; all others get the ``prefix``.
    What is read here counts as read of the whole request.
    """

    def __init__(self, whole: Params, prefix: str, names: Mapping[str, str | None]) -> None:
        super().__init__(whole._values, whole._passed_by)
        self._read = whole._read
        self._prefix = prefix
        self._names = names
        self._absent = frozenset(name for name, called in names.items() if called is None)

    def named(self, name: str) -> str:
        """What a parameter is called on the wire."""
        return self._names.get(name) or self._prefix + name[0].upper() + name[1:]


def _pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        if name in values:
            raise errors.duplicate_parameter()
        values[name] = unquote_plus(value)
    return values
