"""Which conditions are still missing before something is ready, and which can never come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType


class Conditions:
    """A fixed set of named conditions; ready while all of them are met. Not thread-safe."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(dict.fromkeys(names))
        self._met: set[str] = set()
        self._errors: dict[str, Exception] = {}
        self._whys: dict[str, str] = {}

    def met(self, name: str) -> None:
        """Note that a condition holds; an earlier failure of it is over."""
        self._require(name)
        self._met.add(name)
        self._errors.pop(name, None)
        self._whys.pop(name, None)

    def lost(self, name: str, why: str = "") -> None:
        """Note that a condition does not hold (any more), but may again, and why as far as that is known."""
        self._require(name)
        self._met.discard(name)
        if why:
            self._whys[name] = why

    def fail(self, name: str, error: Exception) -> None:
        """Note that a condition cannot come without somebody's help, and why."""
        self.lost(name)
        self._errors[name] = error

    @property
    def is_ready(self) -> bool:
        """True while every condition is met."""
        return len(self._met) == len(self._names)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the conditions not met, in the order they were given."""
        return tuple(name for name in self._names if name not in self._met)

    @property
    def errors(self) -> Mapping[str, Exception]:
        """Why conditions cannot come, by name; a copy that does not change."""
        return MappingProxyType(dict(self._errors))

    @property
    def whys(self) -> Mapping[str, str]:
        """Why conditions do not hold, by name, as far as that is known; a copy that does not change."""
        return MappingProxyType(dict(self._whys))

    def _require(self, name: str) -> None:
        if name not in self._names:
            raise KeyError(name)
