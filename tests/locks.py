"""Records which locks of the library each thread holds, and in which order they are taken (invariant I24)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest

_LIBRARY, _SIMULATOR = "exconn_sync.", "exconn_sync.simulator"
_BETWEEN = ("threading", "queue")


class _Held(threading.local):
    def __init__(self) -> None:
        self.locks: list[Any] = []


class LockRecorder:
    """Stands behind every lock that the library makes while it is installed.

    Attributes:
        edges: pairs of places where locks were made: the second was asked for by a thread that held the first.
        violations: what was found to be wrong, in words.
        checked: the kinds of user code that were found to run.
    """

    def __init__(self) -> None:
        self.edges: set[tuple[str, str]] = set()
        self.violations: list[str] = []
        self.checked: set[str] = set()
        self._held = _Held()

    def held(self) -> list[str]:
        """Return where the locks were made that the calling thread holds."""
        return [lock.name for lock in self._held.locks]

    def check(self, kind: str) -> None:
        """Note that user code of some kind runs; it must not find any lock held."""
        self.checked.add(kind)
        held = self.held()
        if held:
            self.violations.append(f"{kind} ran while {held} was held")

    def wants(self, lock: Any) -> None:
        for other in self._held.locks:
            if other is not lock:
                self.edges.add((other.name, lock.name))

    def took(self, lock: Any) -> None:
        self._held.locks.append(lock)

    def gave(self, lock: Any) -> None:
        self._held.locks.remove(lock)

    def gave_all(self, lock: Any) -> int:
        before = len(self._held.locks)
        self._held.locks[:] = [other for other in self._held.locks if other is not lock]
        return before - len(self._held.locks)

    def cycle(self) -> list[str]:
        """Return the places of a cycle in the order of locks, empty where there is none."""
        graph: dict[str, set[str]] = {}
        for first, second in self.edges:
            if first == second:
                return [first, second]
            graph.setdefault(first, set()).add(second)
        try:
            list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            return list(error.args[1])
        return []


class RecordedLock:
    """A ``threading.Lock`` that tells the recorder."""

    def __init__(self, recorder: LockRecorder, real: Any, name: str) -> None:
        self.recorder, self.real, self.name = recorder, real, name

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if blocking:
            self.recorder.wants(self)
        taken: bool = self.real.acquire(blocking, timeout)
        if taken:
            self.recorder.took(self)
        return taken

    def release(self) -> None:
        self.recorder.gave(self)
        self.real.release()

    def locked(self) -> bool:
        return bool(self.real.locked())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *info: object) -> None:
        self.release()


class RecordedRLock(RecordedLock):
    """A ``threading.RLock`` that tells the recorder, also when a condition lets go of it."""

    def _release_save(self) -> Any:
        return self.recorder.gave_all(self), self.real._release_save()

    def _acquire_restore(self, state: Any) -> None:
        count, real = state
        self.recorder.wants(self)
        self.real._acquire_restore(real)
        for _ in range(count):
            self.recorder.took(self)

    def _is_owned(self) -> bool:
        return bool(self.real._is_owned())


def _maker() -> str:
    """Return the library's module and line that makes a lock, empty where it is not the library."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    module = str(frame.f_globals.get("__name__", ""))
    is_ours = module.startswith(_LIBRARY) and not module.startswith(_SIMULATOR)
    return f"{module}:{frame.f_lineno}" if is_ours else ""


@contextmanager
def recorded_locks() -> Iterator[LockRecorder]:
    """Record every lock that the library makes within."""
    recorder = LockRecorder()
    make_lock, make_rlock = threading.Lock, threading.RLock

    def lock() -> Any:
        name = _maker()
        return RecordedLock(recorder, make_lock(), name) if name else make_lock()

    def rlock() -> Any:
        name = _maker()
        return RecordedRLock(recorder, make_rlock(), name) if name else make_rlock()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "Lock", lock)
        patch.setattr(threading, "RLock", rlock)
        yield recorder
