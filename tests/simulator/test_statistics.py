"""Candles, daily figures, and the streams that show them."""

from decimal import Decimal

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.candles import Candle, CandleSeries, RollingDay
from exconn_sync.simulator.core.events import PublicTrade

from .clients import Rest, Socket

D = Decimal
MINUTE = 60_000


def trade(trade_id: int, price: int, time: int, *, buyer_is_maker: bool = False) -> PublicTrade:
    return PublicTrade("BTCUSDT", trade_id, D(price), D(2), time, buyer_is_maker)


def test_a_series_has_no_gaps() -> None:
    series = CandleSeries(MINUTE, D(50))
    series.add(trade(1, 100, 10))
    series.add(trade(2, 90, 20, buyer_is_maker=True))
    series.add(trade(3, 95, 3 * MINUTE))
    first, empty, _, last = series.candles(3 * MINUTE + 5)
    expected = Candle(0, MINUTE, D(100), D(100), D(90), D(90), D(4), D(380), D(2), D(200), 2, 1, 2)
    assert first == expected
    assert empty == Candle(MINUTE, MINUTE, D(90), D(90), D(90), D(90))
    assert (last.start, last.end, last.open) == (3 * MINUTE, 4 * MINUTE - 1, D(95))
    assert series.previous() == Candle(2 * MINUTE, MINUTE, D(90), D(90), D(90), D(90))


def test_a_clock_that_goes_backwards_does_no_harm() -> None:
    series = CandleSeries(MINUTE, D(50))
    series.add(trade(1, 100, 5 * MINUTE))
    series.add(trade(2, 101, 0))
    (only,) = series.candles(5 * MINUTE)
    assert only.trades == 2


def test_a_day_forgets() -> None:
    series = CandleSeries(MINUTE, D(50))
    series.add(trade(1, 500, 0))
    series.add(trade(2, 100, 10 * MINUTE))
    day = 24 * 60 * MINUTE
    assert RollingDay(series).summary(9 * MINUTE + day).trades == 1
    assert RollingDay(series).summary(11 * MINUTE + day).trades == 0


def test_over_rest(quiet: Simulator, rest: Rest) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    _, candles = rest.get("/api/v3/klines", symbol="BTCUSDT", interval="1d", limit=1)
    (candle,) = candles
    assert len(candle) == 12
    assert candle[5] == "0.75000000"
    assert candle[6] == candle[0] + 86_400_000 - 1
    assert (candle[8], candle[9]) == (2, "0.25000000")
    assert rest.get("/api/v3/klines", symbol="BTCUSDT", interval="2d")[1]["code"] == -1120
    _, ticker = rest.get("/api/v3/ticker/24hr", symbol="BTCUSDT")
    assert (ticker["lastPrice"], ticker["priceChange"], ticker["priceChangePercent"]) == (
        "60000.00000000",
        "-10.00000000",
        "-0.017",
    )
    assert (ticker["volume"], ticker["count"]) == ("0.75000000", 2)
    _, mini = rest.get("/api/v3/ticker/24hr", symbols='["BTCUSDT","ETHUSDT"]', type="MINI")
    assert [row["symbol"] for row in mini] == ["BTCUSDT", "ETHUSDT"]
    assert "bidPrice" not in mini[0]
    assert rest.get("/api/v3/ticker/24hr", symbol="BTCUSDT", type="TINY")[1]["code"] == -1139


def test_over_streams(quiet: Simulator) -> None:
    socket = Socket(f"{quiet.stream}/stream?streams=btcusdt@ticker/btcusdt@miniTicker/btcusdt@kline_1s")
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    ticker = socket.until(lambda frame: frame["stream"] == "btcusdt@ticker")["data"]
    assert (ticker["c"], ticker["Q"], ticker["n"], ticker["a"]) == ("60010.00000000", "0.25000000", 1, "60010.00000000")
    mini = socket.until(lambda frame: frame["stream"] == "btcusdt@miniTicker")["data"]
    assert (mini["e"], mini["v"]) == ("24hrMiniTicker", "0.25000000")
    closed = socket.until(lambda frame: frame["stream"] == "btcusdt@kline_1s" and frame["data"]["k"]["x"])["data"]["k"]
    assert closed["T"] == closed["t"] + 999
    assert (closed["s"], closed["i"]) == ("BTCUSDT", "1s")
    socket.close()
