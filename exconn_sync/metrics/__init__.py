"""Numbers about the library's own work."""

from exconn_sync.metrics.guarded import GuardedMetrics
from exconn_sync.metrics.memory import MemoryMetrics

__all__ = ["GuardedMetrics", "MemoryMetrics"]
