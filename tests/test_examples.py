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

OF_BINANCE = {"06_bracket.py"}
"""Bybit has no order lists."""


def test_every_example_says_what_it_must_show() -> None:
    assert {path.name for path in EXAMPLES} == set(EXPECTED)


def run(path: Path) -> str:
    """Run a program as its user would, and return what it printed."""
    # The first folder keeps the program away from real exchanges.
    path_of_modules = os.pathsep.join((str(ROOT / "tests" / "guarded"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": path_of_modules, "PYTHONWARNINGS": "error"}
    result = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(path: Path) -> None:
    printed = run(path)
    for text in EXPECTED[path.name]:
        assert text in printed, f"{text!r} is missing in:\n{printed}"


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.name not in OF_BINANCE], ids=lambda path: path.name)
def test_example_runs_on_the_other_exchange_with_one_word_changed(path: Path, tmp_path: Path) -> None:
    program = path.read_text(encoding="utf-8")
    changed = program.replace("Simulator()", 'Simulator("bybit")').replace('Config("binance"', 'Config("bybit"')
    assert changed != program
    copy = tmp_path / path.name
    copy.write_text(changed, encoding="utf-8")
    printed = run(copy)
    for text in EXPECTED[path.name]:
        assert text in printed, f"{text!r} is missing in:\n{printed}"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
