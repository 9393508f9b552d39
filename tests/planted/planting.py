"""Plants bugs, one at a time, into copies of the tree, and runs the tests that must notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.planted import in_commands, in_drivers, in_machines, in_store
from tests.planted.bug import Bug

ROOT = Path(__file__).parents[2]
BUGS = (*in_machines.BUGS, *in_commands.BUGS, *in_store.BUGS, *in_drivers.BUGS)
LIMIT_S = 300.0
_FAILED = 1
"""What pytest exits with where tests ran and some failed; anything else proves nothing."""


@dataclass(frozen=True)
class Finding:
    """Whether a bug was noticed, and by which test."""

    bug: Bug
    is_caught: bool
    by: str


def planted_text(bug: Bug, text: str) -> str:
    """Return a file with the bug in it. Raises ValueError where the patch does not fit."""
    if text.count(bug.old) != 1:
        raise ValueError(f"{bug.name}: {bug.path} has {text.count(bug.old)} times what is to be replaced")
    made = text.replace(bug.old, bug.new)
    compile(made, bug.path, "exec")
    return made


@contextmanager
def copied_tree(folder: Path) -> Iterator[Path]:
    """Copy what the tests need; the copy is given to nobody else."""
    for name in ("exconn_sync", "tests", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "tox.ini"):
        shutil.copy(ROOT / name, folder / name)
    yield folder


def look_for(bug: Bug, tree: Path) -> Finding:
    """Plant a bug into a tree, run its tests, and take it out again."""
    path = tree / bug.path
    whole = path.read_text(encoding="utf-8")
    path.write_text(planted_text(bug, whole), encoding="utf-8")
    try:
        done = _run(bug, tree)
    finally:
        path.write_text(whole, encoding="utf-8")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode == _FAILED and failed:
        return Finding(bug, True, failed[0].removeprefix("FAILED ").partition(" - ")[0])
    return Finding(bug, False, f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")


def _run(bug: Bug, tree: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.setdefault("EXCONN_TEST_DATA", str(ROOT.parent / "shared" / "data"))
    options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "tests.planted.here"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *bug.tests],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
