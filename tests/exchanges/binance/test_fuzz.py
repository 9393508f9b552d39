"""Whatever bytes come, every parser returns a value or raises ProtocolError, nothing else (faults F032, F033, F039).

The parsers are found by looking at the driver: see ``calls``.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.exchanges.binance.driver import DRIVER
from tests.data import documented_payloads, recorded_payloads
from tests.exchanges.binance.calls import every_call, every_decoder
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, read_call, response
from tests.exchanges.binance.test_parse_account import NEW, POSITION, TRADE
from tests.exchanges.binance.test_parse_market import AGGREGATE, BEST, KLINE
from tests.exchanges.binance.test_parse_market import FULL as MARKET_TICKER
from tests.exchanges.binance.test_parse_orders import CANCELLED, FULL, QUERIED
from tests.exchanges.binance.test_parse_rest import ACCOUNT, OWN_TRADE, PUBLIC_TRADE
from tests.exchanges.binance.test_parse_ws import DIFF, TICKER
from tests.exchanges.binance.test_parse_ws import TRADE as PUBLIC_FRAME
from tests.exchanges.binance.test_symbols import symbol
from tests.exchanges.fuzzing import attempt, truncated, unhurried, with_a_value_replaced, with_bytes_changed

SEEDS: list[Any] = [
    *({"stream": "btcusdt@trade", "data": data} for data in (PUBLIC_FRAME, TICKER, DIFF)),
    *({"subscriptionId": 0, "event": data} for data in (NEW, TRADE, POSITION)),
    {"id": 3, "status": 200, "result": {"subscriptionId": 0}},
    {"code": 2, "msg": "Invalid request", "id": 7},
    {"symbols": [symbol()]},
    {"lastUpdateId": 1, "bids": [["1", "2"]], "asks": []},
    {"serverTime": 1},
    [KLINE], [AGGREGATE], [MARKET_TICKER], [BEST], {"mins": 5, "price": "1.0", "closeTime": 1},
    [PUBLIC_TRADE], [OWN_TRADE], [QUERIED], ACCOUNT, FULL, CANCELLED, QUERIED,
]  # fmt: skip
# The documented payloads and real ones beside those written down here; without the test data the latter alone.
PAYLOADS = [json.dumps(seed).encode() for seed in SEEDS] + documented_payloads() + recorded_payloads()


def ignore(event: object) -> None:
    """Take an event."""


NOT_OFFERED = frozenset({"set_cancel_on_disconnect", "fetch_cancel_on_disconnect", "fetch_key"})
REST = [call.parse for _, call in every_call(refused=NOT_OFFERED)]
STREAMS = [decode for _, decode in every_decoder()]


def feed(payload: bytes) -> None:
    """Give the payload to every parser; anything but a value or ProtocolError fails the test."""
    DRIVER.topic_of_frame(payload)
    for status in (200, 400, 503):
        DRIVER.error_of(response(payload, status), read_call(is_command=True))
    for decode in STREAMS:
        attempt(partial(decode, payload, RECEIVED_AT, ignore))
    for parse in REST:
        attempt(partial(parse, response(payload)))
    attempt(partial(DRIVER.parse_control, payload))
    attempt(partial(DRIVER.parse_account, payload, RECEIVED_AT, INSTRUMENTS))


@unhurried
@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    feed(payload)


@unhurried
@given(with_bytes_changed(PAYLOADS))
def test_valid_payloads_with_some_bytes_changed(payload: bytes) -> None:
    feed(payload)


@unhurried
@given(truncated(PAYLOADS))
def test_truncated_payloads(payload: bytes) -> None:
    """(fault F083)"""
    feed(payload)


@unhurried
@given(with_a_value_replaced(PAYLOADS))
def test_valid_payloads_with_a_value_replaced(payload: bytes) -> None:
    feed(payload)
