"""What questions about orders are answered from: the registry itself, or a copy of it that is behind (fault F070)."""

import time
from collections import deque
from collections.abc import Callable

from exconn_sync.simulator.core.registry import OrderRegistry

Change = Callable[[OrderRegistry], None]


class ReadSide:
    """Reads lag behind writes once ``lag`` says so: each change is seen that many seconds after it was made."""

    def __init__(self, registry: OrderRegistry, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._monotonic = monotonic
        self._lag_s: float | None = None
        self._copy = registry
        self._on_the_way: deque[tuple[float, Change]] = deque()

    @property
    def registry(self) -> OrderRegistry:
        """Orders and fills as a question sees them now."""
        now = self._monotonic()
        while self._on_the_way and self._on_the_way[0][0] <= now:
            self._on_the_way.popleft()[1](self._copy)
        return self._copy

    def lag(self, seconds: float | None) -> None:
        """Be that far behind from now on; None for up to date."""
        if self._lag_s is not None:
            self._registry.followers.remove(self._hear)
        self._on_the_way.clear()
        self._lag_s, self._copy = seconds, self._registry
        if seconds is not None:
            self._copy = self._registry.copy()
            self._registry.followers.append(self._hear)

    def _hear(self, change: Change) -> None:
        self._on_the_way.append((self._monotonic() + (self._lag_s or 0.0), change))
