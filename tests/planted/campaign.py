"""Plants all bugs, as ``python -m tests.planted [NAME ...] [--jobs N]``; ends with code 1 where one is not noticed."""

from __future__ import annotations

import argparse
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.planted.bug import Bug
from tests.planted.planting import BUGS, Finding, copied_tree, look_for


def main(arguments: Sequence[str]) -> int:
    """Plant the named bugs, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    wanted = [bug for bug in BUGS if not given.names or any(name in bug.name for name in given.names)]
    began, findings = time.monotonic(), find_all(wanted, given.jobs)
    missed = [finding.bug.name for finding in findings if not finding.is_caught]
    _say(f"{len(findings)} bugs in {time.monotonic() - began:.0f} s; not noticed: {missed or 'none'}")
    return 1 if missed or len(findings) < len(wanted) else 0


def find_all(bugs: Sequence[Bug], jobs: int) -> list[Finding]:
    """Look for each of the bugs, each thread in a copy of the tree of its own."""
    waiting: queue.SimpleQueue[Bug | None] = queue.SimpleQueue()
    for bug in bugs:
        waiting.put(bug)
    findings: list[Finding] = []

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder, copied_tree(Path(folder)) as tree:
            while (bug := waiting.get()) is not None:
                began = time.monotonic()
                finding = look_for(bug, tree)
                findings.append(finding)
                word = "noticed by" if finding.is_caught else "NOT NOTICED:"
                _say(f"{time.monotonic() - began:5.1f} s  {bug.name}: {word} {finding.by}")

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        waiting.put(None)
        thread.start()
    for thread in threads:
        thread.join()
    return findings


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
