"""Help for tests, ours and those of our users."""

from exconn_sync.testing.clock import ManualClock

__all__ = ["ManualClock"]
