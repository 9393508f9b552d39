"""Nested groups, failed starts, hung workers and a failing supervisor, with real threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from exconn_sync._machines import watchdog
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.supervision import Child, Group, Tree
from exconn_sync._runtime import heartbeat, supervisor, threads
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.supervisor import Supervisor
from exconn_sync._runtime.worker import Body, Worker, WorkerReport, WorkerRun
from exconn_sync.errors import ConnectorStopped, ThreadsUnavailable, WorkerHung
from exconn_sync.ports.clock import Clock, SystemClock
from tests.unit.support import LIMIT, Background, until

CLOCK = SystemClock()
HANG = 0.2


def within(seconds: float = LIMIT) -> Deadline:
    return Deadline.after(CLOCK.monotonic_ns(), seconds)


def steady(run: WorkerRun) -> None:
    run.beat(LIMIT)
    run.stop.wait(None)


class Stuck:
    """A body whose first ``times`` lives neither beat nor stop until they are let go; later ones are steady."""

    def __init__(self, times: int = 1) -> None:
        self.times = times
        self.go_on = threading.Event()
        self.inside = threading.Event()
        self.runs: list[WorkerRun] = []

    def __call__(self, run: WorkerRun) -> None:
        self.runs.append(run)
        if run.generation <= self.times:
            self.inside.set()
            self.go_on.wait(LIMIT)
        else:
            steady(run)


class Crew:
    """A supervisor over ``a``, a rest_for_one group ``inner`` of ``b`` and ``c``, and ``d``; and what it said."""

    def __init__(
        self,
        bodies: dict[str, Body] | None = None,
        *,
        hang: float | None = None,
        intensity: int = 10,
        inner: int = 1,
        clock: Clock = CLOCK,
    ) -> None:
        given: dict[str, Body] = {**dict.fromkeys("abcd", steady), **(bodies or {})}
        group = Group("inner", "rest_for_one", inner, 60, (Child("b"), Child("c")))
        root = Group("root", "one_for_one", intensity, 60, (Child("a"), group, Child("d")))
        self.crashes: list[tuple[str, Exception]] = []
        self.hung: list[tuple[str, WorkerHung]] = []
        self.gave_up: list[tuple[str, Exception]] = []
        self.over = threading.Event()
        self.workers = {name: Worker(name, body, clock) for name, body in given.items()}
        self.supervisor = Supervisor(
            "test", Tree(root, 0.01, 0.05), list(self.workers.values()), clock,
            lambda name, error: self.crashes.append((name, error)), self._give_up,
            hang_timeout=hang, on_hang=lambda name, error: self.hung.append((name, error)),
        )  # fmt: skip

    def _give_up(self, name: str, error: Exception) -> None:
        self.gave_up.append((name, error))
        self.over.set()

    def report(self, name: str) -> WorkerReport:
        return next(report for report in self.supervisor.reports() if report.name == name)

    def lives(self) -> dict[str, int]:
        return {report.name: report.restarts + 1 for report in self.supervisor.reports()}

    def all_run(self) -> bool:
        return {report.state for report in self.supervisor.reports()} == {"running"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hung worker is given up soon after the first look."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)


@pytest.fixture
def crews() -> Iterator[list[Crew]]:
    """Crews to be stopped at the end, without a thread left."""
    made: list[Crew] = []
    yield made
    for crew in made:
        assert crew.supervisor.stop(within()) == []


# --- groups ---------------------------------------------------------------------------------------------------------


def test_a_group_beyond_its_limit_is_started_again_as_a_whole(crews: list[Crew]) -> None:
    """Two crashes of ``c`` are more than its group may have (faults F141, F145)."""

    def fragile(run: WorkerRun) -> None:
        if run.generation <= 2:
            raise ValueError(run.generation)
        steady(run)

    crew = Crew({"c": fragile})
    crews.append(crew)
    crew.supervisor.start()
    until(lambda: crew.lives() == {"a": 1, "b": 2, "c": 3, "d": 1} and crew.all_run())
    assert [report.group for report in crew.supervisor.reports()] == ["root", "inner", "inner", "root"]
    assert [name for name, _ in crew.crashes] == ["c", "c"]
    assert crew.report("c").last_error == "ValueError: 2"


def test_a_worker_whose_restart_is_due_later_is_restarting(crews: list[Crew]) -> None:
    def fragile(run: WorkerRun) -> None:
        if run.generation <= 2:
            raise ValueError
        steady(run)

    crew = Crew({"a": fragile})
    crews.append(crew)
    pauses = Tree(Group("root", "one_for_one", 10, 3600, tuple(Child(name) for name in "abcd")), LIMIT, LIMIT)
    crew.supervisor._crew._tree = pauses
    crew.supervisor.start()
    until(lambda: crew.lives()["a"] == 2 and crew.report("a").state == "restarting")
    assert [crew.report(name).state for name in "bcd"] == ["running"] * 3


def test_a_sibling_that_does_not_end_is_abandoned_and_replaced(
    crews: list[Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exconn_sync._runtime.crew._RETIRE_WAIT", 0.05)
    crash, stuck = threading.Event(), Stuck()

    def fragile(run: WorkerRun) -> None:
        if run.generation == 1:
            crash.wait(LIMIT)
            raise ValueError
        steady(run)

    crew = Crew({"b": fragile, "c": stuck})
    crews.append(crew)
    crew.supervisor.start()
    assert stuck.inside.wait(LIMIT)
    crash.set()
    until(lambda: crew.lives() == {"a": 1, "b": 2, "c": 2, "d": 1} and crew.all_run())
    assert crew.supervisor.abandoned == ["c"]
    assert [run.is_current for run in stuck.runs] == [False, True]
    stuck.go_on.set()
    until(lambda: crew.supervisor.abandoned == [])
    assert [name for name, _ in crew.crashes] == ["b"], "what an abandoned one does is of no interest"


# --- workers that come and go ---------------------------------------------------------------------------------------


def test_workers_are_added_and_removed_while_it_runs(crews: list[Crew]) -> None:
    crew = Crew()
    crews.append(crew)
    crew.supervisor.add(Worker("early", steady, CLOCK))
    crew.supervisor.start()
    crew.supervisor.add(Worker("late", steady, CLOCK), "inner")
    until(crew.all_run)
    assert [report.name for report in crew.supervisor.reports()] == ["a", "b", "c", "late", "d", "early"]
    with pytest.raises(ValueError, match="there already"):
        crew.supervisor.add(Worker("late", steady, CLOCK))
    assert crew.supervisor.remove("late", within())
    assert crew.supervisor.remove("a", within())
    assert crew.supervisor.remove("unknown", within())
    assert [report.name for report in crew.supervisor.reports()] == ["b", "c", "d", "early"]
    assert crew.crashes == []
    crew.supervisor.stop(within())
    with pytest.raises(ConnectorStopped):
        crew.supervisor.add(Worker("too late", steady, CLOCK))


def test_a_removed_worker_that_does_not_end_is_abandoned(crews: list[Crew]) -> None:
    stuck, cut = Stuck(), threading.Event()
    crew = Crew({"d": stuck})
    crews.append(crew)
    crew.supervisor.start()
    assert stuck.inside.wait(LIMIT)
    stuck.runs[0].on_abandon(cut.set)
    assert not crew.supervisor.remove("d", within(0.01))
    assert cut.is_set()
    assert not stuck.runs[0].is_current
    assert crew.supervisor.abandoned == ["d"]
    stuck.go_on.set()
    until(lambda: crew.supervisor.abandoned == [])


@pytest.mark.parametrize("kind", ["transient", "temporary"])
def test_one_that_is_done_is_forgotten(crews: list[Crew], kind: str) -> None:
    crew = Crew()
    crews.append(crew)
    crew.supervisor.start()
    crew.supervisor.add(Worker("once", lambda run: None, CLOCK), kind=kind)  # type: ignore[arg-type]
    until(lambda: "once" not in crew.lives())
    # The tree and the table of workers are two steps.
    until(lambda: "once" not in crew.supervisor._crew._workers)


# --- hung workers ---------------------------------------------------------------------------------------------------


def test_a_hung_worker_is_cut_off_and_replaced(crews: list[Crew], quick: None) -> None:
    """It is told with its stack, and what it does later has no effect (fault F144)."""
    crew = Crew(hang=HANG)
    crews.append(crew)
    cuts: list[str] = []
    go_on = threading.Event()
    runs: list[WorkerRun] = []

    def hanging(run: WorkerRun) -> None:
        runs.append(run)
        if run.generation == 1:
            run.on_abandon(lambda: cuts.append("wrong"))()
            run.on_abandon(lambda: cuts.append("socket"))
            run.on_abandon(fail)
            a_call_without_a_limit(go_on)
            run.on_abandon(lambda: cuts.append("late"))
            raise ValueError("nobody is interested")
        steady(run)

    crew.supervisor.add(Worker("e", hanging, CLOCK))
    crew.supervisor.start()
    until(lambda: len(runs) == 2 and crew.all_run())
    assert cuts == ["socket"]
    assert (runs[0].is_current, runs[0].stop.is_set, runs[1].is_current) == (False, True, True)
    [(name, error)] = crew.hung
    assert crew.crashes == [("e", error)]
    assert (name, "gave no sign of life for 0." in str(error)) == ("e", True)
    assert "a_call_without_a_limit" in error.details["stack"]
    assert crew.supervisor.abandoned == ["e"]
    assert crew.supervisor.stop(within()) == ["e"], "it is no leak, but it is still there"
    go_on.set()
    until(lambda: crew.supervisor.abandoned == [])
    assert cuts == ["socket", "late"]
    assert len(crew.crashes) == 1


def fail() -> None:
    raise ZeroDivisionError


def a_call_without_a_limit(event: threading.Event) -> None:
    event.wait(LIMIT)


def test_a_promise_is_believed_and_a_shorter_one_too(crews: list[Crew], quick: None) -> None:
    """A worker that announced a long rest and then works on is watched again from then on (fault F144)."""
    crew = Crew(hang=HANG)
    crews.append(crew)
    wake, go_on = threading.Event(), threading.Event()

    def resting(run: WorkerRun) -> None:
        if run.generation == 1:
            heartbeat.beat(LIMIT)
            wake.wait(LIMIT)
            heartbeat.beat()
            go_on.wait(LIMIT)
        else:
            steady(run)

    crew.supervisor.add(Worker("e", resting, CLOCK))
    crew.supervisor.start()
    # Longer than an unannounced silence may last.
    assert not crew.over.wait(3 * HANG)
    assert (crew.hung, crew.all_run()) == ([], True)
    wake.set()
    until(lambda: crew.report("e").restarts == 1)
    assert [name for name, _ in crew.hung] == ["e"]
    go_on.set()
    until(lambda: crew.supervisor.abandoned == [])


def test_a_worker_that_beats_in_time_is_left_alone(crews: list[Crew], quick: None) -> None:
    crew = Crew(hang=HANG)
    crews.append(crew)
    beats: list[int] = []

    def beating(run: WorkerRun) -> None:
        while not run.stop.wait(0.02):
            run.beat()
            run.note_data()
            beats.append(1)

    crew.supervisor.add(Worker("e", beating, CLOCK))
    crew.supervisor.start()
    until(lambda: len(beats) > 30)
    assert crew.hung == []
    report = crew.report("e")
    assert (report.restarts, report.state) == (0, "running")
    assert report.beat_age is not None
    assert report.data_age is not None
    assert 0 <= report.data_age <= report.beat_age + 1
    assert crew.report("a").data_age is None


def test_an_overdue_worker_is_shown_as_hung() -> None:
    worker, stuck = Worker("e", Stuck(0), CLOCK), Stuck()
    worker = Worker("e", stuck, CLOCK)
    worker.start(lambda ended: None)
    assert stuck.inside.wait(LIMIT)
    now_ns = CLOCK.monotonic_ns()
    assert worker.report(now_ns, LIMIT).state == "running"
    assert worker.report(now_ns + int((LIMIT + 1) * 1e9), LIMIT).state == "hung"
    assert worker.report(now_ns + int((LIMIT + 1) * 1e9)).state == "running"
    stuck.go_on.set()
    worker.signal()
    assert worker.join(LIMIT)


def test_too_many_abandoned_threads_are_the_end(quick: None) -> None:
    """Threads cannot be killed, so their number has a ceiling (fault F144)."""
    stuck = Stuck(99)
    crew = Crew({"a": stuck}, hang=0.01, intensity=99)
    for name in "bcd":
        crew.supervisor.remove(name, within())
    crew.supervisor.start()
    assert crew.over.wait(LIMIT)
    assert len(stuck.runs) == supervisor.MOST_ABANDONED + 1
    assert isinstance(crew.gave_up[0][1], WorkerHung)
    assert crew.supervisor.stop(within()) == ["a"] * len(stuck.runs)
    stuck.go_on.set()
    until(lambda: crew.supervisor.abandoned == [])


class JumpingClock(SystemClock):
    """The machine's clock, which can be let jump as if the process had not run for a while."""

    def __init__(self) -> None:
        self.offset_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.offset_ns


@pytest.mark.parametrize(("seconds", "is_blamed"), [(100.0, False), (4.1, True)])
def test_a_supervisor_that_woke_up_late_blames_nobody(
    monkeypatch: pytest.MonkeyPatch, seconds: float, is_blamed: bool
) -> None:
    """Where it could not run itself, its workers could not either (fault F163)."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)
    clock, stuck = JumpingClock(), Stuck()
    crew = Crew({"a": stuck}, hang=4.0, clock=clock)
    crew.supervisor.start()
    until(lambda: all(report.beat_age is not None for report in crew.supervisor.reports() if report.name != "a"))
    until(lambda: crew.supervisor._alarm.covers_ns > 0 and crew.supervisor._events.empty())
    clock.offset_ns = int(seconds * 1e9)
    crew.supervisor._events.put(None)
    if is_blamed:
        # Looked at in time, the same silence is one.
        until(lambda: len(crew.hung) == 1)
    else:
        assert not crew.over.wait(0.3), "six times what is needed to blame somebody"
        assert crew.hung == []
    stuck.go_on.set()
    until(lambda: crew.supervisor.abandoned == [])
    assert crew.supervisor.stop(Deadline.after(clock.monotonic_ns(), LIMIT)) == []


# --- threads that do not start --------------------------------------------------------------------------------------


class NoThreads:
    """Refuses to start threads of a name, like a process at its limit."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int = 99) -> None:
        self.left = times
        original = threading.Thread.start

        def start(thread: threading.Thread) -> None:
            if thread.name == threads.PREFIX + name and self.left > 0:
                self.left -= 1
                raise RuntimeError("can't start new thread")
            original(thread)

        monkeypatch.setattr(threading.Thread, "start", start)


@pytest.mark.parametrize("name", ["c", "test-supervisor"])
def test_a_first_start_that_fails_leaves_nothing_running(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """No thread is to be had, as at interpreter shutdown (faults F133, F143)."""
    NoThreads(monkeypatch, name)
    crew = Crew()
    with pytest.raises(ThreadsUnavailable, match="can't start new thread") as caught:
        crew.supervisor.start()
    assert isinstance(caught.value.__cause__, RuntimeError)
    assert {report.state for report in crew.supervisor.reports()} <= {"stopped", "failed"}
    assert threads.library_threads() == []


def test_a_restart_that_fails_is_a_crash_and_is_tried_again(crews: list[Crew], monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs goes on running (fault F143)."""
    crash = threading.Event()

    def fragile(run: WorkerRun) -> None:
        if run.generation == 1:
            crash.wait(LIMIT)
            raise ValueError
        steady(run)

    crew = Crew({"a": fragile})
    crews.append(crew)
    crew.supervisor.start()
    NoThreads(monkeypatch, "a", times=3)
    crash.set()
    until(lambda: crew.lives() == {"a": 5, "b": 1, "c": 1, "d": 1} and crew.all_run())
    assert [type(error) for _, error in crew.crashes] == [ValueError, *[ThreadsUnavailable] * 3]


def test_restarts_that_keep_failing_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed starts count like crashes (faults F143, F145)."""
    crash = threading.Event()

    def fragile(run: WorkerRun) -> None:
        crash.wait(LIMIT)
        raise ValueError

    crew = Crew({"a": fragile}, intensity=3)
    crew.supervisor.start()
    NoThreads(monkeypatch, "a")
    crash.set()
    assert crew.over.wait(LIMIT)
    assert len(crew.crashes) == 4
    assert crew.report("a").state == "failed"
    assert crew.supervisor.stop(within()) == []


def test_an_addition_that_fails_adds_nothing(crews: list[Crew], monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Crew()
    crews.append(crew)
    crew.supervisor.start()
    NoThreads(monkeypatch, "e", times=1)
    with pytest.raises(ThreadsUnavailable):
        crew.supervisor.add(Worker("e", steady, CLOCK))
    assert "e" not in crew.lives()
    crew.supervisor.add(Worker("e", steady, CLOCK))
    until(crew.all_run)


def test_threads_that_do_not_run_are_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor's own thread gives no sign (fault F127)."""
    monkeypatch.setattr(supervisor, "START_LIMIT", 0.05)
    monkeypatch.setattr(supervisor, "_LET_GO", 0.05)
    go_on = threading.Event()
    crew = Crew()
    with installed("thread.begin", lambda: go_on.wait(LIMIT)):  # type: ignore[arg-type]
        with pytest.raises(ThreadsUnavailable, match="--enable-threads"):
            crew.supervisor.start()
        go_on.set()
    assert {report.state for report in crew.supervisor.reports()} == {"stopped"}
    assert crew.supervisor.stop(within()) == []


def test_a_thread_that_ends_before_its_worker_begins_is_noticed(crews: list[Crew], quick: None) -> None:
    failed: list[int] = []

    def fail() -> None:
        if threading.current_thread().name == "exconn-a" and not failed:
            failed.append(1)
            raise MemoryError

    crew = Crew(hang=HANG)
    crews.append(crew)
    with installed("thread.begin", fail):
        crew.supervisor.start()
        until(lambda: crew.lives()["a"] == 2 and crew.all_run())
    assert "without a word" in crew.report("a").last_error
    assert crew.hung == []


def test_a_worker_that_fails_as_it_begins_is_restarted(crews: list[Crew]) -> None:
    """(Fault F142.)"""
    failed: list[int] = []

    def fail() -> None:
        if threading.current_thread().name == "exconn-b" and not failed:
            failed.append(1)
            raise MemoryError

    crew = Crew()
    crews.append(crew)
    with installed("worker.begin", fail):
        crew.supervisor.start()
        until(lambda: crew.lives() == {"a": 1, "b": 2, "c": 2, "d": 1} and crew.all_run())


# --- the supervisor itself ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ZeroDivisionError, MemoryError, SystemExit])
def test_a_supervisor_that_fails_gives_up_visibly(error: type[BaseException]) -> None:
    """No worker goes on without supervision (faults F142, F146)."""

    def fail() -> None:
        raise error

    crew = Crew()
    crew.supervisor.start()
    until(crew.all_run)
    with installed("supervisor.turn", fail):
        crew.supervisor._events.put(None)
        assert crew.over.wait(LIMIT)
    [(name, cause)] = crew.gave_up
    assert name == "supervisor"
    assert isinstance(cause, error if issubclass(error, Exception) else RuntimeError)
    until(lambda: {report.state for report in crew.supervisor.reports()} == {"stopped"})
    with pytest.raises(ConnectorStopped):
        crew.supervisor.add(Worker("e", steady, CLOCK))
    assert crew.supervisor.stop(within()) == []


def test_a_listener_that_fails_does_not_end_the_supervisor(crews: list[Crew]) -> None:
    def fragile(run: WorkerRun) -> None:
        if run.generation == 1:
            raise ValueError
        steady(run)

    crew = Crew({"a": fragile})
    crews.append(crew)
    crew.supervisor._on_exit = lambda name, error: crew.crashes.append((name, error)) or 1 // 0  # type: ignore
    crew.supervisor.start()
    until(lambda: crew.lives()["a"] == 2 and crew.all_run())
    assert len(crew.crashes) == 1


def test_it_sleeps_while_nothing_is_due(crews: list[Crew]) -> None:
    turns: list[float] = []
    crew = Crew(hang=LIMIT)
    crews.append(crew)
    with installed("supervisor.turn", lambda: turns.append(time.monotonic())):
        crew.supervisor.start()
        until(crew.all_run)
        until(lambda: all(report.beat_age is not None for report in crew.supervisor.reports()))
        threading.Event().wait(0.1)
        count = len(turns)
        threading.Event().wait(0.3)
        assert len(turns) == count


def test_a_stop_gets_through_a_start_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even while the threads do not run (faults F127, F147)."""
    go_on = threading.Event()
    crew = Crew()
    with installed("thread.begin", lambda: go_on.wait(LIMIT)):  # type: ignore[arg-type]
        starting = Background(crew.supervisor.start)
        until(lambda: crew.supervisor._thread is not None)
        assert crew.supervisor.stop(within(0.05)) == ["test-supervisor"]
        go_on.set()
        starting.result()
    assert crew.supervisor.stop(within()) == []
    assert {report.state for report in crew.supervisor.reports()} == {"stopped"}
    crew.supervisor.start()
    assert {report.state for report in crew.supervisor.reports()} == {"stopped"}


def test_one_that_hangs_along_with_its_elder_is_replaced_once(
    crews: list[Crew], quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group of ``b`` starts ``c`` again; that ``c`` hung as well is no second failure (faults F142, F144)."""
    monkeypatch.setattr("exconn_sync._runtime.crew._RETIRE_WAIT", 0.02)
    first, second = Stuck(), Stuck()
    crew = Crew({"b": first, "c": second}, hang=HANG, inner=10)
    crews.append(crew)
    crew.supervisor.start()
    until(lambda: crew.lives() == {"a": 1, "b": 2, "c": 2, "d": 1} and crew.all_run())
    first.go_on.set()
    second.go_on.set()
    assert [name for name, _ in crew.crashes] == ["b"]
    until(lambda: not crew.supervisor.abandoned)


def test_a_life_is_over_before_its_crash_is_told() -> None:
    """Nothing it still says has an effect, and no heartbeat of it is missed during a long pause (fault F144)."""
    was_current: list[bool] = []
    told = threading.Event()

    def crash(run: WorkerRun) -> None:
        raise ValueError("crash")

    def on_exit(name: str, error: Exception) -> None:
        assert worker.run is not None
        was_current.append(worker.run.is_current)
        told.set()

    worker = Worker("a", crash, CLOCK)
    tree = Tree(Group("root", "one_for_one", 10, 60, (Child("a"),)), 1000.0, 1000.0)
    made = Supervisor("test", tree, [worker], CLOCK, on_exit, lambda name, error: None, hang_timeout=LIMIT)
    made.start()
    assert told.wait(LIMIT)
    assert made.stop(within()) == []
    assert not any(was_current)


def test_a_heartbeat_that_promises_less_while_the_look_is_planned_is_not_missed(crews: list[Crew]) -> None:
    """It compared itself with the plan before, which was to come soon enough (fault F144)."""
    crew = Crew(hang=1000.0)
    crews.append(crew)
    crew.supervisor.start()
    until(lambda: all(worker.run is not None and worker.run.last_beat_ns for worker in crew.workers.values()))
    run = crew.workers["d"].run
    assert run is not None

    class Alarm:
        """Has a worker promise less at the moment when the plan is written."""

        def __init__(self) -> None:
            self.is_first = True

        def __setattr__(self, name: str, value: object) -> None:
            if name == "covers_ns" and self.is_first:
                self.is_first = False
                assert run is not None
                run.promise_ns -= 100_000_000_000
            super().__setattr__(name, value)

    planned_ns = crew.supervisor._plan()
    assert planned_ns is not None
    crew.supervisor._alarm = Alarm()  # type: ignore[assignment]
    again_ns = crew.supervisor._plan()
    assert again_ns is not None
    assert again_ns <= planned_ns - 50_000_000_000
