"""Text that must never be seen: it prints as ``***`` wherever it may end up (faults F168 to F173)."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A secret text. ``reveal`` is called only where it is used for signing; everything else shows ``***``."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self.__text

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.__text == self.__text

    def __hash__(self) -> int:
        return hash(self.__text)

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; read it again from where it is kept")
