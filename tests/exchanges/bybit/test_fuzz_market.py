"""Whatever bytes come, every parser of public data returns a value or raises ProtocolError (faults F032, F033, F039).

The parsers are found by looking at the driver: a new call or stream is tested without being listed.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.market_calls import MarketCalls
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import RestCall, Topic
from tests.exchanges.bybit import frames
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, envelope, read_call, refusal, response
from tests.exchanges.bybit.test_parse_market import BOOK, CANDLE, TICKER, TRADE, rows
from tests.exchanges.bybit.test_symbols import symbol
from tests.exchanges.fuzzing import attempt, truncated, unhurried, with_a_value_replaced, with_bytes_changed

SEEDS: list[Any] = [
    envelope({"timeSecond": "1688639403", "timeNano": "1688639403423213947"}), envelope(BOOK), rows(TRADE),
    rows(CANDLE), rows(TICKER), rows(symbol()), refusal(10006), refusal(170131),
    {"retCode": 0, "result": {"list": [], "nextPageCursor": "a%3Ab"}},
]  # fmt: skip
PAYLOADS = [json.dumps(seed).encode() for seed in SEEDS] + [
    frames.book(7), frames.delta(8, [("1", "0")]), frames.trades(frames.trade(1), frames.trade(2)), frames.ticker(),
    frames.kline({}), frames.reply(7), frames.reply(7, error="error:already subscribed"), frames.PONG,
]  # fmt: skip
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
