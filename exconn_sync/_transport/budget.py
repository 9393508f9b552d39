"""The request budget of one exchange, shared by all connectors of this process and perhaps by other processes."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar

from exconn_sync._machines.request_budget import CONNECTIONS, EVERYTHING, Lease, Refused, RequestBudget, When
from exconn_sync._machines.retry_budget import RetryBudget
from exconn_sync._transport.budget_store import BudgetStore, MemoryStore, SharedStore, StoreUnreachable, from_bytes
from exconn_sync._transport.turns import Turns
from exconn_sync.config.settings import RateLimits
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import Cost, RateRule
from exconn_sync.ports.forking import renew_in_child

T = TypeVar("T")

Change: TypeAlias = Callable[[RequestBudget, When], T]
"""A change of a budget at a moment."""

_FIRST_PAUSE_NS, _LONGEST_PAUSE_NS = 1_000_000_000, 30_000_000_000


def _at_any_time() -> When:
    """Stand for the moment of a change that does not depend on it."""
    return When(0)


class Grant(NamedTuple):
    """What a request was given, and where that was counted."""

    lease: Lease
    store: BudgetStore


class Budget:
    """What may still be asked of one exchange from this address. Thread-safe.

    With a ``shared`` store each step waits for it, at most for a second. Where it cannot be reached, this process
    counts for itself, beginning with what it knew last, and tries the store again after a pause that grows to 30 s.
    Silence is kept here as well, so that no loss of a store ends it (fault F078).

    Attributes:
        turns: who waits for it, in which order.
        trouble: why the shared store cannot be used at the moment; empty while it can, and where there is none.
        losses: how often it was lost.
        kin: all budgets of this process for the same exchange, however they are shared, this one among them.
    """

    def __init__(self, rules: Sequence[RateRule], shared: SharedStore | None = None) -> None:
        self.kin: list[Budget] = [self]
        self._rules = list(rules)
        self._local = MemoryStore(self._fresh())
        self._shared = shared
        self.turns = Turns()
        self.trouble = ""
        self.losses = 0
        self._pause_ns = _FIRST_PAUSE_NS
        self._retry_ns = 0
        self._retries = RetryBudget(time.monotonic_ns())
        self.renew_in_child()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Replace the lock in a forked child, where no connector runs."""
        self._users = 0
        # Guards what is known of the shared store, who uses it, and the budget of retries.
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Note that a connector uses it from now on."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """Note that a connector has stopped; with the last one the store is closed until somebody comes again."""
        with self._lock:
            self._users -= 1
            is_unused = self._users == 0
        if is_unused and self._shared is not None:
            self._shared.close()

    def take(self, costs: Sequence[Cost], account: str, lane: Lane, when: Callable[[], When]) -> Grant | Refused:
        """Take all costs or none.

        ``account`` tells accounts apart and is no secret; ``when`` is read at the last moment.
        """
        if self._shared is not None and (silent := self.silent_for(when)):
            return Refused(silent, EVERYTHING)
        store, answer = self._update(lambda budget, now: budget.take(costs, account, lane, now), when)
        if isinstance(answer, Lease):
            return Grant(answer, store)
        if answer.limit == EVERYTHING and store is not self._local:
            # Another process was told.
            now = when()
            self._local.update(lambda budget: budget.silence(EVERYTHING, answer.wait, answer.wait, 0, now))
        return answer

    def settle(
        self, grant: Grant, when: Callable[[], When], figures: Iterable[UsedFigure] = (), *, has_succeeded: bool
    ) -> None:
        """Note the end of a request, and what the exchange said about its counts. Never raises."""
        told = tuple(figures)
        self._settle(
            grant, lambda budget, now: budget.settle(grant.lease, now, told, has_succeeded=has_succeeded), when
        )

    def give_back(self, grant: Grant) -> None:
        """Undo a grant: nothing was sent. Never raises."""
        self._settle(grant, lambda budget, _: budget.give_back(grant.lease))

    def credit(self, account: str, filled_ms: Iterable[int], when: Callable[[], When]) -> None:
        """Note first fills of orders; see ``RequestBudget.credit``. Never raises."""
        moments = tuple(filled_ms)
        self._update(lambda budget, now: budget.credit(account, moments, now), when)

    def silence(
        self, what: str, seconds: float | None, fallback: float, taken_ms: int, when: Callable[[], When]
    ) -> tuple[bool, float]:
        """Let nothing pass for a while; see ``RequestBudget.silence``.

        Returns whether it is another silence, and how many seconds it lasts.
        """

        def begin(budget: RequestBudget, now: When) -> tuple[bool, float]:
            is_new = budget.silence(what, seconds, fallback, taken_ms, now)
            return is_new, budget.silent_ms(what, now) / 1000

        store, told = self._update(begin, when)
        now = when()
        # Those of this process that count elsewhere are banned all the same; an account is counted where it is used.
        others = [each for each in self.kin if each is not self] if what in (EVERYTHING, CONNECTIONS) else []
        for budget in [*others, *([] if store is self._local else [self])]:
            budget._local.update(lambda each: each.silence(what, told[1], fallback, taken_ms, now))
        return told

    def silent_for(self, when: Callable[[], When], what: str = EVERYTHING) -> float:
        """Return for how many seconds this process sends nothing at all, as far as it knows. Instant.

        With ``CONNECTIONS`` it is for how long it opens no connection.
        """
        now = when()
        return self._local.update(lambda budget: budget.silent_ms(what, now)) / 1000

    def learn(self, rules: Sequence[RateRule]) -> None:
        """Use the limits that the exchange states."""
        self._rules = list(rules)
        self._local.update(lambda budget: budget.learn(rules))
        self._update(lambda budget, _: budget.learn(rules))

    def used(self, limit: str, account: str, when: Callable[[], When]) -> dict[int, int]:
        """Return what counts as used of a limit, by the length of the window in ms."""
        return dict(self._update(lambda budget, now: budget.used(limit, account, now), when)[1])

    def asked(self) -> None:
        """Note a fresh request, of which a part may be retried."""
        with self._lock:
            self._retries.asked()

    def may_retry(self, now_ns: int) -> bool:
        """Return whether one more request may be sent again (monotonic ns); it counts as sent."""
        with self._lock:
            return self._retries.may_retry(now_ns)

    def _fresh(self) -> RequestBudget:
        return RequestBudget(list(self._rules))

    def _update(self, change: Change[T], when: Callable[[], When] = _at_any_time) -> tuple[BudgetStore, T]:
        """Change the budget where it is kept now; return that place and the result."""
        shared = self._shared
        if shared is not None and time.monotonic_ns() >= self._retry_ns:
            try:
                # Other processes may be waited for, so the time is read when it is our turn.
                result = shared.update(lambda budget: change(budget, when()))
            except StoreUnreachable as error:
                self._lost(shared, str(error))
            else:
                if self.trouble:
                    self._found()
                return shared, result
        now = when()
        return self._local, self._local.update(lambda budget: change(budget, now))

    def _settle(self, grant: Grant, change: Change[None], when: Callable[[], When] = _at_any_time) -> None:
        shared = self._shared
        if shared is None or grant.store is self._local:
            now = when()
            self._local.update(lambda budget: change(budget, now))
        elif time.monotonic_ns() >= self._retry_ns:
            try:
                shared.update(lambda budget: change(budget, when()))
            except StoreUnreachable as error:
                # What is not settled there is forgotten after a while.
                self._lost(shared, str(error))

    def _lost(self, shared: SharedStore, why: str) -> None:
        with self._lock:
            is_new = not self.trouble
            if is_new:
                self.losses += 1
                self._pause_ns = _FIRST_PAUSE_NS
            self.trouble = why
            self._retry_ns = time.monotonic_ns() + self._pause_ns
            self._pause_ns = min(2 * self._pause_ns, _LONGEST_PAUSE_NS)
        if is_new:
            known = from_bytes(shared.last, self._fresh)
            self._local.replace(lambda former: known.heir_of(former))

    def _found(self) -> None:
        with self._lock:
            self.trouble = ""


_budgets: dict[tuple[Hashable, ...], Budget] = {}
_budgets_lock = threading.Lock()


def _renew_lock() -> None:
    global _budgets_lock
    _budgets_lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)


def shared_budget(name: str, rules: Sequence[RateRule], settings: RateLimits | None = None) -> Budget:
    """Return the budget of one exchange that all connectors of this process share.

    It stays for the life of the process, because the exchange goes on counting: a connector that is started again
    begins with what its predecessor left. Programs talk to a handful of exchanges. ``settings`` say where it is kept;
    None is this process.
    """
    place = settings or RateLimits()
    key: tuple[Hashable, ...] = (name, place.share, str(place.path), place.redis_url, place.name)
    with _budgets_lock:
        budget = _budgets.get(key)
        if budget is None:
            budget = _budgets[key] = Budget(rules, _store(name, rules, place))
            # Replaced and not changed: whoever begins a silence may be going through it.
            kin = [each for known, each in _budgets.items() if known[0] == name]
            for each in kin:
                each.kin = kin
        return budget


def _store(name: str, rules: Sequence[RateRule], place: RateLimits) -> SharedStore | None:
    def fresh() -> RequestBudget:
        return RequestBudget(list(rules))

    if place.share == "host":
        from exconn_sync._transport.budget_file import FileStore

        return FileStore(_path(place), f"{place.name}/{name}", fresh)
    if place.share == "redis" and isinstance(place.redis_url, Secret):
        from exconn_sync._transport.budget_redis import RedisStore

        return RedisStore(place.redis_url, f"exconn:budget:{place.name}:{name}", fresh)
    return None


def _path(place: RateLimits) -> Path:
    if place.path is not None:
        return Path(place.path)
    return Path(tempfile.gettempdir()) / f"exconn_sync-{os.getuid()}" / "budgets.sqlite"
