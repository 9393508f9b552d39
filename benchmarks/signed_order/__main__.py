"""``python -m benchmarks.signed_order``: clients beside each other; ``--write`` puts the table into the docs."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec

from benchmarks.common.measuring import Measured
from benchmarks.common.tables import put, table
from benchmarks.common.versions import versions

OURS, BARE = "exconn_sync", "urllib3, bare"
CLIENTS = {
    OURS: ("exconn", "exconn_sync"),
    BARE: ("bare_urllib3", "urllib3"),
    "pybit": ("pybit", "pybit"),
    "python-binance": ("python_binance", "binance"),
    "ccxt": ("ccxt", "ccxt"),
    "binance-sdk-spot": ("binance_sdk_spot", "binance_sdk_spot"),
}
"""The clients by the names of their packages: the file in ``clients``, and what it imports."""
KINDS = ("order", "question")
Results = dict[str, dict[str, Measured]]


def installed() -> list[str]:
    """Return the clients that can be measured here."""
    return [name for name, (_, module) in CLIENTS.items() if find_spec(module) is not None]


@contextmanager
def stand_in() -> Iterator[str]:
    """Run the server in a process of its own; give its address."""
    command = [sys.executable, "-m", "benchmarks.signed_order.server"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            # The end of its standard input is the end of it.
            process.communicate(timeout=30)


def measure(clients: Sequence[str], *, repetitions: int, calls: int) -> Results:
    """Measure in turns, forwards and backwards by turns, each time in a fresh process; the first turn warms up."""
    results: Results = {name: {kind: Measured(name) for kind in KINDS} for name in clients}
    with stand_in() as url:
        for turn in range(repetitions + 1):
            for name in clients if turn % 2 else tuple(reversed(clients)):
                command = [sys.executable, "-m", "benchmarks.signed_order.clients", CLIENTS[name][0], url, str(calls)]
                told = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
                if turn:
                    for kind in KINDS:
                        results[name][kind].microseconds.append(told[kind])
    return results


def report(results: Results, repetitions: int, calls: int) -> str:
    """Return the table of results with all that belongs to it."""
    peers = [each for name, each in results.items() if name not in (OURS, BARE)]
    least = {kind: min((peer[kind].median for peer in peers), default=None) for kind in KINDS}
    rows = [
        [name] + [cell for kind in KINDS for cell in _cells(each[kind], least[kind])] for name, each in results.items()
    ]
    header = ["Client"]
    for kind in ("a signed order", "a plain question"):
        header += [f"{kind}, µs of CPU", "Smallest to largest", "Times the cheapest peer"]
    packages = [OURS, *(name.partition(",")[0] for name in results if name != OURS)]
    told = "; ".join([*versions(packages), f"{repetitions} repetitions of {calls} calls each"])
    return table(header, rows) + f"\n\n{told}."


def _cells(measured: Measured, least: float | None) -> list[str]:
    ratio = "" if least is None else f"{measured.median / least:.2f}"
    return [f"{measured.median:.0f}", "{:.0f} to {:.0f}".format(*measured.spread), ratio]


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.signed_order", description="Measure a signed order.")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--calls", type=int, default=300, help="orders, and questions, of each repetition")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--clients", nargs="*", choices=list(CLIENTS), help="measure only these")
    options = parser.parse_args(arguments)
    clients = options.clients or installed()
    text = report(
        measure(clients, repetitions=options.repetitions, calls=options.calls), options.repetitions, options.calls
    )
    sys.stdout.write(text + "\n")
    if options.write:
        put("signed-order", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
