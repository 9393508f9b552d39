"""The tables of threads and locks equal what really runs and what the code really has."""

from __future__ import annotations

import ast
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from exconn_sync import Connector, Hub, OrderRequest
from exconn_sync._runtime.faultpoints import installed
from exconn_sync._runtime.lookup import AddressInfo, LookupPool
from exconn_sync._runtime.threads import library_threads, spawn
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.model.wire import Unrecognized
from exconn_sync.persistence import MemoryJournal
from exconn_sync.ports.driver import StreamLimits
from exconn_sync.ports.journal import StopSign
from exconn_sync.simulator import Simulator
from tests.docs.pages import DOCS, ROOT, blocks, first_column

LIMIT = 10.0
PAGE = DOCS / "concepts" / "threads.md"
PACKAGE = ROOT / "exconn_sync"
_PARTS = {
    "<exchange>": "[a-z]+",
    "<number>": "[0-9]+",
    "<channel>": "[a-z*]+",
    "<symbol>": "[A-Z0-9*-]+",
    "<name>": ".+",
}
_LOCKS = ("Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore")


def patterns() -> dict[str, re.Pattern[str]]:
    """Return the names in the page's table with what each of them stands for."""
    found: dict[str, re.Pattern[str]] = {}
    for name in first_column(PAGE, "Thread"):
        pattern = re.escape(name)
        for part, meaning in _PARTS.items():
            pattern = pattern.replace(re.escape(part), meaning)
        found[name] = re.compile(pattern)
    return found


def running_threads() -> set[str]:
    """Return the names of all threads that a connector with a key and subscriptions, and a simulator, bring."""
    before = set(threading.enumerate())
    has_trade, has_order = threading.Event(), threading.Event()
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.on_trade("BTC-USDT", lambda trade: has_trade.set())
        connector.on_order(lambda order: has_order.set())
        connector.wait_ready(LIMIT)
        order = connector.submit_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")).result(LIMIT)
        assert has_trade.wait(LIMIT)
        assert has_order.wait(LIMIT)
        names = {thread.name for thread in set(threading.enumerate()) - before}
        order.cancel()
    return names


def threads_of_a_hub(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of the threads that a hub has, and that it starts to stop its connectors."""
    names: set[str] = set()

    def noted(name: str, target: Callable[[], None]) -> threading.Thread:
        thread = spawn(name, target)
        names.add(thread.name)
        return thread

    monkeypatch.setattr("exconn_sync.hub.stopping.spawn", noted)
    with Simulator() as exchange, Hub(exchange.config()) as hub:
        hub.wait_ready(LIMIT)
        names |= {thread.name for thread in library_threads()}
    return names


def threads_of_many_topics(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of the threads where one connection is not enough for all topics."""
    monkeypatch.setattr(BinanceDriver, "stream_limits", StreamLimits(1, 200, 4))
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.wait_ready(LIMIT)
        for stream in (connector.stream_trades("BTC-USDT"), connector.stream_trades("ETH-USDT")):
            stream.get(LIMIT)
        return {thread.name for thread in library_threads()}


def thread_of_a_journal() -> set[str]:
    """Return the names of the threads of a connector whose journal has one of its own."""
    served = threading.Event()

    class Serving(MemoryJournal):
        def serve(self, stop: StopSign) -> None:
            served.set()
            stop.wait(None)

    with Simulator() as exchange, Connector(replace(exchange.config(), journal=Serving())):
        assert served.wait(LIMIT)
        return {thread.name for thread in library_threads()}


def thread_of_the_limits() -> set[str]:
    """Return the names of the threads of a connector whose limits have to be looked after."""
    with Simulator() as exchange, Connector(exchange.config(risk={"dead_man": 60.0})) as connector:
        connector.wait_ready(LIMIT)
        return {thread.name for thread in library_threads()}


def thread_of_commands(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of the threads of a connector whose commands go over a socket of their own."""

    class Wire:
        def url(self, endpoints: Mapping[str, str]) -> str:
            return endpoints["ws_api"]

        def encode_login(self, *args: object) -> bytes:
            dialled.set()
            return b"{}"

        def parse(self, frame: bytes, received_at: int) -> Unrecognized:
            return Unrecognized("answer")

    dialled = threading.Event()
    monkeypatch.setattr(BinanceDriver, "command_wire", lambda self, environment: Wire())
    with Simulator() as exchange, Connector(replace(exchange.config(), commands="socket")):
        assert dialled.wait(LIMIT)
        return {thread.name for thread in library_threads()}


def thread_of_a_supervisor_that_has_something_to_say() -> set[str]:
    """Return the names of the threads while a supervisor reports a crash."""
    told: set[str] = set()
    reported = threading.Event()

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "crashed" in record.getMessage():
                told.add(threading.current_thread().name)
                reported.set()

    def crash() -> None:
        if not reported.is_set() and threading.current_thread().name == "exconn-binance-rest":
            raise RuntimeError("a defect")

    handler = Noting()
    logging.getLogger("exconn_sync").addHandler(handler)
    try:
        with Simulator() as exchange, installed("worker.begin", crash), Connector(exchange.config()):
            assert reported.wait(LIMIT)
    finally:
        logging.getLogger("exconn_sync").removeHandler(handler)
    return told


def threads_of_a_provider() -> set[str]:
    """Return the names of the threads of a connector that asks for its key."""
    asked = threading.Event()
    names: set[str] = set()
    with Simulator() as exchange:

        def provide() -> tuple[str, str]:
            names.add(threading.current_thread().name)
            asked.set()
            return exchange.api_key, exchange.api_secret

        with Connector(exchange.config(credentials_provider=provide)):
            assert asked.wait(LIMIT)
            return names | {thread.name for thread in library_threads()}


def threads_of_a_lookup() -> set[str]:
    """Return the names of the threads that resolve a name."""
    names: set[str] = set()
    done = threading.Event()

    def resolve(host: str, port: int) -> list[AddressInfo]:
        names.add(threading.current_thread().name)
        return []

    LookupPool(resolve)("exchange.invalid", 443, done.set)
    assert done.wait(LIMIT)
    return names


def test_the_table_of_threads_is_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    table, names = patterns(), running_threads() | threads_of_a_hub(monkeypatch) | thread_of_a_journal()
    names |= threads_of_many_topics(monkeypatch) | threads_of_a_lookup() | threads_of_a_provider()
    names |= thread_of_a_supervisor_that_has_something_to_say() | thread_of_commands(monkeypatch)
    names |= thread_of_the_limits()
    unexplained = [name for name in names if not any(pattern.fullmatch(name) for pattern in table.values())]
    assert not unexplained, "threads that the page does not name"
    missing = [name for name, pattern in table.items() if not any(pattern.fullmatch(thread) for thread in names)]
    assert not missing, "threads that the page promises"


def test_the_example_dump_is_what_runs() -> None:
    dump = next(block.body for block in blocks(PAGE) if block.info == "text").split()
    assert set(dump) - {"MainThread"} == running_threads()


def lock_owners(path: Path) -> Iterator[str]:
    """Yield the class, or the module, of each lock that a file makes, and of each class that is a queue."""
    module = path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside: set[ast.AST] = set()
    for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        inside |= set(ast.walk(kind))
        is_queue = any("queue.Queue" in ast.unparse(base) for base in kind.bases)
        if is_queue or any(makes_lock(node) for node in ast.walk(kind)):
            yield f"{module}.{kind.name}"
    if any(makes_lock(node) for node in ast.walk(tree) if node not in inside):
        yield module


def makes_lock(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _LOCKS


def test_the_table_of_locks_is_what_the_code_has() -> None:
    owners = {owner for path in PACKAGE.rglob("*.py") for owner in lock_owners(path)}
    table = first_column(PAGE, "Lock of")
    assert len(table) == len(set(table))
    assert set(table) == owners
