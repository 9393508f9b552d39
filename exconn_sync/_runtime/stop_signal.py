"""A stop that reaches a worker wherever it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from exconn_sync.ports.waiting import Event


class StopSignal:
    """An event that also calls wakers, so that a wait on a socket or queue ends at once. Thread-safe."""

    def __init__(self) -> None:
        self._event = Event()
        # Guards the list of wakers; they are called after it is released.
        self._lock = threading.Lock()
        self._wakers: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """True once stop was asked for."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask for the stop; wakers run on the calling thread and must not block."""
        with self._lock:
            self._event.set()
            wakers, self._wakers = self._wakers, []
        for wake in wakers:
            wake()

    def on_set(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` when stop is asked for, at once if it already was."""
        with self._lock:
            if not self._event.is_set():
                self._wakers.append(wake)
                return
        wake()

    def forget(self, wake: Callable[[], None]) -> None:
        """Remove a waker whose wait is over; one that already ran is ignored."""
        with self._lock:
            if wake in self._wakers:
                self._wakers.remove(wake)

    def wait(self, seconds: float | None) -> bool:
        """Sleep until the stop or for ``seconds``; return whether stop was asked for."""
        return self._event.wait(seconds)
