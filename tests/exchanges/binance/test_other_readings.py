"""The same answers and frames as another library reads them; where it reads otherwise, the documentation decides.

Numbers are compared as numbers, times in milliseconds. ``THEIRS`` names each difference and the line of the sheet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import Channel, OrderStatus
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.market import AggregateTrade, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.model.wire import Topic
from tests.data import read_json
from tests.exchanges.binance import documented as account
from tests.exchanges.binance import documented_market as market
from tests.exchanges.binance.documented import Reading
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, decoded

Json = Any
_NS = 1_000_000
_STATUSES = {
    OrderStatus.NEW: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
}


def ms(value: int | None) -> int | None:
    return None if value is None else value // _NS


def as_theirs(value: Any) -> dict[str, Any]:
    """Return a value of ours by the names of the other library."""
    if isinstance(value, (Trade, AggregateTrade)):
        return {"timestamp": ms(value.exchange_time), "id": value.trade_id, "side": value.side.value,
                "price": value.price, "amount": value.quantity}  # fmt: skip
    if isinstance(value, Ticker):
        return {"timestamp": ms(value.close_time or value.exchange_time), "high": value.high, "low": value.low,
                "open": value.open, "last": value.last, "baseVolume": value.volume, "quoteVolume": value.quote_volume,
                "bid": value.bid_price, "bidVolume": value.bid_quantity, "ask": value.ask_price,
                "askVolume": value.ask_quantity, "vwap": value.average_price, "previousClose": value.previous_close,
                "change": value.price_change, "percentage": value.price_change_percent}  # fmt: skip
    if isinstance(value, BookTicker):
        return {"bid": value.bid_price, "bidVolume": value.bid_quantity, "ask": value.ask_price,
                "askVolume": value.ask_quantity}  # fmt: skip
    if isinstance(value, OrderFact):
        return {"id": value.exchange_order_id, "clientOrderId": value.client_order_id,
                "side": value.side and value.side.value, "price": value.price, "amount": value.quantity,
                "filled": value.filled_quantity, "cost": value.cumulative_quote, "stopPrice": value.stop_price,
                "timeInForce": value.time_in_force and value.time_in_force.value,
                "lastUpdateTimestamp": ms(value.exchange_time),
                "status": value.status and _STATUSES[value.status]}  # fmt: skip
    assert isinstance(value, Fill)
    return {"timestamp": ms(value.exchange_time), "id": value.trade_id, "order": value.exchange_order_id,
            "side": value.side.value, "price": value.price, "amount": value.quantity,
            "takerOrMaker": "maker" if value.is_maker else "taker",
            "fee": {"currency": value.fee_asset, "cost": value.fee}}  # fmt: skip


THEIRS: dict[str, dict[str, str]] = {
    "docs:POST_api_v3_order__response_ack": {
        "status": "5.5: an acknowledgement has no status; the order has its id, so that it is on the book",
        "filled": "5.5: an acknowledgement says nothing of amounts, which is not zero",
    },
    "docs:POST_api_v3_order__response_result": {"price": "5.5: price is zero for MARKET; theirs is the average"},
    "docs:POST_api_v3_order__response_full": {"price": "5.5: price is zero for MARKET; theirs is the average"},
    "docs:DELETE_api_v3_order__response": {"clientOrderId": "5.5: clientOrderId is the cancel's own id"},
    "binance_ws_crypto_msg_parser:linear_future#23": {"": "a future's frame, outside of spot"},
}
DAMAGED = {"gct:GET /api/v3/aggTrades #01", "gct:GET /api/v3/aggTrades #03"}
"""Recordings that have lost the key ``m``, which is mandatory (5.2): they are refused."""

THEIR_CODES = {"YOYO": "YOYOW", "BCHSV": "BSV"}
"""Assets which they call otherwise than the exchange does; ours are the exchange's own (5.3)."""

WORKED_OUT = {"vwap", "change", "percentage"}
"""What they work out where a short ticker does not have it (5.2: MINI)."""


def agrees(name: str, ours: Any, theirs: Json) -> None:
    """Compare one value field by field."""
    known = THEIRS.get(name, {})
    for field, mine in as_theirs(ours).items():
        other = theirs[field]
        if field in known:
            assert mine != other, f"{name}: {field} is not different any more"
        elif mine is None and field in WORKED_OUT:
            continue
        elif isinstance(mine, dict):
            assert (mine["currency"], mine["cost"]) == (other["currency"], Decimal(other["cost"])), name
        elif isinstance(mine, Decimal):
            assert other is not None, (name, field)
            assert mine == Decimal(other), (name, field)
        else:
            assert mine == other, (name, field)


def rows_agree(name: str, ours: Any, theirs: Json) -> None:
    mine = ours if isinstance(ours, list) else [ours]
    others = list(theirs.values()) if isinstance(theirs, dict) and "symbol" not in theirs else theirs
    others = others if isinstance(others, list) else [others]
    assert len(mine) == len(others) > 0
    for one, other in zip(mine, others, strict=True):
        agrees(name, one, other)


def order_agrees(name: str, ours: Any, theirs: Json) -> None:
    facts = ours if isinstance(ours, list) else [ours]
    agrees(name, facts[0], theirs)
    fills = [fact for fact in facts if isinstance(fact, Fill)]
    assert [(fill.trade_id, fill.price, fill.quantity, fill.fee) for fill in fills] == [
        (row["id"], Decimal(row["price"]), Decimal(row["amount"]), Decimal(row["fee"]["cost"]))
        for row in theirs["trades"]
    ]


def time_agrees(name: str, ours: Any, theirs: Json) -> None:
    assert ours == theirs * _NS


def book_agrees(name: str, ours: Any, theirs: Json) -> None:
    assert isinstance(ours, BookSnapshot)
    assert ours.update_id == theirs["nonce"]
    for mine, other in ((ours.bids, theirs["bids"]), (ours.asks, theirs["asks"])):
        assert [tuple(map(Decimal, level)) for level in mine] == [tuple(map(Decimal, level)) for level in other]


def klines_agree(name: str, ours: Any, theirs: Json) -> None:
    assert len(ours) == len(theirs) > 0
    for mine, (opened, *numbers) in zip(ours, theirs, strict=True):
        assert isinstance(mine, Kline)
        assert ms(mine.open_time) == opened
        assert [mine.open, mine.high, mine.low, mine.close, mine.volume] == [Decimal(text) for text in numbers]


def balances_agree(name: str, ours: Any, theirs: Json) -> None:
    for balance in ours:
        assert isinstance(balance, Balance)
        other = theirs[THEIR_CODES.get(balance.asset, balance.asset)]
        assert (balance.free, balance.locked, balance.total) == tuple(
            Decimal(other[part]) for part in ("free", "used", "total")
        )


def markets_agree(name: str, ours: Any, theirs: Json) -> None:
    assert isinstance(ours, Instruments)
    assert len(ours) == len(theirs) > 20
    for other in theirs:
        mine = ours.get(other["id"])
        base = THEIR_CODES.get(mine.base, mine.base)
        assert (base, mine.quote, mine.is_trading) == (other["base"], other["quote"], other["active"])
        precision, limits = other["precision"], other["limits"]
        least = Decimal(limits["price"]["min"]), Decimal(limits["amount"]["min"])
        assert (mine.tick_size, mine.lot_step) == (Decimal(precision["price"]), Decimal(precision["amount"]))
        assert (mine.min_price, mine.min_quantity) == least
        assert mine.min_notional == Decimal(limits["cost"]["min"])


Compare = Callable[[str, Any, Json], None]
METHODS: dict[str, tuple[Reading, Compare]] = {
    "fetch_time": (market.TIME, time_agrees),
    "fetch_order_book": (market.DEPTH, book_agrees),
    "fetch_ohlcv": (market.KLINES, klines_agree),
    "fetch_ticker": (market.DAY_TICKER, rows_agree),
    "fetch_tickers": (market.DAY_TICKERS, rows_agree),
    "fetch_bids_asks": (market.BOOK_TICKERS, rows_agree),
    "fetch_balance": (account.BALANCES, balances_agree),
    "fetch_my_trades": (account.FILLS, rows_agree),
    "fetch_order": (account.QUERIED, order_agrees),
    "fetch_open_orders": (account.OPEN_ORDERS, rows_agree),
    "fetch_orders": (account.OPEN_ORDERS, rows_agree),
    "create_order": (account.EXECUTED, order_agrees),
    "cancel_order": (account.CANCELLED, order_agrees),
    "fetch_markets": (market.INSTRUMENT_LIST, markets_agree),
}
OUTSIDE = {"docs:DELETE_api_v3_openOrders__response": "cancelled orders and lists at once: read as they are"}


def rest_cases() -> list[Json]:
    found: list[Json] = read_json("parse_cases", "binance_rest.json")["cases"]
    return found


def reading_of(case: Json, payload: Json) -> tuple[Reading, Compare]:
    if case["method"] == "fetch_trades":
        return (market.AGGREGATES if "a" in payload[0] else market.TRADES), rows_agree
    if case["name"].startswith("docs:GET_api_v3_ticker__"):
        return market.WINDOW_TICKERS, rows_agree
    if case["method"] == "fetch_bids_asks" and isinstance(payload, dict):
        return market.BOOK_TICKER, rows_agree
    return METHODS[case["method"]]


@pytest.mark.parametrize("number", range(57))
def test_rest_answers(number: int) -> None:
    case = rest_cases()[number]
    if case["name"] in OUTSIDE:
        assert case["method"] == "cancel_all_orders"
        return
    body = case["http_responses"][-1]
    payload = json.loads(body)
    reading, compare = reading_of(case, payload)
    read = reading.reader(payload)
    if case["name"] in DAMAGED:
        with pytest.raises(ProtocolError):
            read(body.encode())
        return
    if case["ccxt_result"] == []:
        # Theirs are filtered by symbol, and the recording is one of another symbol.
        assert [fact.symbol for fact in read(body.encode())] == ["LTC-BTC"]
        return
    compare(case["name"], read(body.encode()), case["ccxt_result"])


def test_no_rest_answer_is_left_out() -> None:
    assert len(rest_cases()) == 57
    assert {case["name"] for case in rest_cases()} >= DAMAGED | set(OUTSIDE)


STREAMS = {"trade": Channel.TRADE, "aggTrade": Channel.AGGREGATE_TRADE, "24hrMiniTicker": Channel.MINI_TICKER,
           "24hrTicker": Channel.TICKER}  # fmt: skip


def read_frame(frame: Json) -> Iterator[Any]:
    """Yield what a frame says; an account event of the time of listen keys is put into today's envelope."""
    data = frame.get("data") or frame.get("event") or frame
    if data.get("e") == "executionReport":
        today = json.dumps({"subscriptionId": 0, "event": data}).encode()
        facts = DRIVER.parse_account(today, RECEIVED_AT, INSTRUMENTS)
        assert isinstance(facts, (list, tuple))
        yield from facts
        return
    channel = STREAMS.get(data.get("e"), Channel.BOOK_TICKER)
    topic = Topic(channel, "BTC-USDT", DRIVER.variant(channel))
    yield from decoded(DRIVER.decoder(topic), {"stream": "x", "data": data})


@pytest.mark.parametrize("number", range(23))
def test_frames(number: int) -> None:
    case = read_json("parse_cases", "binance_ws.json")["cases"][number]
    events = list(read_frame(case["frame"]))
    if "" in THEIRS.get(case["name"], {}):
        return
    assert len(events) == len(case["ccxt"]) > 0
    for event, other in zip(events, case["ccxt"], strict=True):
        agrees(case["name"], event, other["result"])


def test_answers_of_their_own_tests() -> None:
    """Numbers that the exchange sends bare are quoted in that file, which the exchange does not (5.2)."""
    trades, klines = read_json("parse_cases", "binance_ccxt_static.json")["cases"]
    bare = [
        {name: int(text) if name in "aflT" else text for name, text in row.items()} for row in trades["http_response"]
    ]
    read = market.AGGREGATES.reader(bare)
    with pytest.raises(ProtocolError):
        read(json.dumps(trades["http_response"]).encode())
    rows_agree("static", read(json.dumps(bare).encode()), trades["expected_fields"])
    body = json.dumps(klines["http_response"]).encode()
    klines_agree("static", market.KLINES.reader(klines["http_response"])(body), klines["expected_fields"])
