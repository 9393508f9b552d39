"""Stop signals, readiness, fault points, forks."""

from __future__ import annotations

import os
import threading

import pytest

from exconn_sync._runtime import faultpoints
from exconn_sync._runtime.process import ProcessGuard
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._runtime.threads import join, library_threads, spawn
from exconn_sync.errors import AuthenticationError, ConnectorStopped, ForkedProcess, NotReady
from tests.unit.support import LIMIT, Background, in_threads, until


def test_a_stop_wakes_sleepers_and_calls_wakers_once() -> None:
    stop = StopSignal()
    woken: list[str] = []
    stop.on_set(lambda: woken.append("early"))
    sleeper = Background(lambda: stop.wait(None))
    assert not stop.is_set
    assert stop.wait(0) is False
    in_threads(4, lambda index: stop.set())
    assert sleeper.result() is True
    assert woken == ["early"]
    stop.on_set(lambda: woken.append("late"))
    assert woken == ["early", "late"]


def test_a_forgotten_waker_is_not_called() -> None:
    stop = StopSignal()
    woken: list[int] = []

    def wake() -> None:
        woken.append(1)

    stop.on_set(wake)
    stop.on_set(wake)
    stop.forget(wake)
    stop.set()
    assert woken == [1]
    stop.forget(wake)


def test_a_waker_may_use_the_signal() -> None:
    stop = StopSignal()
    stop.on_set(lambda: stop.on_set(stop.set))
    Background(stop.set).result()
    assert stop.is_set


# --- readiness ------------------------------------------------------------------------------------------------------


def readiness() -> Readiness:
    return Readiness({"ready": ("clock", "stream", "account"), "stream_ready": ("stream",)})


def test_it_is_ready_while_all_conditions_hold() -> None:
    ready = readiness()
    waiter = Background(lambda: ready.wait("ready", LIMIT))
    event = ready.events["ready"]
    sleeper = Background(lambda: event.wait(LIMIT))
    for condition in ready.members("ready"):
        assert not event
        ready.met(condition)
    waiter.result()
    assert sleeper.result() is True
    assert event.is_set()
    ready.lost("stream")
    assert not event.is_set()
    assert not ready.events["stream_ready"].is_set()
    assert ready.missing("ready") == ("stream",)
    assert repr(event) == "<ReadyEvent not set>"


def test_a_wait_that_is_over_names_what_is_missing() -> None:
    ready = readiness()
    ready.met("clock")
    with pytest.raises(NotReady, match="missing: stream, account") as caught:
        ready.wait("ready", 0.01)
    assert caught.value.details["missing"] == ("stream", "account")
    assert ready.events["ready"].wait(0.01) is False


def test_what_cannot_come_is_raised_at_once_to_everybody_who_waits() -> None:
    ready = readiness()
    waiters = [Background(lambda: ready.wait("ready", None)) for _ in range(3)]
    ready.fail("account", AuthenticationError("key refused"))
    for waiter in waiters:
        with pytest.raises(AuthenticationError, match="key refused"):
            waiter.result()
    with pytest.raises(AuthenticationError):
        ready.wait("ready", None)
    assert list(ready.errors("ready")) == ["account"]
    for condition in ready.members("ready"):
        ready.met(condition)
    ready.wait("ready", 0)
    assert ready.errors("ready") == {}


def test_the_end_wakes_everybody_and_what_comes_late_counts_for_nothing() -> None:
    ready = readiness()
    ready.met("stream")
    waiter = Background(lambda: ready.wait("ready", None))
    ready.close()
    with pytest.raises(ConnectorStopped):
        waiter.result()
    for condition in ready.members("ready"):
        ready.met(condition)
    assert not ready.events["ready"].is_set()
    with pytest.raises(ConnectorStopped):
        ready.wait("stream_ready", 0)


@pytest.mark.parametrize("close_first", [True, False])
def test_a_new_life_begins_with_nothing_met(close_first: bool) -> None:
    ready = readiness()
    ready.met("stream")
    ready.fail("account", AuthenticationError("old"))
    if close_first:
        ready.close()
    ready.reopen()
    assert not ready.events["stream_ready"].is_set()
    assert ready.missing("ready") == ("clock", "stream", "account")
    waiter = Background(lambda: ready.wait("ready", LIMIT))
    for condition in ready.members("ready"):
        ready.met(condition)
    waiter.result()
    assert ready.events["stream_ready"].is_set()


def test_other_conditions_can_be_named_and_those_who_wait_hear_of_it() -> None:
    ready = readiness()
    waiter = Background(lambda: ready.wait("stream_ready", LIMIT))
    ready.redefine({"ready": ("clock",), "stream_ready": ("clock",)})
    ready.met("clock")
    waiter.result()
    assert ready.events["ready"].is_set()


def test_a_stop_signal_ends_a_wait() -> None:
    ready, stop = readiness(), StopSignal()
    waiter = Background(lambda: ready.wait("ready", None, stop))
    until(lambda: stop._wakers)
    stop.set()
    with pytest.raises(ConnectorStopped):
        waiter.result()


# --- fault points ---------------------------------------------------------------------------------------------------


def test_a_fault_point_runs_its_hook_only_while_it_is_installed() -> None:
    reached: list[int] = []
    faultpoints.reach("test.here")
    with faultpoints.installed("test.here", lambda: reached.append(1)):
        faultpoints.reach("test.here")
        faultpoints.reach("test.there")
    faultpoints.reach("test.here")
    assert reached == [1]


def test_what_a_hook_raises_the_point_raises() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), faultpoints.installed("test.here", fail):
        faultpoints.reach("test.here")
    faultpoints.reach("test.here")


# --- threads and processes ------------------------------------------------------------------------------------------


def test_threads_are_named_daemons_and_a_defect_does_not_vanish(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    def fail() -> None:
        release.wait(LIMIT)
        raise ValueError("a defect")

    thread = spawn("test", fail)
    assert thread.daemon
    assert thread in library_threads()
    assert join(thread, 0) is False
    release.set()
    assert join(thread, LIMIT)
    assert join(None, 0)
    assert thread not in library_threads()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


def test_a_thread_does_not_wait_for_itself() -> None:
    assert join(threading.current_thread(), None) is False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_object_of_the_parent_says_so_in_a_forked_child() -> None:
    """(fault F124)"""
    guard = ProcessGuard()
    guard.check("connector")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            guard.check("connector")
        except ForkedProcess as error:
            code = 42 if guard.is_foreign and "connector" in error.message else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 42
    guard.check("connector")
