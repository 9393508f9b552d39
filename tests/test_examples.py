"""Every example runs to its end as a newcomer would run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

EXPECTED = {
    "01_first_light.py": ["trade ", "book ", "accepted as ", "fill ", "partially_filled", "threads left behind: 0"],
    "02_streaming_loop.py": ["trade ", "spread ", "dropped: 0"],
    "03_lost_connection.py": ["market: up", "market: down", "refused: the BTC-USDT book is stale"],
    "04_slow_subscriber.py": ["the quick one has lost 0", "was told of a gap of "],
    "05_bad_input.py": ["known exchanges: binance", "a float is not exact", "lot step", "needs an API key"],
    "06_bracket.py": ["new (at work: False)", "bought:  filled", "the end: filled expired OCO_TRIGGER filled"],
}


def test_every_example_says_what_it_must_show() -> None:
    assert {path.name for path in EXAMPLES} == set(EXPECTED)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path: Path) -> None:
    # The first folder keeps the program away from real exchanges.
    path_of_modules = os.pathsep.join((str(ROOT / "tests" / "guarded"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path_of_modules, "PYTHONWARNINGS": "error"}
    result = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (result.returncode, result.stderr) == (0, "")
    for text in EXPECTED[path.name]:
        assert text in result.stdout, f"{text!r} is missing in:\n{result.stdout}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
