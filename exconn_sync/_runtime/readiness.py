"""Events a user can wait for: all of a set of conditions hold."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy

from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.readiness import Conditions
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync.errors import ConnectorStopped, ExconnError, NotReady
from exconn_sync.ports.waiting import Condition


class ReadyEvent:
    """A read-only ``threading.Event``: the user waits for it, only the library sets it. Ctrl-C interrupts a wait."""

    def __init__(self, changed: threading.Condition, guard: ProcessGuard) -> None:
        # The condition of the Readiness it belongs to, which alone changes the flags.
        self._changed = changed
        self._guard = guard
        self._is_set = False
        self._is_closed = False

    def is_set(self) -> bool:
        """Return whether the condition holds at this moment."""
        self._guard.check("event")
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to ``timeout`` seconds (None: without limit); return whether the condition holds.

        Returns False at once when the connector is stopped or gave up: nothing is coming.

        Raises:
            ForkedProcess: made before a fork, and its connector was not started in this process yet.
            ValidationError: ``timeout`` is no number of seconds.
        """
        self._guard.check("event")
        seconds = Deadline.after(0, timeout).remaining(0)
        with self._changed:
            self._changed.wait_for(lambda: self._is_set or self._is_closed, seconds)
            return self._is_set

    def __bool__(self) -> bool:
        return self.is_set()

    def __repr__(self) -> str:
        return f"<ReadyEvent {'set' if self._is_set else 'not set'}>"


class Readiness:
    """Groups of named conditions with a ReadyEvent each; one condition may belong to several groups. Thread-safe.

    A condition that can never come true (a refused key) carries an error, which ``wait`` raises at once instead of
    leaving its caller to wait for something that cannot come.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        self._groups = {name: Conditions(conditions) for name, conditions in groups.items()}
        self._members = {name: tuple(conditions) for name, conditions in groups.items()}
        # Guards the groups and the events; whoever waits is notified through it. Reentrant: the garbage collector may
        # end a subscription, whose topic then counts no more, while we hold it (fault F153).
        self._changed = Condition(threading.RLock())
        self._guard = ProcessGuard()
        self.events = {name: ReadyEvent(self._changed, self._guard) for name in groups}
        self._has_been: set[str] = set()
        # How often each condition was lost: who says that one is met knows of which time that was found out.
        self._losses: Counter[str] = Counter()
        self._closed = False
        self._cause: Exception | None = None

    def losses(self, condition: str) -> int:
        """Return how often a condition was lost so far; see ``met``."""
        with self._changed:
            return self._losses[condition]

    def met(self, condition: str, losses: int | None = None) -> None:
        """Say that a condition holds.

        With ``losses``, the number from when the work began that shows it, nothing happens where the condition was lost
        since: the work says nothing of what came after.
        """
        with self._changed:
            if losses is None or losses == self._losses[condition]:
                self._update(condition, lambda group: group.met(condition))

    def lost(self, condition: str, why: str = "") -> None:
        """Say that a condition does not hold (any more), and why as far as that is known."""
        with self._changed:
            self._losses[condition] += 1
            self._update(condition, lambda group: group.lost(condition, why))

    def fail(self, condition: str, error: ExconnError) -> None:
        """Say that a condition cannot come true without the user's help."""
        with self._changed:
            self._losses[condition] += 1
            self._update(condition, lambda group: group.fail(condition, error))

    def close(self, cause: Exception | None = None) -> None:
        """Nothing will come true any more; everybody who waits is told, with the cause where there is one."""
        with self._changed:
            self._closed = True
            self._cause = cause
            for event in self.events.values():
                event._is_set, event._is_closed = False, True
            self._changed.notify_all()

    def renew(self) -> None:
        """Begin anew in a forked child: nothing met, a new lock, the same events. Only one thread exists."""
        self._changed = Condition(threading.RLock())
        for event in self.events.values():
            event._changed = self._changed
        self._guard.adopt()
        self._cause = None
        self.reopen()

    def reopen(self) -> None:
        """Begin anew with nothing met."""
        self.redefine(self._members)

    def redefine(self, groups: Mapping[str, Sequence[str]]) -> None:
        """Begin anew with other conditions in the same groups."""
        with self._changed:
            self._closed = False
            self._members = {name: tuple(conditions) for name, conditions in groups.items()}
            self._groups = {name: Conditions(conditions) for name, conditions in self._members.items()}
            self._has_been.clear()
            for event in self.events.values():
                event._is_set, event._is_closed = False, False
            self._changed.notify_all()

    def has_been(self, group: str) -> bool:
        """Return whether all conditions of a group have held at some moment since the beginning."""
        return group in self._has_been

    def members(self, group: str) -> tuple[str, ...]:
        """Return all conditions of a group."""
        return self._members[group]

    def missing(self, group: str) -> tuple[str, ...]:
        """Return the conditions of a group that do not hold."""
        with self._changed:
            return self._groups[group].missing

    def whys(self, group: str) -> Mapping[str, str]:
        """Return why conditions of a group do not hold, as far as that is known."""
        with self._changed:
            return self._groups[group].whys

    def errors(self, group: str) -> Mapping[str, Exception]:
        """Return why conditions of a group cannot come true."""
        with self._changed:
            return self._groups[group].errors

    def wait(self, group: str, timeout: float | None, stop: StopSignal | None = None) -> None:
        """Wait until all conditions of a group hold, at most until ``stop``.

        Raises:
            ExconnError: the error of a condition that cannot come true.
            NotReady: they did not hold within ``timeout`` seconds; the message names what is missing.
            ValidationError: ``timeout`` is no number of seconds.
            ConnectorStopped: nothing will come any more.
        """
        if stop is None:
            self._wait(group, timeout, lambda: False)
            return
        stop.on_set(self._poke)
        try:
            self._wait(group, timeout, lambda: stop.is_set)
        finally:
            stop.forget(self._poke)

    def _poke(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _wait(self, group: str, timeout: float | None, is_stopped: Callable[[], bool]) -> None:
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        with self._changed:
            while True:
                conditions = self._groups[group]
                if self._closed and self._cause is not None:
                    raise ConnectorStopped(f"the connector gave up: {self._cause}") from self._cause
                if self._closed or is_stopped():
                    raise ConnectorStopped("the connector is stopped")
                if conditions.is_ready:
                    return
                for error in conditions.errors.values():
                    # A copy for each waiter: one object raised in several threads would mix up their tracebacks.
                    raise copy(error) from error
                remaining = deadline.remaining(time.monotonic_ns())
                if remaining is not None and remaining <= 0:
                    missing = conditions.missing
                    whys = conditions.whys
                    named = [f"{name} ({whys[name]})" if name in whys else name for name in missing]
                    text = f"not {group} after {timeout} s; missing: {', '.join(named)}"
                    raise NotReady(text, details={"missing": missing})
                self._changed.wait(remaining)

    def _update(self, condition: str, change: Callable[[Conditions], None]) -> None:
        """Change a condition wherever it counts, and tell who waits. The lock is held."""
        for name, group in self._groups.items():
            if condition in self._members[name]:
                change(group)
            is_ready = group.is_ready and not self._closed
            self.events[name]._is_set = is_ready
            if is_ready:
                self._has_been.add(name)
        self._changed.notify_all()
