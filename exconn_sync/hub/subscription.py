"""One subscription over all connectors of a hub."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from exconn_sync._runtime.subscription import Subscription
from exconn_sync.connector import Connector
from exconn_sync.connector.patterns import parse_pattern
from exconn_sync.errors import ValidationError
from exconn_sync.ports.forking import renew_in_child


class HubSubscription:
    """One pattern over all connectors. Thread-safe; once ended it covers nothing any more."""

    def __init__(self, pattern: str, callback: Callable[[Any], object] | None) -> None:
        self._pattern = pattern
        self._callback = callback
        # Guards the parts and whether it has ended; parts are made and ended after it is released.
        # Reentrant: the garbage collector may end the subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._parts: dict[Connector, Subscription] = {}
        self._has_ended = False
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child (fault F125)."""
        self._lock = threading.RLock()

    def cover(self, connector: Connector) -> None:
        """Subscribe on one more connector, or again on one that has been stopped since."""
        if not self._lacks(connector):
            return
        try:
            part = connector.subscribe(self._pattern, self._callback)
        except ValidationError as error:
            if error.field != "symbol":
                raise
            return
        with self._lock:
            is_kept = self._lacks_now(connector)
            if is_kept:
                self._parts[connector] = part
            # A finaliser may have ended it between the two lines above.
            is_kept = is_kept and not self._has_ended
        if not is_kept:
            part.stop()

    def uncover(self, connector: Connector) -> None:
        """Let go of the part of one connector that was stopped, without waiting for its callback once more."""
        with self._lock:
            part = self._parts.pop(connector, None)
        if part is not None:
            part.abandon()

    def stop(self) -> None:
        """End all parts, for good."""
        with self._lock:
            self._has_ended = True
            parts, self._parts = list(self._parts.values()), {}
        for part in parts:
            part.stop()

    def _lacks(self, connector: Connector) -> bool:
        with self._lock:
            return self._lacks_now(connector)

    def _lacks_now(self, connector: Connector) -> bool:
        part = self._parts.get(connector)
        return not self._has_ended and (part is None or not part.is_active)


def check(pattern: object, callback: object) -> None:
    """Refuse what every connector would refuse: an empty hub would only find out when the first one is added."""
    parse_pattern(pattern)
    if callback is not None and not callable(callback):
        raise ValidationError("callback", callback, "must be a function")
