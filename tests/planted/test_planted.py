"""Mistakes are planted, and tests must notice them: here a few, all of them with ``tox -e planted``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.planted.bug import Bug
from tests.planted.planting import BUGS, ROOT, copied_tree, look_for, planted_text

SAMPLE = ("drop late fills", "reserve without release")
"""Those whose tests take no more than a moment."""


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_each_bug_can_still_be_planted(bug: Bug) -> None:
    whole = (ROOT / bug.path).read_text(encoding="utf-8")
    assert planted_text(bug, whole) != whole
    assert bug.tests
    for test in bug.tests:
        path, _, name = test.partition("::")
        assert not name or f"def {name.partition('[')[0]}(" in (ROOT / path).read_text(encoding="utf-8")
        assert (ROOT / path).is_file()


def test_there_are_enough_of_them_and_each_has_a_name() -> None:
    assert len(BUGS) >= 40
    assert set(Counter(bug.name for bug in BUGS).values()) == {1}


@pytest.mark.timeout(300)
def test_a_sample_is_noticed(tmp_path: Path) -> None:
    with copied_tree(tmp_path) as tree:
        found = [look_for(bug, tree) for bug in BUGS if bug.name in SAMPLE]
    assert len(found) == len(SAMPLE)
    assert [finding for finding in found if not finding.is_caught] == []


def test_what_cannot_be_planted_is_an_error() -> None:
    bug = BUGS[0]
    with pytest.raises(ValueError, match="has 0 times"):
        planted_text(bug, "nothing of it")
