"""A web server that forks its workers: each owns a connector, whatever the worker class, with and without preload."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.process.support import LIMIT, ROOT, environment

WORKERS = 2


class Server:
    """A running gunicorn."""

    def __init__(self, process: subprocess.Popen[bytes], socket_path: Path, log: Path) -> None:
        self.process = process
        self.log = log
        self._socket_path = socket_path

    def get(self, path: str) -> dict[str, Any]:
        """Ask once; waits until the server listens."""
        limit = time.monotonic() + LIMIT
        while True:
            try:
                return self._get(path)
            except (FileNotFoundError, ConnectionError, http.client.HTTPException):
                assert time.monotonic() < limit, self.log.read_text()
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.02)

    def _get(self, path: str) -> dict[str, Any]:
        import socket

        connection = http.client.HTTPConnection("localhost", timeout=LIMIT)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(LIMIT)
        try:
            connection.sock.connect(str(self._socket_path))
            connection.request("GET", path, headers={"Connection": "close"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            found: dict[str, Any] = json.loads(answer.read())
            return found
        finally:
            connection.close()

    def answers_of(self, count: int, path: str = "/live", *, besides: frozenset[int] = frozenset()) -> dict[int, Any]:
        """Ask until so many different workers, other than those named, have answered."""
        limit = time.monotonic() + LIMIT
        found: dict[int, Any] = {}
        while len(found) < count:
            assert time.monotonic() < limit, self.log.read_text()
            answer = self.get(path)
            if answer["pid"] not in besides:
                found[answer["pid"]] = answer
        return found

    def end(self) -> None:
        """Send SIGTERM and check that everything ends in time and in order."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(LIMIT) == 0
        log = self.log.read_text()
        assert "Traceback" not in log, log
        assert "SIGKILL" not in log, log
        assert "WORKER TIMEOUT" not in log, log


@contextmanager
def serving(exchange: str, folder: Path, *options: str, mode: str = "worker") -> Iterator[Server]:
    path, log = folder / "socket", folder / "log"
    command = [
        sys.executable, "-m", "gunicorn", "--bind", f"unix:{path}", "--workers", str(WORKERS),
        "--graceful-timeout", "8", "--worker-tmp-dir", "/dev/shm", "--no-control-socket", *options,
        "tests.process.wsgi_app:application",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**environment(exchange), "MODE": mode}, cwd=ROOT, stderr=output, stdout=output
        )
    try:
        yield Server(process, path, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(LIMIT)


def is_live(answer: dict[str, Any]) -> bool:
    return (
        answer["state"] == "ready" and answer["symbol"] == "BTC-USDT" and "exconn-binance-market" in answer["threads"]
    )


KINDS = {
    "sync": ("--worker-class", "sync"),
    "sync-preload": ("--worker-class", "sync", "--preload"),
    "gthread": ("--worker-class", "gthread", "--threads", "2"),
    "gthread-preload": ("--worker-class", "gthread", "--threads", "2", "--preload"),
    # Without preload: this worker class patches the standard library before it imports the application.
    "gevent": ("--worker-class", "gevent"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_worker_has_a_connector_of_its_own(kind: str, exchange: str, tmp_path: Path) -> None:
    """Served live, reloaded by SIGHUP, ended by SIGTERM (faults F126, F155)."""
    with serving(exchange, tmp_path, *KINDS[kind]) as server:
        first = server.answers_of(WORKERS)
        assert all(is_live(answer) for answer in first.values()), first
        server.process.send_signal(signal.SIGHUP)
        second = server.answers_of(WORKERS, besides=frozenset(first))
        assert all(is_live(answer) for answer in second.values()), second
        server.end()
        for pid in (*first, *second):
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_workers_are_recycled(exchange: str, tmp_path: Path) -> None:
    """A worker that has served its requests ends, and its successor serves live data, again and again (fault F126)."""
    options = ("--preload", "--max-requests", "2", *KINDS["gthread"])
    with serving(exchange, tmp_path, *options) as server:
        answers = server.answers_of(3 * WORKERS)
        assert all(is_live(answer) for answer in answers.values()), answers
        server.end()


def test_a_connector_started_in_the_master_is_refused_and_can_be_mended(exchange: str, tmp_path: Path) -> None:
    """The mistake with preload: ForkedProcess says what to do, and ``start`` does it (faults F124, F126)."""
    with serving(exchange, tmp_path, "--preload", mode="import") as server:
        for answer in server.answers_of(WORKERS, "/look").values():
            assert "call start()" in answer["refused"]
            assert answer["threads"] == []
        assert all(is_live(answer) for answer in server.answers_of(WORKERS).values())
        server.end()
