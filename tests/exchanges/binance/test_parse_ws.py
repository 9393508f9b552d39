"""Frames of market streams and the control frames beside them (Binance: 8)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import BookDiff, BookTicker, Trade
from exconn_sync.model.wire import ServerNotice, SubscriptionReply, Topic, Unrecognized
from tests.data import read_json
from tests.exchanges.binance.support import RECEIVED_AT, decoded, exact

TRADES = DRIVER.decoder(Topic(Channel.TRADE, "BTC-USDT"))
TICKERS = DRIVER.decoder(Topic(Channel.BOOK_TICKER, "BTC-USDT"))
DEPTH = DRIVER.decoder(Topic(Channel.ORDER_BOOK, "BTC-USDT"))

TRADE = {
    "e": "trade", "E": 1723161255343, "s": "BTCUSDT", "t": 3735683259, "p": "61837.63000000", "q": "0.02000000",
    "T": 1723161255342, "m": True, "M": True,
}  # fmt: skip
TICKER = {
    "u": 50093239212, "s": "BTCUSDT", "b": "61837.63000000", "B": "3.78826000", "a": "61837.64000000",
    "A": "1.54698000",
}  # fmt: skip
DIFF = {
    "e": "depthUpdate", "E": 1723161255208, "s": "BTCUSDT", "U": 50093239189, "u": 50093239202,
    "b": [["61737.63000000", "0.00000000"]], "a": [["61837.64000000", "1.54698000"], ["61839.85000000", "0.0"]],
}  # fmt: skip


def wrapped(data: Any, stream: str = "btcusdt@trade") -> bytes:
    return json.dumps({"stream": stream, "data": data}, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_trade_is_exact_and_has_the_side_of_its_taker() -> None:
    (sold,) = decoded(TRADES, wrapped(TRADE))
    assert sold == Trade(
        "binance", "BTC-USDT", TradeId("3735683259"), exact("61837.63"), exact("0.02"), Side.SELL,
        1_723_161_255_342_000_000, RECEIVED_AT,
    )  # fmt: skip
    (bought,) = decoded(TRADES, wrapped({**TRADE, "m": False}))
    assert isinstance(bought, Trade)
    assert bought.side is Side.BUY


def test_trades_of_before_2024_carry_order_ids_too() -> None:
    assert decoded(TRADES, wrapped({**TRADE, "a": 50, "b": 88})) == decoded(TRADES, wrapped(TRADE))


def test_a_book_ticker_has_no_time_of_the_exchange() -> None:
    (ticker,) = decoded(TICKERS, wrapped(TICKER))
    assert ticker == BookTicker(
        "binance", "BTC-USDT", exact("61837.63"), exact("3.78826"), exact("61837.64"), exact("1.54698"), 50093239212,
        None, RECEIVED_AT,
    )  # fmt: skip


def test_an_empty_side_has_no_best_price() -> None:
    (ticker,) = decoded(TICKERS, wrapped({**TICKER, "b": "0.00000000", "B": "0.00000000"}))
    assert isinstance(ticker, BookTicker)
    assert (ticker.bid_price, ticker.bid_quantity, ticker.ask_price) == (None, None, exact("61837.64"))
    (ticker,) = decoded(TICKERS, wrapped({**TICKER, "a": "0.00000000", "A": "0.00000000"}))
    assert isinstance(ticker, BookTicker)
    assert (ticker.bid_price, ticker.ask_price, ticker.ask_quantity) == (exact("61837.63"), None, None)


@pytest.mark.parametrize(
    ("channel", "data", "name"),
    [(Channel.TRADE, TRADE, "trade"), (Channel.BOOK_TICKER, TICKER, "bookTicker"), (Channel.ORDER_BOOK, DIFF, "depth")],
)
def test_a_frame_about_another_symbol_than_its_stream_is_refused(channel: Channel, data: Any, name: str) -> None:
    """(fault F084)"""
    decode = DRIVER.decoder(Topic(channel, "BTC-USDT"))
    stream = f"btcusdt@{name}"
    for _ in range(2):
        assert len(decoded(decode, wrapped(data, stream))) == 1
        with pytest.raises(ProtocolError, match="another symbol"):
            decoded(decode, wrapped({**data, "s": "ETHUSDT"}, stream))
    # What does not say its symbol is taken at its stream's word.
    unnamed = {key: value for key, value in data.items() if key != "s"}
    assert decoded(decode, wrapped(unnamed, stream)) == decoded(decode, wrapped(data, stream))
    chinese = DRIVER.decoder(Topic(channel, "这是测试币456"))
    assert len(decoded(chinese, wrapped({**data, "s": "这是测试币456"}, f"这是测试币456@{name}"))) == 1


def test_a_depth_update_keeps_the_text_of_its_levels() -> None:
    (diff,) = decoded(DEPTH, wrapped(DIFF))
    assert diff == BookDiff(
        "binance", "BTC-USDT", 50093239189, 50093239202, [("61737.63000000", "0.00000000")],
        [("61837.64000000", "1.54698000"), ("61839.85000000", "0.0")], 1_723_161_255_208_000_000, RECEIVED_AT,
    )  # fmt: skip


def test_a_level_may_be_saturated() -> None:
    (diff,) = decoded(DEPTH, wrapped({**DIFF, "b": [["1.0", "92233720368.54775807"]]}))
    assert isinstance(diff, BookDiff)
    assert Decimal(diff.bids[0][1]) == exact("92233720368.54775807")


def test_unknown_fields_are_ignored() -> None:
    """(fault F036)"""
    new: dict[str, Any] = {"zz": {"deep": [1, {"x": 1.5}]}, "st": None}
    assert decoded(TRADES, wrapped(TRADE | new)) == decoded(TRADES, wrapped(TRADE))
    assert decoded(TICKERS, wrapped(TICKER | new)) == decoded(TICKERS, wrapped(TICKER))
    assert decoded(DEPTH, wrapped(DIFF | new)) == decoded(DEPTH, wrapped(DIFF))


@pytest.mark.parametrize("field", ["t", "p", "q", "T", "m"])
def test_a_trade_without_a_needed_field_is_refused(field: str) -> None:
    """(fault F038)"""
    with pytest.raises(ProtocolError):
        decoded(TRADES, wrapped({key: value for key, value in TRADE.items() if key != field}))


@pytest.mark.parametrize("field", ["U", "u", "b", "a", "E"])
def test_a_depth_update_without_a_needed_field_is_refused(field: str) -> None:
    """(fault F038)"""
    with pytest.raises(ProtocolError):
        decoded(DEPTH, wrapped({key: value for key, value in DIFF.items() if key != field}))


@pytest.mark.parametrize("price", ["NaN", "-1", "1e5", " 1", "1_0", "", "\uff11", 61837.63, 61837, None, True])
def test_a_price_that_is_not_plain_text_is_refused(price: Any) -> None:
    """(fault F039)"""
    with pytest.raises(ProtocolError):
        decoded(TRADES, wrapped({**TRADE, "p": price}))
    with pytest.raises(ProtocolError):
        decoded(TICKERS, wrapped({**TICKER, "a": price}))


@pytest.mark.parametrize("bids", [[["1"]], [["1", "2", "3"]], [[1, 2]], "12", None, {}, [None]])
def test_levels_of_another_shape_are_refused(bids: Any) -> None:
    """(fault F039)"""
    with pytest.raises(ProtocolError):
        decoded(DEPTH, wrapped({**DIFF, "b": bids}))


@pytest.mark.parametrize(("first", "last"), [(0, 0), (-5, -1), (10, 9), (0, 10)])
def test_update_ids_that_cannot_be_are_refused(first: int, last: int) -> None:
    """(fault F042)"""
    with pytest.raises(ProtocolError):
        decoded(DEPTH, wrapped({**DIFF, "U": first, "u": last}))


def test_a_frame_of_another_kind_is_refused() -> None:
    with pytest.raises(ProtocolError):
        decoded(TRADES, wrapped({**TRADE, "e": "aggTrade"}))
    with pytest.raises(ProtocolError):
        decoded(DEPTH, wrapped({**DIFF, "e": "trade"}))


def test_what_the_subscriber_raises_is_not_taken_for_a_malformed_frame() -> None:
    def emit(event: object) -> None:
        raise ValueError("the subscriber's own")

    for decode, data in ((TRADES, TRADE), (TICKERS, TICKER), (DEPTH, DIFF)):
        with pytest.raises(ValueError, match="own"):
            decode(wrapped(data), RECEIVED_AT, emit)


@pytest.mark.parametrize(
    ("frame", "topic"),
    [
        (b'{"stream":"btcusdt@depth@100ms","data":{}}', "btcusdt@depth@100ms"),
        (b'{ "stream" : "btcusdt@trade", "data": {}}', "btcusdt@trade"),
        (b'{"data":{},"stream":"btcusdt@trade"}', "btcusdt@trade"),
        (b'{"stream":"\\u0062tcusdt@trade","data":{}}', "btcusdt@trade"),
        ('{"stream":"\u6d4busdt@trade","data":{}}'.encode(), "\u6d4busdt@trade"),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}', None),
        (b'{"data":{},"stream":"!serverShutdown"}', None),
        (b'{"result":null,"id":1}', None),
        (b'{"result":["stream"],"id":1}', None),
        (b'{"stream":17}', None),
        (b'{"stream":"btcusdt@trade', None),
        (b'{"stream":"\xff"}', None),
        (b'"stream"', None),
        (b"", None),
        (b"{", None),
    ],
)
def test_the_topic_of_a_frame_is_found(frame: bytes, topic: str | None) -> None:
    assert DRIVER.topic_of_frame(frame) == topic


def test_a_subscription_is_acknowledged_by_its_id() -> None:
    assert DRIVER.parse_control(b'{"result":null,"id":1}') == SubscriptionReply(1)


def test_the_list_of_subscriptions_is_read() -> None:
    request = json.loads(DRIVER.encode_list(3) or b"")
    documented = read_json("docs_examples", "binance_spot", "streams", "Listing_Subscriptions__request.json")
    assert request == documented
    answer = read_json("docs_examples", "binance_spot", "streams", "Listing_Subscriptions__response.json")
    assert DRIVER.parse_control(json.dumps(answer).encode()) == SubscriptionReply(3, names=("btcusdt@aggTrade",))
    assert DRIVER.parse_control(b'{"result":[],"id":4}') == SubscriptionReply(4, names=())


@pytest.mark.parametrize(
    ("frame", "request_id"),
    [
        ({"code": 2, "msg": "Invalid request", "id": 7}, 7),
        ({"code": 2, "msg": "Invalid request"}, 0),
        ({"code": 2, "msg": "Invalid request", "id": None}, 0),
        ({"code": 2, "msg": "Invalid request", "id": "text"}, 0),
        ({"error": {"code": 2, "msg": "Invalid request"}, "id": 7}, 7),
    ],
)
def test_a_refused_subscription_says_why(frame: Any, request_id: int) -> None:
    reply = DRIVER.parse_control(json.dumps(frame).encode())
    assert reply == SubscriptionReply(request_id, "2: Invalid request")


def test_a_shutdown_is_announced_wrapped_or_bare() -> None:
    """(fault F045)"""
    event = {"e": "serverShutdown", "E": 1770123456789}
    for frame in (event, {"stream": "!serverShutdown", "data": event}):
        assert DRIVER.parse_control(json.dumps(frame).encode()) == ServerNotice("shutdown")


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"{}", ""),
        (b'{"result":[7],"id":3}', "id,result"),
        (b'{"result":true,"id":3}', "id,result"),
        (b'{"result":null,"id":"text"}', "id,result"),
        (b'{"e":"fromTheFuture\\n"}', "fromTheFuture?"),
        (b'{"stream":"!new","data":[]}', "!new"),
    ],
)
def test_anything_else_is_passed_by(frame: bytes, kind: str) -> None:
    """(fault F035)"""
    assert DRIVER.parse_control(frame) == Unrecognized(kind)


@pytest.mark.parametrize("frame", [b"", b"{", b"hello", b"\xff", b"[" * 100_000, b'{"id":NaN}', b"[]", b"17", b"null"])
def test_a_control_frame_that_is_not_json_is_a_protocol_error(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        DRIVER.parse_control(frame)


def test_documented_frames_are_understood() -> None:
    folder = ("docs_examples", "binance_spot", "streams")
    for decode, name in (
        (TRADES, "Trade_Streams__trade__payload.json"),
        (TICKERS, "Individual_Symbol_Book_Ticker_Streams__payload.json"),
        (DEPTH, "Diff_Depth_Stream__depthUpdate__payload.json"),
    ):
        assert len(decoded(decode, wrapped(read_json(*folder, name), "unnamed"))) == 1
    for name in ("Subscribe_to_a_stream__response.json", "Unsubscribe_to_a_stream__response.json"):
        wire = read_json(*folder, name)
        assert DRIVER.parse_control(json.dumps(wire).encode()) == SubscriptionReply(wire["id"])
    for name in ("combined", "raw"):
        wire = read_json(*folder, f"Server_Shutdown__serverShutdown__{name}_stream.json")
        assert DRIVER.parse_control(json.dumps(wire).encode()) == ServerNotice("shutdown")


@pytest.mark.parametrize(
    "file",
    [
        "binance_spot_ws_gct.json",
        "binance_spot_ws_jkorf.json",
        "binance_spot_xchange.json",
        "binance_ws_crypto_msg_parser.json",
    ],
)
def test_other_peoples_frames_are_understood(file: str) -> None:
    frames: list[Any] = []
    for item in read_json("third_party", file)["items"]:
        if "payload_text" in item:
            frames.append(json.loads(item["payload_text"]))
        elif "frames" in item:
            frames += [frame["payload"] for frame in item["frames"] if frame["from"] == "server"]
        else:
            frames.append(item["payload"])
    understood = 0
    for frame in frames:
        data = frame.get("data", frame) if isinstance(frame, dict) else {}
        decode = decoder_for(data)
        if decode is not None:
            assert len(decoded(decode, wrapped(data, "unnamed"))) == 1
            understood += 1
    assert understood


def decoder_for(data: Any) -> Any:
    """Return the decoder for a payload of a stream that we know, by its fields."""
    if not isinstance(data, dict):
        return None
    if data.get("e") == "trade":
        return TRADES
    if data.get("e") == "depthUpdate" and "U" in data:  # the form of 2017 had neither U nor pairs
        return DEPTH
    return TICKERS if {"u", "b", "B", "a", "A"} <= data.keys() and "e" not in data else None
