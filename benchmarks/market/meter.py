"""What every client's program has in common: its arguments, and the measuring in the callback.

Only the standard library is used, because each client runs in an environment of its own, as a plain script.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

_QUIET = 5.0
"""Seconds without a message after which a client is taken to have lost the rest."""


def arguments() -> argparse.Namespace:
    """Return what the run wants: where the feed is, what it sends, and how often."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--exchange", default="binance")
    parser.add_argument("--kind", default="trade")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--paced", action="store_true")
    parser.add_argument("--subscribers", type=int, default=1)
    parser.add_argument("--symbols", type=int, default=1)
    parser.add_argument("--library", default="")
    return parser.parse_args()


class Meter:
    """Counts calls, and takes the time and the CPU from the first to the last of them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.count = 0
        self.waits: list[int] = []
        self._expected = options.count
        self._is_done = threading.Event()
        self._began = self._began_cpu = self._ended = self._ended_cpu = 0

    def counter(self) -> Callable[[], None]:
        """Return what is to be called for each message."""
        left = self._expected

        def tick() -> None:
            nonlocal left
            left -= 1
            if not left % 100 or left == first:
                self._note(left)

        first = left - 1
        return tick

    def clock(self) -> Callable[[int], None]:
        """Return what is to be called for each message with its time of sending, monotonic ns."""
        keep, tick, now = self.waits.append, self.counter(), time.monotonic_ns

        def note(sent_ns: int) -> None:
            keep(now() - sent_ns)
            tick()

        return note

    def _note(self, left: int) -> None:
        now, cpu = time.perf_counter_ns(), time.process_time_ns()
        if not self._began:
            self._began, self._began_cpu = now, cpu
            self._first = self._expected - left
        self._ended, self._ended_cpu = now, cpu
        self.count = self._expected - left
        if left <= 0:
            self._is_done.set()

    def finish(self, **more: Any) -> None:
        """Wait for the last message, or until none comes any more; print the figures and end the process."""
        known = -1
        while not self._is_done.wait(_QUIET) and known != self.count:
            known = self.count
        messages = max(self.count - getattr(self, "_first", 0), 1)
        seconds = (self._ended - self._began) / 1e9
        figures: dict[str, Any] = {
            "count": self.count,
            "seconds": seconds,
            "rate": messages / seconds if seconds else 0.0,
            "cpu_ns": (self._ended_cpu - self._began_cpu) / messages,
            "resident_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        }
        if self.waits:
            # What the first messages meet is the start of threads and the filling of caches.
            waits = sorted(self.waits[len(self.waits) // 10 :])
            figures |= {f"p{part}": waits[int(len(waits) * part / 100)] for part in (50, 90, 99)} | {"max": waits[-1]}
        sys.stdout.write(json.dumps(figures | more) + "\n")
        sys.stdout.flush()
        # Many clients have threads or loops that do not end by themselves.
        os._exit(0)
