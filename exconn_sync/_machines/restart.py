"""Which children of one group to stop and start after one has ended: the rules of OTP supervisors.

==============  ==============================================
strategy        affected when one child ends
==============  ==============================================
one_for_one     the child
rest_for_one    the child and those registered after it
all_for_one     all children
==============  ==============================================

==============  =====================  ==================
kind            ended by a crash       ended normally
==============  =====================  ==================
permanent       restarted              restarted
transient       restarted              forgotten
temporary       forgotten              forgotten
==============  =====================  ==================

Each end that leads to a restart counts once, however many siblings go with it. More than ``intensity`` of them within
``period`` seconds is a reported end, never a loop (invariant I25).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

Strategy = Literal["one_for_one", "rest_for_one", "all_for_one"]
Kind = Literal["permanent", "transient", "temporary"]

_NS = 1_000_000_000


@dataclass(frozen=True)
class Decision:
    """What to do after an exit: stop these, in this order, then start those; or give up and stop everything.

    The starts are due after ``delay`` seconds. ``forget`` are those that will not be started again.
    """

    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    give_up: bool = False
    forget: tuple[str, ...] = ()
    delay: float = 0.0


class RestartPolicy:
    """The children of one supervisor, in the order of their start, and the history of their restarts."""

    def __init__(self, strategy: Strategy, intensity: int, period: float) -> None:
        self._strategy = strategy
        self._intensity = intensity
        self._period_ns = int(period * _NS)
        self._children: dict[str, Kind] = {}
        self._restarts: deque[int] = deque()

    def add(self, name: str, kind: Kind = "permanent") -> None:
        """Register a child after those already there; a known name keeps its place and takes the new kind."""
        self._children[name] = kind

    def remove(self, name: str) -> None:
        """Forget a child that is not wanted any more; its exit then leads to nothing."""
        self._children.pop(name, None)

    @property
    def children(self) -> tuple[str, ...]:
        """Names of the registered children in start order."""
        return tuple(self._children)

    def on_exit(self, name: str, crashed: bool, now_ns: int) -> Decision:
        """Return what follows from the end of a child. Stopped siblings must not be reported as exits."""
        kind = self._children.get(name)
        if kind is None:
            return Decision()
        if kind == "temporary" or (kind == "transient" and not crashed):
            del self._children[name]
            return Decision()
        affected = self._affected(name)
        stop = tuple(child for child in reversed(affected) if child != name)
        if self._is_beyond_intensity(now_ns):
            others = tuple(child for child in reversed(self._children) if child != name)
            return Decision(stop=others, give_up=True)
        # A temporary sibling is stopped with the others, but never started again.
        start = tuple(child for child in affected if self._children[child] != "temporary")
        for child in affected:
            if self._children[child] == "temporary":
                del self._children[child]
        return Decision(stop=stop, start=start)

    def _affected(self, name: str) -> list[str]:
        names = list(self._children)
        if self._strategy == "one_for_one":
            return [name]
        return names if self._strategy == "all_for_one" else names[names.index(name) :]

    def _is_beyond_intensity(self, now_ns: int) -> bool:
        self._restarts.append(now_ns)
        while now_ns - self._restarts[0] > self._period_ns:
            self._restarts.popleft()
        return len(self._restarts) > self._intensity
