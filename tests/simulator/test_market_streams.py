"""Every documented stream of statistics, over real sockets (Binance: 8.3)."""

from collections.abc import Callable, Iterator
from decimal import Decimal

import msgspec
import pytest

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.binance.figures import INTERVALS
from exconn_sync.simulator.binance.kline_feed import KlineFeed
from exconn_sync.simulator.binance.klines import CALENDAR, candles_of, period_of
from exconn_sync.simulator.binance.streams import StreamRegistry
from exconn_sync.simulator.binance.venue import Venue
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from exconn_sync.simulator.core.statistics import TradeStatistics
from exconn_sync.simulator.fault_board import FaultBoard
from exconn_sync.simulator.keys import KeyTable
from exconn_sync.simulator.rate_limits import RateLimits

from .clients import Json, Rest, Socket, now_ms

HOUR = 3_600_000
DAY = 24 * HOUR
WINDOW_KEYS = ["e", "E", "s", "p", "P", "o", "h", "l", "c", "w", "v", "q", "O", "C", "F", "L", "n"]


@pytest.fixture
def stream(quiet: Simulator) -> Iterator[Socket]:
    """A combined connection without streams."""
    socket = Socket(quiet.stream + "/stream")
    yield socket
    socket.close()


def first(socket: Socket, *streams: str) -> dict[str, Json]:
    """Subscribe; return the first payload of each stream."""
    socket.send({"method": "SUBSCRIBE", "params": list(streams), "id": 1})
    found: dict[str, Json] = {}
    while len(found) < len(streams):
        frame = socket.receive()
        if "stream" in frame:
            found.setdefault(frame["stream"], frame["data"])
    return found


@pytest.mark.parametrize(("window", "length"), [("1h", HOUR), ("4h", 4 * HOUR), ("1d", DAY)])
def test_rolling_windows(quiet: Simulator, stream: Socket, rest: Rest, window: str, length: int) -> None:
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    quiet.market.trade("BTCUSDT", "sell", "0.5")
    ticker = first(stream, f"btcusdt@ticker_{window}")[f"btcusdt@ticker_{window}"]
    assert sorted(ticker) == sorted(WINDOW_KEYS)
    assert (ticker["e"], ticker["s"]) == (f"{window}Ticker", "BTCUSDT")
    assert (ticker["o"], ticker["c"], ticker["p"]) == ("60010.00000000", "60000.00000000", "-10.00000000")
    assert (ticker["v"], ticker["n"], ticker["L"] - ticker["F"]) == ("0.75000000", 2, 1)
    assert ticker["O"] % 60_000 == 0
    assert length <= ticker["C"] - ticker["O"] < length + 60_000
    _, row = rest.get("/api/v3/ticker", symbol="BTCUSDT", windowSize=window)
    assert (row["volume"], row["firstId"], row["weightedAvgPrice"]) == (ticker["v"], ticker["F"], ticker["w"])


@pytest.mark.parametrize("name", ["!miniTicker@arr", "!ticker_1h@arr", "!ticker_4h@arr", "!ticker_1d@arr"])
def test_streams_of_all_symbols_hold_what_changed(quiet: Simulator, stream: Socket, name: str) -> None:
    """Nothing comes where nothing changed, and then only the symbols that did (Binance: 8.3)."""
    stream.ask({"method": "SUBSCRIBE", "params": [name], "id": 1})
    for symbol in ("ETHUSDT", "BTCUSDT"):
        quiet.market.trade(symbol, "buy", "0.25")
        rows = stream.receive()["data"]
        assert [row["s"] for row in rows] == [symbol]
        assert rows[0]["v"] == "0.25000000"
        assert rows[0]["e"] == ("24hrMiniTicker" if "mini" in name else f"{name[8:10]}Ticker")


def test_average_price(quiet: Simulator, stream: Socket, rest: Rest) -> None:
    name = "btcusdt@avgPrice"
    before = first(stream, name)[name]
    assert list(before) == ["e", "E", "s", "i", "w", "T"]
    assert (before["i"], before["w"], before["T"]) == ("5m", "60000.00000000", 0)
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    quiet.market.trade("BTCUSDT", "sell", "0.75")
    after = stream.until(lambda frame: frame["data"]["w"] == "60002.50000000")["data"]
    _, row = rest.get("/api/v3/avgPrice", symbol="BTCUSDT")
    assert (row["price"], row["closeTime"]) == (after["w"], after["T"])
    assert abs(after["E"] - now_ms()) < 5_000


def test_reference_price(quiet: Simulator, stream: Socket) -> None:
    """There is no word before it is set first, and null while there is none (Binance: 8.3)."""
    name = "btcusdt@referencePrice"
    quiet.market.set_reference_price("BTCUSDT", "60005.5")
    event = first(stream, name)[name]
    assert list(event) == ["e", "s", "r", "t"]
    assert (event["e"], event["s"], event["r"]) == ("referencePrice", "BTCUSDT", "60005.50000000")
    quiet.market.set_reference_price("BTCUSDT", None)
    assert stream.until(lambda frame: frame["data"]["r"] is None)["data"]["t"] >= event["t"]


def test_candles_of_every_length_and_zone(quiet: Simulator, stream: Socket) -> None:
    """Bars of the other zone begin eight hours earlier; all times are UTC (Binance: 8.3)."""
    traded = quiet.market.trade("BTCUSDT", "buy", "0.25").updated_at
    zones = {"": 0, "@+08:00": 8 * HOUR}
    wanted = [(interval, zone) for interval in (*INTERVALS, *CALENDAR) for zone in zones]
    found = first(stream, *(f"btcusdt@kline_{interval}{zone}" for interval, zone in wanted))
    assert len(found) == 32
    for interval, zone in wanted:
        candle = found[f"btcusdt@kline_{interval}{zone}"]["k"]
        start, following = period_of(interval, zones[zone]).bounds(candle["t"])
        assert (candle["t"], candle["T"], candle["i"]) == (start, following - 1, interval)
        assert list(candle) == [*"tTsifLochlvnxqVQB"]
        # A period may end between the trade and the look at it.
        assert candle["v"] == ("0.25000000" if start <= traded < following else "0.00000000")
        if zone and interval in ("1d", "1w", "1M"):
            assert candle["t"] % DAY == 16 * HOUR


def test_a_candle_ends_once_before_the_next_one(quiet: Simulator, stream: Socket) -> None:
    stream.send({"method": "SUBSCRIBE", "params": ["btcusdt@kline_1s"], "id": 1})
    seen: list[tuple[int, bool]] = []
    while sum(closed for _, closed in seen) < 3:
        frame = stream.receive()
        if "data" in frame:
            seen.append((frame["data"]["k"]["t"], frame["data"]["k"]["x"]))
    ended = [start for start, closed in seen if closed]
    assert ended == sorted(set(ended))
    for position, (start, closed) in enumerate(seen):
        if closed:
            assert all(other < start or (other == start and not over) for other, over in seen[:position])


def test_no_end_of_a_candle_is_left_out_where_the_simulator_was_late() -> None:
    exchange = Exchange()
    clock, board = VenueClock(), FaultBoard()
    venue = Venue(exchange, clock, KeyTable(), RateLimits(), 1)
    sent: list[tuple[int, bool]] = []

    class Registry(StreamRegistry):
        def is_wanted(self, stream: str) -> bool:
            return stream == "btcusdt@kline_1s"

        def publish(self, stream: str, build: Callable[[int], object]) -> None:
            candle = msgspec.to_builtins(build(1))["k"]
            sent.append((candle["t"] - start, candle["x"]))

    feed, start = KlineFeed(venue, Registry(board)), 20_000 * DAY
    feed.tick(start + 998)
    feed.tick(start + 2001)
    feed.tick(start + 2999)
    feed.tick(start + 6000)
    assert sent == [
        (0, False), (0, True), (1000, True), (2000, False), (2000, False), (2000, True), (3000, True), (4000, True),
        (5000, True), (6000, False),
    ]  # fmt: skip


def test_microseconds_in_all_of_them(quiet: Simulator) -> None:
    names = ["btcusdt@kline_1m@+08:00", "btcusdt@ticker_1h", "!miniTicker@arr", "btcusdt@avgPrice", "btcusdt@depth5"]
    names.append("btcusdt@referencePrice")
    quiet.market.set_reference_price("BTCUSDT", "60005.5")
    socket = Socket(quiet.stream + "/stream?timeUnit=microsecond&streams=" + "/".join(names))
    quiet.market.trade("BTCUSDT", "buy", "0.25")
    found = first(socket, *names)
    times = [found[names[0]]["k"]["t"], found[names[1]]["O"], found[names[2]][0]["E"], found[names[3]]["T"]]
    times += [found[names[0]]["E"], found[names[1]]["C"], found[names[5]]["t"]]
    assert all(10**15 < at < 10**16 for at in times)
    assert found[names[0]]["k"]["T"] == found[names[0]]["k"]["t"] + 59_999_999
    socket.close()


@pytest.mark.parametrize("suffix", ["", "@100ms"])
def test_partial_books_at_both_speeds(quiet: Simulator, stream: Socket, suffix: str) -> None:
    for number in range(30):
        quiet.market.quote("BTCUSDT", "buy", 59990 - number, "1")
    names = [f"btcusdt@depth{levels}{suffix}" for levels in (5, 10, 20)]
    stream.send({"method": "SUBSCRIBE", "params": names, "id": 1})
    found: dict[str, Json] = {}
    while len(found) < 3:
        frame = stream.receive()
        if "stream" not in frame:
            quiet.market.quote("BTCUSDT", "buy", 59995, "1")
        else:
            found[frame["stream"]] = frame["data"]
    for name, levels in zip(names, (5, 10, 20), strict=True):
        assert list(found[name]) == ["lastUpdateId", "bids", "asks"]
        assert len(found[name]["bids"]) == levels
        assert found[name]["bids"][1] == ["59995.00000000", "1.00000000"]


def test_candles_of_a_zone_are_regrouped_from_the_same_trades() -> None:
    exchange = Exchange()
    statistics = TradeStatistics(exchange, INTERVALS.values())
    house, start = "house", 20_000 * DAY
    exchange.accounts[house].deposit("BTC", Decimal(1000))
    exchange.accounts[house].deposit("USDT", Decimal(10**9))
    for hour in range(0, 48, 3):
        now = start + hour * HOUR
        exchange.place(
            house, NewOrder("BTCUSDT", Side.SELL, OrderType.LIMIT, "", quantity=Decimal(1), price=Decimal(100)), now
        )
        exchange.place(house, NewOrder("BTCUSDT", Side.BUY, OrderType.MARKET, "", quantity=Decimal(1)), now)
    now = start + 2 * DAY
    utc = candles_of(statistics, "BTCUSDT", "1d", 0, now)
    east = candles_of(statistics, "BTCUSDT", "1d", 8 * HOUR, now)
    assert [(candle.start - start, candle.trades) for candle in utc] == [(0, 8), (DAY, 8), (2 * DAY, 0)]
    # Midnight there is 16:00 here: hours 0 to 15, 18 to 39, 42 to 45.
    assert [((candle.start - start) // HOUR, candle.trades) for candle in east] == [(-8, 6), (16, 8), (40, 2)]
