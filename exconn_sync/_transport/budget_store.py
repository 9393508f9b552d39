"""Where the state of a budget is kept: in this process, or in a place that several processes share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from exconn_sync._machines.request_budget import RequestBudget
from exconn_sync.ports.forking import renew_in_child

T = TypeVar("T")

_FORMAT = b"1"
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(RequestBudget)


class StoreUnreachable(Exception):
    """A shared budget cannot be read or written at the moment; the text says why and holds no secret."""


class BudgetStore(Protocol):
    """Keeps one budget."""

    def update(self, change: Callable[[RequestBudget], T]) -> T:
        """Read the budget, change it and write it back, in one step that nobody else sees half of.

        ``change`` may be called more than once and must do nothing but change what it is given. Time is read in it, not
        before: getting the budget may take a while.

        Raises:
            StoreUnreachable: nothing was changed; raised within a second.
        """
        ...


class SharedStore(BudgetStore, Protocol):
    """One that several processes share.

    Attributes:
        last: the state that this process wrote last, as bytes; None before that.
    """

    last: bytes | None

    def close(self) -> None:
        """Let go of it; the next use begins anew."""
        ...


class MemoryStore:
    """Keeps a budget in this process. Thread-safe; never blocks."""

    def __init__(self, budget: RequestBudget) -> None:
        self._budget = budget
        self.renew_in_child()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child; what was used there stays used (fault F128)."""
        # Guards the budget.
        self._lock = threading.Lock()

    def update(self, change: Callable[[RequestBudget], T]) -> T:
        """Change the budget."""
        with self._lock:
            return change(self._budget)

    def replace(self, heir: Callable[[RequestBudget], RequestBudget]) -> None:
        """Go on with another budget, made from the present one."""
        with self._lock:
            self._budget = heir(self._budget)


def to_bytes(budget: RequestBudget) -> bytes:
    """Return a budget as it is kept outside of the process."""
    return _FORMAT + _ENCODER.encode(budget)


def from_bytes(state: bytes | None, default: Callable[[], RequestBudget]) -> RequestBudget:
    """Return the budget that was kept, or a fresh one where there is none that can be understood.

    What other versions wrote, or others altogether, is not worth failing for: the exchange's own figures correct it.
    """
    if state is None or state[:1] != _FORMAT:
        return default()
    try:
        return _DECODER.decode(state[1:])
    except msgspec.MsgspecError:
        return default()
