"""Messages of kinds that this version does not know: counted by kind, told once each (fault F035)."""

from __future__ import annotations

import logging

from exconn_sync._live.pipeline import Pipeline

logger = logging.getLogger("exconn_sync")

_MOST = 50
_REST = "other"


class UnknownKinds:
    """The kinds seen on one connection; its thread only. Their number is bounded, because the exchange names them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._seen: set[str] = set()

    def note(self, kind: str) -> bool:
        """Count a message; return whether its kind is new."""
        is_new = kind not in self._seen
        if is_new and len(self._seen) >= _MOST:
            kind, is_new = _REST, _REST not in self._seen
        if is_new:
            self._seen.add(kind)
            logger.info("%s sent a message of the unknown kind %s", self._pipeline.exchange, kind)
        self._pipeline.metrics.count("stream.unrecognized", exchange=self._pipeline.exchange, kind=kind)
        return is_new
