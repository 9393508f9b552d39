"""A fence around the user's metrics sink: a broken one costs numbers, never a connection."""

from __future__ import annotations

import logging

from exconn_sync.ports.metrics import MetricsSink

logger = logging.getLogger("exconn_sync")


class GuardedMetrics:
    """Hands everything to a sink; what that raises is counted in ``failures`` and logged once."""

    def __init__(self, sink: MetricsSink) -> None:
        self.sink = sink
        self.failures = 0

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        try:
            self.sink.count(name, amount, **labels)
        except Exception as error:  # noqa: BLE001 - the user's code, on a thread that must live
            self._failed(error)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Record one measured value."""
        try:
            self.sink.observe(name, value, **labels)
        except Exception as error:  # noqa: BLE001 - the user's code, on a thread that must live
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1:
            logger.error("the metrics sink raised; numbers are being lost", exc_info=error)
