"""The venue's clock: the machine's, shifted by a settable error."""

import time
from collections.abc import Callable


class VenueClock:
    """Tells the time in UTC milliseconds or microseconds; ``time_ns`` is the clock that it is made of."""

    def __init__(self, time_ns: Callable[[], int] = time.time_ns) -> None:
        self._time_ns = time_ns
        self.offset_ms = 0
        self.apart_ms = 0
        """How far the clock of every other node is ahead of the others."""
        self._is_ahead = False

    def next_node(self) -> None:
        """The next request is answered by another node."""
        self._is_ahead = not self._is_ahead

    def now_ms(self) -> int:
        """Milliseconds since the epoch as the venue believes."""
        return self._time_ns() // 1_000_000 + self._error_ms

    def now_us(self) -> int:
        """Microseconds since the epoch as the venue believes."""
        return self._time_ns() // 1_000 + self._error_ms * 1_000

    def now_in(self, unit: int) -> int:
        """Milliseconds for a unit of 1, microseconds for one of 1000."""
        return self.now_ms() if unit == 1 else self.now_us()

    @property
    def _error_ms(self) -> int:
        return self.offset_ms + (self.apart_ms if self._is_ahead else 0)
