"""Frames of the public stream become values; answers and pongs are told apart (Bybit: 6)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.errors import ProtocolError, ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.market import BookDiff, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.wire import Pong, SubscriptionReply, Topic, Unrecognized
from tests.data import read_json
from tests.exchanges.bybit import frames
from tests.exchanges.bybit.frames import AT_MS, data_frame
from tests.exchanges.bybit.support import RECEIVED_AT, decoded

BTC = "BTC-USDT"
MS = 1_000_000
TRADES = DRIVER.decoder(Topic(Channel.TRADE, BTC))
BEST = DRIVER.decoder(Topic(Channel.BOOK_TICKER, BTC))
BOOK = DRIVER.decoder(Topic(Channel.ORDER_BOOK, BTC))
TICKER = DRIVER.decoder(Topic(Channel.TICKER, BTC))
KLINE = DRIVER.decoder(Topic(Channel.KLINE, BTC, "5m"))


def test_a_frame_of_trades_is_as_many_trades() -> None:
    first, second = decoded(TRADES, frames.trades(frames.trade(1), frames.trade(2, S="Sell", p="99")))
    assert first == Trade(
        "bybit", BTC, first.trade_id, Decimal("100.50"), Decimal("0.001"), Side.BUY, AT_MS * MS, RECEIVED_AT
    )
    assert first.trade_id == "2290000000000000001", "longer than a float is exact"
    assert (second.side, second.price) == (Side.SELL, Decimal(99))


@pytest.mark.parametrize(
    "change", [{"S": "Both"}, {"p": ""}, {"v": "-1"}, {"T": "1700000000000"}, {"i": 7}, {"p": "1e3"}, {"v": 0.1}]
)
def test_of_a_frame_with_a_malformed_trade_nothing_is_emitted(change: dict[str, Any]) -> None:
    events: list[Any] = []
    with pytest.raises(ProtocolError) as caught:
        TRADES(frames.trades(frames.trade(1), frames.trade(2, **change)), RECEIVED_AT, events.append)
    assert events == []
    assert "publicTrade" in caught.value.details["payload"]


def test_a_book_begins_with_a_snapshot_and_goes_on_with_changes() -> None:
    """(Bybit: 6.3)"""
    (snapshot,) = decoded(BOOK, frames.book(7))
    assert snapshot == BookSnapshot("bybit", BTC, 7, list(frames.BIDS), list(frames.ASKS), RECEIVED_AT, AT_MS * MS)
    (diff,) = decoded(BOOK, frames.delta(8, [("100", "0")]))
    assert diff == BookDiff("bybit", BTC, 8, 8, [("100", "0")], [], AT_MS * MS, RECEIVED_AT)


def test_the_number_one_is_a_restart_whatever_the_frame_says() -> None:
    """(Bybit: 6.3, rule 3)"""
    (event,) = decoded(BOOK, frames.delta(1, frames.BIDS, frames.ASKS))
    assert isinstance(event, BookSnapshot)


def test_without_a_time_of_the_matching_engine_the_time_of_sending_counts() -> None:
    data = {"s": "BTCUSDT", "b": [], "a": [], "u": 5, "seq": 1}
    (event,) = decoded(BOOK, data_frame("orderbook.200.BTCUSDT", "delta", data))
    assert event.exchange_time == (AT_MS + 2) * MS


@pytest.mark.parametrize(
    "data",
    [
        {"b": [], "a": [], "u": 0}, {"b": [], "a": [], "u": -5}, {"b": [["1"]], "a": [], "u": 5},
        {"b": [["1", 2]], "a": [], "u": 5}, {"b": [], "u": 5}, {"b": [], "a": [], "u": "5"},
    ],
)  # fmt: skip
def test_a_malformed_book_is_refused(data: dict[str, Any]) -> None:
    for decode in (BOOK, BEST):
        with pytest.raises(ProtocolError):
            decoded(decode, data_frame("orderbook.200.BTCUSDT", "snapshot", data))


def test_a_book_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decoded(BOOK, frames.book(7, kind="rebuild"))


def test_the_book_of_one_level_is_best_bid_and_ask() -> None:
    """(Bybit: 6.3, rule 4; 10.12)"""
    (best,) = decoded(BEST, frames.book(7, [("100.5", "1")], [("101", "3")], levels=1))
    assert best == BookTicker(
        "bybit", BTC, Decimal("100.5"), Decimal(1), Decimal(101), Decimal(3), 7, AT_MS * MS, RECEIVED_AT
    )
    (empty,) = decoded(BEST, frames.book(8, [], [("101", "3")], levels=1))
    assert (empty.bid_price, empty.bid_quantity, empty.ask_price) == (None, None, Decimal(101))
    with pytest.raises(ProtocolError):
        decoded(BEST, frames.delta(9, levels=1))
    (anew,) = decoded(BEST, frames.book(1, [("99", "1")], [("101", "3")], kind="delta", levels=1))
    assert (anew.update_id, anew.bid_price) == (1, Decimal(99)), "after a restart it is whole, whatever it is called"


def test_a_ticker_has_no_best_prices() -> None:
    """(Bybit: 6.6)"""
    (ticker,) = decoded(TICKER, frames.ticker())
    assert ticker == Ticker(
        "bybit", BTC, "24h", Decimal("20704.93"), Decimal("21426.99"), Decimal(20575), Decimal("21109.77"),
        Decimal("6780.866843"), Decimal("141946527.22907118"), (AT_MS + 2) * MS, RECEIVED_AT,
        price_change_percent=Decimal("1.96"),
    )  # fmt: skip
    with pytest.raises(ProtocolError):
        decoded(TICKER, frames.ticker(lastPrice=""))


def test_candles_grow_and_end() -> None:
    """(Bybit: 6.7)"""
    ended, begun = decoded(KLINE, frames.kline({"confirm": True}, {"start": 1672325100000, "end": 1672325399999}))
    assert ended == Kline(
        "bybit", BTC, "5m", 1672324800000 * MS, 1672325099999 * MS, Decimal("16649.5"), Decimal(16677),
        Decimal(16608), Decimal(16677), Decimal("2.081"), Decimal("34666.4005"), None, None, None, True,
        (AT_MS + 2) * MS, RECEIVED_AT,
    )  # fmt: skip
    assert (begun.is_closed, begun.open_time) == (False, 1672325100000 * MS)
    with pytest.raises(ProtocolError):
        decoded(KLINE, frames.kline({"end": 1672324799999}))


def test_fields_of_the_future_are_ignored() -> None:
    """(fault F036)"""
    assert len(decoded(TRADES, frames.trades(frames.trade(1, NEW={"a": [1]})))) == 1
    body = json.loads(frames.book(7)) | {"checksum": 5}
    assert len(decoded(BOOK, body)) == 1


def test_the_topic_of_a_frame_is_found_wherever_it_stands() -> None:
    assert DRIVER.topic_of_frame(frames.book(7)) == "orderbook.200.BTCUSDT"
    assert DRIVER.topic_of_frame(b'{ "ts":1, "topic" : "tickers.BTCUSDT"}') == "tickers.BTCUSDT"
    for other in (frames.PONG, frames.reply(1), b"", b"[", b'{"topic":5}', b'{"topic":"', b'"topic"'):
        assert DRIVER.topic_of_frame(other) is None


@pytest.mark.parametrize(
    "frame",
    [
        frames.PONG,
        b'{"req_id":"5","op":"pong","args":["1700000000000"],"conn_id":"c"}',
        b'{"retCode":0,"retMsg":"OK","op":"pong","data":["1700000000000"],"connId":"c"}',
    ],
)
def test_the_dialects_of_a_pong_are_understood(frame: bytes) -> None:
    """(Bybit: 10.18)"""
    assert DRIVER.parse_control(frame) == Pong()


def test_answers_are_told_by_the_id_of_their_request() -> None:
    """(Bybit: 6.1)"""
    assert DRIVER.parse_control(frames.reply(7)) == SubscriptionReply(7)
    assert DRIVER.parse_control(frames.reply(8, operation="unsubscribe")) == SubscriptionReply(8)
    refused = DRIVER.parse_control(frames.reply(7, error="error:handler not found,topic:orderbook.7.BTCUSDT"))
    assert refused == SubscriptionReply(7, "error:handler not found,topic:orderbook.7.BTCUSDT")
    already = DRIVER.parse_control(frames.reply(7, error="error:already subscribed,topic:publicTrade.BTCUSDT"))
    assert isinstance(already, SubscriptionReply)
    assert already.is_already
    nameless = DRIVER.parse_control(frames.reply(None, error="args size >10"))
    assert nameless == SubscriptionReply(0, "args size >10")


@pytest.mark.parametrize(
    "frame",
    [
        b'{"success":true,"op":[]}', frames.reply(None), b'{"op":"auth","success":true}', b"{}",
        b'{"op":"subscribe"}', b'{"success":"yes"}',
        b'{"success":true,"op":"subscribe","req_id":"' + b"9" * 19 + b'"}',
        b'{"success":true,"op":"subscribe","req_id":7}',
    ],
)  # fmt: skip
def test_a_frame_that_is_none_of_these_is_counted(frame: bytes) -> None:
    """(fault F035)"""
    assert isinstance(DRIVER.parse_control(frame), Unrecognized)


@pytest.mark.parametrize("frame", [b"", b"pong", b"[]", b"5", b'{"op":', b"\xff\xfe"])
def test_a_frame_that_is_no_object_is_refused(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        DRIVER.parse_control(frame)


def test_requests_carry_their_id_as_text() -> None:
    """(Bybit: 6.1)"""
    assert json.loads(DRIVER.encode_subscribe(["publicTrade.BTCUSDT"], 7)) == {
        "op": "subscribe", "req_id": "7", "args": ["publicTrade.BTCUSDT"],
    }  # fmt: skip
    assert json.loads(DRIVER.encode_unsubscribe(["a", "b"], 8))["op"] == "unsubscribe"
    assert DRIVER.encode_list(1) is None
    assert json.loads(DRIVER.ping_frame or b"") == {"op": "ping"}


NAMES = [
    (Channel.TRADE, "", "publicTrade.BTCUSDT"), (Channel.BOOK_TICKER, "", "orderbook.1.BTCUSDT"),
    (Channel.ORDER_BOOK, "", "orderbook.200.BTCUSDT"), (Channel.ORDER_BOOK, "50", "orderbook.50.BTCUSDT"),
    (Channel.ORDER_BOOK, "20ms", "orderbook.50.BTCUSDT"), (Channel.ORDER_BOOK, "200ms", "orderbook.1000.BTCUSDT"),
    (Channel.ORDER_BOOK, "100ms", "orderbook.200.BTCUSDT"), (Channel.TICKER, "", "tickers.BTCUSDT"),
    (Channel.KLINE, "", "kline.1.BTCUSDT"), (Channel.KLINE, "1h", "kline.60.BTCUSDT"),
    (Channel.KLINE, "1d", "kline.D.BTCUSDT"), (Channel.KLINE, "1M", "kline.M.BTCUSDT"),
]  # fmt: skip


@pytest.mark.parametrize(("channel", "variant", "name"), NAMES)
def test_topics_have_the_names_of_the_exchange(channel: Channel, variant: str, name: str) -> None:
    from tests.exchanges.bybit.support import BTCUSDT

    spelling = DRIVER.variant(channel, variant)
    assert DRIVER.topic_name(Topic(channel, BTC, spelling), BTCUSDT) == name


@pytest.mark.parametrize(
    ("channel", "variant"),
    [
        (Channel.AGGREGATE_TRADE, ""), (Channel.MINI_TICKER, ""), (Channel.AVERAGE_PRICE, ""),
        (Channel.PARTIAL_BOOK, "20"), (Channel.ORDER, ""), (Channel.KLINE, "1s"), (Channel.KLINE, "1d@+08:00"),
        (Channel.TICKER, "1h"), (Channel.ORDER_BOOK, "1000ms"), (Channel.TRADE, "fast"),
    ],
)  # fmt: skip
def test_what_bybit_does_not_stream_is_refused(channel: Channel, variant: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DRIVER.variant(channel, variant)
    assert caught.value.exchange == "bybit"


def test_a_request_holds_ten_topics_and_a_connection_as_many_as_their_names_allow() -> None:
    """(Bybit: 3.4)"""
    from exconn_sync.exchanges.bybit.limits import LONGEST_TOPIC

    limits = DRIVER.stream_limits
    assert limits.topics_per_request == 10
    assert limits.topics_per_connection * LONGEST_TOPIC <= 21_000
    assert (limits.connections, limits.connections_period) == (500, 300.0)
    assert len("orderbook.1000." + "1000000MOGUSDT") <= LONGEST_TOPIC


any_amounts = st.integers(1, 10**26).map(lambda grains: Decimal(grains).scaleb(-8))


@settings(deadline=None)
@given(any_amounts, any_amounts)
def test_numbers_are_exact_from_the_wire_to_the_value(price: Decimal, quantity: Decimal) -> None:
    """(invariant: money is exact from text to text)"""
    texts = plain_text(price), plain_text(quantity)
    (trade,) = decoded(TRADES, frames.trades(frames.trade(1, p=texts[0], v=texts[1])))
    (best,) = decoded(BEST, frames.book(7, [texts], [texts], levels=1))
    (candle,) = decoded(KLINE, frames.kline({"open": texts[0], "volume": texts[1]}))
    (snapshot,) = decoded(BOOK, frames.book(7, [texts], []))
    for found in (
        (trade.price, trade.quantity), (best.ask_price, best.ask_quantity), (candle.open, candle.volume),
    ):  # fmt: skip
        assert found == (price, quantity)
        assert (plain_text(found[0]), plain_text(found[1])) == texts
    assert snapshot.bids == [texts]


def test_frames_of_other_projects_are_read_or_counted() -> None:
    """Real ones and made up ones, private ones and those of other markets among them."""
    seen: set[str] = set()
    for file in ("bybit_v5_ws_gct.json", "bybit_v5_ws_spot_jkorf.json"):
        for item in read_json("third_party", file)["items"]:
            shown = [each["payload"] for each in item["frames"] if each["from"] == "server"] if "frames" in item else []
            for payload in [item["payload"]] if "payload" in item else shown:
                frame = json.dumps(payload).encode()
                topic = DRIVER.topic_of_frame(frame)
                decode = BY_TOPIC.get((topic or "").rpartition(".")[0])
                if topic is None:
                    seen.add(type(DRIVER.parse_control(frame)).__name__)
                elif decode is not None:
                    seen.update(type(event).__name__ for event in decoded(decode, frame))
    assert seen >= {"BookSnapshot", "BookDiff", "Trade", "Kline", "Ticker", "Pong", "SubscriptionReply", "Unrecognized"}


BY_TOPIC = {"orderbook.50": BOOK, "publicTrade": TRADES, "kline.5": KLINE, "tickers": TICKER}
