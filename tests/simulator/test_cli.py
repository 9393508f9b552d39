"""The program: one line, serve, end politely."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from .conftest import REPOSITORY

COMMAND = [sys.executable, "-W", "error", "-m", "exconn_sync.simulator"]
PATIENCE_S = 20


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_serves_until_told_to_end(ending: signal.Signals) -> None:
    program = subprocess.Popen(
        [*COMMAND, "--exchange", "binance", "--json", "--seed", "3"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        facts = json.loads(program.stdout.readline())
        assert list(facts) == ["exchange", "rest", "stream", "ws_api", "admin", "api_key", "api_secret"]
        pool = urllib3.PoolManager()
        assert pool.request("GET", f"{facts['rest']}/api/v3/ping").data == b"{}"
        assert pool.request("GET", f"{facts['admin']}/status").json() == {"connections": {}, "subscriptions": []}
        pool.clear()
        program.send_signal(ending)
        output, errors = program.communicate(timeout=PATIENCE_S)
    finally:
        program.kill()
        program.communicate()
    assert (program.returncode, output, errors) == (0, "", "")


def test_bybit_has_other_addresses() -> None:
    program = subprocess.Popen(
        [*COMMAND, "--exchange", "bybit", "--json"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    try:
        assert program.stdout is not None
        facts = json.loads(program.stdout.readline())
        assert list(facts) == ["exchange", "rest", "public", "private", "trade", "admin", "api_key", "api_secret"]
        pool = urllib3.PoolManager()
        answer = pool.request("GET", f"{facts['rest']}/v5/market/time").json()
        pool.clear()
        assert (facts["exchange"], answer["retCode"]) == ("bybit", 0)
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=PATIENCE_S)
    finally:
        program.kill()
        program.communicate()
    assert program.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--exchange", "mtgox"], "invalid choice: 'mtgox'"),
        (["--port", "many"], "a port is a number between 0 and 65535"),
        (["--pace", "2"], "--pace needs --replay"),
        (["--replay", "nowhere.jsonl"], "cannot serve"),
        (["--replay", "x", "--pace", "-1"], "the pace is a number above zero"),
    ],
)
def test_bad_arguments(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [*COMMAND, *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 2
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr
