"""Programs under test: each in a process of its own, against an exchange in another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LIMIT = 60.0
"""Seconds that any single thing in these tests may take; far more than it needs."""

SERVE = """
    import json, sys
    from exconn_sync.simulator import Simulator
    with Simulator() as simulator:
        # Every start of a program costs about 150 of the weight that an exchange allows in a minute.
        simulator.faults.rate_limits(weight_per_minute=10**9)
        facts = {name: getattr(simulator, name) for name in ("rest", "stream", "ws_api", "admin")}
        print(json.dumps({**facts, "key": simulator.api_key, "secret": simulator.api_secret}), flush=True)
        sys.stdin.read()
    """

PRELUDE = """
import json, os, signal, sys, threading, time
from dataclasses import replace
# A shell that starts programs in the background has them ignore Ctrl-C, and their children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
from exconn_sync import *
from exconn_sync.config.settings import Reconnect, Timeouts
from exconn_sync.exchanges.binance.driver import BinanceDriver

# Until the exchange states its limits, which are patient here: other programs have used up what is documented.
BinanceDriver.rate_rules = ()

EXCHANGE = json.loads(os.environ["EXCHANGE"])

def make_config(**changes):
    addresses = {name: EXCHANGE[name] for name in ("rest", "stream", "ws_api")}
    builder = Config.builder("binance").endpoints(**addresses).credentials(EXCHANGE["key"], EXCHANGE["secret"])
    settings = {"reconnect": Reconnect(base=0.05, cap=0.2, settle=0.05), **changes}
    return replace(builder.build(), **settings)
"""


class Ended(NamedTuple):
    """What a program left: its exit code, what it printed, and the monotonic time of its end."""

    code: int
    out: str
    err: str
    at: float


def environment(exchange: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "EXCHANGE": exchange}


def script(code: str) -> str:
    return PRELUDE + textwrap.dedent(code)


def popen(
    code: str, exchange: str, *options: str, stdin: int = subprocess.DEVNULL, arguments: Sequence[str] = ()
) -> subprocess.Popen[str]:
    """Start a program."""
    return subprocess.Popen(
        [sys.executable, *options, "-c", script(code), *arguments],
        stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(exchange), start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], limit: float = LIMIT) -> Ended:
    """Wait for a program's end and return what it left; one that does not end is killed and fails the test."""
    with process:
        try:
            out, err = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            # With its children, which hold its output open.
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            raise AssertionError(f"the program did not end\n{out}\n{err}") from None
        return Ended(process.returncode, out, err, time.monotonic())


def run(code: str, exchange: str, *options: str, limit: float = LIMIT) -> Ended:
    """Run a program to its end."""
    return finish(popen(code, exchange, *options), limit)


@contextmanager
def serving() -> Iterator[str]:
    """Serve an exchange in a process of its own; yield its addresses and key as JSON."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVE)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(""),
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        yield process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(LIMIT) == 0
