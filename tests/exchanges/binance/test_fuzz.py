"""Whatever bytes come, a parser returns a value or raises ProtocolError, nothing else (faults F032, F033, F039)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import Topic
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, order_state, read_call, response
from tests.exchanges.binance.test_parse_account import NEW, POSITION, TRADE
from tests.exchanges.binance.test_parse_market import AGGREGATE, BEST, KLINE
from tests.exchanges.binance.test_parse_market import FULL as MARKET_TICKER
from tests.exchanges.binance.test_parse_orders import CANCELLED, FULL, QUERIED
from tests.exchanges.binance.test_parse_rest import ACCOUNT, OWN_TRADE, PUBLIC_TRADE
from tests.exchanges.binance.test_parse_ws import DIFF, TICKER
from tests.exchanges.binance.test_parse_ws import TRADE as PUBLIC_FRAME
from tests.exchanges.binance.test_symbols import symbol

ORDER = OrderRequest.market("BTC-USDT", "sell", 10)
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
PAYLOADS = [json.dumps(seed).encode() for seed in SEEDS]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def ignore(event: object) -> None:
    """Take an event."""


def rest_parsers() -> list[Callable[[Any], object]]:
    return [
        DRIVER.server_time().parse,
        DRIVER.fetch_instruments().parse,
        DRIVER.fetch_order_book(BTCUSDT, 5).parse,
        DRIVER.fetch_trades(BTCUSDT, 5).parse,
        DRIVER.fetch_balances().parse,
        DRIVER.fetch_order(BTCUSDT, order_state(), INSTRUMENTS).parse,
        DRIVER.fetch_open_orders(None, INSTRUMENTS).parse,
        DRIVER.fetch_fills(BTCUSDT, None, INSTRUMENTS).parse,
        DRIVER.place_order(ORDER, BTCUSDT, ClientOrderId("my-order-1"), INSTRUMENTS).parse,
        DRIVER.cancel_order(BTCUSDT, order_state(), INSTRUMENTS).parse,
        DRIVER.raw_call("GET", "/api/v3/ping", (), is_signed=False).parse,
        DRIVER.ping().parse,
        DRIVER.fetch_klines(BTCUSDT, "1m", 5, now=0).parse,
        DRIVER.fetch_aggregate_trades(BTCUSDT, 5).parse,
        DRIVER.fetch_tickers(None, "24h", INSTRUMENTS).parse,
        DRIVER.fetch_book_tickers([BTCUSDT], INSTRUMENTS).parse,
        DRIVER.fetch_average_price(BTCUSDT).parse,
    ]


REST = rest_parsers()
STREAMS = [DRIVER.decoder(Topic(channel, "BTC-USDT")) for channel in sorted(DRIVER.channels)]


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


def attempt(parse: Callable[[], object]) -> None:
    refusal: ProtocolError | None = None
    try:
        parse()
    except ProtocolError as error:
        refusal = error
    if refusal is not None:
        assert len(refusal.details["payload"]) <= 203
        assert str(refusal).isprintable()


@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    feed(payload)


@given(st.sampled_from(PAYLOADS), st.data())
def test_valid_payloads_with_some_bytes_changed(payload: bytes, data: st.DataObject) -> None:
    mutated = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        replacement = data.draw(st.binary(max_size=3))
        mutated[at : at + data.draw(st.integers(0, 3))] = replacement
        if not mutated:
            break
    feed(bytes(mutated))


@given(st.sampled_from(PAYLOADS), st.integers(0, 500))
def test_truncated_payloads(payload: bytes, length: int) -> None:
    """(fault F083)"""
    feed(payload[:length])


@given(st.sampled_from(SEEDS), st.data())
def test_valid_payloads_with_a_value_replaced(seed: Any, data: st.DataObject) -> None:
    wire = json.loads(json.dumps(seed))
    place: Any = wire
    parent: Any = None
    key: Any = None
    for _ in range(data.draw(st.integers(1, 4))):
        if isinstance(place, dict) and place:
            parent, key = place, data.draw(st.sampled_from(sorted(place)))
        elif isinstance(place, list) and place:
            parent, key = place, data.draw(st.integers(0, len(place) - 1))
        else:
            break
        place = parent[key]
    if parent is not None:
        parent[key] = data.draw(JSON)
    feed(json.dumps(wire).encode())
