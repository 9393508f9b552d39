"""Market data of all clients in one run: ``python -m benchmarks.market.run [--quick] [--write] [--only trades ...]``.

Each client has an environment and a process of its own, on one core; the feed is on another. They take turns, forwards
and backwards by turns, at least five times. Medians are compared. ``--write`` puts the tables and the picture into the
documentation. Wants an idle machine of two cores: where it is not, look at the processor's time and not at the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.market import report
from benchmarks.market.environments import CLIENTS, ROOT, Client, python_of, version_of

Result = dict[str, Any]
Results = dict[str, dict[str, list[Result]]]
_HERE = Path(__file__).parent
_RATES = (1_000, 5_000, 10_000)
_LIMIT_S = 300.0
_EMPTY = "import time"
_COST = (
    "import re, resource, sys; exec(sys.argv[1]); usage = resource.getrusage(resource.RUSAGE_SELF); "
    "resident = re.search(r'VmRSS:\\s+(\\d+)', open('/proc/self/status').read()).group(1); "
    "print(usage.ru_utime + usage.ru_stime, resident)"
)


class Run:
    """One run: its environments, its feed and its results by section and client."""

    def __init__(self, folder: Path, is_quick: bool, repetitions: int, cores: tuple[str, str] | None) -> None:
        self._pythons = {client.name: python_of(client, folder) for client in CLIENTS}
        self.clients = [client for client in CLIENTS if self._pythons[client.name] is not None]
        self.versions = {client.name: version_of(client, self._python(client)) for client in self.clients}
        self._scale = 5 if is_quick else 1
        self._repetitions = repetitions
        self._cores = cores
        self.results: Results = {}

    def _python(self, client: Client) -> Path:
        python = self._pythons[client.name]
        assert python is not None
        return python

    def _pinned(self, core: int, command: list[str]) -> list[str]:
        return command if self._cores is None else ["taskset", "-c", self._cores[core], *command]

    def in_turns(self, section: str, jobs: Sequence[tuple[str, Callable[[], Result | None]]]) -> None:
        """Do all jobs so many times, forwards and backwards by turns, and keep what they measured."""
        found = self.results.setdefault(section, {})
        for turn in range(self._repetitions):
            for name, job in jobs if turn % 2 == 0 else reversed(jobs):
                result = job()
                if result is not None:
                    found.setdefault(name, []).append(result)
                    sys.stderr.write(f"{section} {turn + 1} {name}: {_shown(result)}\n")

    @contextmanager
    def feed(self) -> Iterator[int]:
        """Run the feed; return its port."""
        python = self._python(next(client for client in self.clients if client.is_ours))
        command = self._pinned(0, [str(python), "-m", "benchmarks.market.server"])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()
            process.wait()

    def ask(self, port: int, client: Client, kind: str, count: int, rate: int = 0, *more: str) -> Result | None:
        """Run one client once; None where it fails."""
        plan = f"kind={kind}&count={count}&exchange={client.exchange}&rate={rate}"
        urllib.request.urlopen(f"http://127.0.0.1:{port}/plan?{plan}").read()
        program = _HERE / "clients" / f"{client.program}_client.py"
        command = [str(self._python(client)), str(program), "--port", str(port), "--kind", kind, "--count", str(count)]
        command += ["--exchange", client.exchange, *client.options, *more, *(["--paced"] if rate else [])]
        done = subprocess.run(
            self._pinned(1, command), capture_output=True, text=True, timeout=_LIMIT_S, check=False, env=_environment()
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if not lines:
            sys.stderr.write(f"{client.name} failed: {done.stderr[-400:]}\n")
            return None
        result: Result = json.loads(lines[-1])
        return result | {"sent": count}

    # --- the sections -----------------------------------------------------------------------------------------------

    def trades(self) -> None:
        """Trades at full speed."""
        with self.feed() as port:
            self.in_turns(
                "trades",
                [
                    (client.name, partial(self.ask, port, client, "trade", client.trades // self._scale))
                    for client in self.clients
                ],
            )

    def books(self) -> None:
        """Changes of a book at full speed, the best bid and ask read after each."""
        with self.feed() as port:
            self.in_turns(
                "books",
                [
                    (client.name, partial(self.ask, port, client, "book", client.books // self._scale))
                    for client in self.clients
                    if client.books
                ],
            )

    def latency(self) -> None:
        """The time from sending to the callback at several rates."""
        with self.feed() as port:
            for rate in _RATES:
                self.in_turns(
                    f"latency {rate}",
                    [
                        (client.name, partial(self.ask, port, client, "trade", 4 * rate // self._scale, rate))
                        for client in self.clients
                    ],
                )

    def subscribers(self) -> None:
        """The same stream to one subscriber and to ten."""
        ours = next(client for client in self.clients if client.is_ours)
        with self.feed() as port:
            count = ours.trades // self._scale // 2
            self.in_turns(
                "subscribers",
                [
                    (name, partial(self.ask, port, ours, "trade", count, 0, "--subscribers", name))
                    for name in ("1", "10")
                ],
            )

    def imports(self) -> None:
        """What ``import`` costs: processor time, and memory beyond that of the bare interpreter."""
        loaded = [client for client in self.clients if client.module]
        jobs = [(client.name, partial(self._import, client, client.module)) for client in loaded]
        # Names are loaded when they are asked for: the package alone is next to nothing.
        ours = next(client for client in self.clients if client.is_ours)
        jobs.append(
            ("exconn_sync, the name Connector", partial(self._import, ours, "exconn_sync; exconn_sync.Connector"))
        )
        self.in_turns("imports", jobs)

    def _import(self, client: Client, module: str) -> Result:
        bare, loaded = (self._cost(client, code) for code in (_EMPTY, f"import {module}"))
        return {"cpu_ns": (loaded[0] - bare[0]) * 1e9, "resident_kib": loaded[1], "over_bare_kib": loaded[1] - bare[1]}

    def _cost(self, client: Client, code: str) -> tuple[float, int]:
        command = self._pinned(1, [str(self._python(client)), "-c", _COST, code])
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", env=_environment())
        seconds, resident = done.stdout.split()[-2:]
        return float(seconds), int(resident)

    def memory(self) -> None:
        """What each further book of 1,000 levels a side takes, after 500 changes."""
        kept = [client for client in self.clients if client.name in ("exconn_sync", "python-binance")]
        self.in_turns("memory", [(client.name, partial(self._memory, client)) for client in kept])

    def _memory(self, client: Client) -> Result | None:
        command = [str(self._python(client)), "-m", "benchmarks.market.book_memory", client.program]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=_environment())
        if done.returncode:
            sys.stderr.write(f"{client.name} failed: {done.stderr[-400:]}\n")
            return None
        return {"kib": float(done.stdout)}


SECTIONS: dict[str, Callable[[Run], None]] = {
    "trades": Run.trades,
    "books": Run.books,
    "latency": Run.latency,
    "subscribers": Run.subscribers,
    "imports": Run.imports,
    "memory": Run.memory,
}


def _environment() -> dict[str, str]:
    # Compiled files are kept in the environments, so that an import is measured and not a compilation.
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")}


def _shown(result: Result) -> str:
    return ", ".join(f"{name} {value:,.0f}" for name, value in result.items())


def _cores() -> tuple[str, str] | None:
    cores = sorted(os.sched_getaffinity(0))
    return (str(cores[0]), str(cores[1])) if len(cores) > 1 else None


def main() -> None:
    """Measure, tell, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the messages and three repetitions")
    parser.add_argument("--repetitions", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--write", action="store_true", help="put tables and picture into the documentation")
    parser.add_argument("--environments", type=Path, default=ROOT / ".bench")
    parser.add_argument(
        "--results", type=Path, default=ROOT / ".bench" / "market.json", help="where all figures are kept"
    )
    options = parser.parse_args()
    run = Run(options.environments, options.quick, options.repetitions or (3 if options.quick else 5), _cores())
    known = json.loads(options.results.read_text()) if options.results.exists() else {}
    kept: Results = known.get("results", {})
    for name in options.only:
        SECTIONS[name](run)
        # After each section, so that a run that is broken off has not been for nothing.
        kept |= run.results
        options.results.parent.mkdir(parents=True, exist_ok=True)
        options.results.write_text(json.dumps({"versions": run.versions, "results": kept}, indent=1))
    text = report.tables(kept, run.versions)
    sys.stdout.write(text + "\n")
    if options.write:
        report.write(kept, run.versions)


if __name__ == "__main__":
    main()
