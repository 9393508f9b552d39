"""Programs that end in every way: who ends them, from where, in what condition, and whether they stop the connector."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from tests.process.support import Ended, finish, popen

STOP_TIMEOUT = 1.0
GRACE = 3.0
"""Seconds beyond the limit of the stop in which a process must have ended: what hangs in it hangs for a minute."""

_AT_ONCE = 6

PROGRAM = """
CASE = json.loads(os.environ["CASE"])
connector = Connector(make_config(timeouts=Timeouts(stop=1.0)))
acted = threading.Event()

def ready():
    print("ready", flush=True)

def mark():
    # From here on the time counts. It is this program's turn when a byte comes.
    ready()
    os.read(0, 1)
    print("at", time.monotonic(), flush=True)

def on_connection(event):
    if acted.is_set() or CASE["origin"] != "callback":
        return
    mark()
    acted.set()
    if CASE["trigger"] == "raise":
        raise RuntimeError("chosen")
    if CASE["trigger"] == "exit":
        sys.exit(3)
    if CASE["trigger"] == "stop":
        connector.stop()
    if CASE["trigger"] in ("SIGINT", "SIGTERM"):
        os.kill(os.getpid(), getattr(signal, CASE["trigger"]))

def work():
    if CASE["origin"] == "callback":
        if CASE["trigger"] in ("SIGINT", "SIGTERM"):
            time.sleep(60)
        acted.wait(60)
        return
    if CASE["network"] == "connected":
        connector.wait_ready(20)
        trades.get(20)
    if CASE["trigger"] in ("SIGINT", "SIGTERM"):
        ready()
        if CASE["network"] == "connected":
            for trade in trades:
                pass
        connector.wait_ready()
    mark()
    if CASE["trigger"] == "raise":
        raise RuntimeError("chosen")
    if CASE["trigger"] == "exit":
        sys.exit(3)

connector.on_connection(on_connection)
connector.on_book_ticker("BTC-USDT", lambda ticker: None)
trades = connector.stream_trades("BTC-USDT")
if CASE["ending"] == "with":
    with connector:
        work()
elif CASE["ending"] == "helper":
    with stopping_on_signal(), connector:
        work()
else:
    connector.start()
    try:
        work()
    finally:
        if CASE["ending"] == "stop":
            connector.stop()
"""


class Case(NamedTuple):
    """One program: what ends it (``trigger``), from where, in what condition, and how it treats its connector."""

    trigger: str
    origin: str
    network: str
    ending: str

    def __str__(self) -> str:
        return "-".join(self)

    @property
    def code(self) -> int:
        """The exit code that the program chose."""
        if self.trigger == "SIGINT":
            return -signal.SIGINT
        if self.trigger == "SIGTERM":
            return 143 if self.ending == "helper" else -signal.SIGTERM
        if self.origin == "callback":
            return 0
        return {"return": 0, "raise": 1, "exit": 3}[self.trigger]

    @property
    def traceback(self) -> str:
        """The last line of the one traceback that is the program's own; empty for none."""
        if self.trigger == "SIGINT":
            return "KeyboardInterrupt"
        return "RuntimeError: chosen" if self.trigger == "raise" and self.origin == "main" else ""


CASES = [
    *(
        Case(trigger, "main", network, ending)
        for trigger in ("return", "raise", "exit", "SIGINT")
        for network in ("connected", "refused", "silent")
        for ending in ("stop", "with", "forgotten")
    ),
    *(Case("SIGTERM", "main", network, "forgotten") for network in ("connected", "refused", "silent")),
    *(Case("SIGTERM", "main", network, "helper") for network in ("connected", "refused", "silent")),
    *(
        Case(trigger, "callback", network, ending)
        for trigger in ("raise", "exit", "stop", "SIGINT")
        for network in ("connected", "refused")
        for ending in ("with", "forgotten")
    ),
    Case("SIGTERM", "callback", "connected", "forgotten"),
    Case("SIGTERM", "callback", "connected", "helper"),
]


CONTROL = """
import exconn_sync.simulator
print("ready", flush=True)
os.read(0, 1)
time.sleep(1.0)
"""
"""A program without a connector that takes just the limit of the stop, at the same time as a case: what it needs beyond
that is what this machine needs for the end of any program at that moment."""


class Result(NamedTuple):
    """What a program left, the seconds from its trigger to its end, and how many of them any program needed then."""

    ended: Ended
    seconds: float
    needed: float


@contextmanager
def addresses(exchange: str) -> Iterator[dict[str, str]]:
    """Yield the exchange's facts by network condition: itself, a closed port, and a peer that never says a word."""
    facts = json.loads(exchange)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = {"connected": exchange}
        for name, sock in (("silent", silent), ("refused", closed)):
            host = f"127.0.0.1:{sock.getsockname()[1]}"
            moved = {"rest": f"http://{host}", "stream": f"ws://{host}", "ws_api": f"ws://{host}/ws-api/v3"}
            found[name] = json.dumps({**facts, **moved})
        yield found


def run_all(cases: Sequence[Case], exchange: str) -> dict[Case, Result]:
    """Run the programs: some are started together, and when all of them are ready, one after the other is ended.

    Starting an interpreter keeps a processor busy for longer than most ends take, and must not be measured with them.
    """
    results: dict[Case, Result] = {}
    with addresses(exchange) as places:
        for begin in range(0, len(cases), _AT_ONCE):
            batch = cases[begin : begin + _AT_ONCE]
            processes = [_start(case, places[case.network]) for case in batch]
            controls = [Control(exchange) for _ in batch]
            for process in (*processes, *(control.process for control in controls)):
                assert process.stdout is not None
                process.stdout.readline()
            ends = [
                _end(case, process, control) for case, process, control in zip(batch, processes, controls, strict=True)
            ]
            for case, (ended, seconds), control in zip(batch, ends, controls, strict=True):
                results[case] = Result(ended, seconds, control.result() - STOP_TIMEOUT)
    return results


class Control:
    """A program beside a case, which is triggered with it and takes the limit of the stop."""

    def __init__(self, exchange: str) -> None:
        self.process = popen(CONTROL, exchange, stdin=subprocess.PIPE)
        self._triggered = 0.0
        self._ended: list[Ended] = []
        self._waiter = threading.Thread(target=lambda: self._ended.append(finish(self.process)))

    def trigger(self) -> None:
        """Let it begin; it is waited for in the background."""
        assert self.process.stdin is not None
        self._triggered = time.monotonic()
        self.process.stdin.write(".")
        self.process.stdin.flush()
        self._waiter.start()

    def result(self) -> float:
        """Return the seconds from the trigger to its end."""
        self._waiter.join()
        return self._ended[0].at - self._triggered


def _start(case: Case, exchange: str) -> subprocess.Popen[str]:
    setting = f"import os\nos.environ['CASE'] = {json.dumps(case._asdict())!r}\n"
    return popen(setting + PROGRAM, exchange, stdin=subprocess.PIPE)


def _end(case: Case, process: subprocess.Popen[str], control: Control) -> tuple[Ended, float]:
    """Trigger the end of a program that is ready; one that failed before is shown by its exit code."""
    control.trigger()
    if case.origin == "main" and case.trigger.startswith("SIG"):
        sent = time.monotonic()
        process.send_signal(getattr(signal, case.trigger))
        ended = finish(process)
        return ended, ended.at - sent
    assert process.stdin is not None
    process.stdin.write(".")
    process.stdin.flush()
    ended = finish(process)
    marks = [line for line in ended.out.splitlines() if line.startswith("at ")]
    return ended, ended.at - float(marks[0].split()[1])
