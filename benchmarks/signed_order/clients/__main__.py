"""``python -m benchmarks.signed_order.clients NAME URL CALLS``: measure one client, and tell what it took as JSON."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable

_WARM_UP = 50


def measured(work: Callable[[int], object], calls: int) -> float:
    """Return the microseconds of processor time of this whole process for one call."""
    gc.collect()
    begun = time.process_time_ns()
    for number in range(calls):
        work(number)
    return (time.process_time_ns() - begun) / 1000 / calls


def main(name: str, url: str, calls: int) -> None:
    """Measure orders and questions, and write the figures to standard output."""
    if hasattr(os, "sched_setaffinity"):
        # The server has the last processor.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with importlib.import_module(f"benchmarks.signed_order.clients.{name}").prepared(url) as (place, ask):
        for number in range(_WARM_UP):
            place(number)
            ask()
        order = measured(lambda number: place(_WARM_UP + number), calls)
        question = measured(lambda _: ask(), calls)
    sys.stdout.write(json.dumps({"order": order, "question": question}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
