"""The budget of a process, alone or with others, and what becomes of it when the place it is kept in is lost."""

from __future__ import annotations

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from exconn_sync._machines.request_budget import EVERYTHING, Refused, RequestBudget, When
from exconn_sync._transport.budget import Budget, Grant, shared_budget
from exconn_sync._transport.budget_file import FileStore
from exconn_sync._transport.budget_redis import RedisStore
from exconn_sync._transport.budget_store import MemoryStore, SharedStore, StoreUnreachable, from_bytes, to_bytes
from exconn_sync.config.settings import RateLimits
from exconn_sync.model.limits import Lane
from exconn_sync.model.secret import Secret
from exconn_sync.model.wire import Cost, RateRule
from tests.redis_server import RedisServer, needs_redis
from tests.unit.support import LIMIT, in_threads

T = TypeVar("T")
MINUTE = 60_000
WEIGHT, ORDERS = RateRule("weight", 100, MINUTE), RateRule("orders", 60, MINUTE, is_per_account=True)
Make = Callable[[], SharedStore]


def now() -> When:
    return When(10 * MINUTE)


def fresh() -> RequestBudget:
    return RequestBudget([WEIGHT, ORDERS])


def take(budget: Budget, weight: int, orders: int = 0) -> Grant | Refused:
    return budget.take([Cost("weight", weight), Cost("orders", orders)], "me", Lane.CANCEL, now)


@pytest.fixture(params=["host", pytest.param("redis", marks=needs_redis)])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Return what opens the same shared store again and again, as several processes do."""
    opened: list[SharedStore] = []

    def noted(store: SharedStore) -> SharedStore:
        opened.append(store)
        return store

    if request.param == "host":
        yield lambda: noted(FileStore(tmp_path / "deep" / "budgets.sqlite", "x", fresh))
    else:
        with RedisServer() as server:
            yield lambda: noted(RedisStore(Secret(server.url), "x", fresh))
    for store in opened:
        store.close()


# --- one process ----------------------------------------------------------------------------------------------------


def test_threads_that_hammer_get_exactly_what_there_is() -> None:
    """(fault F160)"""
    budget = Budget([WEIGHT, ORDERS])
    grants: list[Grant | Refused] = []
    in_threads(8, lambda index: grants.extend(take(budget, 1, 1) for _ in range(50)))
    assert sum(isinstance(each, Grant) for each in grants) == 60
    assert budget.used("weight", "me", now) == {MINUTE: 60}


def test_one_exchange_has_one_budget_which_outlives_those_who_use_it() -> None:
    first = shared_budget("shared.example", [WEIGHT])
    assert shared_budget("shared.example", [WEIGHT]) is first
    assert shared_budget("other.example", [WEIGHT]) is not first
    assert isinstance(take(first, 100), Grant)
    del first
    gc.collect()
    assert isinstance(take(shared_budget("shared.example", [WEIGHT]), 1), Refused)


def test_the_place_where_it_is_kept_is_part_of_which_budget_it_is(tmp_path: Path) -> None:
    by_file = [RateLimits("host", path=tmp_path / name) for name in ("a", "a", "b")]
    budgets = [shared_budget("places.example", [WEIGHT], place) for place in (RateLimits(), *by_file)]
    assert budgets[1] is budgets[2]
    assert len(set(map(id, budgets))) == 3


def test_a_state_that_cannot_be_read_begins_anew() -> None:
    """What another version wrote, or a broken disk."""
    good = to_bytes(fresh())
    assert from_bytes(good, RequestBudget) == fresh()
    for bad in (None, b"", b"2" + good[1:], good[:-3], b'1{"rules":5}', b"1\xff", os.urandom(50)):
        assert from_bytes(bad, fresh) == fresh()


# --- shared stores --------------------------------------------------------------------------------------------------


def test_what_one_takes_the_other_has_not(make: Make) -> None:
    """(fault F128)"""
    one, other = Budget([WEIGHT], make()), Budget([WEIGHT], make())
    grant = take(one, 60)
    assert isinstance(grant, Grant)
    assert isinstance(take(other, 60), Refused)
    assert isinstance(take(other, 40), Grant)
    one.give_back(grant)
    assert isinstance(take(other, 60), Grant)
    assert one.used("weight", "me", now) == {MINUTE: 100}


def test_several_limits_are_taken_in_one_step_by_many_threads(make: Make) -> None:
    """(faults F128, F160)"""
    budgets = [Budget([WEIGHT, ORDERS], make()) for _ in range(4)]
    grants: list[Grant | Refused] = []
    in_threads(8, lambda index: grants.extend(take(budgets[index % 4], 1, 1) for _ in range(15)))
    assert sum(isinstance(each, Grant) for each in grants) == 60
    assert [budget.trouble for budget in budgets] == [""] * 4
    assert budgets[0].used("weight", "me", now) == {MINUTE: 60}


def test_silence_and_limits_are_shared(make: Make) -> None:
    """A ban outlasts the process that was told of it (faults F076, F078, F128)."""
    one, other = Budget([WEIGHT], make()), Budget([WEIGHT], make())
    grant = take(one, 1)
    assert isinstance(grant, Grant)
    assert one.silence(EVERYTHING, 30, 60, grant.lease.taken_ms, now) == (True, 30)
    for _ in range(2):
        assert take(other, 1) == Refused(30, EVERYTHING)
    assert other.silent_for(now) == 30
    later = Budget([WEIGHT], make())
    assert take(later, 1) == Refused(30, EVERYTHING)
    one.learn([RateRule("weight", 7, MINUTE)])
    after = lambda: When(11 * MINUTE)  # noqa: E731
    assert isinstance(later.take([Cost("weight", 8)], "", Lane.CANCEL, after), Refused)


def test_a_change_that_raises_changes_nothing_and_locks_nobody_out(make: Make) -> None:
    """Ctrl-C in the middle of it, for example (fault F129)."""
    store = make()

    def interrupted(budget: RequestBudget) -> None:
        budget.learn([])
        raise KeyboardInterrupt

    store.update(lambda budget: budget.learn([WEIGHT]))
    with pytest.raises(KeyboardInterrupt):
        store.update(interrupted)
    assert make().update(lambda budget: budget.rules) == [WEIGHT]


def test_a_lost_store_is_replaced_and_found_again(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """(fault F128)"""
    store = make()
    budget = Budget([WEIGHT], store)
    assert isinstance(take(budget, 70), Grant)
    original, asked = store.update, []

    def lost(change: Callable[[RequestBudget], T]) -> T:
        asked.append(change)
        raise StoreUnreachable("gone")

    monkeypatch.setattr(store, "update", lost)
    assert isinstance(take(budget, 40), Refused), "what was used stays used"
    assert isinstance(take(budget, 30), Grant)
    assert (budget.trouble, budget.losses, len(asked)) == ("gone", 1, 1)
    monkeypatch.setattr(store, "update", original)
    budget._retry_ns = 0
    assert isinstance(take(budget, 1), Grant)
    assert (budget.trouble, budget.losses) == ("", 1)
    assert budget.used("weight", "me", now) == {MINUTE: 71}


def test_silence_does_not_end_with_the_store(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    """(fault F078)"""
    store = make()
    budget = Budget([WEIGHT], store)
    grant = take(budget, 1)
    assert isinstance(grant, Grant)
    budget.silence(EVERYTHING, 30, 60, grant.lease.taken_ms, now)
    store.update(lambda state: state.silences.clear())
    assert take(budget, 1) == Refused(30, EVERYTHING)


def test_the_last_connector_that_stops_closes_the_store(make: Make) -> None:
    store: Any = make()
    budget = Budget([WEIGHT], store)
    budget.enter()
    budget.enter()
    assert isinstance(take(budget, 60), Grant)
    budget.leave()
    assert (getattr(store, "_connection", None) or getattr(store, "_client", None)) is not None
    budget.leave()
    assert (getattr(store, "_connection", None) or getattr(store, "_client", None)) is None
    assert isinstance(take(budget, 60), Refused), "opened again, and nothing is forgotten"


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_file_is_this_users_alone(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "deep" / "budgets.sqlite", "x", fresh)
    store.update(lambda budget: None)
    assert (tmp_path / "deep").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "deep" / "budgets.sqlite").stat().st_mode & 0o777 == 0o600
    store.close()


def test_a_file_that_was_removed_is_counted_in_again_with_those_who_came_later(tmp_path: Path) -> None:
    """What clears /tmp does so (fault F128)."""
    path = tmp_path / "budgets.sqlite"

    def come() -> Budget:
        return Budget([WEIGHT, ORDERS], FileStore(path, "x", fresh))

    first = come()
    assert isinstance(take(first, 60), Grant)
    for file in tmp_path.iterdir():
        file.unlink()
    assert isinstance(take(first, 10), Grant)
    second = come()
    assert second.used("weight", "me", now) == first.used("weight", "me", now) == {MINUTE: 70}
    assert (first.trouble, first.losses) == ("", 0)
    for budget in (first, second):
        budget.enter()
        budget.leave()


def test_a_file_that_somebody_holds_is_given_up_in_time(tmp_path: Path) -> None:
    path = tmp_path / "budgets.sqlite"
    store = FileStore(path, "x", fresh)
    store.update(lambda budget: None)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    budget = Budget([WEIGHT], store)
    assert isinstance(take(budget, 1), Grant)
    assert "locked" in budget.trouble
    holder.execute("ROLLBACK")
    holder.close()
    budget._retry_ns = 0
    assert isinstance(take(budget, 1), Grant)
    assert budget.trouble == ""
    store.close()


@pytest.mark.parametrize("content", [b"", b"no database at all, but some text" * 100])
def test_a_file_that_is_no_database_is_told_and_not_overwritten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "budgets.sqlite"
    path.write_bytes(content)
    store = FileStore(path, "x", fresh)
    budget = Budget([WEIGHT], store)
    assert isinstance(take(budget, 1), Grant)
    assert ("not a database" in budget.trouble) is bool(content)
    if content:
        assert path.read_bytes() == content
    store.close()


def test_a_process_that_dies_with_the_lock_locks_nobody_out(tmp_path: Path) -> None:
    """(fault F128)"""
    path = tmp_path / "budgets.sqlite"
    program = f"""
    import os, signal
    from pathlib import Path
    from exconn_sync._machines.request_budget import RequestBudget
    from exconn_sync._transport.budget_file import FileStore
    store = FileStore(Path({str(path)!r}), "x", RequestBudget)
    store.update(lambda budget: None)
    store.update(lambda budget: os.kill(os.getpid(), signal.SIGKILL))
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=LIMIT * 3, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = FileStore(path, "x", fresh)
    assert store.update(lambda budget: budget.rules) == []
    store.close()


def test_a_forked_child_opens_the_file_anew(tmp_path: Path) -> None:
    """(faults F124, F128)"""
    store = FileStore(tmp_path / "budgets.sqlite", "x", fresh)
    store.update(lambda budget: None)
    child = os.fork()
    if child == 0:
        try:
            store.update(lambda budget: budget.learn([]))
        finally:
            os._exit(0 if store.last is not None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.update(lambda budget: budget.is_told)
    store.close()


# --- Redis ----------------------------------------------------------------------------------------------------------


def test_without_a_redis_each_process_counts_for_itself_and_shows_no_password() -> None:
    """(fault F128)"""
    store = RedisStore(Secret("redis://:topsecret@127.0.0.1:1/0"), "x", fresh)
    budget = Budget([WEIGHT], store)
    began = time.monotonic()
    assert isinstance(take(budget, 1), Grant)
    assert time.monotonic() - began < LIMIT
    assert budget.trouble == "Redis: ConnectionError"
    for _ in range(100):
        assert isinstance(budget.take([], "", Lane.BULK, now), Grant)
    assert budget.losses == 1
    assert "topsecret" not in repr(store) + repr(vars(store))


@needs_redis
def test_a_redis_that_lost_everything_gets_what_is_known() -> None:
    """(fault F128)"""
    with RedisServer() as server:
        store = RedisStore(Secret(server.url), "x", fresh)
        budget = Budget([WEIGHT], store)
        assert isinstance(take(budget, 70), Grant)
        server.command("FLUSHALL")
        assert isinstance(take(budget, 40), Refused)
        other: Any = RedisStore(Secret(server.url), "x", fresh)
        assert isinstance(take(Budget([WEIGHT], other), 40), Refused)
        store.close()
        other.close()


@needs_redis
def test_a_redis_that_comes_back_is_used_again() -> None:
    """(fault F128)"""
    with RedisServer() as server:
        store = RedisStore(Secret(server.url), "x", fresh)
        budget = Budget([WEIGHT], store)
        assert isinstance(take(budget, 1), Grant)
        server.stop()
        assert isinstance(take(budget, 1), Grant)
        assert budget.trouble
        server.start()
        budget._retry_ns = 0
        assert isinstance(take(budget, 1), Grant)
        assert budget.trouble == ""
        store.close()


def test_memory_is_replaced_by_its_heir() -> None:
    store = MemoryStore(fresh())
    store.replace(lambda former: RequestBudget(former.rules[:1]))
    assert store.update(lambda budget: budget.rules) == [WEIGHT]
