"""One frame of each topic a minute is looked at for what is new in it, and a bounded number of names is counted."""

from __future__ import annotations

from exconn_sync._live.unknown_parts import UnknownParts
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.testing import ManualClock
from tests.faults.conftest import counted
from tests.live.market import TRADES, MarketDesk, trade

NAME = "wire.unrecognized"


def new_trade(number: int) -> bytes:
    """Return a trade with a field of the future."""
    return trade(number).replace(b'"e":', b'"mood":1,"e":', 1)


def test_one_frame_a_minute_is_looked_at_and_each_is_delivered() -> None:
    """(fault F036)"""
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(new_trade(1), new_trade(2))
    wire.brings(new_trade(3))
    assert counted(desk.metrics, NAME) == 1
    desk.pass_time(30.0, wire)
    wire.brings(new_trade(4))
    assert counted(desk.metrics, NAME) == 1
    desk.pass_time(31.0, wire)
    wire.brings(new_trade(5))
    desk.pass_time(1.0, wire)
    wire.brings(new_trade(6), new_trade(7))
    assert desk.metrics.counts()[f"{NAME}{{exchange=binance,part=trade field mood}}"] == 2
    assert desk.trade_numbers() == [1, 2, 3, 4, 5, 6, 7]
    assert desk.problems() == []


def test_an_unreadable_frame_does_not_use_up_the_look_of_later_minutes() -> None:
    desk = MarketDesk(TRADES)
    wire = desk.connect()
    wire.accept()
    wire.brings(b'{"stream":"btcusdt@trade","data":{"e":"trade"}}')
    wire.brings(new_trade(1))
    desk.pass_time(61.0, wire)
    wire.brings(new_trade(2))
    desk.pass_time(1.0, wire)
    wire.brings(new_trade(3))
    assert counted(desk.metrics, NAME) == 1
    assert desk.trade_numbers() == [1, 2, 3]


def test_the_names_of_one_reader_are_bounded() -> None:
    metrics = MemoryMetrics()
    parts = UnknownParts("binance", metrics, ManualClock())
    for number in range(200):
        parts.note([f"trade field {number}"])
    parts.note(["trade field 0"])
    assert counted(metrics, NAME) == 201
    assert len(metrics.counts()) == 51
    assert metrics.counts()[f"{NAME}{{exchange=binance,part=trade field 0}}"] == 2
    assert metrics.counts()[f"{NAME}{{exchange=binance,part=other}}"] == 150
