"""How long and how heavy the proofs of this folder are: seconds in the ordinary run, minutes in the soak run."""

from __future__ import annotations

import os
from typing import TypeVar

ValueT = TypeVar("ValueT")

IS_SOAK = os.environ.get("EXCONN_SOAK") == "1"
"""The one switch; ``tox -e soak`` turns it."""


def scaled(ordinary: ValueT, soak: ValueT) -> ValueT:
    """Return the value for this run."""
    return soak if IS_SOAK else ordinary


def show(subject: str, **figures: object) -> None:
    """Print what was measured; the soak run shows it."""
    print(f"{subject}: " + ", ".join(f"{name} {_short(value)}" for name, value in figures.items()))  # noqa: T201


def _short(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
