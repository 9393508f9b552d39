"""Whose thread this is, and where all threads stand."""

from __future__ import annotations

import threading

from exconn_sync._runtime.heartbeat import beat, current_run
from exconn_sync._runtime.thread_dump import stack_of, thread_dump
from exconn_sync._runtime.threads import spawn
from exconn_sync._runtime.worker import Alarm, Worker, WorkerExit, WorkerRun
from exconn_sync.testing import ManualClock
from tests.unit.support import LIMIT


def test_a_beat_belongs_to_the_worker_whose_thread_it_is() -> None:
    seen: list[WorkerRun | None] = []
    ended = threading.Event()
    clock = ManualClock()

    def body(run: WorkerRun) -> None:
        seen.append(current_run())
        assert run.last_beat_ns is None
        clock.advance(1.0)
        beat(5.0)

    worker = Worker("a", body, clock)
    begun_ns = clock.monotonic_ns()
    exits: list[WorkerExit] = []

    def note(ending: WorkerExit) -> None:
        exits.append(ending)
        ended.set()

    worker.start(note)
    assert ended.wait(LIMIT)
    assert worker.join(LIMIT)
    assert exits[0].error is None
    assert seen == [worker.run]
    assert worker.run is not None
    assert worker.run.last_beat_ns == begun_ns + 10**9
    assert worker.run.promise_ns == begun_ns + 6 * 10**9


def test_on_any_other_thread_a_beat_is_nothing() -> None:
    assert current_run() is None
    beat(1.0)
    assert current_run() is None


def test_only_a_promise_that_comes_before_the_plan_wakes_the_supervisor() -> None:
    woken: list[int] = []
    alarm = Alarm(lambda: woken.append(1))
    clock = ManualClock()
    run = WorkerRun("a", 1, clock, alarm)
    alarm.covers_ns = clock.monotonic_ns() + 10 * 10**9
    run.beat(10.0)
    assert woken == []
    run.beat(float("inf"))
    assert woken == []
    run.beat(9.9)
    assert woken == [1]


def test_the_dump_names_each_thread_and_shows_no_values() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def wait_with(secret: str) -> None:
        inside.set()
        go_on.wait(LIMIT)

    thread = spawn("dump-me", lambda: wait_with("pass" + "word"))
    assert inside.wait(LIMIT)
    text = thread_dump()
    assert "exconn-dump-me\n" in text
    assert "in wait_with" in text
    assert "password" not in text
    assert "MainThread" not in text
    go_on.set()
    thread.join(LIMIT)
    assert "not running" in stack_of(thread)
    assert "not running" in stack_of(None)
    assert "dump-me" not in thread_dump()
