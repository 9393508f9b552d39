"""The end of a program: in time, with the exit code it chose, without a word that is not its own."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.orders import OrderFact
from exconn_sync.persistence import SqliteJournal
from tests.process.exit_cases import CASES, GRACE, STOP_TIMEOUT, Case, Result, run_all
from tests.process.support import finish, popen, run


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, exchange: str) -> dict[Case, Result]:
    """Run the programs of all cases that were asked for, together: each of them mostly waits."""
    chosen = [item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")]
    return run_all([case for case in CASES if case in chosen], exchange)


# The first one waits until the programs of all cases have ended.
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_program_ends_in_time_with_its_own_exit_code(case: Case, results: dict[Case, Result]) -> None:
    """Faults F129, F130 and F132, invariant I23."""
    ended, seconds, needed = results[case]
    assert ended.code == case.code, ended.err
    assert "Fatal Python error" not in ended.err
    if case.traceback:
        assert ended.err.count("Traceback") == 1, ended.err
        assert ended.err.rstrip().endswith(case.traceback), ended.err
    else:
        assert ended.err == ""
    assert seconds - needed <= STOP_TIMEOUT + GRACE


def test_what_was_not_stopped_is_named(exchange: str) -> None:
    """A ResourceWarning for what was forgotten, none for what was stopped (faults F132, F154)."""
    ended = run(
        """
    import gc
    connectors = [Connector(make_config()) for _ in range(3)]
    for connector in connectors:
        connector.start()
    connectors[0].stop()
    # Dropped without stop: it lives on, because its threads hold it.
    del connectors, connector
    gc.collect()
    assert sum(thread.name == "exconn-binance-market" for thread in threading.enumerate()) == 2
    """,
        exchange, "-W", "default",
    )  # fmt: skip
    assert ended.code == 0
    assert ended.err.count("ResourceWarning: not stopped before the program ended: <Connector binance") == 1, ended.err
    assert ended.err.count("<Connector binance") == 2
    assert "Traceback" not in ended.err


def test_the_exit_hook_holds_nothing_once_stopped(exchange: str) -> None:
    """A stopped connector can be collected; one that was never started, too (invariant I21, fault F154)."""
    ended = run(
        """
    import gc, weakref
    from exconn_sync._runtime import exit_hook
    from exconn_sync.ports import forking
    one, other = Connector(make_config()), Connector(make_config())
    one.on_trade("BTC-USDT", print)
    one.start()
    one.wait_ready(10)
    one.stop()
    gone = [weakref.ref(one), weakref.ref(one._core), weakref.ref(other._core), weakref.ref(one._core.bus)]
    assert not exit_hook._running
    del one, other
    gc.collect()
    assert [each() for each in gone] == [None] * 4
    kept = [reference() for reference in forking._renewable.values()]
    assert {type(thing).__name__ for thing in kept} == {"Budget", "ConnectBudget", "MemoryStore", "Turns"}, kept
    assert not forking._descriptors
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, "")


def test_the_limit_is_one_for_all_connectors(exchange: str) -> None:
    """Three connectors, each with a callback that does not return, end within one limit (fault F132)."""
    ended = run(
        """
    inside = threading.Semaphore(0)
    def hang(event):
        inside.release()
        while True:
            # One long sleep is not interrupted by a signal that comes just before it.
            time.sleep(0.05)
    for _ in range(3):
        connector = Connector(make_config(timeouts=Timeouts(stop=3.0)))
        connector.on_connection(hang)
        connector.start()
    for _ in range(3):
        assert inside.acquire(timeout=10)
    print(time.monotonic(), flush=True)
    """,
        exchange,
    )
    assert (ended.code, ended.err) == (0, "")
    # One after the other they would take nine seconds.
    assert 3.0 <= ended.at - float(ended.out) < 9.0


HANGING = """
    inside = threading.Event()
    def hang(event):
        inside.set()
        while True:
            # One long sleep is not interrupted by a signal that comes just before it.
            time.sleep(0.05)
    connector = Connector(make_config(timeouts=Timeouts(stop=15.0)))
    connector.on_connection(hang)
    """


def interrupt(code: str, exchange: str, *signals: signal.Signals) -> tuple[int, str, float]:
    """Send signals, each after a line of the program; return exit code, errors and the seconds after the last."""
    process = popen(HANGING + code, exchange)
    assert process.stdout is not None
    sent = 0.0
    for each in signals:
        assert process.stdout.readline()
        sent = time.monotonic()
        process.send_signal(each)
    ended = finish(process)
    return ended.code, ended.err, ended.at - sent


def test_a_second_interrupt_ends_the_stop_at_once(exchange: str) -> None:
    """The callback hangs and the stop may take 15 s; the operator does not want to wait (fault F131)."""
    code, errors, seconds = interrupt(
        """
    from exconn_sync._runtime import faultpoints
    faultpoints._hooks["stop.before_workers"] = lambda: print("stopping", flush=True)
    with connector:
        inside.wait(10)
        print("running", flush=True)
        while True:
            # One long sleep is not interrupted by a signal that comes just before it.
            time.sleep(0.05)
    """,
        exchange, signal.SIGINT, signal.SIGINT,
    )  # fmt: skip
    assert code == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert "Fatal" not in errors
    assert seconds < 5


def test_an_interrupt_ends_the_exit_hook_at_once(exchange: str) -> None:
    """The program has ended already and keeps its exit code; nothing more is printed (fault F131)."""
    code, errors, seconds = interrupt(
        """
    from exconn_sync._runtime import faultpoints
    faultpoints._hooks["stop.after_signal"] = lambda: print("stopping", flush=True)
    connector.start()
    inside.wait(10)
    sys.exit(4)
    """,
        exchange, signal.SIGINT,
    )  # fmt: skip
    assert (code, errors) == (4, "")
    assert seconds < 5


def test_two_terminations_end_the_stop_at_once(exchange: str) -> None:
    """With the helper, SIGTERM stops in order, and a second one breaks the stop off (faults F130, F131)."""
    code, errors, seconds = interrupt(
        """
    from exconn_sync._runtime import faultpoints
    faultpoints._hooks["stop.before_workers"] = lambda: print("stopping", flush=True)
    with stopping_on_signal(), connector:
        inside.wait(10)
        print("running", flush=True)
        while True:
            # One long sleep is not interrupted by a signal that comes just before it.
            time.sleep(0.05)
    """,
        exchange, signal.SIGTERM, signal.SIGTERM,
    )  # fmt: skip
    assert (code, errors) == (143, "")
    assert seconds < 5


def test_a_stop_that_is_broken_off_leaves_a_whole_journal(exchange: str, tmp_path: Path) -> None:
    """Orders are being placed when the operator loses patience; all that was promised is there (fault F131)."""
    path = tmp_path / "j.db"
    code, errors, seconds = interrupt(
        f"""
    from exconn_sync._runtime import faultpoints
    connector = Connector(make_config(timeouts=Timeouts(stop=15.0), journal="sqlite:{path}"))
    connector.on_connection(hang)
    request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
    faultpoints._hooks["stop.before_workers"] = lambda: print("stopping", flush=True)
    def trade():
        while True:
            try:
                connector.place_order(request).cancel()
            except ExconnError:
                time.sleep(0.001)
    with connector:
        inside.wait(10)
        connector.wait_ready(10)
        threading.Thread(target=trade, daemon=True).start()
        for _ in range(3):
            connector.place_order(request).cancel()
        print("running", flush=True)
        while True:
            # One long sleep is not interrupted by a signal that comes just before it.
            time.sleep(0.05)
    """,
        exchange, signal.SIGINT, signal.SIGINT,
    )  # fmt: skip
    assert code == -signal.SIGINT
    assert "Fatal" not in errors
    assert seconds < 10
    journal = SqliteJournal(path)
    facts = [fact for fact in journal.replay() if isinstance(fact, OrderFact)]
    journal.close()
    intents = {fact.client_order_id for fact in facts if fact.status is OrderStatus.PENDING_NEW}
    ended = {fact.client_order_id for fact in facts if fact.status is OrderStatus.CANCELED}
    assert len(intents & ended) >= 3


def test_an_interrupted_stop_leaves_nothing_alive_that_can_end(exchange: str) -> None:
    """After the interrupt the connector is stopped, and can be started again (fault F131)."""
    code, errors, _ = interrupt(
        """
    from exconn_sync._runtime import faultpoints
    from exconn_sync._runtime.threads import library_threads
    connector.on_trade("BTC-USDT", lambda trade: None)
    connector.start()
    inside.wait(10)
    with faultpoints.installed("stop.before_workers", lambda: print("stopping", flush=True)):
        try:
            connector.stop()
        except KeyboardInterrupt:
            print("interrupted")
    assert connector.state == "stopped"
    end = time.monotonic() + 10
    while len(library_threads()) > 1 and time.monotonic() < end:
        time.sleep(0.01)
    assert [thread.name for thread in library_threads()] == ["exconn-dispatch-connection.binance.*"]
    connector.start()
    connector.wait_ready(10)
    assert connector.stop() == []
    """,
        exchange, signal.SIGINT,
    )  # fmt: skip
    assert (code, errors) == (0, "")


def test_ctrl_c_interrupts_every_blocking_call() -> None:
    """KeyboardInterrupt comes out of each wait, no lock stays held, and the stop works afterwards (fault F129)."""
    ended = run(
        """
    from contextlib import ExitStack
    from exconn_sync.simulator import Simulator
    CALLS = {
        "ready.wait": lambda: Connector(config).ready.wait(),
        "wait_ready": lambda: refused.wait_ready(),
        "order.wait": lambda: order.wait(),
        "get": lambda: quiet.get(),
        "for": lambda: [None for _ in quiet],
        "place_order": lambda: connector.place_order(request, timeout=30),
        "cancel_order": lambda: connector.cancel_order(order, timeout=30),
        "fetch": lambda: connector.fetch_balances(timeout=30),
        "order.cancel": lambda: order.cancel(timeout=30),
        "future": lambda: connector.submit_order(request).result(),
        "stop": lambda: hanging.stop(),
    }
    def hang(event):
        inside.set()
        release.wait(60)
    inside, release = threading.Event(), threading.Event()
    with Simulator(running_market=False) as simulator, ExitStack() as faults:
        config = replace(simulator.config(), timeouts=Timeouts(stop=30.0, request=30.0))
        nowhere = {"rest": "http://127.0.0.1:1", "stream": "ws://127.0.0.1:1", "ws_api": "ws://127.0.0.1:1"}
        refused = Connector(replace(config, endpoints={**config.endpoints, **nowhere}))
        connector, hanging = Connector(config), Connector(config)
        quiet = connector.stream_trades("ETH-USDT")
        hanging.on_connection(hang)
        for each in (connector, refused, hanging):
            each.start()
        connector.wait_ready(10)
        request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
        order = connector.place_order(request)
        assert inside.wait(10)
        for method, path in (("POST", "order"), ("DELETE", "order"), ("GET", "account")):
            faults.enter_context(simulator.faults.delay(method, "/api/v3/" + path, 8.0))
        for name, call in CALLS.items():
            timer = threading.Timer(0.15, os.kill, (os.getpid(), signal.SIGINT))
            began = time.monotonic()
            try:
                timer.start()
                call()
            except KeyboardInterrupt:
                seconds = time.monotonic() - began
                assert seconds < 7, (name, seconds)
                print(name)
            timer.join()
        unknown = [state for state in connector.orders.open() if state.status == "unknown"]
        assert len(unknown) == 1, "the interrupted order may have arrived"
        release.set()
        for each in (connector, refused, hanging):
            assert each.stop(10) == []
    """,
        "{}", limit=60,
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, ""), ended.out + ended.err
    assert len(ended.out.split()) == 11, ended.out


def test_start_and_commands_at_the_programs_end_refuse_cleanly(exchange: str) -> None:
    """From exit hooks before and after the library's own, and from a finaliser (fault F133)."""
    ended = run(
        """
    import atexit
    connector, other, unused = [Connector(make_config()) for _ in range(3)]
    request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000")
    def attempt(when, *calls):
        for call in calls:
            try:
                print(when, type(call()).__name__)
            except ConnectorStopped:
                print(when, "refused")
    def last():
        attempt("after", connector.start, other.start, connector.wait_ready, lambda: connector.place_order(request),
                lambda: connector.submit_order(request), unused.start)
    def first():
        attempt("before", other.start, lambda: connector.place_order(request).cancel())
    class Finalised:
        def __del__(self):
            last()
    atexit.register(last)
    connector.start()
    connector.wait_ready(10)
    atexit.register(first)
    kept = Finalised()
    kept.itself = kept
    import builtins
    builtins.kept = Finalised()
    """,
        exchange,
    )
    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (0, "")
    assert lines[:2] == ["before refused", "before NoneType"]
    assert lines[2:8] == ["after refused"] * 6
    assert set(lines[8:]) <= {"after refused"}


def test_the_helper_restores_what_was_there(exchange: str) -> None:
    """Also a handler of the program's own; and outside of the main thread it says what is wrong (fault F130)."""
    ended = run(
        """
    def mine(number, frame):
        print("mine")
    signal.signal(signal.SIGTERM, mine)
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    for each in before:
        try:
            with stopping_on_signal(signal.SIGTERM, signal.SIGHUP):
                os.kill(os.getpid(), each)
                time.sleep(10)
        except SystemExit as error:
            assert error.code == 128 + each
        assert {each: signal.getsignal(each) for each in before} == before
    os.kill(os.getpid(), signal.SIGTERM)
    def elsewhere():
        try:
            with stopping_on_signal():
                print("wrong")
        except ValueError:
            print("refused")
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    """,
        exchange,
    )
    assert (ended.code, ended.out, ended.err) == (0, "mine\nrefused\n", "")
