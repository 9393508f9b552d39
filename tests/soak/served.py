"""An exchange on TLS in a process of its own, so that it takes no interpreter time from the program under test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import urllib3

from exconn_sync import Config
from tests.process.support import LIMIT, environment
from tests.simulator.certificates import Certificates, make_certificates


class Served:
    """Its addresses, and its admin routes; those from any thread."""

    def __init__(self, facts: dict[str, str], files: Certificates) -> None:
        self._facts = facts
        self._files = files
        self._pool = urllib3.PoolManager(ca_certs=str(files.ca_file), maxsize=4)

    def config(self, **changes: Any) -> Config:
        """Return a configuration for it, with some settings replaced."""
        endpoints = {name: self._facts[name] for name in ("rest", "stream", "ws_api")}
        builder = Config.builder("binance").endpoints(**endpoints)
        builder = builder.credentials(self._facts["api_key"], self._facts["api_secret"])
        return replace(builder.network(ca_file=str(self._files.ca_file)).build(), **changes)

    def ask(self, path: str, **body: Any) -> Any:
        """Post to an admin route and return the answer."""
        return self._answer("POST", path, json=body)

    def connections(self) -> Any:
        """Return what the exchange saw of its connections."""
        return self._answer("GET", "/connections")

    def _answer(self, method: str, path: str, **options: Any) -> Any:
        answer = self._pool.request(method, self._facts["admin"] + path, timeout=LIMIT, **options)
        assert answer.status == 200, answer.data
        return json.loads(answer.data or b"null")

    def close(self) -> None:
        """Let go of the connections to the admin routes."""
        self._pool.clear()


@contextmanager
def serving_tls(folder: Path) -> Iterator[Served]:
    """Run the simulator's program with a throw-away authority, with limits that stress does not meet."""
    files = make_certificates(folder)
    command = [sys.executable, "-m", "exconn_sync.simulator", "--json"]
    process = subprocess.Popen(
        [*command, "--tls-cert", str(files.cert_file), "--tls-key", str(files.key_file)],
        stdout=subprocess.PIPE, text=True, env=environment(""),
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        served = Served(json.loads(process.stdout.readline()), files)
        try:
            served.ask("/faults/rate_limits", weight_per_minute=10**9, orders_per_10s=10**9, orders_per_day=10**9)
            yield served
        finally:
            served.close()
            process.terminate()
            assert process.wait(LIMIT) == 0
