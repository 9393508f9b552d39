"""Answers about public data become values (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.parse_market import percent
from exconn_sync.model.enums import Side
from exconn_sync.model.market_statistics import Kline, Ticker
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS, RECEIVED_AT, envelope, instrument, response

MS = 1_000_000
AT = 1_700_000_000_000 * MS

TRADE = {
    "execId": "2100000000007764263", "symbol": "BTCUSDT", "price": "16618.49", "size": "0.00012", "side": "Buy",
    "time": "1672052955758", "isBlockTrade": False, "isRPITrade": True, "seq": "123456",
}  # fmt: skip
CANDLE = ["1670608800000", "17071", "17073", "17027", "17055.5", "268.611", "4620145.9"]
TICKER = {
    "symbol": "BTCUSDT", "bid1Price": "20517.96", "bid1Size": "2", "ask1Price": "20527.77", "ask1Size": "1.862172",
    "lastPrice": "20533.13", "prevPrice24h": "20393.48", "price24hPcnt": "-0.0068", "highPrice24h": "21128.12",
    "lowPrice24h": "20318.89", "turnover24h": "243765620.65899866", "volume24h": "11801.27771", "usdIndexPrice": "",
}  # fmt: skip
BOOK = {
    "s": "BTCUSDT", "a": [["65557.7", "16.606555"]], "b": [["65485.47", "47.081829"]], "ts": 1716863719031,
    "u": 230704, "seq": 1432604333, "cts": 1716863718905,
}  # fmt: skip


def rows(*items: Any) -> dict[str, Any]:
    return envelope({"category": "spot", "list": list(items)})


def klines(*items: Any, interval: str = "1h", now: int = AT) -> list[Kline]:
    return DRIVER.fetch_klines(BTCUSDT, interval, 5, now=now).parse(response(rows(*items)))


def test_the_clock_is_read_to_the_nanosecond() -> None:
    answer = envelope({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})
    assert DRIVER.server_time().parse(response(answer)) == 1_688_639_403_423_213_947
    DRIVER.ping().parse(response(answer))


@pytest.mark.parametrize("text", ["", "1688639403", "-688639403423213947", "1688639403.42321394", "٣" * 19])
def test_a_clock_that_is_no_number_of_nanoseconds_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        DRIVER.server_time().parse(response(envelope({"timeNano": text})))


def test_a_snapshot_tells_when_the_book_was_so() -> None:
    book = DRIVER.fetch_order_book(BTCUSDT, 1).parse(response(envelope(BOOK)))
    assert (book.exchange, book.symbol, book.update_id) == ("bybit", "BTC-USDT", 230704)
    assert book.bids == [("65485.47", "47.081829")]
    assert (book.exchange_time, book.received_at) == (1716863718905 * MS, RECEIVED_AT)
    without = {name: value for name, value in BOOK.items() if name != "cts"}
    assert DRIVER.fetch_order_book(BTCUSDT, 1).parse(response(envelope(without))).exchange_time == 1716863719031 * MS


def test_trades_are_oldest_first_and_exact() -> None:
    later = TRADE | {"execId": "8", "time": "1672052955759", "side": "Sell"}
    same = TRADE | {"execId": "9", "seq": "123455"}
    trades = DRIVER.fetch_trades(BTCUSDT, 5).parse(response(rows(later, TRADE, same)))
    assert [trade.trade_id for trade in trades] == ["9", "2100000000007764263", "8"]
    assert (trades[1].price, trades[1].quantity, trades[1].side) == (Decimal("16618.49"), Decimal("0.00012"), Side.BUY)
    assert (trades[1].exchange_time, trades[1].received_at) == (1672052955758 * MS, RECEIVED_AT)
    assert trades[2].side is Side.SELL


def test_trades_of_one_moment_keep_their_order() -> None:
    """The newest come first (Bybit: 4.5)."""
    same = [TRADE | {"execId": str(number)} for number in (3, 2, 1)]
    trades = DRIVER.fetch_trades(BTCUSDT, 5).parse(response(rows(*same)))
    assert [trade.trade_id for trade in trades] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "change",
    [{"side": "None"}, {"price": ""}, {"size": "-1"}, {"time": "soon"}, {"execId": 7}, {"time": "1e12"}, {"seq": "-"}],
)
def test_a_trade_that_lacks_something_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        DRIVER.fetch_trades(BTCUSDT, 5).parse(response(rows(TRADE | change)))


def test_candles_are_oldest_first_and_the_newest_may_be_open() -> None:
    """(Bybit: 4.6, 10.16)"""
    newer = ["1670612400000", *CANDLE[1:]]
    found = klines(newer, CANDLE, now=1670612400000 * MS)
    assert [candle.is_closed for candle in found] == [True, False]
    first = found[0]
    assert (first.interval, first.open_time, first.close_time) == ("1h", 1670608800000 * MS, 1670612399999 * MS)
    assert (first.open, first.high, first.low, first.close) == tuple(Decimal(text) for text in CANDLE[1:5])
    assert (first.volume, first.quote_volume) == (Decimal("268.611"), Decimal("4620145.9"))
    assert (first.trade_count, first.taker_buy_volume) == (None, None)
    assert (first.exchange_time, first.received_at) == (AT, RECEIVED_AT)


def test_the_newest_candle_is_closed_where_the_clock_is_past_its_end() -> None:
    end = 1670612400000 * MS
    assert [klines(CANDLE, now=now)[0].is_closed for now in (end - 1, end)] == [False, True]


def test_a_candle_of_a_month_ends_with_it() -> None:
    (candle,) = klines(["1706745600000", *CANDLE[1:]], interval="1M")
    assert candle.close_time == (1_709_251_200_000 - 1) * MS


def tickers(*items: Any, chosen: Any = (BTCUSDT,)) -> list[Ticker]:
    return DRIVER.fetch_tickers(chosen, "24h", INSTRUMENTS).parse(response(rows(*items)))


def test_a_ticker_is_exact_and_its_change_is_in_per_cent() -> None:
    (ticker,) = tickers(TICKER)
    assert (ticker.symbol, ticker.window) == ("BTC-USDT", "24h")
    assert (ticker.open, ticker.last) == (Decimal("20393.48"), Decimal("20533.13"))
    assert ticker.price_change_percent == Decimal("-0.68")
    assert (ticker.volume, ticker.quote_volume) == (Decimal("11801.27771"), Decimal("243765620.65899866"))
    assert (ticker.bid_price, ticker.bid_quantity) == (Decimal("20517.96"), Decimal(2))
    assert (ticker.exchange_time, ticker.price_change, ticker.trade_count) == (AT, None, None)


@pytest.mark.parametrize(
    ("fraction", "shown"), [("0.0068", "0.68"), ("0", "0"), ("-1", "-100"), ("0.00000001", "0.000001")]
)
def test_a_fraction_becomes_per_cent_exactly(fraction: str, shown: str) -> None:
    assert percent(fraction) == Decimal(shown)


def test_an_empty_side_is_no_price() -> None:
    (ticker,) = tickers(TICKER | {"bid1Price": "", "bid1Size": ""})
    assert (ticker.bid_price, ticker.bid_quantity) == (None, None)
    call = DRIVER.fetch_book_tickers([BTCUSDT], INSTRUMENTS)
    (best,) = call.parse(response(rows(TICKER | {"ask1Price": "", "ask1Size": ""})))
    assert (best.ask_price, best.ask_quantity, best.bid_price) == (None, None, Decimal("20517.96"))
    assert (best.update_id, best.exchange_time) == (0, AT)


def test_of_all_symbols_those_that_were_never_traded_are_left_out() -> None:
    """(Bybit: 10.7: empty texts stand for numbers)"""
    silent = TICKER | {"symbol": "NEWUSDT", "lastPrice": "", "prevPrice24h": "", "price24hPcnt": ""}
    found = tickers(TICKER, silent, TICKER | {"symbol": "ODDONE"}, chosen=None)
    assert [ticker.symbol for ticker in found] == ["BTC-USDT", "ODDONE"]
    with pytest.raises(ProtocolError):
        tickers(TICKER | {"lastPrice": ""})


def test_an_answer_about_another_symbol_is_refused() -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError):
        tickers(TICKER | {"symbol": "ETHUSDT"})
    with pytest.raises(ProtocolError):
        tickers(chosen=(BTCUSDT,))


def test_of_several_symbols_the_chosen_ones_come_in_their_order() -> None:
    chosen = (instrument("ETH"), BTCUSDT)
    found = tickers(TICKER, TICKER | {"symbol": "ADAUSDT"}, TICKER | {"symbol": "ETHUSDT"}, chosen=chosen)
    assert [ticker.symbol for ticker in found] == ["ETH-USDT", "BTC-USDT"]


@pytest.mark.parametrize(
    "answer", [{}, {"retCode": 0}, {"retCode": 0, "result": {}}, {"result": BOOK}, {"retCode": "0", "result": BOOK}, []]
)
def test_an_answer_without_its_form_is_refused(answer: Any) -> None:
    with pytest.raises(ProtocolError):
        DRIVER.fetch_order_book(BTCUSDT, 1).parse(response(answer))
