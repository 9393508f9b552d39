"""The rule that fails a test for what it leaves behind does so: a rule that never fails proves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LEAKS = {
    "a thread": "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "a descriptor": "import socket; globals()['kept'] = socket.socket()",
    "an unclosed socket": "import socket; socket.socket()",
    "a warning": "import warnings; warnings.warn('careless', UserWarning)",
    "a contact with a real exchange": "import socket, contextlib\n    with contextlib.suppress(OSError):\n"
    "        socket.getaddrinfo('api.binance.com', 443)",
    "an exception in a thread": "import threading; t = threading.Thread(target=lambda: 1 / 0); t.start(); t.join()",
}


def outcome(tmp_path: Path, body: str) -> subprocess.CompletedProcess[str]:
    """Run one test under this project's settings and conftest."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (tmp_path / "test_one.py").write_text(f"def test_one():\n    {body}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    return subprocess.run(
        [*command, "-n", "0", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True, text=True, timeout=110, check=False, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize("what", LEAKS)
def test_a_test_that_leaves_something_fails(what: str, tmp_path: Path) -> None:
    result = outcome(tmp_path, LEAKS[what])
    assert result.returncode == 1, result.stdout


def test_a_tidy_test_passes(tmp_path: Path) -> None:
    result = outcome(tmp_path, "assert True")
    assert result.returncode == 0, result.stdout
