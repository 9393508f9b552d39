"""Each example payload of Binance's documentation is read without loss and without a warning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exconn_sync.errors import ExconnError, ProtocolError
from exconn_sync.model.wire import LoginReply, ServerNotice, SubscriptionReply, Unrecognized
from tests.data import data_path, documented_files
from tests.exchanges.binance.documented import ERROR, Read
from tests.exchanges.binance.documented_files import OUTSIDE, REST, STREAMS, USER_DATA, WS_API, reading_of
from tests.exchanges.binance.mutations import Json, another, changed, fields, path_of, plain

FILES = documented_files()


def is_request(path: Path) -> bool:
    """Return whether a file holds what a client sends: the library's own requests are compared elsewhere."""
    payload = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(payload, dict) and "method" in payload


def loaded(name: str) -> tuple[Json, str]:
    folder, _, file = name.partition("/")
    text = data_path("docs_examples", "binance_spot", folder, file + ".json").read_text(encoding="utf-8")
    return json.loads(text), text


READ = [name for name, path in FILES.items() if name not in OUTSIDE and not is_request(path)]


def test_every_file_is_read_or_left_out_for_a_reason() -> None:
    if not FILES:
        pytest.skip("needs test data that is not here")
    without = [name for name in READ if reading_of(*name.split("/")) is None]
    assert without == []
    assert set(OUTSIDE) <= set(FILES)
    tables = {"rest": REST, "streams": STREAMS, "user_data": USER_DATA, "ws_api": WS_API}
    named = {f"{folder}/{name}" for folder, table in tables.items() for name in table}
    assert named <= set(READ)


def value_of(read: Read, payload: Json) -> object:
    try:
        return plain(read(json.dumps(payload).encode()))
    except ProtocolError:
        return "refused"


@pytest.mark.parametrize("name", READ)
def test_it_is_read_without_loss(name: str) -> None:
    """Whichever field has another value, what is read has one too, or is refused; what is left out has a reason."""
    payload, text = loaded(name)
    reading = reading_of(*name.split("/"))
    assert reading is not None, "on no table"
    read = reading.reader(payload)
    found = read(text.encode())
    if reading is ERROR:
        assert isinstance(found, ExconnError)
        assert found.details["exchange_code"] == payload["code"]
        return
    if isinstance(found, (LoginReply, ServerNotice, SubscriptionReply, Unrecognized)):
        return  # known by its kind; it carries nothing
    before = value_of(read, payload)
    kept = []
    for place, value in fields(payload):
        other = another(value)
        if other is not None and value_of(read, changed(payload, place, other)) == before:
            kept.append(path_of(payload, place))
    assert sorted({path for path in kept if not reading.leaves_out(path)} - ENVELOPE) == []


ENVELOPE = {"id", "status"} | {
    f"rateLimits[].{name}" for name in ("rateLimitType", "interval", "intervalNum", "limit", "count")
}
"""What the WebSocket API puts around a result."""
