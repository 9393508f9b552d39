"""The guide for authors of drivers leads where it says, step by step, in a folder outside of the project."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from exconn_sync.testing import contract
from exconn_sync.testing.contract import DriverContract
from exconn_sync.testing.template import copy_template
from tests.docs.pages import DOCS, ROOT, blocks, first_column

GUIDE = DOCS / "guides" / "add_an_exchange.md"
PATIENCE = 300.0


def run(arguments: list[str], folder: Path, *more: Path) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder that knows the library and what is in the folder."""
    known = os.pathsep.join(str(path) for path in (ROOT, folder, *more))
    environment = {**os.environ, "PYTHONPATH": known, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def steps() -> list[list[str]]:
    """Return the commands of the guide, without the word ``python``."""
    found = [line.split() for block in blocks(GUIDE) if block.info == "sh" for line in block.body.splitlines()]
    assert all(words[0] == "python" for words in found)
    return [words[1:] for words in found]


@pytest.mark.timeout(900)
def test_the_steps_of_the_guide(tmp_path: Path) -> None:
    for step in steps():
        done = run([*step, "-p", "no:cacheprovider"] if "pytest" in step else step, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b\d{2} passed", done.stdout), done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"my_exchange", "test_my_exchange.py"}
    # Registered by a call.
    (call,) = (block.body for block in blocks(GUIDE) if block.info.startswith("python"))
    done = run(["-c", call], tmp_path)
    assert done.returncode == 0, done.stderr
    # Found as an installed entry point.
    (entry,) = (block.body for block in blocks(GUIDE) if block.info == "text")
    installed = tmp_path / "installed" / "my_exchange-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-exchange\nVersion: 1\n")
    heading, name = entry.split("\n")[:2]
    assert heading == '[project.entry-points."exconn_sync.drivers"]'
    (installed / "entry_points.txt").write_text("[exconn_sync.drivers]\n" + name.replace('"', "") + "\n")
    code = "from exconn_sync import Config; print(Config.builder('my_exchange').build().exchange)"
    done = run(["-c", code], tmp_path, installed.parent)
    assert done.stdout.split() == ["my_exchange"], done.stderr


@pytest.mark.timeout(900)
def test_a_mistake_of_a_newcomer_fails_the_suite(tmp_path: Path) -> None:
    copy_template("my_exchange", tmp_path)
    file = tmp_path / "my_exchange" / "faults.py"
    text = file.read_text(encoding="utf-8")
    broken = text.replace("        return OutcomeUnknown(", "        return OrderRejected(")
    assert broken != text
    file.write_text(broken, encoding="utf-8")
    done = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_exchange.py"], tmp_path)
    assert done.returncode == 1
    assert "test_a_failing_server_proves_nothing" in done.stdout


def test_the_guide_names_every_part_of_the_suite() -> None:
    named = [cell.strip("`") for cell in first_column(GUIDE, "Part")]
    assert named == [part.__name__ for part in DriverContract.__bases__]
    assert set(named) < set(contract.__all__)


def test_the_guide_names_every_file_of_the_template() -> None:
    named = {name for cell in first_column(GUIDE, "File") for name in re.findall(r"\w+\.py", cell)}
    there = {path.name for path in (ROOT / "exconn_sync" / "exchanges" / "_template").glob("*.py")}
    assert named == there - {"__init__.py"}


def test_the_template_is_packaged() -> None:
    packages = importlib.import_module("setuptools").find_packages(str(ROOT))
    assert {"exconn_sync.exchanges._template", "exconn_sync.testing.contract"} <= set(packages)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    written = copy_template("my_exchange", tmp_path)
    assert all("template" not in path.read_text(encoding="utf-8").replace("template.invalid", "") for path in written)
    for leftover in ("test_my_exchange.py", "my_exchange"):
        with pytest.raises(FileExistsError, match=leftover):
            copy_template("my_exchange", tmp_path)
        if leftover.endswith(".py"):
            (tmp_path / leftover).unlink()
    for name in ("My", "with-dash", "1st", "class", ""):
        with pytest.raises(ValueError, match="no name for an exchange"):
            copy_template(name, tmp_path)


@pytest.mark.parametrize("name", ["binance", "bybit", "mock", "json"])
def test_a_name_that_means_something_else_already_is_not_taken(name: str, tmp_path: Path) -> None:
    """A registered driver wins over the library's own: keys would go elsewhere."""
    with pytest.raises(ValueError, match="is taken"):
        copy_template(name, tmp_path)
    assert list(tmp_path.iterdir()) == []
