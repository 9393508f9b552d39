"""What all parts of the suite share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from exconn_sync.errors import ExconnError, ProtocolError, ValidationError
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.testing.contract.examples import Examples
from exconn_sync.testing.contract.material import Material

_LONGEST_PAYLOAD = 210
_LONGEST_NEWS = 300


class ContractBase:
    """Knows the driver and its examples; see ``DriverContract``."""

    driver: ClassVar[ExchangeDriver]
    examples: ClassVar[Examples]

    @cached_property
    def material(self) -> Material:
        """Values to call the driver with."""
        return Material(self.driver, self.examples)


def none_of(problems: Sequence[str]) -> None:
    """Fail with all problems at once."""
    assert not problems, "\n  ".join(("", *dict.fromkeys(problems)))


def news_faults(what: str, ask: Callable[[], Sequence[str]]) -> list[str]:
    """Return what is wrong with how a driver tells what it does not know in a payload; it never raises for one."""
    try:
        told = ask()
    except Exception as error:  # noqa: BLE001 - whatever it is, it would end what only wanted to take a look
        return [f"{what}: looking for news raises {type(error).__name__}"]
    long = [word for word in told if not word.isprintable() or len(word) > _LONGEST_NEWS]
    return [f"{what}: news are short and printable, and not {word[:80]!r}" for word in long]


def refused(what: str, attempt: Callable[[], Any], field: str | None = None) -> None:
    """Fail unless something is refused before anything is sent."""
    found: ValidationError | None = None
    try:
        attempt()
    except ValidationError as error:
        found = error
    assert found is not None, f"{what}: it has to be a ValidationError"
    assert found.outcome == "not_sent", f"{what}: the outcome is {found.outcome}"
    assert field is None or found.field == field, f"{what}: the error names {found.field} and not {field}"


def read_or_refused(what: str, payload: bytes, read: Callable[[bytes], Any]) -> tuple[Any, str | None]:
    """Return what a payload gives, and what is wrong with how it is refused; an error of the library is no value."""
    try:
        return read(payload), None
    except ProtocolError as error:
        if len(str(error.details.get("payload", ""))) > _LONGEST_PAYLOAD or not str(error).isprintable():
            return None, f"{what}: a ProtocolError shows the payload in one printable line, shortened: {payload[:80]!r}"
        return None, None
    except ExconnError:
        return None, None
    except Exception as error:  # noqa: BLE001 - whatever else it is, it is what the check looks for
        return None, f"{what}: {type(error).__name__} and not ProtocolError for {payload[:200]!r}"
