"""What the store tells the outside after facts were joined, in one order for everybody."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OrderedOutbox(Generic[T]):
    """Hands items to one function in the order in which they were put, without holding a lock meanwhile.

    Several threads change the store; what they have to tell must not overtake each other. Whoever finds nobody at
    work delivers until the box is empty; the others only leave their items.
    """

    def __init__(self, deliver: Callable[[T], None]) -> None:
        self._deliver = deliver
        # Guards the two fields below; never held while ``deliver`` runs.
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._is_delivering = False

    def put(self, items: list[T]) -> None:
        """Leave items; call it while holding the lock that gives them their order."""
        with self._lock:
            self._items.extend(items)

    def flush(self) -> None:
        """Deliver what is there, unless another thread is doing it; call it without any lock."""
        with self._lock:
            if self._is_delivering:
                return
            self._is_delivering = True
        try:
            while (item := self._next()) is not None:
                self._deliver(item)
        except BaseException:
            with self._lock:
                self._is_delivering = False
            raise

    def _next(self) -> T | None:
        with self._lock:
            if self._items:
                return self._items.popleft()
            self._is_delivering = False
            return None
