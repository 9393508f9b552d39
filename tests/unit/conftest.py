"""No test leaves a thread behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    limit = time.monotonic() + 5
    for thread in set(threading.enumerate()) - before:
        thread.join(max(limit - time.monotonic(), 0))
    assert [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()] == []
