"""What every test is held to: nothing is left behind, no real exchange is contacted and no secret is logged."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from exconn_sync._transport import budget, limiter
from tests import production_guard, secret_watch

production_guard.install(production_guard.contacts.append)
WATCH = secret_watch.install()

if find_spec("hypothesis") is not None:  # other people's clients are run without it
    from hypothesis import settings

    # No test says how fast a machine is: a time limit for each example fails where the machine is busy.
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")

_THREAD_GRACE = 3.0
_FD_FOLDER = Path("/proc/self/fd")


def _open_descriptors() -> set[str]:
    """Return what the open descriptors point to; sockets and files by name, so that a new one can be named."""
    found = set()
    for entry in _FD_FOLDER.iterdir():
        try:
            found.add(f"{entry.name} -> {entry.readlink()}")
        except OSError:
            # The descriptor of the listing itself is gone by now.
            continue
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread or descriptor; warnings of unclosed ones fail it by the pytest settings."""
    threads = set(threading.enumerate())
    descriptors, count = _open_descriptors(), len(os.listdir(_FD_FOLDER))  # noqa: PTH208 - iterdir opens one more
    yield
    # The next exchange may have the port of this one, and none of its bans.
    budget._budgets.clear()
    limiter._connect_budgets.clear()
    reached = list(production_guard.contacts)
    production_guard.contacts.clear()
    assert not reached, f"real exchanges were contacted: {reached}"
    leaks = list(secret_watch.leaks)
    secret_watch.leaks.clear()
    assert not leaks, f"secrets were logged: {leaks}"
    limit = time.monotonic() + _THREAD_GRACE
    for thread in set(threading.enumerate()) - threads:
        thread.join(max(limit - time.monotonic(), 0.0))
    left = [thread.name for thread in set(threading.enumerate()) - threads]
    assert not left, f"threads left behind: {left}"
    if len(os.listdir(_FD_FOLDER)) > count:  # noqa: PTH208
        gc.collect()
        new = sorted(_open_descriptors() - descriptors)
        assert len(os.listdir(_FD_FOLDER)) <= count, f"descriptors left behind: {new}"  # noqa: PTH208
