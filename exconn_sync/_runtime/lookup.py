"""Name resolution that holds nobody up: it runs on threads of its own, which are left behind where it hangs.

The system's resolver has no time limit and cannot be interrupted (fault model 0.6).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from exconn_sync._runtime.threads import spawn

AddressInfo = tuple[int, int, int, str, Any]
GetAddresses = Callable[[str, int], Sequence[AddressInfo]]

MOST_THREADS = 4
_STUCK_NS = 5 * 1_000_000_000


def _system(host: str, port: int) -> Sequence[AddressInfo]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class RunningLookup:
    """One name resolution, perhaps shared by several callers. Written by its thread only."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.began_ns: int | None = None
        self.is_done = False
        self.listeners: list[Callable[[], None]] = []
        self._addresses: Sequence[AddressInfo] = ()
        self._error: OSError | UnicodeError | None = None

    def result(self) -> Sequence[AddressInfo] | None:
        """Return the addresses, None while there is no answer.

        Raises:
            OSError: the name cannot be resolved (also UnicodeError, for what is no name).
        """
        if not self.is_done:
            return None
        if self._error is not None:
            # A new one for each caller: they raise it on several threads.
            raise OSError(str(self._error))
        return self._addresses

    def run(self, get_addresses: GetAddresses) -> None:
        """Ask the system, for as long as that takes."""
        try:
            self._addresses = get_addresses(self.host, self.port)
        except (OSError, UnicodeError) as error:
            self._error = error
        except BaseException as error:  # noqa: BLE001 - told to those who wait; the thread goes on with the next name
            self._error = OSError(f"the resolver failed with {type(error).__name__}")
        finally:
            self.is_done = True


class LookupPool:
    """Resolves names on at most four threads, named ``exconn-lookup-<number>``. Thread-safe; never blocks.

    A question that is being asked is not asked twice, unless its answer is overdue. Where all threads hang, further
    questions fail at once (fault F004). An address is understood on the spot, without a thread.

    Args:
        get_addresses: asks the system; may block and raises OSError or UnicodeError.
        monotonic_ns: the clock that tells what is overdue.
    """

    def __init__(
        self, get_addresses: GetAddresses = _system, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._get_addresses = get_addresses
        self._monotonic_ns = monotonic_ns
        # Guards the tables of lookups and the number of threads.
        self._lock = threading.Lock()
        self._running: list[RunningLookup] = []
        self._waiting: deque[RunningLookup] = deque()
        self._started = 0

    def __call__(self, host: str, port: int, on_done: Callable[[], None]) -> RunningLookup:
        """Begin to resolve a name; ``on_done`` is called when there is an answer, on any thread.

        Raises:
            OSError: all threads hang, or there are no more threads.
        """
        literal = _literal(host, port)
        if literal is not None:
            on_done()
            return literal
        with self._lock:
            lookup = self._find(self._running, host, port)
            is_full = len(self._running) == MOST_THREADS
            if lookup is None and is_full:
                if all(map(self._is_stuck, self._running)):
                    raise OSError(f"{MOST_THREADS} name lookups hang already")
                lookup = self._find(self._waiting, host, port)
            if lookup is None:
                lookup = RunningLookup(host, port)
                if is_full:
                    self._waiting.append(lookup)
                else:
                    self._start(lookup)
            lookup.listeners.append(on_done)
        return lookup

    def _find(self, lookups: Iterable[RunningLookup], host: str, port: int) -> RunningLookup | None:
        """Return a lookup of the same name that others wait for, unless it hangs. Needs the lock."""
        for lookup in lookups:
            if (lookup.host, lookup.port) == (host, port) and not lookup.is_done and not self._is_stuck(lookup):
                return lookup
        return None

    def _start(self, lookup: RunningLookup) -> None:
        """Give a lookup a thread. Needs the lock, for which the thread waits before it tells anybody."""
        self._started += 1
        self._begin(lookup)
        try:
            spawn(f"lookup-{self._started}", lambda: self._serve(lookup))
        except RuntimeError as error:
            # No more threads (fault F143).
            self._running.remove(lookup)
            raise OSError(str(error)) from error

    def _is_stuck(self, lookup: RunningLookup) -> bool:
        return lookup.began_ns is not None and self._monotonic_ns() - lookup.began_ns >= _STUCK_NS

    def _begin(self, lookup: RunningLookup) -> None:
        lookup.began_ns = self._monotonic_ns()
        self._running.append(lookup)

    def _serve(self, lookup: RunningLookup) -> None:
        following: RunningLookup | None = lookup
        while following is not None:
            lookup = following
            lookup.run(self._get_addresses)
            following = self._end(lookup)

    def _end(self, lookup: RunningLookup) -> RunningLookup | None:
        """Tell those who wait, and return what this thread does next."""
        with self._lock:
            self._running.remove(lookup)
            listeners = list(lookup.listeners)
            following = self._waiting.popleft() if self._waiting else None
            if following is not None:
                self._begin(following)
        for tell in listeners:
            tell()
        return following


def _literal(host: str, port: int) -> RunningLookup | None:
    """Return an ended lookup for an IP address, None for a name."""
    lookup = RunningLookup(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    lookup.run(lambda *_: found)
    return lookup


_shared: tuple[int, LookupPool] | None = None


def shared_lookups() -> LookupPool:
    """Return the pool of this process. A forked child gets one of its own: no thread of the parent's is there."""
    global _shared
    shared, pid = _shared, os.getpid()
    if shared is None or shared[0] != pid:
        shared = _shared = (pid, LookupPool())
    return shared[1]
