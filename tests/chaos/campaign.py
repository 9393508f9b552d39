"""Runs many seeds on several processes, as ``python -m tests.chaos [FIRST [END]] [--jobs N]``; one number is one seed.

It ends with code 1 where anything was wrong with a run, or where too few faults came true.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests import production_guard
from tests.chaos.runner import Outcome, run
from tests.faults.test_coverage import TABLE

SEEDS = 300
LEAST_FAULTS = 33
"""For each seed; 300 of them meet 10,000."""


def _one(seed: int) -> Outcome:
    production_guard.install(production_guard.contacts.append)
    # The simulator is told of each connection that breaks while it reads or answers; here most of them do.
    for name in ("aiohttp.server", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return run(seed)


def main(arguments: Sequence[str]) -> int:
    """Run the seeds; return the exit code."""
    parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
    parser.add_argument("first", nargs="?", type=int)
    parser.add_argument("end", nargs="?", type=int)
    parser.add_argument("--jobs", type=int, default=6)
    parser.add_argument("--write", action="store_true", help="write the numbers of faults into their table")
    given = parser.parse_args(arguments)
    first = 0 if given.first is None else given.first
    end = given.end if given.end is not None else first + 1 if given.first is not None else SEEDS
    began, outcomes = time.monotonic(), []
    # Most of a run is waiting, so there are more processes than processors.
    with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(_one, seed) for seed in range(first, end)]):
            outcome = future.result()
            outcomes.append(outcome)
            if outcome.problems:
                _say(outcome.report())
    _say(_summary(outcomes, time.monotonic() - began))
    met = sum((each.met for each in outcomes), Counter())
    _say(", ".join(f"{fault}: {count}" for fault, count in sorted(met.items())))
    if given.write:
        _write(met)
    is_enough = sum(each.faults for each in outcomes) >= LEAST_FAULTS * len(outcomes) or len(outcomes) < SEEDS
    return 0 if is_enough and not any(each.problems for each in outcomes) else 1


def _summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    sums = {
        name: sum(getattr(each, name) for each in outcomes)
        for name in ("faults", "calls", "placed", "fills", "unknown")
    }
    wrong = sorted(each.seed for each in outcomes if each.problems)
    facts = ", ".join(f"{count:,} {name}" for name, count in sums.items())
    return f"{len(outcomes)} runs in {seconds:.0f} s: {facts}; wrong: {wrong or 'none'}"


def _write(met: Counter[str]) -> None:
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    lines = [json.dumps({**row, "random": met[row["fault"]]}, ensure_ascii=False) for row in rows]
    TABLE.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
