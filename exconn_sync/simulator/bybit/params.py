"""The parameters of a call: a query string, or a JSON object. Unknown ones are left alone, as the exchange does."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from urllib.parse import unquote_plus

from exconn_sync.simulator.bybit import errors

_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_INTEGER = re.compile(r"-?[0-9]{1,18}")


class Params:
    """Reads parameters; what is missing or of another type than documented is refused.

    ``values`` are texts where they come from a query, and of any type where they come from JSON. ``null`` is as good as
    nothing (Bybit: 2.7).
    """

    def __init__(self, values: Mapping[str, object], *, from_query: bool = False) -> None:
        self.values = values
        self._from_query = from_query

    @classmethod
    def from_query(cls, query: str) -> "Params":
        """Read a query string."""
        pairs = (pair.partition("=") for pair in query.split("&") if pair)
        return cls({unquote_plus(name): unquote_plus(value) for name, _, value in pairs}, from_query=True)

    @classmethod
    def from_body(cls, body: str) -> "Params":
        """Read a JSON object; nothing at all is an empty one."""
        try:
            values = json.loads(body) if body else {}
        except ValueError:
            raise errors.bad_parameter("the body is not JSON") from None
        return cls.of(values)

    @classmethod
    def of(cls, values: object) -> "Params":
        """Take values that were read already."""
        if not isinstance(values, dict):
            raise errors.bad_parameter("a JSON object is expected")
        return cls(values)

    def text(self, name: str, default: str = "") -> str:
        """A text; an empty one is as good as none."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            raise errors.bad_parameter(f"{name} must be a string")
        return value

    def required(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if not value:
            raise errors.bad_parameter(f"{name} is required")
        return value

    def one_of(self, name: str, words: Iterable[str], default: str = "") -> str:
        """One of some words, or nothing."""
        value = self.text(name, default)
        if value and value not in words:
            raise errors.bad_parameter(f"{name} is invalid")
        return value

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if self._from_query and isinstance(value, str) and _INTEGER.fullmatch(value):
            return int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise errors.bad_parameter(f"{name} must be an integer")

    def limit(self, default: int, largest: int) -> int:
        """The number of rows wanted, which must be possible."""
        wanted = self.integer("limit", default)
        if wanted is None or not 1 <= wanted <= largest:
            raise errors.bad_parameter(f"limit must be between 1 and {largest}")
        return wanted

    def decimal(self, name: str) -> Decimal | None:
        """A number above or equal to zero, written as text."""
        value = self.text(name)
        if not value:
            return None
        if not _DECIMAL.fullmatch(value):
            raise errors.bad_value(name)
        return Decimal(value)

    def category(self) -> None:
        """Every call says which product it is about; here it is always spot."""
        if self.required("category") != "spot":
            raise errors.bad_parameter("only category spot is served")
