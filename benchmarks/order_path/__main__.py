"""``python -m benchmarks.order_path``: measure an order's path; ``--write`` puts the table into the documentation."""

from __future__ import annotations

import argparse
import sys

from benchmarks.common.measuring import Measured, measure
from benchmarks.common.tables import put, table
from benchmarks.common.versions import versions
from benchmarks.order_path.stages import REFERENCE, candidates


def report(results: list[Measured], repetitions: int, calls: int) -> str:
    """Return the table of results with all that belongs to it."""
    (unit,) = (result.median for result in results if result.name == REFERENCE)
    rows = [
        [
            result.name,
            f"{result.median:.1f}",
            "{:.1f} to {:.1f}".format(*result.spread),
            f"{result.median / unit:.2f}",
        ]
        for result in results
    ]
    told = "; ".join([*versions(["exconn_sync", "msgspec"]), f"{repetitions} repetitions of {calls} orders each"])
    return table(["Stage", "µs of CPU", "Smallest to largest", "Times the reference"], rows) + f"\n\n{told}."


def main(arguments: list[str]) -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.order_path", description="Measure an order's path.")
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--calls", type=int, default=1000, help="orders of each repetition")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    options = parser.parse_args(arguments)
    results = measure(candidates(), repetitions=options.repetitions, calls=options.calls)
    text = report(results, options.repetitions, options.calls)
    sys.stdout.write(text + "\n")
    if options.write:
        put("order-path", text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
