"""What several of these tests need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from hypothesis import settings

SECOND = 1_000_000_000
LIMIT = 10.0
"""Seconds after which a wait has failed."""

fixed = settings(derandomize=True, deadline=None, max_examples=150)
"""The same examples in every run."""


def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds that nothing announces."""
    limit = time.monotonic() + LIMIT
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < limit, "did not come true in time"
        pause.wait(0.002)


def in_threads(count: int, body: Callable[[int], object]) -> None:
    """Run a body in several threads that begin together; raise the first exception of any."""
    barrier = threading.Barrier(count)
    errors: list[BaseException] = []

    def run(index: int) -> None:
        try:
            barrier.wait(LIMIT)
            body(index)
        except BaseException as error:  # noqa: BLE001 - raised again on the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


class Background:
    """One call on a thread of its own; ``result`` waits for it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again on the test's own thread
            self._error = error

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(LIMIT)
        assert not self._thread.is_alive(), "did not return in time"
        if self._error is not None:
            raise self._error
        return self._value
