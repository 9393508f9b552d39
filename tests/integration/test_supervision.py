"""Crashed, hung and failing parts of a connector and of a hub, on a simulated exchange."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Iterator

import pytest

from exconn_sync import ConnectionEvent, Connector, ErrorEvent, Hub, OrderRequest, ThreadsUnavailable, WorkerHung
from exconn_sync._machines import watchdog
from exconn_sync._runtime import supervisor
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.threads import library_threads
from exconn_sync.config.settings import Timeouts
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.journal import JournalWorker, StopSign
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.unit.support import until


def states(connector: Connector) -> dict[str, tuple[str, str, int]]:
    return {each.name: (each.group, each.state, each.restarts) for each in connector.workers()}


def test_the_workers_form_a_tree(quiet: Simulator, connect: Connect) -> None:
    """A crash of the account's reader takes along the reconciler, and nobody else (fault F141, invariant I25)."""
    connector = connect(quiet)
    crashed = threading.Event()

    def crash() -> None:
        if threading.current_thread().name == "exconn-binance-account" and not crashed.is_set():
            crashed.set()
            raise RuntimeError("a defect of ours")

    with installed("stream.after_read", crash):
        quiet.faults.drop_connections()
        assert crashed.wait(LIMIT)
        until(lambda: states(connector)["binance-reconciler"][2] == 1)
    connector.wait_ready(LIMIT)
    until(
        lambda: (
            states(connector)
            == {
                "binance-store": ("stores", "running", 0),
                "binance-rest": ("binance", "running", 0),
                "binance-market": ("binance", "running", 0),
                "binance-account": ("account", "running", 1),
                "binance-reconciler": ("account", "running", 1),
            }
        )
    )
    last_errors = {each.name: each.last_error for each in connector.workers()}
    assert last_errors["binance-account"] == "RuntimeError: a defect of ours"


def test_a_hung_worker_is_replaced_and_told_with_its_stack(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread stays, but what it does later has no effect (fault F144)."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)
    go_on, metrics = threading.Event(), MemoryMetrics()
    connector = connect(quiet, start=False, metrics=metrics, timeouts=Timeouts(hang=1.2))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    stuck: list[threading.Thread] = []

    def hang() -> None:
        if threading.current_thread().name == "exconn-binance-rest" and not stuck:
            stuck.append(threading.current_thread())
            go_on.wait(LIMIT)

    with installed("rest.before_send", hang):
        connector.start()
        event = errors.get(timeout=LIMIT)
        assert isinstance(event.error, WorkerHung)
        assert event.where == "worker binance-rest"
        assert "in _synchronize" in event.error.details["stack"]
        connector.wait_ready(LIMIT)
    assert states(connector)["binance-rest"] == ("binance", "running", 1)
    assert metrics.counts()["worker.hangs{exchange=binance,worker=binance-rest}"] == 1
    assert "exconn-binance-rest\n" in connector.thread_dump()
    go_on.set()
    stuck[0].join(LIMIT)
    assert connector.ready.is_set()
    assert errors.empty()


def test_a_stop_names_a_thread_that_still_hangs(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not wait for it (fault F144, invariant I21)."""
    monkeypatch.setattr(watchdog, "CONFIRM", 0.05)
    go_on = threading.Event()
    connector = connect(quiet, start=False, timeouts=Timeouts(hang=1.2))
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    stuck: list[threading.Thread] = []

    def hang() -> None:
        if threading.current_thread().name == "exconn-binance-rest" and not stuck:
            stuck.append(threading.current_thread())
            go_on.wait(LIMIT)

    with installed("rest.before_send", hang):
        connector.start()
        errors.get(timeout=LIMIT)
        assert connector.stop(LIMIT) == ["binance-rest"]
    go_on.set()
    stuck[0].join(LIMIT)


class Failing(MemoryJournal):
    """A journal whose thread ends by an exception at once."""

    def __init__(self) -> None:
        super().__init__()
        self.served = 0

    def serve(self, stop: StopSign) -> None:
        self.served += 1
        raise OSError("no space left")


class Serving(MemoryJournal):
    """A journal with a thread that waits."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.woken, self.ended = threading.Event(), threading.Event(), threading.Event()

    def serve(self, stop: StopSign) -> None:
        assert not stop.is_set
        stop.on_set(self.woken.set)
        self.begun.set()
        while not stop.wait(60.0):
            continue
        self.ended.set()


def test_a_journal_that_wants_a_thread_has_a_worker(quiet: Simulator, connect: Connect) -> None:
    journal = Serving()
    connector = connect(quiet, journal=journal)
    assert journal.begun.is_set()
    assert states(connector)["binance-journal"] == ("stores", "running", 0)
    assert connector.workers()[0].name == "binance-journal", "started first, stopped last"
    connector.stop(LIMIT)
    assert journal.woken.is_set()
    assert journal.ended.is_set()
    assert not isinstance(MemoryJournal(), JournalWorker)


def test_a_journal_whose_thread_keeps_failing_ends_the_connector_visibly(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3 restarts in its group, 10 of its group: each limit counts by itself (fault F145, invariant I25)."""
    monkeypatch.setattr("exconn_sync._machines.supervision.LONGEST_PAUSE", 0.0)
    journal = Failing()
    connector = connect(quiet, start=False, journal=journal)
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    connector.start()
    while "gave up" not in errors.get(timeout=LIMIT).where:
        continue
    assert journal.served == lives(3) * lives(10)
    assert connector.state == "failed"
    assert "gave up: no space left" in connector.health().reasons


def lives(restarts: int) -> int:
    """Return how often something runs that may be restarted so often."""
    return restarts + 1


def test_a_connector_whose_threads_do_not_run_says_so(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And can be started once they do (fault F127)."""
    go_on = threading.Event()
    connector = connect(quiet, start=False)
    with monkeypatch.context() as patch, installed("thread.begin", lambda: go_on.wait(LIMIT)):  # type: ignore[arg-type]
        patch.setattr(supervisor, "START_LIMIT", 0.05)
        patch.setattr("exconn_sync._runtime.supervisor._LET_GO", 0.05)
        patch.setattr("exconn_sync.connector.core._LET_GO", 0.05)
        with pytest.raises(ThreadsUnavailable, match="threads do not run"):
            connector.start()
        go_on.set()
    assert connector.state == "stopped"
    assert not connector.ready.wait(0)
    connector.start()
    connector.wait_ready(LIMIT)


@pytest.mark.parametrize("name", ["exconn-binance-supervisor", "exconn-binance-market"])
def test_a_connector_that_gets_no_thread_is_not_half_started(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """(Faults F133, F143.)"""
    connector = connect(quiet, start=False)
    original = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == name:
            raise RuntimeError("can't start new thread")
        original(thread)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(ThreadsUnavailable):
            connector.start()
    assert connector.state == "stopped"
    assert [thread.name for thread in library_threads() if thread.name != "exconn-simulator"] == []
    connector.start()
    connector.wait_ready(LIMIT)


def test_a_busy_interpreter_costs_no_worker(quiet: Simulator, connect: Connect) -> None:
    """Nobody can beat while one call keeps the interpreter for itself, nor can the supervisor look (fault F163)."""
    connector = connect(quiet, timeouts=Timeouts(hang=1.1))
    ctypes.PyDLL(None).usleep(2_600_000)
    # As long as it takes to find somebody who hangs.
    assert not threading.Event().wait(1.1 + watchdog.CONFIRM)
    assert {report.restarts for report in connector.workers()} == {0}
    assert connector._core.assembly.supervisor.abandoned == []
    connector.wait_ready(LIMIT)


# --- a hub ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hub(quiet: Simulator) -> Iterator[Hub]:
    """Two connectors, ``good`` and ``bad``, both ready."""
    hub = Hub()
    for name in ("good", "bad"):
        hub.add(quick(quiet.config()), name=name)
    with hub:
        hub.wait_ready(LIMIT)
        yield hub


def fail(connector: Connector) -> None:
    """Let the supervisor of a running connector give up."""
    until(lambda: connector.state not in ("failed", "stopping", "stopped") and connector._core.running is not None)
    assembly = connector._core.running
    assert assembly is not None
    until(lambda: assembly.supervisor._crew._is_running)
    assembly.supervisor._give_up("market", RuntimeError("a defect of ours"))


def test_a_connector_that_gave_up_is_started_again_by_its_hub(hub: Hub) -> None:
    other = hub["good"]._core.running
    ticks: queue.Queue[object] = queue.Queue()
    hub["bad"].on_connection(ticks.put)
    fail(hub["bad"])
    until(lambda: hub["bad"].state == "ready")
    assert hub["good"]._core.running is other
    assert hub["good"].state == "ready"
    assert ticks.get(timeout=LIMIT), "subscriptions go on"


def test_one_that_keeps_giving_up_stays_failed_and_harms_no_other(hub: Hub) -> None:
    """More than 5 times in 10 s, counted for it alone (fault F145)."""
    other = hub["good"]._core.running
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    hub["bad"].on_error(errors.put)
    for _ in range(6):
        fail(hub["bad"])
    wheres = []
    while "hub gave up on bad" not in wheres:
        wheres.append(errors.get(timeout=LIMIT).where)
    assert wheres.count("supervisor gave up on market") == 6
    assert (hub["bad"].state, hub.health()["bad"].status) == ("failed", "down")
    assert "gave up: a defect of ours" in hub.health()["bad"].reasons
    assert hub["good"]._core.running is other
    assert hub["good"].state == "ready"
    hub.start()
    hub.wait_ready(LIMIT)
    fail(hub["bad"])
    until(lambda: hub["bad"].state == "ready")


def test_nothing_is_started_again_behind_a_stop(hub: Hub) -> None:
    assert "exconn-hub-supervisor" in [thread.name for thread in library_threads()]
    removed = hub["bad"]
    hub.remove("bad")
    assert hub.stop(LIMIT) == []
    assert "exconn-hub-supervisor" not in [thread.name for thread in library_threads()]
    for connector in (removed, hub["good"]):
        connector.start()
        fail(connector)
        assert connector.state == "failed"
        connector.stop(LIMIT)
    hub._revive("good")
    assert hub["good"].state == "stopped"


@pytest.mark.parametrize(
    ("part", "place"),
    [("market", "stream.after_read"), ("market", "stream.before_delivery"), ("account", "stream.after_read")],
)
def test_a_hung_reader_is_told_as_lost_and_has_no_effect_when_it_wakes(
    part: str, place: str, lively: Simulator, connect: Connect
) -> None:
    """Nothing that it fed looks alive before its successor has connected (fault F144)."""
    connector = connect(lively, timeouts=Timeouts(hang=1.1))
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    books = connector.stream_order_book("BTC-USDT")
    events: queue.Queue[ConnectionEvent] = queue.Queue()
    connector.on_connection(lambda event: events.put(event) if event.connection == part else None)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
    trades.get(LIMIT)
    while not connector.order_book("BTC-USDT").is_valid:
        books.get(LIMIT)
    hung, release = threading.Event(), threading.Event()
    seen: dict[str, object] = {}

    def hang() -> None:
        if threading.current_thread().name == f"exconn-binance-{part}" and not hung.is_set():
            hung.set()
            release.wait(LIMIT)

    def look() -> None:
        # On the thread that is about to start the successor.
        if threading.current_thread().name == f"exconn-binance-{part}" and hung.is_set() and not seen:
            seen.update(
                is_connected=connector.is_connected,
                is_ready=connector.ready.is_set(),
                is_valid=connector.order_book("BTC-USDT").is_valid,
            )

    with installed(place, hang), installed("worker.begin", look):
        assert hung.wait(LIMIT)
        down = events.get(timeout=LIMIT)
        assert not down.is_up
        assert "gave no sign of life" in down.reason
        assert events.get(timeout=LIMIT).is_up
        connector.wait_ready(LIMIT)
        assert seen == {"is_connected": False, "is_ready": False, "is_valid": part == "account"}
        release.set()
        order.cancel()
        assert order.wait(timeout=LIMIT), "the account stream, or a look, tells of the cancellation"
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(trades.pending + 3)]
    assert numbers == sorted(set(numbers))
    until(lambda: connector._core.assembly.supervisor.abandoned == [])
    assert events.empty()
