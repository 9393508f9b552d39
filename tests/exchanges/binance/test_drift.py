"""Payloads that drift: each field of each documented one is added to, removed, mistyped, renamed or blown up in turn.

What is told is never invented: a changed payload is refused, or it is read as before but for what it does not say
any more.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from tests.data import read_json
from tests.exchanges.binance import documented
from tests.exchanges.binance import documented_market as market
from tests.exchanges.binance.documented import Read, Reading
from tests.exchanges.binance.mutations import (
    NUMBER,
    WORD,
    Json,
    Place,
    changed,
    fields,
    objects,
    path_of,
    plain,
    removed,
    says_no_more,
)

FORMS: dict[str, tuple[Reading, str]] = {
    "time": (market.TIME, "rest/GET_api_v3_time__response"),
    "instruments": (market.INSTRUMENT_LIST, "rest/GET_api_v3_exchangeInfo__response"),
    "depth": (market.DEPTH, "rest/GET_api_v3_depth__response"),
    "trades": (market.TRADES, "rest/GET_api_v3_trades__response"),
    "aggregates": (market.AGGREGATES, "rest/GET_api_v3_aggTrades__response"),
    "klines": (market.KLINES, "rest/GET_api_v3_klines__response"),
    "average": (market.AVERAGE, "rest/GET_api_v3_avgPrice__response"),
    "ticker": (market.DAY_TICKER, "rest/GET_api_v3_ticker_24hr__response_full"),
    "tickers": (market.DAY_TICKERS, "rest/GET_api_v3_ticker_24hr__or"),
    "book ticker": (market.BOOK_TICKER, "rest/GET_api_v3_ticker_bookTicker__response"),
    "book tickers": (market.BOOK_TICKERS, "rest/GET_api_v3_ticker_bookTicker__or"),
    "balances": (documented.BALANCES, "rest/GET_api_v3_account__response"),
    "fills": (documented.FILLS, "rest/GET_api_v3_myTrades__response"),
    "acknowledged": (documented.ACKNOWLEDGED, "rest/POST_api_v3_order__response_ack"),
    "placed": (documented.PLACED, "rest/POST_api_v3_order__response_result"),
    "executed": (documented.EXECUTED, "rest/POST_api_v3_order__response_full"),
    "cancelled": (documented.CANCELLED, "rest/DELETE_api_v3_order__response"),
    "queried": (documented.QUERIED, "rest/GET_api_v3_order__response"),
    "open orders": (documented.OPEN_ORDERS, "rest/GET_api_v3_openOrders__response"),
    "position": (documented.POSITION, "ws_api/Event_format__example_of_an_event"),
    "report": (documented.REPORT, "user_data/Order_Update__executionReport__payload"),
    "trade stream": (market.TRADE_STREAM, "streams/Trade_Streams__trade__payload"),
    "aggregate stream": (market.AGGREGATE_STREAM, "streams/Aggregate_Trade_Streams__aggTrade__payload"),
    "book ticker stream": (market.BOOK_TICKER_STREAM, "streams/Individual_Symbol_Book_Ticker_Streams__payload"),
    "depth stream": (market.DEPTH_STREAM, "streams/Diff_Depth_Stream__depthUpdate__payload"),
    "partial book stream": (market.PARTIAL_BOOK_STREAM, "streams/Partial_Book_Depth_Streams__payload"),
    "kline stream": (market.KLINE_STREAM, "streams/Kline_Candlestick_Streams_for_UTC__kline__payload"),
    "mini ticker stream": (
        market.MINI_TICKER_STREAM, "streams/Individual_Symbol_Mini_Ticker_Stream__24hrMiniTicker__payload"
    ),
    "ticker stream": (market.TICKER_STREAM, "streams/Individual_Symbol_Ticker_Streams__24hrTicker__payload"),
    "window ticker stream": (
        market.WINDOW_TICKER_STREAM,
        "streams/Individual_Symbol_Rolling_Window_Statistics_Stream__1hTicker__payload",
    ),
    "average stream": (market.AVERAGE_STREAM, "streams/Average_Price__avgPrice__payload"),
}  # fmt: skip
"""One payload for each form that has a parser of its own."""
ACCOUNT_FORMS = ["balances", "fills", "placed", "executed", "cancelled", "queried", "open orders", "position", "report"]


def may_say_more(place: Place) -> bool:
    """Return whether what is read may say more without a field.

    Without its event an account message is one of another kind, which is passed by; an order may come without fills;
    what a symbol does not forbid is left to the exchange to refuse.
    """
    name = str(place[-1])
    return place in (("event",), ("fills",)) or name.startswith("allow") or name.endswith("Allowed")


each_form = pytest.mark.parametrize("form", FORMS)


class Case:
    """A payload, what is read of it, and the parser for copies of it."""

    def __init__(self, form: str) -> None:
        self.reading, name = FORMS[form]
        folder, _, file = name.partition("/")
        self.payload: Json = read_json("docs_examples", "binance_spot", folder, file + ".json")
        self.read: Read = self.reading.reader(self.payload)
        self.before = plain(self.read(json.dumps(self.payload).encode()))

    def attempt(self, payload: Json) -> Any:
        """Return what is read of a payload, or the ProtocolError; any other error fails the test."""
        return self.attempt_text(json.dumps(payload))

    def attempt_text(self, text: str) -> Any:
        """Return what is read of a text, or the ProtocolError, which carries the beginning of the payload."""
        refusal: ProtocolError | None = None
        try:
            return plain(self.read(text.encode()))
        except ProtocolError as error:
            refusal = error
        assert len(refusal.details["payload"]) <= 203
        return refusal

    def names(self) -> Iterator[tuple[tuple[str | int, ...], Json]]:
        """Yield the fields of objects, of the first row of each list."""
        for place, value in fields(self.payload):
            if isinstance(place[-1], str):
                yield place, value


@each_form
def test_an_unknown_field_in_any_object_changes_nothing(form: str) -> None:
    """(fault F036)"""
    case = Case(form)
    places = list(objects(case.payload))
    for stranger in ({"x": [1, {"y": None}]}, "text", 10**30, 1.5, None):
        for place in places:
            assert case.attempt(changed(case.payload, (*place, "brandNewField"), stranger)) == case.before
    everywhere = case.payload
    for place in places:
        everywhere = changed(everywhere, (*place, "brandNewField"), [])
    assert case.attempt(everywhere) == case.before


@each_form
def test_each_field_removed_in_turn(form: str) -> None:
    """A mandatory field is missed, any other is absent and not zero (faults F037, F038)"""
    case = Case(form)
    refused = set()
    for place, _ in case.names():
        now = case.attempt(removed(case.payload, place))
        if isinstance(now, ProtocolError):
            refused.add(path_of(case.payload, place))
        else:
            assert may_say_more(place) or says_no_more(now, case.before), (place, now)
    assert refused == case.reading.required


WRONG: tuple[Json, ...] = (True, 7, 1.5, "text", "", [], ["1"], {}, {"a": 1}, None)


@each_form
def test_each_field_with_each_wrong_type(form: str) -> None:
    """(fault F039)"""
    case = Case(form)
    for place, value in fields(case.payload):
        for wrong in WRONG:
            if type(wrong) is type(value) and not (isinstance(value, str) and NUMBER.fullmatch(value)):
                continue
            now = case.attempt(changed(case.payload, place, wrong))
            is_survived = isinstance(now, ProtocolError) or says_no_more(now, case.before)
            assert is_survived or may_say_more(place), (place, wrong, now)


@each_form
def test_each_word_replaced_by_one_of_the_future(form: str) -> None:
    """A word says nothing where it is new; only a fill without a known side means nothing (fault F040)"""
    case = Case(form)
    for place, value in case.names():
        is_name = place[-1] in ("symbol", "s", "asset", "a", "commissionAsset", "e")
        if isinstance(value, str) and WORD.fullmatch(value) and not is_name:
            now = case.attempt(changed(case.payload, place, "FROM_THE_FUTURE"))
            if form == "executed" and place[-1] == "side":
                assert isinstance(now, ProtocolError)
            else:
                assert not isinstance(now, ProtocolError), place
                assert now != case.before or case.reading.leaves_out(path_of(case.payload, place))


MONSTERS = (
    '"' + "9" * 1_000_000 + '"', "9" * 100_000, "-" + "9" * 400, '"1e1000000"', "1e1000000", '"1e400"', '"NaN"', "NaN",
    '"Infinity"', "Infinity", '"1_0"', '"+1"', '" 1"', '"\uff11"', '"0x10"', '"1."', '".5"', "1e400",
)  # fmt: skip
MOST_TIMES = 8
"""Reading may take so many times the memory of the text itself, what its error keeps of it included."""


@each_form
def test_each_number_replaced_by_a_monster(form: str) -> None:
    """(fault F041)"""
    case = Case(form)
    tracemalloc.start()
    try:
        for place, value in fields(case.payload):
            is_text = isinstance(value, str) and NUMBER.fullmatch(value)
            if isinstance(value, bool) or not (is_text or isinstance(value, int)):
                continue
            marked = json.dumps(changed(case.payload, place, "@monster@"))
            for monster in MONSTERS:
                text = marked.replace('"@monster@"', monster)
                before, _ = tracemalloc.get_traced_memory()
                tracemalloc.reset_peak()
                now = case.attempt_text(text)
                taken = tracemalloc.get_traced_memory()[1] - before
                assert taken < MOST_TIMES * len(text) + 1_000_000, (place, monster[:20], taken)
                if not is_text and NUMBER.fullmatch(monster):
                    continue  # a whole number of any length is exact, where it is read at all
                assert isinstance(now, ProtocolError) or says_no_more(now, case.before), (place, monster[:20])
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("form", ACCOUNT_FORMS)
def test_each_key_of_the_account_repeated(form: str) -> None:
    """With another value, before or after the true one (fault F034)"""
    case = Case(form)
    text = json.dumps(case.payload)
    for place, value in case.names():
        marked = json.dumps(changed(case.payload, place, "@twice@"))
        key = json.dumps(place[-1])
        for other in ('"0.5"', "77", "null", json.dumps(value)):
            for twice in (f"{other}, {key}: {json.dumps(value)}", f"{json.dumps(value)}, {key}: {other}"):
                assert isinstance(case.attempt_text(marked.replace('"@twice@"', twice)), ProtocolError), place
    assert case.attempt_text(text) == case.before


@each_form
def test_absurd_nesting_at_each_place(form: str) -> None:
    """(fault F034)"""
    case = Case(form)
    for place, _ in fields(case.payload):
        marked = json.dumps(changed(case.payload, place, "@deep@"))
        for deep in ("[" * 100_000 + "]" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000):
            now = case.attempt_text(marked.replace('"@deep@"', deep))
            assert isinstance(now, ProtocolError) or now == case.before


@each_form
def test_a_payload_cut_at_each_of_its_bytes(form: str) -> None:
    """(fault F083)"""
    case = Case(form)
    text = json.dumps(case.payload)
    for length in range(len(text)):
        assert isinstance(case.attempt_text(text[:length]), ProtocolError)


@each_form
def test_byte_order_marks_and_other_character_sets(form: str) -> None:
    """(faults F030, F082)"""
    case = Case(form)
    text = json.dumps(case.payload)
    for encoded in (text.encode("utf-8-sig"), text.encode("utf-16"), text.encode("utf-32"), b"\xff" + text.encode()):
        with pytest.raises(ProtocolError):
            case.read(encoded)
