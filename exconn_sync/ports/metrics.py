"""Where numbers about the library's own work go."""

from __future__ import annotations

from typing import Protocol


class MetricsSink(Protocol):
    """Receives counts and observations; called from any thread, must be quick and must not raise.

    Names are dotted (``rest.requests``); labels are short texts with few different values, never a secret.
    """

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        ...

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Record one measured value, for durations in seconds."""
        ...
