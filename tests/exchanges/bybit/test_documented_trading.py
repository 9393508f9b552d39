"""Each example payload of orders and the account in Bybit's documentation is read without loss or a warning."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.account import Balance
from exconn_sync.model.orders import Fill, OrderFact
from tests.exchanges.binance.mutations import another, changed, fields, path_of, plain, removed, says_no_more
from tests.exchanges.bybit.documented_trading import LEFT_OUT, READINGS
from tests.exchanges.bybit.support import INSTRUMENTS
from tests.exchanges.bybit.test_documented_market import files, is_request

ABOUT = ("GET_order_", "GET_execution_", "POST_order_", "order_dcp", "private_", "trade_guideline", "guide__response")
OF_ACCOUNT = ("GET_account_wallet", "GET_account_info", "GET_account_fee_rate", "GET_user_query_api")


def payload_of(name: str) -> Any:
    return json.loads(files()[name].read_text(encoding="utf-8"))


def value_of(name: str, payload: Any, original: Any) -> object:
    try:
        return plain(READINGS[name].reader(copy.deepcopy(original))(json.dumps(payload).encode()))
    except ExconnError:
        return "refused"


def example(name: str) -> tuple[Any, Any]:
    """Return a payload as it is taken for one of spot, and what is read of it."""
    payload = payload_of(name)
    read = READINGS[name].reader(payload)
    return payload, plain(read(json.dumps(payload).encode()))


def test_every_file_about_orders_and_the_account_is_read_or_left_out_for_a_reason() -> None:
    found = {
        name
        for name, path in files().items()
        if path.stem.startswith((*ABOUT, *OF_ACCOUNT))
        and "request" not in path.stem
        and not is_request(json.loads(path.read_text(encoding="utf-8")))
    }
    assert found == set(READINGS) | set(LEFT_OUT)


@pytest.mark.parametrize("name", READINGS)
def test_it_is_read_without_loss(name: str) -> None:
    """Whichever field has another value, what is read has one too, or is refused; what is left out has a reason."""
    payload, before = example(name)
    lost = set()
    for place, value in fields(payload):
        other, path = another(value), path_of(payload, place)
        if other is None or path in READINGS[name].ignored:
            continue
        if value_of(name, changed(payload, place, other), payload) == before:
            lost.add(path)
    assert lost == set()


SAYS_LESS = {
    "rest/POST_order_cancel_all__response": "a row without an id is about no order",
    "ws/trade_guideline__response__2": "what it says of orders is read as an answer of REST is",
    "ws/trade_guideline__response__3": "likewise",
}


@pytest.mark.parametrize("name", [name for name in READINGS if name not in SAYS_LESS])
def test_without_a_field_nothing_is_invented(name: str) -> None:
    """(faults F037, F038)"""
    payload, before = example(name)
    for place, _ in fields(payload):
        path = path_of(payload, place)
        if not isinstance(place[-1], str) or path.endswith(FALLS_BACK) or path.startswith("result.permissions."):
            continue
        found = value_of(name, removed(payload, place), payload)
        is_nothing = isinstance(found, dict) and found.keys() == {"kind"}
        assert found == "refused" or is_nothing or says_no_more(found, before), path


FALLS_BACK = (
    # Without a client id the exchange's own stands for it; an end is worded by what is left of its reasons.
    "orderLinkId", "cancelType", "rejectReason",
    # A market order without its unit, or of no known side, is one for an amount of the quote asset.
    "marketUnit", "orderType", "side", "isMaker",
    # Nothing locked, no fee: so they are where they are not told.
    "locked", "execFee",
    # An answer of a socket without its parts is one without them.
    "retMsg", "header", "Timenow", "retExtInfo", "data", "ips", "readOnly", "note",
)  # fmt: skip


def test_rows_of_other_products_are_told_from_those_of_spot() -> None:
    """As they stand in the documentation they are of derivatives: counted, and nothing of them is taken."""
    for name in ("private_order", "private_execution"):
        frame = files()[f"ws/{name}__stream_example"].read_bytes()
        found = DRIVER.parse_account(frame, 0, INSTRUMENTS)
        assert (list(found.facts), found.kind.split()[1]) == ([], "of")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rest/GET_order_realtime__response", OrderFact),
        ("ws/private_order__stream_example", OrderFact),
        ("ws/private_execution__stream_example", Fill),
        ("ws/private_wallet__stream_example", Balance),
    ],
)
def test_what_they_are_read_to(name: str, kind: type) -> None:
    payload = payload_of(name)
    read = READINGS[name].reader(payload)(json.dumps(payload).encode())
    found = list(read) if isinstance(read, (list, tuple)) else [read]
    assert found
    assert {type(each) for each in found} == {kind}
