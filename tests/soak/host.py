"""A program that holds one connector and nothing else, so that its processor time and memory are the library's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from exconn_sync.simulator import Simulator
from tests.process.support import LIMIT, environment, script

PROGRAM = """
import gc
from collections import Counter
from pathlib import Path
from exconn_sync.config.settings import Delivery, Intervals

class Sink:
    # Every connection that was made, lost, or tried in vain.
    def __init__(self):
        self.noted = []
    def count(self, name, amount=1, **labels):
        if name.startswith("connection."):
            self.noted.append((time.monotonic(), labels["connection"], name.removeprefix("connection.")))
    def observe(self, name, value, **labels):
        pass

sink = Sink()
told, errors, reasons, seen = [], [], [], Counter()
connector = Connector(make_config(metrics=sink, **eval(os.environ["SETTINGS"])))

def on_connection(event):
    told.append((event.connection, event.is_up))
    reasons.append(event.reason)

connector.on_connection(on_connection)
connector.on_error(lambda event: errors.append(type(event.error).__name__))

def measure():
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    descriptors = len(os.listdir("/proc/self/fd"))
    # The pool starts its threads, at most 8, when it first needs them, and a subscription its own with the first event.
    started_late = ("exconn-binance-pool-", "exconn-dispatch-")
    threads = sum(not thread.name.startswith(started_late) for thread in threading.enumerate())
    return time.process_time(), resident, len(gc.get_objects()), threads, descriptors

def ready(timeout):
    connector.wait_ready(timeout)

def report():
    restarts = sum(worker.restarts for worker in connector.workers())
    facts = {"told": told, "reasons": reasons, "noted": sink.noted, "errors": errors}
    return {**facts, "seen": dict(seen), "restarts": restarts}

def order():
    placed = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "20000"))
    placed.cancel()
    return str(placed.status)

def stop():
    return connector.stop()

COMMANDS = {each.__name__: each for each in (measure, ready, report, order, stop)}

def command(function):
    COMMANDS[function.__name__] = function
    return function
"""

LOOP = """
connector.start()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    print(json.dumps(COMMANDS[name](*arguments)), flush=True)
"""


class Usage(NamedTuple):
    """Processor time so far in seconds; resident bytes, objects, threads (but pool and dispatchers), descriptors."""

    cpu: float
    resident: int
    objects: int
    threads: int
    descriptors: int


class Host:
    """The program, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, name: str, *arguments: Any) -> Any:
        """Have one of its functions called and return the result; a program that ended fails the test."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the program ended"
        return json.loads(line)

    def usage(self) -> Usage:
        """Return what it uses, after a collection."""
        return Usage(*self.ask("measure"))


@contextmanager
def hosting(exchange: Simulator, code: str, settings: str = "") -> Iterator[Host]:
    """Run a program with a connector; ``code`` subscribes and adds functions, ``settings`` are keywords as text."""
    facts = {name: getattr(exchange, name) for name in ("rest", "stream", "ws_api")}
    known = json.dumps({**facts, "key": exchange.api_key, "secret": exchange.api_secret})
    process = subprocess.Popen(
        [sys.executable, "-c", script(PROGRAM) + script(code).removeprefix(script("")) + LOOP],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**environment(known), "SETTINGS": f"dict({settings})"},
    )  # fmt: skip
    with process:
        host = Host(process)
        try:
            host.ask("ready", LIMIT)
            yield host
            assert host.ask("stop") == []
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()


def wait_until(host: Host, name: str, wanted: Any, limit: float = LIMIT) -> Any:
    """Ask until the answer is wanted; return it."""
    end = time.monotonic() + limit
    while not wanted(answer := host.ask(name)):
        assert time.monotonic() < end, f"did not come true in time: {answer}"
        time.sleep(0.02)
    return answer
