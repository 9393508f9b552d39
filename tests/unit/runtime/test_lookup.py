"""Names are resolved on threads of the library, which hold nobody up and do not pile up."""

from __future__ import annotations

import os
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from exconn_sync._runtime import lookup as module
from exconn_sync._runtime.lookup import MOST_THREADS, AddressInfo, LookupPool, RunningLookup, shared_lookups
from exconn_sync._runtime.threads import library_threads
from exconn_sync.testing import ManualClock
from tests.unit.support import LIMIT, Background, in_threads, until


class Names:
    """A resolver that hangs for names which begin with ``hang`` until it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: Counter[str] = Counter()

    def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        self.asked[host] += 1
        if host.startswith("hang"):
            assert self.release.wait(LIMIT)
        if host == "unknown":
            raise socket.gaierror(-2, "Name or service not known")
        if host == "broken":
            raise ZeroDivisionError
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
def names() -> Iterator[Names]:
    made = Names()
    yield made
    made.release.set()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def pool(names: Names, clock: ManualClock) -> LookupPool:
    return LookupPool(names, clock.monotonic_ns)


def ask(pool: LookupPool, host: str) -> Sequence[AddressInfo]:
    done = threading.Event()
    lookup = pool(host, 443, done.set)
    assert done.wait(LIMIT)
    found = lookup.result()
    assert found is not None
    return found


def nothing() -> None:
    """Nobody waits."""


def lookups() -> int:
    return sum(thread.name.startswith("exconn-lookup-") for thread in library_threads())


def test_a_name_is_resolved_on_a_thread_that_ends(pool: LookupPool) -> None:
    assert [info[4] for info in ask(pool, "exchange")] == [("192.0.2.1", 443)]
    until(lambda: lookups() == 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "192.0.2.7"])
def test_an_address_needs_neither_a_thread_nor_the_system(pool: LookupPool, names: Names, host: str) -> None:
    found = pool(host, 443, nothing).result()
    assert found is not None
    assert found[0][4][:2] == (host, 443)
    assert not names.asked


def test_an_error_is_told_and_the_next_question_is_asked_anew(pool: LookupPool, names: Names) -> None:
    """(fault F003)"""
    for _ in range(2):
        with pytest.raises(OSError, match="not known"):
            ask(pool, "unknown")
    assert names.asked["unknown"] == 2
    with pytest.raises(OSError, match="ZeroDivisionError"):
        ask(pool, "broken")


def test_the_same_question_is_asked_once_for_all_who_wait(pool: LookupPool, names: Names) -> None:
    heard = [threading.Event() for _ in range(50)]
    found = [pool("hang", 443, each.set) for each in heard]
    assert lookups() == 1
    assert found[0].result() is None
    names.release.set()
    assert all(each.wait(LIMIT) for each in heard)
    assert all(each.result() for each in found)
    assert names.asked["hang"] == 1


def test_four_lookups_may_hang_and_further_ones_fail_at_once(
    pool: LookupPool, names: Names, clock: ManualClock
) -> None:
    """(fault F004)"""
    for index in range(MOST_THREADS):
        pool(f"hang-{index}", 443, nothing)
    patient = threading.Event()
    waiting = pool("exchange", 443, patient.set)
    clock.advance(5)
    for host in ("other", "exchange", "hang-0"):
        with pytest.raises(OSError, match="hang already"):
            pool(host, 443, nothing)
    assert pool("127.0.0.1", 443, nothing).result()
    assert lookups() == MOST_THREADS
    names.release.set()
    assert patient.wait(LIMIT), "what waited for a thread gets one"
    assert waiting.result()
    assert ask(pool, "other")
    until(lambda: lookups() == 0)


def test_a_question_that_hangs_is_asked_again_by_the_next_who_wants_to_know(
    pool: LookupPool, names: Names, clock: ManualClock
) -> None:
    pool("hang", 443, nothing)
    clock.advance(5)
    pool("hang", 443, nothing)
    until(lambda: names.asked["hang"] == 2)
    assert lookups() == 2


def test_many_threads_ask_at_once(pool: LookupPool) -> None:
    def body(index: int) -> None:
        for number in range(20):
            assert ask(pool, f"name-{(index + number) % 7}")

    in_threads(8, body)
    until(lambda: lookups() == 0)


def test_no_more_threads_is_a_failed_lookup(pool: LookupPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F143)"""

    def exhausted(name: str, target: object) -> threading.Thread:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(module, "spawn", exhausted)
        for _ in range(MOST_THREADS + 1):
            with pytest.raises(OSError, match="new thread"):
                pool("exchange", 443, nothing)
    assert ask(pool, "exchange")


def test_a_forked_child_has_a_pool_of_its_own() -> None:
    """The parent's threads do not exist there, and its lock may be held for ever (fault F125)."""
    parents = shared_lookups()
    assert shared_lookups() is parents
    with parents._lock:
        child = os.fork()
        if child == 0:
            is_right = shared_lookups() is not parents and bool(shared_lookups()("127.0.0.1", 1, nothing).result())
            os._exit(0 if is_right else 1)
    _, status = Background(lambda: os.waitpid(child, 0)).result()
    assert os.waitstatus_to_exitcode(status) == 0


def test_the_system_resolves_names_of_this_machine() -> None:
    done = threading.Event()
    lookup: RunningLookup = shared_lookups()("localhost", 80, done.set)
    assert done.wait(LIMIT)
    assert lookup.result()


def test_a_name_with_another_port_is_another_question(pool: LookupPool, names: Names) -> None:
    """Addresses come with their port."""
    first = pool("hang", 443, nothing)
    second = pool("hang", 9443, nothing)
    names.release.set()
    until(lambda: first.is_done and second.is_done)
    ports = [[info[4][1] for info in lookup.result() or ()] for lookup in (first, second)]
    assert ports == [[443], [9443]]
