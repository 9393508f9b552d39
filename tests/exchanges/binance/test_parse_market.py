"""Questions about candles, tickers and aggregate trades, and their answers (Binance: 5.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ProtocolError, ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.market import AggregateTrade, BookTicker
from exconn_sync.model.market_statistics import AveragePrice, Kline
from exconn_sync.model.wire import RestCall
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, RECEIVED_AT, exact, instrument, response

MS = 1_000_000
BNBBTC, LTCBTC, BNBUSDT, ETHBTC = (
    instrument(*pair) for pair in (("BNB", "BTC"), ("LTC", "BTC"), ("BNB", "USDT"), ("ETH", "BTC"))
)
TABLE = Instruments("binance", [BTCUSDT, BNBBTC, LTCBTC, BNBUSDT, ETHBTC])
KLINE: list[Any] = [
    1499040000000, "0.01634790", "0.80000000", "0.01575800", "0.01577100", "148976.11427815", 1499644799999,
    "2434.19055334", 308, "1756.87402397", "28.46694368", "0",
]  # fmt: skip
AGGREGATE = {
    "a": 26129, "p": "0.01633102", "q": "4.70443515", "f": 27781, "l": 27784, "T": 1498793709153, "m": True, "M": True,
}  # fmt: skip
MINI = {
    "symbol": "BNBBTC", "openPrice": "99.00000000", "highPrice": "100.00000000", "lowPrice": "0.10000000",
    "lastPrice": "4.00000200", "volume": "8913.30000000", "quoteVolume": "15.30000000", "openTime": 1499783499040,
    "closeTime": 1499869899040, "firstId": 28385, "lastId": 28460, "count": 76,
}  # fmt: skip
FULL = {
    **MINI, "priceChange": "-94.99999800", "priceChangePercent": "-95.960", "weightedAvgPrice": "0.29628482",
    "prevClosePrice": "0.10002000", "lastQty": "200.00000000", "bidPrice": "4.00000000", "bidQty": "100.00000000",
    "askPrice": "4.00000200", "askQty": "0.50000000",
}  # fmt: skip
BEST = {
    "symbol": "LTCBTC", "bidPrice": "4.00000000", "bidQty": "431.00000000", "askPrice": "4.00000200", "askQty": "9.0",
}  # fmt: skip


def documented(name: str) -> Any:
    return read_json("docs_examples", "binance_spot", "rest", f"GET_api_v3_{name}.json")


def klines(now: int, *rows: Any) -> list[Kline]:
    return DRIVER.fetch_klines(BNBBTC, "1w", 500, now=now).parse(response(list(rows)))


def target(call: RestCall[Any]) -> str:
    return DRIVER.to_http(call, None, 0, 0).target


# --- questions ----------------------------------------------------------------------------------------------------


def test_questions_are_spelt_as_documented() -> None:
    start, end = 1_499_040_000_000 * MS, 1_499_644_799_999 * MS
    several = [BTCUSDT, BNBBTC]
    expected: dict[str, RestCall[Any]] = {
        "/api/v3/ping": DRIVER.ping(),
        "/api/v3/trades?symbol=BTCUSDT&limit=5": DRIVER.fetch_trades(BTCUSDT, 5),
        "/api/v3/historicalTrades?symbol=BTCUSDT&limit=5&fromId=7": DRIVER.fetch_trades(
            BTCUSDT, 5, from_id=TradeId("7")
        ),
        "/api/v3/aggTrades?symbol=BTCUSDT&limit=1000": DRIVER.fetch_aggregate_trades(BTCUSDT, 1000),
        "/api/v3/aggTrades?symbol=BTCUSDT&limit=9&fromId=26129": DRIVER.fetch_aggregate_trades(
            BTCUSDT, 9, from_id=TradeId("26129")
        ),
        "/api/v3/aggTrades?symbol=BTCUSDT&limit=9&startTime=1499040000000&endTime=1499644799999": (
            DRIVER.fetch_aggregate_trades(BTCUSDT, 9, start=start, end=end)
        ),
        "/api/v3/klines?symbol=BTCUSDT&limit=2&interval=1M&endTime=1499644799999": DRIVER.fetch_klines(
            BTCUSDT, "1M", 2, end=end, now=0
        ),
        "/api/v3/ticker/24hr": DRIVER.fetch_tickers(None, "24h", TABLE),
        "/api/v3/ticker/24hr?symbol=BTCUSDT": DRIVER.fetch_tickers([BTCUSDT], "24h", TABLE),
        "/api/v3/ticker/tradingDay?symbols=%5B%22BTCUSDT%22%2C%22BNBBTC%22%5D": DRIVER.fetch_tickers(
            several, "day", TABLE
        ),
        "/api/v3/ticker?symbol=BTCUSDT&windowSize=59m": DRIVER.fetch_tickers([BTCUSDT], "59m", TABLE),
        "/api/v3/ticker/bookTicker?symbol=BTCUSDT": DRIVER.fetch_book_tickers([BTCUSDT], TABLE),
        "/api/v3/avgPrice?symbol=BTCUSDT": DRIVER.fetch_average_price(BTCUSDT),
    }
    for text, call in expected.items():
        assert target(call) == text
        assert not call.is_signed
        assert not call.is_command


def test_bounds_between_milliseconds_never_widen() -> None:
    call = DRIVER.fetch_klines(BTCUSDT, "1m", 2, start=10 * MS + 1, end=20 * MS - 1, now=0)
    assert dict(call.params)["startTime"] == "11"
    assert dict(call.params)["endTime"] == "19"


def test_a_symbol_outside_of_ascii_is_percent_encoded() -> None:
    unicode = instrument("测试币", "USDT")
    one, two = DRIVER.fetch_average_price(unicode), DRIVER.fetch_book_tickers([unicode, BTCUSDT], TABLE)
    assert target(one) == "/api/v3/avgPrice?symbol=%E6%B5%8B%E8%AF%95%E5%B8%81USDT"
    assert target(two).endswith("?symbols=%5B%22%E6%B5%8B%E8%AF%95%E5%B8%81USDT%22%2C%22BTCUSDT%22%5D")


@pytest.mark.parametrize("interval", ["", "1", "2m", "1D", "1W", "60m", "\uff11m"])
def test_other_lengths_of_candles_are_refused(interval: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DRIVER.fetch_klines(BTCUSDT, interval, 1, now=0)
    assert (caught.value.field, caught.value.outcome) == ("interval", "not_sent")


@pytest.mark.parametrize("window", ["", "0m", "60m", "24H", "25h", "8d", "1w", "1d1h", "01m", "\uff11h"])
def test_other_windows_are_refused(window: str) -> None:
    with pytest.raises(ValidationError) as caught:
        DRIVER.fetch_tickers([BTCUSDT], window, TABLE)
    assert caught.value.field == "window"


@pytest.mark.parametrize("window", ["1m", "59m", "1h", "23h", "1d", "7d"])
def test_rolling_windows_name_their_symbols(window: str) -> None:
    assert dict(DRIVER.fetch_tickers([BTCUSDT], window, TABLE).params)["windowSize"] == window
    for chosen in (None, [], [BTCUSDT, BTCUSDT], [instrument(f"C{number}") for number in range(101)]):
        with pytest.raises(ValidationError) as caught:
            DRIVER.fetch_tickers(chosen, window, TABLE)
        assert caught.value.field == "symbols"


def test_an_id_goes_without_times() -> None:
    with pytest.raises(ValidationError, match="without start and end"):
        DRIVER.fetch_aggregate_trades(BTCUSDT, 1, from_id=TradeId("1"), start=MS)


# --- answers ------------------------------------------------------------------------------------------------------


def test_a_candle_keeps_every_figure() -> None:
    (kline,) = klines(0, KLINE)
    assert kline == Kline(
        "binance", "BNB-BTC", "1w", 1499040000000 * MS, 1499644799999 * MS, exact("0.0163479"), exact("0.8"),
        exact("0.015758"), exact("0.015771"), exact("148976.11427815"), exact("2434.19055334"), 308,
        exact("1756.87402397"), exact("28.46694368"), False, None, RECEIVED_AT,
    )  # fmt: skip


def test_a_candle_is_closed_once_the_exchange_is_past_its_end() -> None:
    last_ns = 1499644800000 * MS - 1
    assert [kline.is_closed for kline in klines(last_ns, KLINE)] == [False]
    assert [kline.is_closed for kline in klines(last_ns + 1, KLINE)] == [True]
    later = [KLINE[0] + 604800000, *KLINE[1:6], KLINE[6] + 604800000, *KLINE[7:]]
    assert [kline.is_closed for kline in klines(0, KLINE, later)] == [True, False]


def test_a_thirteenth_column_of_a_candle_is_ignored() -> None:
    """(fault F036)"""
    assert klines(0, [*KLINE, {"new": 1}]) == klines(0, KLINE)


def test_an_aggregate_names_its_trades() -> None:
    (found,) = DRIVER.fetch_aggregate_trades(BNBBTC, 5).parse(response([AGGREGATE]))
    assert found == AggregateTrade(
        "binance", "BNB-BTC", TradeId("26129"), TradeId("27781"), TradeId("27784"), exact("0.01633102"),
        exact("4.70443515"), Side.SELL, 1498793709153 * MS, RECEIVED_AT,
    )  # fmt: skip


def test_a_voided_aggregate_is_no_trade_at_a_price_of_zero() -> None:
    void = {**AGGREGATE, "a": 26130, "p": "0", "q": "0", "f": -1, "l": -1}
    rows = DRIVER.fetch_aggregate_trades(BNBBTC, 5).parse(response([AGGREGATE, void, {**AGGREGATE, "a": 26131}]))
    assert [row.trade_id for row in rows] == ["26129", "26131"]


def test_a_full_ticker_keeps_every_figure() -> None:
    (ticker,) = DRIVER.fetch_tickers([BNBBTC], "24h", TABLE).parse(response(FULL))
    assert (ticker.symbol, ticker.window, ticker.last, ticker.last_quantity) == (
        "BNB-BTC", "24h", exact("4.000002"), Decimal(200),
    )  # fmt: skip
    assert (ticker.price_change, ticker.price_change_percent) == (exact("-94.999998"), exact("-95.96"))
    assert (ticker.average_price, ticker.previous_close) == (exact("0.29628482"), exact("0.10002"))
    assert (ticker.bid_price, ticker.bid_quantity, ticker.ask_price, ticker.ask_quantity) == (
        Decimal(4), Decimal(100), exact("4.000002"), exact("0.5"),
    )  # fmt: skip
    assert (ticker.open, ticker.high, ticker.low) == (Decimal(99), Decimal(100), exact("0.1"))
    assert (ticker.volume, ticker.quote_volume, ticker.trade_count) == (exact("8913.3"), exact("15.3"), 76)
    assert (ticker.open_time, ticker.close_time) == (1499783499040 * MS, 1499869899040 * MS)
    assert (ticker.first_trade_id, ticker.last_trade_id) == ("28385", "28460")
    assert ticker.exchange_time == ticker.close_time


def test_a_short_ticker_leaves_out_what_it_does_not_tell() -> None:
    (ticker,) = DRIVER.fetch_tickers([BNBBTC], "1h", TABLE).parse(response([MINI]))
    assert ticker.last == exact("4.000002")
    assert ticker.price_change is None
    assert ticker.bid_price is None


def test_a_ticker_without_trades_and_without_a_book_has_no_ids_and_no_prices_of_zero() -> None:
    quiet = {**FULL, "firstId": -1, "lastId": -1, "count": 0, "bidPrice": "0.00000000", "bidQty": "0.00000000"}
    (ticker,) = DRIVER.fetch_tickers([BNBBTC], "24h", TABLE).parse(response(quiet))
    assert (ticker.first_trade_id, ticker.last_trade_id, ticker.trade_count) == (None, None, 0)
    assert (ticker.bid_price, ticker.bid_quantity) == (None, None)


def test_a_trading_day_ends_later_than_now() -> None:
    (ticker,) = DRIVER.fetch_tickers([BNBBTC], "day", TABLE).parse(response(MINI))
    assert ticker.exchange_time is None
    assert ticker.close_time == 1499869899040 * MS


def test_best_prices_have_no_update_id_and_no_time() -> None:
    (ticker,) = DRIVER.fetch_book_tickers([LTCBTC], TABLE).parse(response(BEST))
    assert ticker == BookTicker(
        "binance", "LTC-BTC", Decimal(4), Decimal(431), exact("4.000002"), Decimal(9), 0, None, RECEIVED_AT
    )


def test_an_empty_side_has_no_best_price() -> None:
    empty = {**BEST, "askPrice": "0.00000000", "askQty": "0.00000000"}
    (ticker,) = DRIVER.fetch_book_tickers([LTCBTC], TABLE).parse(response(empty))
    assert (ticker.bid_price, ticker.ask_price, ticker.ask_quantity) == (Decimal(4), None, None)


def test_all_symbols_come_by_their_canonical_names() -> None:
    rows = [BEST, {**BEST, "symbol": "这是测试币456"}]
    found = DRIVER.fetch_book_tickers(None, TABLE).parse(response(rows))
    assert [ticker.symbol for ticker in found] == ["LTC-BTC", "这是测试币456"]


def test_a_row_about_a_symbol_not_asked_for_is_refused() -> None:
    """(fault F084)"""
    with pytest.raises(ProtocolError, match="another symbol"):
        DRIVER.fetch_book_tickers([BNBBTC], TABLE).parse(response(BEST))
    with pytest.raises(ProtocolError, match="another symbol"):
        DRIVER.fetch_tickers([LTCBTC], "24h", TABLE).parse(response([FULL]))


def test_the_average_price_may_come_without_its_time() -> None:
    call = DRIVER.fetch_average_price(BNBBTC)
    assert call.parse(response({"mins": 5, "price": "6622.02734157"})).exchange_time is None
    assert call.parse(response(documented("avgPrice__response"))) == AveragePrice(
        "binance", "BNB-BTC", exact("9.35751834"), 5, 1694061154503 * MS, RECEIVED_AT
    )


@pytest.mark.parametrize(
    ("call", "payload"),
    [
        (DRIVER.fetch_klines(BNBBTC, "1w", 5, now=0), [KLINE]),
        (DRIVER.fetch_aggregate_trades(BNBBTC, 5), [AGGREGATE]),
        (DRIVER.fetch_tickers([BNBBTC], "24h", TABLE), MINI),
        (DRIVER.fetch_book_tickers([LTCBTC], TABLE), BEST),
        (DRIVER.fetch_average_price(BNBBTC), {"mins": 5, "price": "1.0"}),
    ],
    ids=["klines", "aggTrades", "ticker", "bookTicker", "avgPrice"],
)
def test_each_field_is_needed_and_typed(call: RestCall[Any], payload: Any) -> None:
    """(faults F038, F039)"""
    call.parse(response(payload))
    row = payload[0] if isinstance(payload, list) else payload
    unread = {"M"} if isinstance(row, dict) else {11}
    for key in list(row) if isinstance(row, dict) else range(len(row)):
        if key in unread:
            continue
        replacements: list[Any] = [None, "x", 1.5, [], True]
        for replacement in replacements:
            changed = dict(row) if isinstance(row, dict) else list(row)
            changed[key] = replacement
            if key == "m" and replacement is True:
                continue
            with pytest.raises(ProtocolError) as caught:
                call.parse(response([changed] if isinstance(payload, list) else changed))
            assert caught.value.details["payload"]


def test_documented_answers_are_understood() -> None:
    assert DRIVER.ping().parse(response(documented("ping__response"))) is None
    assert DRIVER.fetch_trades(BTCUSDT, 5, from_id=TradeId("1")).parse(
        response(documented("historicalTrades__response"))
    )
    assert DRIVER.fetch_aggregate_trades(BTCUSDT, 5).parse(response(documented("aggTrades__response")))
    for name in ("klines__response", "uiKlines__response"):
        assert DRIVER.fetch_klines(BTCUSDT, "1w", 5, now=0).parse(response(documented(name)))
    tickers = {
        "24h": ["24hr__or", "24hr__or__2", "24hr__response_full", "24hr__response_mini"],
        "7d": [
            "_when_using_symbol", "_when_using_symbol__2", "_when_using_symbols", "_when_using_symbols__2",
        ],
        "day": [
            "tradingDay__with_symbol", "tradingDay__with_symbol__2", "tradingDay__with_symbols",
            "tradingDay__with_symbols__2",
        ],
    }  # fmt: skip
    for window, names in tickers.items():
        call = DRIVER.fetch_tickers([BTCUSDT, BNBBTC, LTCBTC, BNBUSDT], window, TABLE)
        for name in names:
            assert call.parse(response(documented(f"ticker_{name}")))
    for name in ("bookTicker__or", "bookTicker__response"):
        assert DRIVER.fetch_book_tickers(None, TABLE).parse(response(documented(f"ticker_{name}")))


def test_what_the_exchange_really_sent_is_understood() -> None:
    anything = DRIVER.fetch_tickers(None, "24h", TABLE).parse
    readers = {
        "klines": DRIVER.fetch_klines(BTCUSDT, "1m", 5, now=0).parse,
        "ticker/24hr": anything,
        "ticker/bookTicker": DRIVER.fetch_book_tickers(None, TABLE).parse,
        "avgPrice": DRIVER.fetch_average_price(BTCUSDT).parse,
    }
    understood = dict.fromkeys(readers, 0)
    for item in read_json("third_party", "binance_spot_http_recorded_gct.json")["items"]:
        name = item["name"].removeprefix("GET /api/v3/").partition(" #")[0]
        if name in readers:
            assert readers[name](response(item["payload"]))
            understood[name] += 1
    assert all(understood.values())
