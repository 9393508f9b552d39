"""The tables of documented fields hold all that Binance's documentation shows, and whatever else comes is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exconn_sync.exchanges.binance import known
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.exchanges.binance.order_rows import AmendedOrderRow, FillRow, OrderRow
from exconn_sync.model.wire import RestCall
from tests.data import documented_files, read_json, recorded_payloads
from tests.exchanges.binance.support import response

FILES = documented_files()
EVENTS = [name for name in FILES if name.startswith(("streams/", "user_data/"))]
ANSWERS = [name for name in FILES if name.startswith("rest/")]
# Not calls of the domain, or without names.
NO_TABLE = ("Block", "klines", "Klines", "myFilters", "order_oco", "ping", "referencePrice", "Error_Codes")


def path_of(name: str) -> str:
    """Return the path that a file of an answer is about."""
    words = name.removeprefix("rest/").partition("__")[0].split("_")
    return "/" + "/".join(words[1:])


def in_every_object(value: Any) -> Any:
    """Return a copy with a further field in every object."""
    if isinstance(value, dict):
        return {**{key: in_every_object(inner) for key, inner in value.items()}, "brandNew": 1}
    return [in_every_object(inner) for inner in value] if isinstance(value, list) else value


def look(name: str, payload: bytes) -> tuple[str, ...]:
    return known.unknown_in_answer(path_of(name), payload) if name in ANSWERS else known.unknown_in_frame(payload)


@pytest.mark.parametrize("name", [*ANSWERS, *EVENTS])
def test_nothing_that_is_documented_is_news(name: str) -> None:
    assert look(name, FILES[name].read_bytes()) == ()


@pytest.mark.parametrize("name", [name for name in ANSWERS if not any(word in name for word in NO_TABLE)])
def test_a_new_field_of_an_answer_is_named(name: str) -> None:
    """(fault F036)"""
    payload = json.loads(FILES[name].read_bytes())
    if payload in ([], {}):
        pytest.skip("an empty answer")
    parts = look(name, json.dumps(in_every_object(payload)).encode())
    assert parts == (f"{path_of(name)} field brandNew",)


@pytest.mark.parametrize("name", EVENTS)
def test_a_new_field_of_an_event_is_named(name: str) -> None:
    """(fault F036)"""
    payload = json.loads(FILES[name].read_bytes())
    event = payload.get("event", payload) if isinstance(payload, dict) else {}
    kind = known._kind_of(event)
    if kind not in known._EVENTS:
        assert known.unknown_in_frame(json.dumps(in_every_object(payload)).encode()) == ()
        return
    parts = known.unknown_in_frame(json.dumps(in_every_object(payload)).encode())
    assert f"{kind} field brandNew" in parts
    assert ("event" in payload) == (f"{kind} envelope field brandNew" in parts)


def test_most_events_of_the_documentation_are_on_a_table() -> None:
    if not FILES:
        pytest.skip("needs test data that is not here")
    events = [event for event in (json.loads(FILES[name].read_bytes()) for name in EVENTS) if isinstance(event, dict)]
    kinds = {known._kind_of(event.get("event", event)) for event in events}
    assert set(known._EVENTS) - kinds == {"4hTicker", "1dTicker"}


@pytest.mark.parametrize(
    ("event", "part"),
    [
        ({"e": "listStatus", "l": "PAUSED"}, "listStatus l PAUSED"),
        ({"e": "executionReport", "gOT": "PERCENT"}, "executionReport gOT PERCENT"),
        ({"e": "executionReport", "b": "TWO_PARTY"}, "executionReport b TWO_PARTY"),
    ],
)
def test_a_new_word_of_an_event_that_its_parser_passes_by_is_named(event: dict[str, str], part: str) -> None:
    """(fault F040)"""
    frame = json.dumps({"subscriptionId": 0, "event": event}).encode()
    assert DRIVER.unknown_in_frame(frame) == (part,)


def test_real_instruments_are_no_news() -> None:
    """Those of August 2025, with their filters."""
    items = read_json("third_party", "binance_spot_http_recorded_gct.json")["items"]
    bodies = [json.dumps(item["payload"]) for item in items if "filterType" in json.dumps(item)]
    assert bodies
    for body in bodies:
        assert known.unknown_in_answer("/api/v3/exchangeInfo", body.encode()) == ()
        changed = body.replace('"filterType": "LOT_SIZE"', '"filterType": "LOT_SIZE", "mood": 1')
        assert changed != body
        assert known.unknown_in_answer("/api/v3/exchangeInfo", changed.encode()) == ("/api/v3/exchangeInfo field mood",)


def test_recorded_events_are_no_news() -> None:
    payloads = recorded_payloads()
    if not payloads:
        pytest.skip("needs test data that is not here")
    assert {part for payload in payloads for part in known.unknown_in_frame(payload)} == set()


@pytest.mark.parametrize("row", [OrderRow, AmendedOrderRow, FillRow])
def test_what_is_read_is_known(row: type) -> None:
    names: tuple[str, ...] = row.__struct_encode_fields__  # type: ignore[attr-defined]
    assert set(names) <= known._ORDERS.names


@pytest.mark.parametrize(
    ("path", "field", "word"),
    [
        ("/api/v3/order", "type", "TRAILING"),
        ("/api/v3/order", "side", "SIDEWAYS"),
        ("/api/v3/openOrders", "status", "FROZEN"),
        ("/api/v3/allOrders", "timeInForce", "GTD"),
        ("/api/v3/order", "selfTradePreventionMode", "EXPIRE_ALL"),
        ("/api/v3/orderList/oco", "listOrderStatus", "PAUSED"),
        ("/api/v3/orderList", "listStatusType", "PAUSED"),
        ("/api/v3/orderList", "contingencyType", "OCOCO"),
        ("/api/v3/exchangeInfo", "status", "HIBERNATING"),
        ("/api/v3/exchangeInfo", "rateLimitType", "COFFEE"),
        ("/api/v3/rateLimit/order", "interval", "FORTNIGHT"),
    ],
)
def test_a_new_word_of_an_answer_is_named(path: str, field: str, word: str) -> None:
    """(fault F040)"""
    body = json.dumps([{field: word}]).encode()
    assert DRIVER.unknown_in_answer(response(body), RestCall("GET", path, lambda _: None)) == (
        f"{path} {field} {word}",
    )
