"""Whatever bytes come, every parser of public data returns a value or raises ProtocolError (faults F032, F033, F039).

The parsers are found by looking at the driver: a new call or stream is tested without being listed.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.errors import ProtocolError, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.market_calls import MarketCalls
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import RestCall, Topic
from tests.exchanges.bybit import frames
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, envelope, read_call, refusal, response
from tests.exchanges.bybit.test_parse_market import BOOK, CANDLE, TICKER, TRADE, rows
from tests.exchanges.bybit.test_symbols import symbol

SEEDS: list[Any] = [
    envelope({"timeSecond": "1688639403", "timeNano": "1688639403423213947"}), envelope(BOOK), rows(TRADE),
    rows(CANDLE), rows(TICKER), rows(symbol()), refusal(10006), refusal(170131),
    {"retCode": 0, "result": {"list": [], "nextPageCursor": "a%3Ab"}},
]  # fmt: skip
PAYLOADS = [json.dumps(seed).encode() for seed in SEEDS] + [
    frames.book(7), frames.delta(8, [("1", "0")]), frames.trades(frames.trade(1), frames.trade(2)), frames.ticker(),
    frames.kline({}), frames.reply(7), frames.reply(7, error="error:already subscribed"), frames.PONG,
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
# A busy machine is no failure; what hangs ends with the time of its test.
unhurried = settings(deadline=None)

_BY_NAME: dict[str, Any] = {
    "instrument": BTCUSDT, "instruments": INSTRUMENTS, "limit": 5, "interval": "1h", "window": "24h", "now": 0,
    "from_id": None, "start": None, "end": None,
}  # fmt: skip


def calls() -> Iterator[RestCall[Any]]:
    """Yield the calls for public data; of those for several symbols also the one for all."""
    for name, method in inspect.getmembers(MarketCalls, inspect.isfunction):
        wanted = [each for each in inspect.signature(method).parameters if each != "self"]
        for chosen in ([BTCUSDT], None) if "chosen" in wanted else (None,):
            try:
                yield getattr(DRIVER, name)(**{each: _BY_NAME.get(each, chosen) for each in wanted})
            except ValidationError:
                # What Bybit does not have.
                continue


CALLS = list(calls())
STREAMS = [
    DRIVER.decoder(Topic(Channel(word), "BTC-USDT", variant))
    for word, variants in DRIVER.capabilities("production").streams.items()
    for variant in variants[:1]
]


def test_the_calls_are_found() -> None:
    assert {call.path for call in CALLS} >= {
        f"/v5/market/{name}" for name in ("time", "instruments-info", "orderbook", "recent-trade", "kline", "tickers")
    }
    assert len(STREAMS) == len(DRIVER.channels)


def feed(payload: bytes) -> None:
    """Give the payload to every parser; anything but a value or ProtocolError fails the test."""
    DRIVER.topic_of_frame(payload)
    for status in (200, 400, 403, 503):
        DRIVER.error_of(response(payload, status), read_call(is_command=True))
    DRIVER.used_figures(response(payload), read_call("/v5/order/create"))
    for decode in STREAMS:
        attempt(partial(decode, payload, RECEIVED_AT, lambda _: None))
    for call in CALLS:
        attempt(partial(call.parse, response(payload)))
        if call.pages is not None:
            attempt(partial(call.pages.next_params, response(payload)))
    attempt(partial(DRIVER.parse_control, payload))


def attempt(parse: Callable[[], object]) -> None:
    refused: ProtocolError | None = None
    try:
        parse()
    except ProtocolError as error:
        refused = error
    if refused is not None:
        assert len(refused.details["payload"]) <= 203
        assert str(refused).isprintable()


@unhurried
@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    feed(payload)


@unhurried
@given(st.sampled_from(PAYLOADS), st.data())
def test_valid_payloads_with_some_bytes_changed(payload: bytes, data: st.DataObject) -> None:
    mutated = bytearray(payload)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        mutated[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not mutated:
            break
    feed(bytes(mutated))


@unhurried
@given(st.sampled_from(PAYLOADS), st.integers(0, 500))
def test_truncated_payloads(payload: bytes, length: int) -> None:
    """(fault F083)"""
    feed(payload[:length])


@unhurried
@given(st.sampled_from(PAYLOADS), st.data())
def test_valid_payloads_with_a_value_replaced(payload: bytes, data: st.DataObject) -> None:
    wire = json.loads(payload)
    place: Any = wire
    parent: Any = None
    key: Any = None
    for _ in range(data.draw(st.integers(1, 5))):
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
