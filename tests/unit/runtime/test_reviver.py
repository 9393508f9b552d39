"""Things that give up are started again, each by its own count."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import pytest

from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.reviver import Reviver
from exconn_sync.errors import ConnectorStopped, ThreadsUnavailable
from exconn_sync.ports.clock import SystemClock
from tests.unit.support import LIMIT

CLOCK = SystemClock()


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


class Desk:
    def __init__(self) -> None:
        self.revived: queue.Queue[str] = queue.Queue()
        self.given_up: queue.Queue[tuple[str, Exception]] = queue.Queue()
        self.errors: list[Exception] = []
        self.reviver = Reviver("test-reviver", 2, 60.0, CLOCK, self.revive, self.give_up)

    def revive(self, name: str) -> None:
        self.revived.put(name)
        if self.errors:
            raise self.errors.pop()

    def give_up(self, name: str, error: Exception) -> None:
        self.given_up.put((name, error))


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.reviver.start()
    desk.reviver.start()
    yield desk
    desk.reviver.tell_stop()
    assert desk.reviver.join(within()) == []


def test_each_is_counted_by_itself(desk: Desk) -> None:
    """(Fault F145.)"""
    for number in range(3):
        desk.reviver.failed("bad", ValueError(number))
        if number < 2:
            assert desk.revived.get(timeout=LIMIT) == "bad"
    name, error = desk.given_up.get(timeout=LIMIT)
    assert (name, str(error)) == ("bad", "2")
    for _ in range(2):
        desk.reviver.failed("good", ValueError())
        assert desk.revived.get(timeout=LIMIT) == "good"
    assert desk.given_up.empty()
    desk.reviver.failed("bad", ValueError())
    assert desk.revived.get(timeout=LIMIT) == "bad", "somebody else started it: it begins anew"


@pytest.mark.parametrize("error", [ConnectorStopped("no"), ZeroDivisionError("no")])
def test_a_start_that_fails_is_a_failure_and_tried_again(desk: Desk, error: Exception) -> None:
    desk.errors += [error]
    desk.reviver.failed("a", ValueError())
    assert [desk.revived.get(timeout=LIMIT) for _ in range(2)] == ["a", "a"]
    desk.reviver.failed("a", ValueError())
    assert desk.given_up.get(timeout=LIMIT)[0] == "a"


def test_it_can_be_stopped_and_started_again_and_forgets(desk: Desk) -> None:
    for _ in range(2):
        desk.reviver.failed("a", ValueError())
        desk.revived.get(timeout=LIMIT)
    desk.reviver.tell_stop()
    assert desk.reviver.join(within()) == []
    desk.reviver.failed("a", ValueError())
    desk.reviver.start()
    desk.reviver.failed("a", ValueError())
    assert desk.revived.get(timeout=LIMIT) == "a"
    assert desk.given_up.empty()


def test_a_listener_that_fails_does_not_end_it(desk: Desk) -> None:
    def fail(name: str, error: Exception) -> None:
        desk.give_up(name, error)
        raise ZeroDivisionError

    desk.reviver._on_give_up = fail
    for _ in range(3):
        desk.reviver.failed("bad", ValueError())
    desk.given_up.get(timeout=LIMIT)
    desk.reviver.failed("good", ValueError())
    while desk.revived.get(timeout=LIMIT) != "good":
        continue


def test_without_threads_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """(Fault F143.)"""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    reviver = Desk().reviver
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(ThreadsUnavailable):
            reviver.start()
    assert reviver.join(within()) == []


def test_it_can_be_started_while_its_former_thread_is_still_ending() -> None:
    """A hub that was stopped within no time and started at once must still be looked after (fault F146)."""
    busy, release = threading.Event(), threading.Event()
    revived: queue.Queue[str] = queue.Queue()

    def revive(name: str) -> None:
        revived.put(name)
        busy.set()
        release.wait(LIMIT)

    reviver = Reviver("test-reviver", 2, 60.0, CLOCK, revive, lambda *_: None)
    reviver.start()
    reviver.failed("slow", ValueError("no"))
    assert busy.wait(LIMIT)
    reviver.tell_stop()
    assert reviver.join(within(0.0)) == ["test-reviver"]
    reviver.start()
    release.set()
    assert revived.get(timeout=LIMIT) == "slow"
    reviver.failed("other", ValueError("no"))
    assert revived.get(timeout=LIMIT) == "other"
    reviver.tell_stop()
    assert reviver.join(within()) == []
