"""The venue's clock: the machine's, shifted by a settable error."""

import time


class VenueClock:
    """Tells the time in UTC milliseconds or microseconds."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        """Milliseconds since the epoch as the venue believes."""
        return time.time_ns() // 1_000_000 + self.offset_ms

    def now_us(self) -> int:
        """Microseconds since the epoch as the venue believes."""
        return time.time_ns() // 1_000 + self.offset_ms * 1_000
