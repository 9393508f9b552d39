"""The desk of the store: what it has to tell leaves in one order, and nothing on it is lost to an interrupt or a hang.

While a connector runs, a worker serves the desk. It alone tells: it appends to the journal and publishes, whoever
brought the news. Two things follow. A journal that hangs is found out like any hung worker, and the next life of the
worker goes on where the hung one stood (fault F144). And the main thread, the only one that Ctrl-C can interrupt in the
middle of anything, has its changes made by the worker, too, so that none is made by halves (fault F129).

Without a worker whoever leaves something tells it, unless another thread is doing that.
"""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.ports.waiting import Event

T = TypeVar("T")

_LOOK = 0.2
"""Seconds after which the main thread looks whether its change is still going to be made."""
_HANDING_OVER = 0.01


class _Change:
    """A change that is made once, by the worker or, where that ends before, by whoever wants it."""

    def __init__(self, make: Callable[[], None]) -> None:
        self._make = make
        # Guards the claim.
        self._lock = threading.Lock()
        self._is_claimed = False
        self._has_ended = Event()
        self._error: BaseException | None = None

    def make(self) -> None:
        """Make the change, unless somebody has begun to."""
        with self._lock:
            if self._is_claimed:
                return
            self._is_claimed = True
        try:
            self._make()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever wanted the change
            self._error = error
        self._has_ended.set()

    def fail(self, error: BaseException) -> None:
        """Tell who waits that nobody knows what became of the change."""
        if not self._has_ended.is_set():
            self._error = error
            self._has_ended.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end; return whether it has come, or raise what the change raised."""
        if not self._has_ended.wait(seconds):
            return False
        if self._error is not None:
            raise self._error
        return True


class Desk(Generic[T]):
    """Hands items to ``deliver`` in the order in which they were put, without holding a lock meanwhile.

    ``deliver`` gets an item and a function that says whether its caller still counts; it returns whether the item is
    done, and notes in the item how far it has come. ``stuck`` makes the error for whose change hangs.
    """

    def __init__(self, deliver: Callable[[T, Callable[[], bool]], bool], stuck: Callable[[], Exception]) -> None:
        self._deliver = deliver
        self._stuck = stuck
        # Guards all of the below; no item is delivered and no change made under it. Interrupts cannot leave it taken.
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        # Who delivers at the moment, and the life of the worker that serves the desk.
        self._owner: object | None = None
        self._life: WorkerRun | None = None
        self._current: _Change | None = None

    def put(self, items: list[T]) -> None:
        """Leave items; call it while holding the lock that gives them their order."""
        with self._lock:
            self._items.extend(items)

    def flush(self) -> None:
        """See that what is there is delivered; call it without any lock."""
        with self._lock:
            is_served = self._life is not None
            if is_served:
                self._changes.put(None)
        if not is_served:
            self._deliver_alone()

    def change(self, make: Callable[[], None]) -> None:
        """Make a change: here, or, on the main thread, by the worker, for whom this waits. Raises what it raises."""
        # Read without the lock, as it may change right after anyway; that is looked at again below.
        if threading.current_thread() is not threading.main_thread() or self._life is None:
            make()
            return
        change = _Change(make)
        with self._lock:
            is_served = self._life is not None
            if is_served:
                self._changes.put(change)
        if not is_served:
            change.make()
        while not change.wait(_LOOK):
            with self._lock:
                is_served = self._life is not None
            if not is_served:
                # The worker has ended without it.
                change.make()

    def settle(self, seconds: float) -> bool:
        """Wait until the worker has delivered all that was left so far; return whether it has, or none is there."""
        mark = _Change(lambda: None)
        with self._lock:
            if self._life is None:
                return True
            # Behind what was left before: the worker delivers that first.
            self._changes.put(mark)
        return mark.wait(seconds)

    @property
    def waiting(self) -> int:
        """Number of items that were not delivered yet."""
        return len(self._items)

    # --- the worker -------------------------------------------------------------------------------------------------

    def serve(self, life: WorkerRun) -> None:
        """Make the changes of the main thread and deliver items until the stop: the body of the worker."""
        life.stop.on_set(lambda: self._changes.put(None))
        token = self._take_over(life)
        if token is None:
            return
        try:
            while True:
                self._drain(token, life)
                if self._may_end(life):
                    return
                life.beat(math.inf)
                change = self._changes.get()
                life.beat()
                if not life.is_current:
                    # It is for the next life.
                    self._changes.put(change)
                    return
                if change is not None:
                    self._make(change)
        finally:
            self._leave(token, life)

    def _take_over(self, life: WorkerRun) -> object | None:
        """Become the one who delivers; a former life that hangs is passed over, any other deliverer waited for."""
        token = object()
        while True:
            with self._lock:
                if self._owner is None or (self._life is not None and not self._life.is_current):
                    hung, self._current = self._current, None
                    self._owner, self._life = token, life
                    break
            if life.stop.is_set:
                return None
            life.beat()
            life.stop.wait(_HANDING_OVER)
        if hung is not None:
            hung.fail(self._stuck())
        return token

    def _make(self, change: _Change) -> None:
        self._current = change
        change.make()
        self._current = None

    def _may_end(self, life: WorkerRun) -> bool:
        """Leave the desk where the worker is to end and nothing is left, in one step."""
        with self._lock:
            if not life.stop.is_set or self._items or not self._changes.empty():
                return not life.is_current
            if self._life is life:
                self._life = None
            return True

    def _leave(self, token: object, life: WorkerRun) -> None:
        with self._lock:
            if self._owner is token:
                self._owner = None
            if self._life is life:
                self._life = None

    # --- delivering -------------------------------------------------------------------------------------------------

    def _deliver_alone(self) -> None:
        token = object()
        try:
            with self._lock:
                if self._owner is not None or self._life is not None:
                    return
                self._owner = token
            self._drain(token, None)
        finally:
            with self._lock:
                if self._owner is token:
                    self._owner = None

    def _drain(self, token: object, life: WorkerRun | None) -> None:
        def counts() -> bool:
            return self._owner is token

        while True:
            with self._lock:
                if self._owner is not token:
                    return
                if not self._items:
                    if life is None:
                        # In one step with looking: what is put from now on is delivered by whoever puts it.
                        self._owner = None
                    return
                item = self._items[0]
            if life is not None:
                life.beat()
            if not self._deliver(item, counts):
                return
            with self._lock:
                if self._owner is token and self._items and self._items[0] is item:
                    self._items.popleft()
