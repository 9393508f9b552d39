"""Many threads in several processes on one budget, before an exchange that counts (faults F128, F160)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import Connector
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT
from tests.redis_server import RedisServer, needs_redis

PROCESSES, THREADS = 4, 16
WINDOW_S, WEIGHT, ORDERS = 2, 400, 6
SECONDS = 5.0


@pytest.fixture(params=["host", pytest.param("redis", marks=needs_redis)])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Return the settings with which processes share a budget."""
    if request.param == "host":
        yield {"share": "host", "path": str(tmp_path / "budgets.sqlite")}
    else:
        with RedisServer() as server:
            yield {"share": "redis", "redis_url": server.url}


class Workers:
    """Processes that work at the same time."""

    def __init__(self, orders: dict[str, Any], count: int) -> None:
        command = [sys.executable, "-m", "tests.faults.budget_worker", json.dumps(orders)]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
        ]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()

    def lines(self) -> list[Any]:
        """Return what each of them says next."""
        lines = []
        for process in self._processes:
            assert process.stdout is not None
            lines.append(json.loads(process.stdout.readline()))
        return lines

    def go(self) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()


def orders_for(exchange: Simulator, shared: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "endpoints": {"rest": exchange.rest, "stream": exchange.stream, "ws_api": exchange.ws_api},
        "api_key": exchange.api_key,
        "api_secret": exchange.api_secret,
        "rate_limits": shared,
        "threads": THREADS,
        "seconds": SECONDS,
        **more,
    }


def test_no_limit_is_passed_by_many_threads_in_four_processes(quiet: Simulator, shared: dict[str, Any]) -> None:
    """Sixty-four threads ask as fast as they can: no request is over a limit, and cancels overtake (F128, F160)."""
    quiet.faults.rate_limits(
        weight_per_minute=WEIGHT, weight_window_s=WINDOW_S, orders_per_10s=ORDERS, order_window_s=WINDOW_S
    )
    # The first one learns the limits for all; without that, four starts are more than one short window allows.
    with Connector(quiet.config(rate_limits=shared)) as first:
        first.wait_ready(LIMIT)
    began = len(quiet.request_log())
    with Workers(orders_for(quiet, shared), PROCESSES) as workers:
        assert workers.lines() == ["ready"] * PROCESSES
        workers.go()
        done: Counter[str] = Counter()
        for counts in workers.lines():
            done.update(counts)
    assert quiet.breaches().total == 0
    # A question may get its turn so late that the rest of its time is too short.
    assert set(done) <= {"questions", "orders", "told in time", "RequestTimeout"}
    seen = quiet.request_log()[began:]
    assert all(each.status == 200 for each in seen)
    # Fewer questions have room within their five seconds than there are threads that ask: the budget held them back.
    assert done["questions"] > 0
    assert done["told in time"] > 0
    # Of everything that was placed nothing is left: each cancel found room although questions were waiting.
    placed = sum(each.method == "POST" for each in seen)
    cancelled = sum(each.method == "DELETE" for each in seen)
    assert placed == cancelled == done["orders"] > 0
