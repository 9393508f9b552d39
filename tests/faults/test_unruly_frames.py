"""What an exchange may send that it should not: pings without end, odd goodbyes, garbage, news that nobody knows."""

from __future__ import annotations

import json
import queue
from typing import Any

import pytest

from exconn_sync import ErrorEvent, Fill, OrderRequest, ProtocolError
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace
from tests.integration.test_faults import wait_live
from tests.simulator.clients import eventually
from tests.unit.transport.peers import frame

CONTINUATION, TEXT, CLOSE, PING = 0x0, 0x1, 0x8, 0x9
TRADE = {"e": "trade", "E": 1, "s": "BTCUSDT", "t": 999_000_000, "p": "1.5", "q": "2", "T": 1, "m": False, "M": True}


def wrapped(data: object, stream: str = "btcusdt@trade") -> str:
    """Return the text of a market message."""
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"))


def test_a_message_in_pieces_with_pings_in_between_is_one_message(quiet: Simulator, connect: Connect) -> None:
    """(fault F022)"""
    connector = connect(quiet)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT)
    text = wrapped(TRADE).encode()
    parts = [text[:7], text[7:50], text[50:]]
    pieces = [
        frame(parts[0], TEXT, final=0),
        frame(b"a", PING),
        frame(parts[1], CONTINUATION, final=0),
        frame(b"b", PING),
    ]
    quiet.faults.send_bytes(b"".join(pieces))
    eventually(lambda: sum(frames.pong for frames in quiet.client_frames() if frames.kind == "stream") >= 1)
    assert not trades.pending, "the ping is answered before the message has ended"
    quiet.faults.send_bytes(frame(parts[2], CONTINUATION))
    assert trades.get(LIMIT).trade_id == "999000000"
    assert (ups.told, errors.told) == ([], [])


def test_a_flood_of_pings_neither_breaks_our_limit_nor_starves_the_data(lively: Simulator, connect: Connect) -> None:
    """Subscriptions, pings and pongs together stay below five messages a second (fault F023)."""
    connector = connect(lively, reconnect=pace(idle_timeout=3.0))
    ups, account = Ups(connector), Ups(connector, "account")
    trades = connector.stream_trades("BTC-USDT")
    trades.get(LIMIT)
    lively.faults.flood_pings(500, 3.2)
    for symbol in ("ETH-USDT", "BNB-BTC"):
        for make in (connector.stream_book_ticker, connector.stream_trades):
            make(symbol)
            assert connector.stream_ready.wait(LIMIT)
    frames = [each for each in lively.client_frames() if each.kind == "stream"][-1]
    eventually(lambda: [each for each in lively.client_frames() if each.kind == "stream"][-1].ping >= 1)
    frames = [each for each in lively.client_frames() if each.kind == "stream"][-1]
    assert 1 <= frames.pong <= 4, "one pong in 1.1 s at most"
    assert lively.cuts() == {}
    assert (ups.told, account.told) == ([], [])
    while trades.pending:
        trades.get(LIMIT)
    trades.get(LIMIT)


def test_an_exchange_that_pings_no_more_is_pinged_by_us(quiet: Simulator, connect: Connect) -> None:
    """Nothing is due on the quiet market (fault F024)."""
    connector = connect(quiet, credentials=None, reconnect=pace(idle_timeout=2.4))
    ups = Ups(connector)
    connector.stream_trades("BTC-USDT")
    with quiet.faults.mute_pings():
        eventually(lambda: sum(frames.ping for frames in quiet.client_frames()) >= 3)
        assert ups.told == [], "an answered ping is life enough"
        with quiet.faults.ignore_pings():
            assert ups.down().reason in ("no byte for 2.4 s", "no answer to a ping for 1.2 s")
    ups.up()


CLOSES = {
    "1000": (1000).to_bytes(2, "big"),
    "1001 going away": (1001).to_bytes(2, "big") + b"going away",
    "1002": (1002).to_bytes(2, "big"),
    "1003": (1003).to_bytes(2, "big"),
    "1007": (1007).to_bytes(2, "big"),
    "1008 too many requests": (1008).to_bytes(2, "big") + b"too many requests",
    "1009": (1009).to_bytes(2, "big"),
    "1011": (1011).to_bytes(2, "big"),
    "1012": (1012).to_bytes(2, "big"),
    "1013": (1013).to_bytes(2, "big"),
    "4000": (4000).to_bytes(2, "big"),
    "4999": (4999).to_bytes(2, "big"),
    "": b"",
}


@pytest.mark.parametrize(("told", "body"), CLOSES.items())
def test_every_close_is_followed_by_a_new_connection(
    told: str, body: bytes, quiet: Simulator, connect: Connect
) -> None:
    """(fault F026)"""
    connector = connect(quiet, credentials=None, reconnect=pace(base=0.001, cap=0.3))
    ups = Ups(connector)
    quiet.faults.send_bytes(frame(body, CLOSE))
    down = ups.recover()
    assert "closed by the exchange" in down.reason
    assert told in down.reason
    assert (down.retry_in == 0.3) is (told[:4] in ("1002", "1008", "1009")), "such a code is an answer to what we do"
    assert [event.is_up for event in ups.told] == [False, True]


@pytest.mark.parametrize(
    "body",
    [
        b"\x03",
        (5).to_bytes(2, "big"),
        (1006).to_bytes(2, "big"),
        (65_535).to_bytes(2, "big"),
        (1001).to_bytes(2, "big") + b"\xff\xfe",
    ],
)
def test_a_malformed_close_is_an_end_like_any_other(body: bytes, quiet: Simulator, connect: Connect) -> None:
    """(fault F026)"""
    connector = connect(quiet, credentials=None)
    ups = Ups(connector)
    quiet.faults.send_bytes(frame(body, CLOSE))
    assert ups.recover().reason
    assert {report.restarts for report in connector.workers()} == {0}


def test_a_close_with_an_endless_reason_is_an_end_like_any_other(quiet: Simulator, connect: Connect) -> None:
    """A control frame has 125 bytes at most (faults F026, F031)."""
    connector = connect(quiet, credentials=None)
    ups = Ups(connector)
    head = bytes([0x80 | CLOSE, 126]) + (1000).to_bytes(2, "big")
    quiet.faults.send_bytes(head + b"\x03\xe8" + b"x" * 998)
    assert len(ups.recover().reason) < 200


def test_what_follows_a_close_is_not_delivered(quiet: Simulator, connect: Connect) -> None:
    """(fault F027)"""
    connector = connect(quiet, credentials=None)
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT)
    first, late = ({**TRADE, "t": number} for number in (1, 2))
    data = [frame(wrapped(first).encode()), frame(b"\x03\xe9", CLOSE), frame(wrapped(late).encode())]
    quiet.faults.send_bytes(b"".join(data))
    assert "1001" in ups.recover().reason
    connector.wait_ready(LIMIT)
    quiet.faults.send_raw(wrapped({**TRADE, "t": 3}))
    assert [trades.get(LIMIT).trade_id for _ in range(2)] == ["1", "3"]


def test_a_message_that_declares_too_many_bytes_ends_the_connection_at_once(quiet: Simulator, connect: Connect) -> None:
    """Nothing but the head of the frame ever comes (fault F028)."""
    connector = connect(quiet, credentials=None)
    ups = Ups(connector)
    quiet.faults.send_bytes(bytes([0x81, 127]) + (1 << 40).to_bytes(8, "big"))
    assert "bytes" in ups.recover().reason


@pytest.mark.parametrize(
    "data",
    [b"\xc1\x02{}", b"\x83\x00", b"\x81\x82\x00\x00\x00\x00{}", b"\x09\x00", b"\x80\x02{}"],
    ids=["reserved bit", "unknown opcode", "masked", "ping in pieces", "continuation of nothing"],
)
def test_a_breach_of_the_protocol_ends_the_connection_and_not_the_reader(
    data: bytes, quiet: Simulator, connect: Connect
) -> None:
    """The pause is the longest one (fault F031)."""
    connector = connect(quiet, credentials=None, reconnect=pace(base=0.001, cap=0.3))
    ups, errors = Ups(connector), Errors(connector)
    quiet.faults.send_bytes(data)
    assert ups.recover().retry_in == 0.3
    assert errors.told == []
    assert {report.restarts for report in connector.workers()} == {0}


GARBAGE = ["", "{", "words", "<html><body>sorry</body></html>", '{"stream":"btcusdt@trade","data":', '{"stream":']
SCALARS = ["[]", "null", "17", '"words"', "[[[[1]]]]", "true"]
BROKEN = [wrapped(None), wrapped([]), wrapped(7), wrapped("x"), wrapped({**TRADE, "p": "NaN"}), wrapped({"e": "trade"})]


def test_garbage_harms_neither_the_connection_nor_the_neighbours(lively: Simulator, connect: Connect) -> None:
    """(faults F032, F033, F030)"""
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT", buffer=100_000)
    books = connector.stream_order_book("ETH-USDT", buffer=100_000)
    wait_live(connector, books, "ETH-USDT")
    first = int(trades.get(LIMIT).trade_id)
    rubbish = [text.encode() for text in GARBAGE + SCALARS + BROKEN]
    rubbish.append(wrapped(TRADE).encode().replace(b"1.5", b"1\xff5"))
    for text in rubbish:
        lively.faults.send_raw(text)
    # Each is counted; told are the first, and then at most one a second.
    eventually(lambda: counted(metrics, "errors") == len(rubbish))
    assert isinstance(errors.until(lambda event: True).error, ProtocolError)
    numbers = [int(trades.get(LIMIT).trade_id) for _ in range(8)]
    assert numbers == list(range(first + 1, first + 9))
    assert connector.order_book("ETH-USDT").is_valid
    assert ups.told == []
    assert all(isinstance(event.error, ProtocolError) for event in errors.told)


def test_garbage_is_not_shown_whole(lively: Simulator, connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """(fault F032)"""
    connector = connect(lively, credentials=None)
    errors = Errors(connector)
    lively.faults.send_raw("<html>" + "secret page " * 1000)
    assert len(str(errors.until(lambda event: True).error)) < 500
    assert max(len(record.getMessage()) for record in caplog.records) < 500


@pytest.mark.parametrize("text", ["{", "[]", wrapped([])])
def test_garbage_without_end_ends_the_connection(
    text: str, quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(faults F032, F033)"""
    monkeypatch.setattr("exconn_sync._machines.garbage.LIMIT", 50)
    connector = connect(quiet, credentials=None)
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    assert connector.stream_ready.wait(LIMIT)
    quiet.faults.send_raw(text, times=50)
    quiet.faults.send_raw(wrapped(TRADE))
    assert trades.get(LIMIT).trade_id == "999000000"
    assert ups.told == [], "so much is borne"
    quiet.faults.send_raw(text)
    assert "more than 50 malformed messages" in ups.recover().reason
    connector.wait_ready(LIMIT)
    quiet.faults.send_raw(wrapped({**TRADE, "t": 999_000_001}))
    assert trades.get(LIMIT).trade_id == "999000001"


def test_garbage_without_end_ends_the_account_connection_too(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F032)"""
    monkeypatch.setattr("exconn_sync._machines.garbage.LIMIT", 50)
    connector = connect(quiet)
    ups = Ups(connector, "account")
    quiet.faults.send_raw("{", kind="ws_api", times=51)
    assert "more than 50 malformed messages" in ups.recover().reason
    connector.wait_ready(LIMIT)


def test_garbage_on_the_account_connection_loses_no_fill(quiet: Simulator, connect: Connect) -> None:
    """An unreadable message may have been about an order: what is known is compared (faults F032, F033, F038)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    ups, errors = Ups(connector, "account"), Errors(connector)
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_fill(fills.put)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    before = counted(metrics, "reconciliations")
    rubbish = (*GARBAGE[:4], *SCALARS, '{"event":7}', '{"event":{"e":"executionReport","s":"BTCUSDT"}}')
    for text in rubbish:
        quiet.faults.send_raw(text, kind="ws_api")
    eventually(lambda: counted(metrics, "errors") == len(rubbish))
    assert isinstance(errors.until(lambda event: True).error, ProtocolError)
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    assert order.wait(timeout=LIMIT)
    assert fills.get(timeout=LIMIT).quantity.is_finite()
    eventually(lambda: counted(metrics, "reconciliations") > before)
    assert ups.told == []
    assert fills.empty()


def test_an_unknown_event_is_counted_by_its_kind_and_passed_by(lively: Simulator, connect: Connect) -> None:
    """(fault F035)"""
    metrics = MemoryMetrics()
    connector = connect(lively, metrics=metrics)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    first = int(trades.get(LIMIT).trade_id)
    lively.faults.send_raw('{"e":"moonPhase","x":1}', times=3)
    lively.faults.send_raw('{"e":"tideTable"}')
    moon, tide = (f"stream.unrecognized{{exchange=binance,kind={kind}}}" for kind in ("moonPhase", "tideTable"))
    eventually(lambda: metrics.counts().get(tide) == 1)
    assert metrics.counts()[moon] == 3
    assert [int(trades.get(LIMIT).trade_id) for _ in range(3)] == [first + 1, first + 2, first + 3]
    assert (ups.told, errors.told) == ([], [])


def test_an_unknown_event_of_the_account_makes_us_look_once_for_each_kind(quiet: Simulator, connect: Connect) -> None:
    """(fault F035)"""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    ups = Ups(connector, "account")
    before = counted(metrics, "reconciliations")
    quiet.faults.send_raw('{"subscriptionId":0,"event":{"e":"moonPhase","x":1}}', kind="ws_api", times=20)
    eventually(lambda: counted(metrics, "stream.unrecognized") == 20)
    eventually(lambda: counted(metrics, "reconciliations") == before + 1)
    assert ups.told == []
    connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "50000"))
    assert counted(metrics, "reconciliations") == before + 1


@pytest.mark.parametrize(
    "answer",
    [
        {"result": None, "id": 1},
        {"result": None, "id": 2},
        {"result": None, "id": 4711},
        {"result": ["btcusdt@trade"], "id": 1},
        {"result": None, "id": "words"},
        {"result": None, "id": -1},
        {"result": None, "id": None},
    ],
)
def test_an_answer_that_nobody_waits_for_changes_nothing_on_the_market_connection(
    answer: dict[str, Any], lively: Simulator, connect: Connect
) -> None:
    """One that came already, or to a question never asked (fault F043)."""
    connector = connect(lively, credentials=None)
    ups, errors = Ups(connector), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    first = int(trades.get(LIMIT).trade_id)
    connector.wait_ready(LIMIT)
    lively.faults.send_raw(json.dumps(answer), times=3)
    more = connector.stream_trades("ETH-USDT")
    more.get(LIMIT)
    connector.wait_ready(LIMIT)
    assert lively.subscriptions() == ["btcusdt@trade", "ethusdt@trade"]
    assert int(trades.get(LIMIT).trade_id) == first + 1
    assert (ups.told, errors.told) == ([], [])


@pytest.mark.parametrize(
    "answer",
    [
        {"id": 1, "status": 200, "result": {"subscriptionId": 0}},
        {"id": 4711, "status": 200, "result": {"subscriptionId": 9}},
        {"id": 4711, "status": 400, "error": {"code": -1022, "msg": "Signature for this request is not valid."}},
        {"id": "words", "status": 200, "result": {}},
        {"id": None, "status": 200, "result": {"subscriptionId": 3}},
    ],
)
def test_an_answer_that_nobody_waits_for_changes_nothing_on_the_account_connection(
    answer: dict[str, Any], quiet: Simulator, connect: Connect
) -> None:
    """(fault F043)"""
    connector = connect(quiet)
    ups = Ups(connector, "account")
    errors: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(errors.put)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.5", "60005"))
    quiet.faults.send_raw(json.dumps(answer), kind="ws_api", times=3)
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    assert order.wait(timeout=LIMIT)
    assert connector.ready.is_set()
    assert ups.told == []
    assert errors.empty()
