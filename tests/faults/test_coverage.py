"""The table of faults says which tests provoke each of them, and what is open; it agrees with the tests themselves.

A test is in the row of each fault that its docstring names, and each test in a row names the fault in its docstring or
in that of its file. A fault that the docstring of a file names has a test of that file in its row.
"""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("coverage.json")
PAGE = ROOT / "docs" / "concepts" / "faults.md"

LATER = {
    # What a message says, and books: a chapter of its own.
    "F034", *(f"F{number:03}" for number in (*range(36, 42), *range(49, 60))),
}  # fmt: skip
"""Faults of the areas that have to be whole, which may be without a test all the same."""

TOOLS = ("tests/simulator/", "tests/faults/test_relay.py")
"""Tests of what faults are made with: nothing of the library is provoked there."""

_NAMED = re.compile(r"F(\d{3})(?: to F(\d{3}))?")


class Row(TypedDict):
    """One fault: tests that provoke it, how often the random test injected it, and what is open."""

    fault: str
    title: str
    tests: list[str]
    random: int
    open: str


@cache
def rows() -> list[Row]:
    found: list[Row] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def named(text: str | None) -> set[str]:
    """Return the faults that a docstring names; ``F036 to F041`` are six."""
    found = set()
    for first, last in _NAMED.findall(text or ""):
        found |= {f"F{number:03}" for number in range(int(first), int(last or first) + 1)}
    return found


@cache
def docstrings() -> dict[str, tuple[set[str], set[str]]]:
    """Return the faults that each test names itself, and that its file names."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        if file.startswith(TOOLS):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        of_file = named(ast.get_docstring(tree))
        for node in tree.body:
            for inner in node.body if isinstance(node, ast.ClassDef) else [node]:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
                    prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
                    found[f"{file}::{prefix}{inner.name}"] = (named(ast.get_docstring(inner)), of_file)
    return found


def test_every_fault_has_its_row_in_order() -> None:
    assert [row["fault"] for row in rows()] == [f"F{number:03}" for number in range(1, 186)]
    for row in rows():
        assert list(row) == list(Row.__annotations__)
        assert row["title"]
        assert row["random"] >= 0
        assert row["tests"] == sorted(set(row["tests"])), row["fault"]


def test_each_row_is_one_line() -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    assert lines == ["[", *(json.dumps(row, ensure_ascii=False) + "," for row in rows()[:-1]), lines[-2], "]"]
    assert json.loads(lines[-2]) == rows()[-1]


def test_each_named_test_exists_and_names_its_fault() -> None:
    wrong = []
    for row in rows():
        for test in row["tests"]:
            itself, its_file = docstrings().get(test, (None, set()))
            if itself is None:
                wrong.append(f"{row['fault']}: {test} does not exist")
            elif row["fault"] not in itself | its_file:
                wrong.append(f"{row['fault']}: {test} does not name it")
    assert not wrong, "\n".join(wrong)


def test_each_test_that_names_a_fault_is_in_its_row() -> None:
    table = {row["fault"]: row["tests"] for row in rows()}
    wrong = []
    by_file: defaultdict[str, set[str]] = defaultdict(set)
    for test, (itself, its_file) in docstrings().items():
        wrong += [f"{fault}: {test} is not in its row" for fault in sorted(itself) if test not in table.get(fault, [])]
        by_file[test.partition("::")[0]] |= its_file
    for file, faults in by_file.items():
        for fault in sorted(faults):
            if not any(test.startswith(f"{file}::") for test in table.get(fault, [])):
                wrong.append(f"{fault}: no test of {file} is in its row, though the file names it")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_open_without_a_word() -> None:
    assert [row["fault"] for row in rows() if not row["tests"] and not row["open"]] == []


def test_the_network_streams_threads_and_overload_have_their_tests() -> None:
    required = {f"F{number:03}" for number in (*range(1, 67), *range(124, 165))} - LATER
    assert [row["fault"] for row in rows() if row["fault"] in required and not row["tests"]] == []


def test_the_page_lists_what_is_open() -> None:
    shown = re.findall(r"^\| (F\d{3}) \| (.+?) \| (none|some) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    wanted = [
        (row["fault"], row["title"], "some" if row["tests"] else "none", row["open"]) for row in rows() if row["open"]
    ]
    assert shown == wanted
