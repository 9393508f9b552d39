"""One subscription over all connectors of a hub."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from exconn_sync._runtime.subscription import Subscription
from exconn_sync.connector import Connector
from exconn_sync.connector.patterns import parse_pattern
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.ports.forking import renew_in_child

_OF_EVERYBODY = frozenset({"pattern", "callback"})
"""What no exchange accepts; a word that only some exchanges do not know is about something else."""


class HubSubscription:
    """One pattern over all connectors of a hub. Thread-safe; call it to end it, and then it covers nothing any more."""

    def __init__(
        self,
        pattern: str,
        callback: Callable[[Any], object] | None,
        on_end: Callable[[HubSubscription], None] = lambda _: None,
    ) -> None:
        self._pattern = pattern
        self._callback = callback
        self._on_end = on_end
        # Guards the parts and whether it has ended; parts are made and ended after it is released.
        # Reentrant: the garbage collector may end the subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._parts: dict[Connector, Subscription] = {}
        self._names: dict[Connector, str] = {}
        self._refusals: dict[Connector, ValidationError] = {}
        self._has_ended = False
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child (fault F125)."""
        self._lock = threading.RLock()

    @property
    def left_out(self) -> dict[str, str]:
        """The connectors that bring nothing, by name, and why: their exchange lacks the symbol, channel or variant.

        A symbol can be missed only once the instruments of a connector are loaded.
        """
        with self._lock:
            found: dict[Connector, ExconnError] = dict(self._refusals)
            for connector, part in self._parts.items():
                if isinstance(part.failure, ValidationError):
                    found[connector] = part.failure
            return {self._names[connector]: error.message for connector, error in found.items()}

    def __call__(self) -> None:
        """End it, on every connector; returns when no callback runs any more. Idempotent."""
        self._on_end(self)
        self.stop()

    def cover(self, name: str, connector: Connector) -> ValidationError | None:
        """Subscribe on one more connector, or again on one that has been stopped since; return what it lacks."""
        if not self._lacks(connector):
            return None
        try:
            part = connector.subscribe(self._pattern, self._callback)
        except ValidationError as error:
            if error.field in _OF_EVERYBODY:
                raise
            with self._lock:
                self._names[connector], self._refusals[connector] = name, error
            return error
        with self._lock:
            is_kept = self._lacks_now(connector)
            if is_kept:
                self._refusals.pop(connector, None)
                self._names[connector], self._parts[connector] = name, part
            # A finaliser may have ended it between the two lines above.
            is_kept = is_kept and not self._has_ended
        if not is_kept:
            part.stop()
        return None

    def uncover(self, connector: Connector) -> None:
        """Let go of the part of one connector that was stopped, without waiting for its callback once more."""
        with self._lock:
            part = self._parts.pop(connector, None)
            self._refusals.pop(connector, None)
            self._names.pop(connector, None)
        if part is not None:
            part.abandon()

    def stop(self) -> None:
        """End all parts, for good."""
        with self._lock:
            self._has_ended = True
            parts, self._parts, self._refusals = list(self._parts.values()), {}, {}
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
