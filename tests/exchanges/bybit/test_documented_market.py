"""Each example payload of public data in Bybit's documentation is read without loss and without a warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.wire import Pong, RestCall, SubscriptionReply, Unrecognized
from tests.data import data_path
from tests.exchanges.binance.mutations import another, changed, fields, path_of, plain, removed, says_no_more
from tests.exchanges.bybit.documented_market import CONTROL, LEFT_OUT, READINGS
from tests.exchanges.bybit.support import INSTRUMENTS, instrument

PUBLIC = ("GET_market_", "public_", "system_system_status", "GET_account_instruments_info")


def files() -> dict[str, Path]:
    root = data_path("docs_examples", "bybit_v5")
    return {f"{path.parent.name}/{path.stem}": path for path in sorted(root.rglob("*.json"))}


def is_request(payload: Any) -> bool:
    return isinstance(payload, dict) and ("method" in payload or "args" in payload)


def test_every_file_about_public_data_is_read_or_left_out_for_a_reason() -> None:
    found = set()
    for name, path in files().items():
        if path.stem.startswith(PUBLIC) and not is_request(json.loads(path.read_text(encoding="utf-8"))):
            found.add(name)
    assert found - set(CONTROL) == set(READINGS) | set(LEFT_OUT) - set(CONTROL)


def value_of(name: str, payload: Any) -> object:
    try:
        return plain(READINGS[name].read(json.dumps(payload).encode()))
    except ProtocolError:
        return "refused"


@pytest.mark.parametrize("name", READINGS)
def test_it_is_read_without_loss(name: str) -> None:
    """Whichever field has another value, what is read has one too, or is refused; what is left out has a reason."""
    text = files()[name].read_text(encoding="utf-8")
    payload, ignored = json.loads(text), READINGS[name].ignored
    before = plain(READINGS[name].read(text.encode()))
    assert before not in (None, [])
    lost = set()
    for place, value in fields(payload):
        other = another(value)
        path = path_of(payload, place)
        if other is not None and path not in ignored and value_of(name, changed(payload, place, other)) == before:
            lost.add(path)
    assert lost == set()


def is_drift_survived(name: str, payload: Any, before: object) -> bool:
    """Return whether a changed payload is refused, or read as before but for what it does not say any more."""
    found = value_of(name, payload)
    return found == "refused" or says_no_more(found, before)


@pytest.mark.parametrize("name", READINGS)
def test_without_a_field_nothing_is_invented(name: str) -> None:
    """(faults F037, F038)"""
    payload = json.loads(files()[name].read_text(encoding="utf-8"))
    before = value_of(name, payload)
    for place, _ in fields(payload):
        if isinstance(place[-1], str) and not path_of(payload, place).endswith(FALLS_BACK):
            assert is_drift_survived(name, removed(payload, place), before), place


FALLS_BACK = ("cts", "time", "maxLimitOrderQty", "maxMarketOrderQty", "postOnlyMaxLimitOrderSize")
"""Without the time of the matching engine that of sending counts; a limit that is not told is none."""

JUNK: list[Any] = [None, [], {}, True, 7, 0.5, "?", [[]], "9" * 400]


@pytest.mark.parametrize("name", READINGS)
def test_a_field_of_another_type_is_refused(name: str) -> None:
    """(faults F039, F041)"""
    payload = json.loads(files()[name].read_text(encoding="utf-8"))
    before = value_of(name, payload)
    for place, value in fields(payload):
        for junk in JUNK:
            is_other = type(junk) is not type(value) or junk == "9" * 400
            path = path_of(payload, place)
            if is_other and not path.endswith((*FALLS_BACK, *WORDS)):
                assert is_drift_survived(name, changed(payload, place, junk), before), (path, junk)


WORDS = ("status", "marginTrading", "execId", ".i", "symbol", "baseCoin", "quoteCoin")
"""Texts that may be any text."""


def test_the_examples_of_answers_are_understood() -> None:
    found = {name: DRIVER.parse_control(files()[name].read_bytes()) for name in CONTROL}
    assert isinstance(found["ws/public_orderbook_rpi__response"], Unrecognized), "it has no id"
    assert found["ws/wss_authentication__response_public_spot"] == SubscriptionReply(10001)
    pong = files()["ws/wss_authentication__how_to_send_the_heartbeat_pack_spot"].read_bytes()
    assert DRIVER.parse_control(pong) == Pong()


BTC = instrument()
ASKED: dict[str, RestCall[Any]] = {
    "GET_market_time__http_request": DRIVER.server_time(),
    "GET_market_recent_trade__http_request": DRIVER.fetch_trades(BTC, 1),
    "GET_market_tickers__http_request__3": DRIVER.fetch_tickers([BTC], "24h", INSTRUMENTS),
}


@pytest.mark.parametrize("name", ASKED)
def test_requests_are_those_of_the_documentation(name: str) -> None:
    example = json.loads(files()[f"rest/{name}"].read_text(encoding="utf-8"))
    request = DRIVER.to_http(ASKED[name], None, 0, 0)
    assert (request.method, request.target, request.body) == (example["method"], example["target"], None)


def test_a_book_is_asked_for_with_its_levels() -> None:
    """Without them one level comes (Bybit: 4.3)."""
    example = json.loads(files()["rest/GET_market_orderbook__http_request"].read_text(encoding="utf-8"))
    target = DRIVER.to_http(DRIVER.fetch_order_book(BTC, 50), None, 0, 0).target
    assert target == example["target"] + "&limit=50"
