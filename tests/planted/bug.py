"""A mistake that somebody could make, and which tests must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """``old`` stands once in ``path`` and becomes ``new``; of ``tests``, arguments of pytest, one must fail."""

    name: str
    what: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]
