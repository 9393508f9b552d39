"""The tables of documented fields hold all that Bybit's documentation shows of spot; whatever else comes is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.exchanges.bybit import known
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.wire import HttpResponse, RestCall
from tests.data import data_path, read_json


def documented() -> list[tuple[str, Path]]:
    """Return the documented answers and events of spot that are on a table, each with the path or topic it is of."""
    root = data_path("docs_examples")
    found = []
    for name, about in read_json("docs_examples", "index.json").items():
        if not name.startswith("bybit_v5/") or "http_request" in name:
            continue
        wire = json.loads((root / name).read_bytes())
        topic = wire.get("topic") if isinstance(wire, dict) else None
        path = str(about.get("endpoint_or_stream")).rpartition(" ")[2]
        if (
            isinstance(topic, str)
            and topic.partition(".")[0] in known._EVENTS
            and not topic.startswith("orderbook.rpi")
        ):
            found.append((topic, root / name))
        elif path in known._ANSWERS and "retCode" in wire:
            found.append((path, root / name))
    return found


def look(of: str, payload: bytes) -> tuple[str, ...]:
    return known.unknown_in_answer(of, payload) if of.startswith("/") else known.unknown_in_frame(payload)


def in_every_object(value: Any) -> Any:
    """Return a copy with a further field in every object, but in those whose keys are data."""
    if isinstance(value, dict):
        return {**{key: in_every_object(inner) for key, inner in value.items()}, "brandNew": 1}
    return [in_every_object(inner) for inner in value] if isinstance(value, list) else value


def test_nothing_that_is_documented_is_news_and_a_new_field_is_named() -> None:
    """(fault F036)"""
    files = documented()
    of_kind = {of.partition(".")[0] for of, _ in files}
    assert len(files) > 25
    assert set(known._EVENTS) - {"orderbook"} <= of_kind
    for of, file in files:
        payload = file.read_bytes()
        assert look(of, payload) == (), file.name
        changed = json.dumps(in_every_object(json.loads(payload))).encode()
        assert look(of, changed) == (f"{of.partition('.')[0]} field brandNew",), file.name


@pytest.mark.parametrize(
    ("path", "field", "word"),
    [
        ("/v5/order/realtime", "orderStatus", "Frozen"),
        ("/v5/order/history", "timeInForce", "GTD"),
        ("/v5/order/realtime", "smpType", "CancelAll"),
        ("/v5/execution/list", "side", "Sideways"),
        ("/v5/market/instruments-info", "status", "Hibernating"),
    ],
)
def test_a_new_word_of_an_answer_is_named(path: str, field: str, word: str) -> None:
    """(fault F040)"""
    body = json.dumps({"result": {"list": [{field: word}]}}).encode()
    call = RestCall("GET", path, lambda _: None)
    assert DRIVER.unknown_in_answer(HttpResponse(200, {}, body, 0), call) == (f"{path} {field} {word}",)
