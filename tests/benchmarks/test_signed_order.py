"""The comparison of signed orders works; what anything costs is nothing that a test may judge."""

from __future__ import annotations

import json

import pytest

from benchmarks.common.measuring import Measured
from benchmarks.signed_order.__main__ import BARE, OURS, main, report, stand_in
from benchmarks.signed_order.clients.exconn import prepared
from benchmarks.signed_order.server import answer


def test_our_client_and_the_bare_one_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--repetitions", "1", "--calls", "3", "--clients", OURS, BARE]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert [row[0] for row in rows] == ["| Client", "| ---", f"| {OURS}", f"| {BARE}"]
    assert all(float(row[column]) > 0 for row in rows[2:] for column in (1, 4))


def test_an_order_goes_to_the_stand_in_and_comes_back_accepted() -> None:
    with stand_in() as url, prepared(url) as (place, ask):
        assert str(place(7)).endswith("new>")
        assert isinstance(ask(), int)


def test_the_stand_in_gives_back_the_id_of_the_order() -> None:
    told = json.loads(json.dumps(answer(b"/api/v3/order", b"POST /api/v3/order?newClientOrderId=a-1&x=2 HTTP/1.1")))
    assert (told["clientOrderId"], told["status"]) == ("a-1", "NEW")
    told = json.loads(json.dumps(answer(b"/v5/order/create", b'{"orderLinkId": "a-2"}')))
    assert told["result"]["orderLinkId"] == "a-2"


def test_ratios_are_those_to_the_cheapest_peer() -> None:
    figures = {OURS: 3.0, BARE: 1.0, "pybit": 4.0, "ccxt": 5.0}
    results = {name: {kind: Measured(name, [each]) for kind in ("order", "question")} for name, each in figures.items()}
    text = report(results, 1, 1)
    assert f"| {OURS} | 3 | 3 to 3 | 0.75 | 3 | 3 to 3 | 0.75 |" in text
    assert "| ccxt | 5 | 5 to 5 | 1.25 |" in text
