"""The HTTP calls that run at the moment, and how another thread breaks them off."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator

from exconn_sync._machines.deadline import Deadline
from exconn_sync._transport.attempt import Attempt
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.wakeup import Wakeup
from exconn_sync.errors import ConnectionFailed
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.forking import close_in_child, renew_in_child
from exconn_sync.ports.waiting import Condition


class Call:
    """One call on the thread that makes it. Others only ``cut`` it, through ``RunningCalls``.

    Attributes:
        has_written: a byte of the request may have left.
        is_cut: it was broken off.
        headers: those of the answer, with names in lower case.
    """

    def __init__(
        self,
        running: RunningCalls,
        deadline: Deadline,
        clock: Clock,
        connect_timeout: float,
        read_timeout: float,
        *,
        is_background: bool,
    ) -> None:
        self.is_background = is_background
        self.is_cut = False
        self.has_written = False
        self.headers: dict[str, str] = {}
        self.thread_id = threading.get_ident()
        self.network = running.network
        self._running = running
        self._deadline = deadline
        self._clock = clock
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        # A copy of the descriptor: it stays this call's own, whoever closes the connection, so that a cut never hits
        # another connection which got the same number.
        self.handle: socket.socket | None = None
        self.wakeup: Wakeup | None = None

    @property
    def is_late(self) -> bool:
        """True once the deadline is over."""
        return self._deadline.is_over(self._clock.monotonic_ns())

    def limit(self, sock: socket.socket) -> None:
        """Allow a socket only the time that is left.

        Raises:
            OSError: the call was broken off, or (TimeoutError) no time is left.
        """
        self.check()
        remaining = self._deadline.remaining(self._clock.monotonic_ns())
        if remaining is None:
            sock.settimeout(self._read_timeout)
        elif remaining > 0:
            sock.settimeout(min(self._read_timeout, remaining))
        else:
            raise TimeoutError("the deadline of the call is over")

    def check(self) -> None:
        """Raise ConnectionAbortedError where the call was broken off."""
        if self.is_cut:
            raise ConnectionAbortedError("the call was broken off")

    @contextlib.contextmanager
    def attempt(self) -> Iterator[Attempt]:
        """Give an attempt to connect that ends with the call and with a cut."""
        remaining = self._deadline.remaining(self._clock.monotonic_ns())
        seconds = self._connect_timeout if remaining is None else min(self._connect_timeout, remaining)
        wakeup = Wakeup()
        try:
            self._running.set_wakeup(self, wakeup)
            limit = time.monotonic() + seconds
            yield Attempt(wakeup, lambda: self.is_cut, limit)
        finally:
            self._running.set_wakeup(self, None)
            wakeup.close()

    def attach(self, sock: socket.socket) -> None:
        """Have a cut break this socket from now on.

        Raises:
            OSError: the call was broken off before, or there is no descriptor left.
        """
        descriptor = os.dup(sock.fileno())
        handle = close_in_child(socket.socket(sock.family, sock.type, sock.proto, fileno=descriptor))
        self._running.set_handle(self, handle)
        self.check()


class RunningCalls:
    """The calls of one client that are under way. Thread-safe.

    Once cut, further calls of that kind are refused too: a client is not used again after its stop.
    """

    def __init__(self, network: NetworkParts) -> None:
        self.network = network
        # Guards the table, and the handles against being closed while they are cut; waited on for its end.
        self._lock = Condition()
        self._calls: set[Call] = set()
        self._is_cut = False
        self._is_background_cut = False
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Forget in a forked child the calls that go on in the parent."""
        self._lock = Condition()
        self._calls = set()

    def begin(self, call: Call) -> None:
        """Take note of a call.

        Raises:
            ConnectionFailed: calls of its kind were cut for good.
        """
        with self._lock:
            if self._is_cut or (self._is_background_cut and call.is_background):
                raise ConnectionFailed("stopped before it was sent", outcome="not_sent")
            self._calls.add(call)

    def end(self, call: Call) -> None:
        """Forget a call."""
        with self._lock:
            self._calls.discard(call)
            handle, call.handle = call.handle, None
            if handle is not None:
                handle.close()
            self._lock.notify_all()

    def set_wakeup(self, call: Call, wakeup: Wakeup | None) -> None:
        """Say what wakes a call that is making its connection."""
        with self._lock:
            call.wakeup = wakeup

    def set_handle(self, call: Call, handle: socket.socket) -> None:
        """Say what breaks a call that has a connection."""
        with self._lock:
            former, call.handle = call.handle, handle
            if former is not None:
                former.close()

    def cut(self, *, only_background: bool) -> None:
        """Break the calls that run, and refuse those that would follow; returns at once. Idempotent."""
        wakeups: list[Wakeup] = []
        with self._lock:
            self._is_background_cut = True
            self._is_cut = self._is_cut or not only_background
            for call in self._calls:
                if call.is_background or not only_background:
                    call.is_cut = True
                    if call.handle is not None:
                        with contextlib.suppress(OSError):
                            call.handle.shutdown(socket.SHUT_RDWR)
                    if call.wakeup is not None:
                        wakeups.append(call.wakeup)
        for wakeup in wakeups:
            # One that was closed meanwhile ignores it.
            wakeup.wake()

    def wait_idle(self, seconds: float | None) -> bool:
        """Wait until no other thread's call runs; return whether that is so."""
        mine = threading.get_ident()
        with self._lock:
            return self._lock.wait_for(lambda: all(call.thread_id == mine for call in self._calls), seconds)
