"""The small parts around a connection: succession, reporter, recorder, dialler."""

from __future__ import annotations

import errno
import socket
import threading
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exconn_sync import Config, ConnectionEvent
from exconn_sync._live import dialler as dialler_module
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.dialler import Dialler
from exconn_sync._live.flight_recorder import FlightRecorder
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.succession import Succession
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.network import NetworkParts
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.config.settings import Timeouts
from exconn_sync.errors import ConnectionFailed, ConnectorStopped, ExconnError, RateLimitError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.ports.clock import SystemClock
from exconn_sync.ports.driver import StreamLimits
from exconn_sync.testing import ManualClock
from tests.live.support import Server, counted, listen, refuse, stopped
from tests.unit.support import LIMIT, Background
from tests.unit.transport.peers import wait_for_end

# --- Succession -----------------------------------------------------------------------------------------------------


class Opened:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Pool:
    """Runs a task when the test says so, on the test's thread."""

    def __init__(self) -> None:
        self.future: Future[StreamSocket] = Future()
        self.stops: list[StopSignal] = []
        self.woken = 0
        self.socket = Opened()
        self.error: BaseException | None = None
        self.is_stopped = False
        self.succession = Succession(self.dial, self.submit, self.wake)

    def dial(self, stop: StopSignal) -> StreamSocket:
        self.stops.append(stop)
        if self.error is not None:
            raise self.error
        return cast(StreamSocket, self.socket)

    def submit(self, task: Any) -> Future[StreamSocket]:
        if self.is_stopped:
            raise ConnectorStopped("the connector is stopped")
        self.future, self.task = Future(), task
        return self.future

    def wake(self) -> None:
        self.woken += 1

    def start(self) -> bool:
        return self.future.set_running_or_notify_cancel()

    def finish(self) -> None:
        try:
            result = self.task()
        except BaseException as error:  # noqa: BLE001 - as the executor does
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


def test_an_opened_connection_is_handed_over_once() -> None:
    pool = Pool()
    stages = [pool.succession.is_under_way]
    pool.succession.begin()
    stages.append(pool.succession.is_under_way)
    assert stages == [False, True]
    assert pool.succession.take() is None
    pool.start()
    pool.finish()
    assert pool.woken == 1
    assert pool.succession.take() is cast(StreamSocket, pool.socket)
    assert not pool.succession.is_under_way
    assert pool.succession.take() is None
    pool.succession.cancel()
    assert pool.socket.closed == 0, "it belongs to whoever took it"


@pytest.mark.parametrize(
    ("error", "text"), [(ConnectionFailed("refused"), "refused"), (ZeroDivisionError("a defect"), "ZeroDivisionError")]
)
def test_why_there_is_none_is_handed_over(error: Exception, text: str) -> None:
    pool = Pool()
    pool.error = error
    pool.succession.begin()
    pool.start()
    pool.finish()
    found = pool.succession.take()
    assert isinstance(found, ExconnError)
    assert text in found.message
    assert not pool.succession.is_under_way


def test_cancelled_before_it_began_it_is_never_dialled() -> None:
    pool = Pool()
    pool.succession.begin()
    pool.succession.cancel()
    assert not pool.succession.is_under_way
    assert not pool.start()
    assert pool.stops == []


def test_cancelled_while_it_is_dialled_the_dial_is_told_and_its_socket_closed() -> None:
    pool = Pool()
    pool.succession.begin()
    pool.start()
    pool.succession.cancel()
    pool.finish()
    assert [stop.is_set for stop in pool.stops] == [True]
    assert pool.socket.closed == 1
    assert pool.succession.take() is None


def test_cancelled_after_it_was_opened_its_socket_is_closed() -> None:
    pool = Pool()
    pool.succession.begin()
    pool.start()
    pool.finish()
    pool.succession.cancel()
    assert pool.socket.closed == 1
    pool.succession.cancel()
    assert pool.socket.closed == 1


def test_cancelled_where_the_dial_failed_nothing_happens() -> None:
    pool = Pool()
    pool.error = ConnectionFailed("refused")
    pool.succession.begin()
    pool.start()
    pool.finish()
    pool.succession.cancel()
    assert pool.socket.closed == 0


def test_each_dial_has_its_own_stop() -> None:
    pool = Pool()
    pool.succession.begin()
    pool.start()
    pool.succession.cancel()
    pool.finish()
    pool.succession.begin()
    pool.start()
    pool.finish()
    assert [stop.is_set for stop in pool.stops] == [True, False]
    pool.succession.cancel()


def test_a_pool_that_is_stopped_gives_no_successor() -> None:
    pool = Pool()
    pool.is_stopped = True
    pool.succession.begin()
    assert not pool.succession.is_under_way


# --- ConnectionReporter ---------------------------------------------------------------------------------------------


class Reports:
    def __init__(self) -> None:
        self.clock, bus = ManualClock(), Bus()
        self.subscription = listen(bus, "connection")
        self.metrics = MemoryMetrics()
        pipeline = Pipeline("binance", bus, self.clock, self.metrics)
        self.reporter = ConnectionReporter("market", 5.0, pipeline, self.clock)

    def told(self) -> list[ConnectionEvent]:
        return [self.subscription.get(0) for _ in range(self.subscription.pending)]


def test_a_flapping_connection_is_told_once_down_and_once_up() -> None:
    """However often it comes and goes within an episode (fault F019)."""
    desk = Reports()
    desk.reporter.up()
    assert [event.is_up for event in desk.told()] == [True]
    for attempt in range(1, 8):
        desk.reporter.down(f"reason {attempt}", attempt, 0.5)
        desk.clock.advance(1)
        desk.reporter.up()
        desk.clock.advance(4.9)
        assert desk.reporter.tick() == pytest.approx(0.1)
        assert not desk.reporter.is_settled
    told = desk.told()
    assert [(event.is_up, event.reason, event.attempt, event.retry_in) for event in told] == [
        (False, "reason 1", 1, 0.5)
    ]
    desk.clock.advance(0.1)
    assert desk.reporter.tick() is None
    assert [event.is_up for event in desk.told()] == [True]
    assert desk.reporter.is_settled
    desk.reporter.tick()
    assert desk.told() == []
    # Each of them is counted all the same.
    assert counted(desk.metrics, "connection.down") == 7
    assert counted(desk.metrics, "connection.up") == 8


def test_the_trail_comes_with_the_loss_and_with_nothing_else() -> None:
    desk = Reports()
    desk.reporter.up()
    desk.reporter.recorder.frames([b"last frame"], desk.clock.time_ns())
    desk.reporter.down("reset", 1, 0.25)
    desk.reporter.up()
    desk.clock.advance(6)
    desk.reporter.tick()
    up, down, again = desk.told()
    assert (up.trail, again.trail) == ((), ())
    assert [entry.what for entry in down.trail] == [
        "connected",
        "lost: reset; attempt 1, next in 0.25 s",
        "received last frame",
    ]
    assert "last frame" not in repr(down)


# --- FlightRecorder -------------------------------------------------------------------------------------------------


def test_the_recorder_keeps_the_last_frames_and_changes_in_order() -> None:
    clock = ManualClock()
    recorder = FlightRecorder(clock)
    for number in range(1000):
        clock.advance(0.001)
        recorder.frames([b"%d" % each for each in range(number * 40, number * 40 + 40)], clock.time_ns())
        recorder.change(f"change {number}")
    trail = recorder.trail()
    assert [entry.at for entry in trail] == sorted(entry.at for entry in trail)
    frames = [entry.what for entry in trail if entry.what.startswith("received")]
    # The newest four frames of each of the last eight reads.
    assert frames == [f"received {read * 40 + number}" for read in range(992, 1000) for number in range(36, 40)]
    changes = [entry.what for entry in trail if entry.what.startswith("change")]
    assert changes == [f"change {number}" for number in range(968, 1000)]


def test_the_recorder_shortens_and_cleans_what_it_shows() -> None:
    """(fault F184)"""
    recorder = FlightRecorder(ManualClock())
    recorder.frames([b"\x1b[31m\n\x00\xff" + "é".encode(), b"x" * 1_000_000], 0)
    shown = [entry.what for entry in recorder.trail()]
    assert shown == ["received ?[31m??\ufffdé", "received " + "x" * 240 + "... (1000000 bytes)"]


def test_the_recorder_can_be_read_while_it_is_written() -> None:
    recorder, done = FlightRecorder(SystemClock()), threading.Event()

    def write() -> None:
        while not done.is_set():
            recorder.frames([b"frame"] * 3, 1)
            recorder.change("change")

    writer = Background(write)
    try:
        assert all(len(recorder.trail()) <= 64 for _ in range(300))
    finally:
        done.set()
        writer.result()


# --- Dialler --------------------------------------------------------------------------------------------------------

LIMITS = StreamLimits(1024, 200, 4, connections=300, connections_period=300.0)


class Dials:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, waits: list[float], timeouts: Timeouts | None = None) -> None:
        bus, clock = Bus(), SystemClock()
        self.errors = listen(bus, "error")
        self.asked: list[tuple[Any, ...]] = []
        self.waits = waits
        pipeline = Pipeline("binance", bus, clock, MemoryMetrics())
        config = Config("binance", timeouts=timeouts or Timeouts())
        self.dialler = Dialler(config, LIMITS, pipeline, NetworkParts())
        monkeypatch.setattr(dialler_module, "connect_budget", self.budget)

    def budget(self, *asked: Any) -> Any:
        self.asked.append(asked)
        take = lambda now_ms: self.waits.pop(0) if self.waits else 0.0  # noqa: E731
        return SimpleNamespace(take=take, is_held=lambda now_ms: False)


def test_a_connection_is_opened_within_the_budget_of_its_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """All attempts of a process at one host are counted together (fault F019)."""
    with Server() as server:
        desk = Dials(monkeypatch, [0.001, 0.001])
        desk.dialler.dial(server.url, StopSignal()).close()
        assert server.accept()
        assert desk.asked == [(f"127.0.0.1:{server.peer.port}", 300, 300_000)]
        assert desk.errors.pending == 0, "a short wait is not worth telling"


def test_a_long_wait_for_the_budget_is_told_once_and_broken_by_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for attempts knows why, and can be stopped (fault F019)."""
    stop = StopSignal()
    desk = Dials(monkeypatch, [1000.0] * 9)
    counted: list[float] = []

    def quick(seconds: float) -> bool:
        counted.append(seconds)
        return len(counted) == 3

    monkeypatch.setattr(stop, "wait", quick)
    with pytest.raises(ConnectorStopped):
        desk.dialler.dial("ws://127.0.0.1:1/", stop)
    assert counted == [1000.0] * 3
    assert desk.errors.pending == 1
    event = desk.errors.get(0)
    assert event.where == "connections to 127.0.0.1:1"
    assert isinstance(event.error, RateLimitError)
    assert event.error.retry_after == 1000.0


def test_a_wait_for_the_budget_ends_with_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = StopSignal()
    desk = Dials(monkeypatch, [1000.0])
    waiting = Background(lambda: desk.dialler.dial("ws://127.0.0.1:1/", stop))
    assert desk.errors.get(LIMIT)
    stop.set()
    with pytest.raises(ConnectorStopped):
        waiting.result()


def test_a_dial_ends_with_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection and says nothing holds up no stop (fault F002)."""
    with Server() as server:
        server.answer = wait_for_end
        stop = StopSignal()
        desk = Dials(monkeypatch, [])
        waiting = Background(lambda: desk.dialler.dial(server.url, stop))
        assert server.asked.acquire(timeout=LIMIT)
        stop.set()
        with pytest.raises(ConnectorStopped):
            waiting.result()


def test_nothing_is_dialled_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server:
        desk = Dials(monkeypatch, [])
        with pytest.raises(ConnectorStopped):
            desk.dialler.dial(server.url, stopped())
        assert server.conns.empty()


def test_a_failure_is_a_failure_and_forgets_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server:
        server.answer = refuse
        stop = StopSignal()
        desk = Dials(monkeypatch, [])
        with pytest.raises(ConnectionFailed, match="HTTP 503"):
            desk.dialler.dial(server.url, stop)
        assert stop._wakers == []


def test_no_more_descriptors_is_a_failure_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker dies of it (fault F143)."""

    def exhausted() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    desk, stop = Dials(monkeypatch, []), StopSignal()
    monkeypatch.setattr(socket, "socketpair", exhausted)
    with pytest.raises(ConnectionFailed, match="Too many open files") as caught:
        desk.dialler.dial("ws://127.0.0.1:1", stop)
    assert (caught.value.outcome, caught.value.temporary) == ("not_sent", True)
    assert stop._wakers == []


def test_a_handshake_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as server:
        server.answer = wait_for_end
        desk = Dials(monkeypatch, [], Timeouts(connect=0.1))
        with pytest.raises(ConnectionFailed, match="did not end in time"):
            desk.dialler.dial(server.url, StopSignal())
