"""The benchmarks work, and measure what they say; how long anything takes is nothing that a test may judge."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.common.measuring import Candidate, Measured, Work, measure
from benchmarks.common.tables import DOCUMENT, put, table
from benchmarks.common.versions import versions
from benchmarks.order_path.__main__ import main, report
from benchmarks.order_path.desk import order_desk, requests
from benchmarks.order_path.stages import REFERENCE, candidates, whole


def test_candidates_are_measured_in_turns_and_the_first_turn_does_not_count() -> None:
    done: list[str] = []

    def candidate(name: str) -> Candidate:
        def work(calls: int) -> Work:
            return lambda: done.append(f"{name}{calls}")

        return Candidate(name, lambda calls: nullcontext(work(calls)))

    results = measure([candidate("a"), candidate("b")], repetitions=3, calls=7)
    assert done == ["b7", "a7", "a7", "b7", "b7", "a7", "a7", "b7"]
    assert [(each.name, len(each.microseconds)) for each in results] == [("a", 3), ("b", 3)]


def test_the_median_and_the_spread() -> None:
    measured = Measured("x", [5.0, 1.0, 2.0])
    assert (measured.median, measured.spread) == (2.0, (1.0, 5.0))


@pytest.mark.parametrize("with_limits", [False, True])
def test_the_whole_path_places_real_orders(with_limits: bool) -> None:
    with order_desk(with_limits=with_limits) as desk:
        made = requests(3)
        whole(desk, made)()
        states = desk.desk.store.open_orders()
        assert [state.client_order_id for state in states] == [request.client_order_id for request in made]
        assert {state.status.value for state in states} == {"new"}
        assert len(list(desk.core._journal.replay())) == 7, "a balance, and for each order an intent and an answer"


def test_every_stage_runs_and_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repetitions", "1", "--calls", "3"]) == 0
    told = capsys.readouterr().out
    for candidate in candidates():
        assert f"| {candidate.name} |" in told


def test_ratios_are_those_to_the_reference() -> None:
    text = report([Measured(REFERENCE, [2.0]), Measured("the whole path", [5.0])], 1, 1)
    assert "| the whole path | 5.0 | 5.0 to 5.0 | 2.50 |" in text


def test_a_table_is_put_in_its_place(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin x -->\nold\n<!-- end x -->\nafter\n")
    for _ in range(2):
        put("x", table(["a"], [["1"]]), page)
    assert page.read_text() == "before\n<!-- begin x -->\n\n| a |\n| --- |\n| 1 |\n\n<!-- end x -->\nafter\n"
    with pytest.raises(ValueError, match="no place for y"):
        put("y", "", page)


def test_the_documentation_has_its_places() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert (
        text.index("<!-- begin order-path -->") < text.index("| the whole path |") < text.index("<!-- end order-path")
    )


def test_versions_name_what_is_missing() -> None:
    lines = versions(["msgspec", "no-such-package-here"])
    assert "cores" in lines[0]
    assert lines[-1] == "no-such-package-here is not installed"
