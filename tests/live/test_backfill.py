"""What a cut hid from a topic is asked for and delivered before the stream goes on, with clock and answers in hand."""

from __future__ import annotations

from concurrent.futures import Future
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import ConnectionFailed, ValidationError
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.events import DataGap
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import Trade
from exconn_sync.model.wire import Topic
from tests.live.market import BTC, ETH_TRADES, TICKER, TRADES, MarketDesk, Wire, ticker, trade
from tests.live.support import counted, listen

ONE = Decimal(1)


def rows(*ids: int) -> list[Trade]:
    return [Trade("binance", BTC, TradeId(str(each)), ONE, ONE, Side.BUY, each, 0) for each in ids]


class Desk:
    """A feed that has lost its connection after trade 10, and the one that followed."""

    def __init__(self, *topics: Topic, limit: float = 10.0) -> None:
        self.market = MarketDesk(*(topics or (TRADES,)), backfill_limit=limit)
        self.gaps = listen(self.market.bus, "datagap", "binance")
        self.wire = self.market.connect()
        self.wire.accept()
        self.wire.brings(trade(9), trade(10))
        self.wire = self.reconnect()

    def reconnect(self) -> Wire:
        self.market.feed.on_lost(ConnectionFailed("reset"))
        wire = self.market.connect()
        wire.accept()
        self.seen()
        return wire

    def seen(self) -> list[str]:
        """Return the trades delivered since the last call, those of REST with a plus."""
        found = [self.market.trades.get(0) for _ in range(self.market.trades.pending)]
        return [f"{each.trade_id}{'+' if each.is_backfilled else ''}" for each in found]

    def told(self) -> list[tuple[str | None, str | None]]:
        found: list[DataGap] = [self.gaps.get(0) for _ in range(self.gaps.pending)]
        return [(gap.after, gap.before) for gap in found]

    def answer(self, what: list[Any] | Exception) -> None:
        future: Future[list[Any]] = self.market.missed.pop(0)[2]
        if isinstance(what, Exception):
            future.set_exception(what)
        else:
            future.set_result(what)
        self.market.run()

    def wait(self, seconds: float) -> None:
        self.market.pass_time(seconds, self.wire)


def test_a_stream_that_lost_nothing_costs_no_question() -> None:
    desk = Desk()
    desk.wire.brings(trade(10), trade(11))
    assert (desk.seen(), desk.market.missed) == (["11"], [])
    desk.wire.brings(trade(12))
    assert desk.seen() == ["12"]
    assert counted(desk.market.metrics, "stream.repeated") == 1


def test_what_was_missed_comes_before_the_stream_goes_on() -> None:
    desk = Desk()
    desk.wire.brings(trade(13))
    desk.wire.brings(trade(14))
    assert desk.seen() == []
    ((topic, last, _),) = desk.market.missed
    assert (topic, last.trade_id) == (TRADES, "10")
    desk.answer(rows(11, 12, 13, 14))
    assert (desk.seen(), desk.told()) == (["11+", "12+", "13", "14"], [])
    desk.wire.brings(trade(15))
    assert desk.seen() == ["15"]
    assert counted(desk.market.metrics, "stream.backfilled") == 2


def test_what_cannot_be_had_is_told_by_the_ids_around_it() -> None:
    desk = Desk()
    desk.wire.brings(trade(20))
    desk.answer(rows(15, 16, 17, 18, 19))
    assert (desk.seen(), desk.told()) == (["15+", "16+", "17+", "18+", "19+", "20"], [("10", "15")])
    assert counted(desk.market.metrics, "stream.gaps") == 1


def test_an_answer_that_fails_is_asked_for_again_and_not_for_ever() -> None:
    desk = Desk()
    desk.wire.brings(trade(13))
    for _ in range(2):
        desk.answer(ConnectionFailed("no way"))
        assert desk.seen() == []
        desk.wait(0.6)
    desk.answer(ConnectionFailed("no way"))
    assert (desk.seen(), desk.told()) == (["13"], [("10", "13")])


def test_what_the_exchange_has_no_question_for_is_not_asked_again() -> None:
    desk = Desk()
    desk.wire.brings(trade(13))
    desk.answer(ValidationError("environment", "demo", "does not have that"))
    assert (desk.seen(), desk.told()) == (["13"], [("10", "13")])


def test_live_trades_wait_no_longer_than_was_said() -> None:
    desk = Desk(limit=4.0)
    desk.wire.brings(trade(13))
    desk.wait(3.9)
    assert desk.seen() == []
    desk.wait(0.2)
    gap = desk.gaps.get(0)
    assert (gap.after, gap.before, gap.channel, gap.symbol) == ("10", "13", "trade", BTC)
    assert gap.reason
    assert desk.seen() == ["13"]
    desk.answer(rows(11, 12))
    assert desk.seen() == [], "too late, because 13 has been delivered"
    desk.wire.brings(trade(14))
    assert desk.seen() == ["14"]


def test_a_quiet_topic_is_asked_for_after_a_moment() -> None:
    desk = Desk()
    desk.wait(2.9)
    assert desk.market.missed == []
    desk.wait(0.2)
    desk.answer(rows(11, 12))
    assert desk.seen() == ["11+", "12+"]
    desk.wire.brings(trade(12), trade(13))
    assert desk.seen() == ["13"], "what REST told is not repeated"
    desk.wire.brings(trade(14))
    assert (desk.seen(), desk.market.missed) == (["14"], [])


def test_a_quiet_topic_that_could_not_be_asked_for_is_as_soon_as_it_moves() -> None:
    desk = Desk()
    desk.wait(3.1)
    for _ in range(3):
        desk.answer(ConnectionFailed("no way"))
        desk.wait(0.6)
    assert (desk.seen(), desk.told(), desk.market.missed) == ([], [], [])
    desk.wire.brings(trade(12))
    desk.answer(rows(11))
    assert desk.seen() == ["11+", "12"]


def test_what_was_missed_is_looked_for_however_late_a_topic_moves() -> None:
    """After half a minute lower numbers are believed to begin anew; a higher one still shows the hole."""
    desk = Desk()
    desk.wait(3.1)
    for _ in range(3):
        desk.answer(ConnectionFailed("no way"))
        desk.wait(0.6)
    desk.wait(40.0)
    desk.wire.brings(trade(12))
    desk.answer(rows(11))
    assert desk.seen() == ["11+", "12"]
    desk.wire = desk.reconnect()
    desk.wait(3.1)
    desk.answer([])
    desk.wait(40.0)
    desk.wire.brings(trade(5))
    assert (desk.seen(), desk.market.missed) == (["5"], [])


def test_a_second_cut_while_it_waits_loses_nothing() -> None:
    desk = Desk()
    desk.wire.brings(trade(13))
    first = desk.market.missed.pop()
    desk.wire = desk.reconnect()
    desk.wire.brings(trade(16))
    first[2].set_result(rows(11, 12))
    desk.market.run()
    assert desk.seen() == [], "an answer for a connection that is gone"
    desk.answer(rows(11, 12, 13, 14, 15))
    assert desk.seen() == ["11+", "12+", "13+", "14+", "15+", "16"]


def test_a_replacement_that_begins_while_it_waits_goes_on_at_once() -> None:
    """(fault F044)"""
    desk = Desk()
    desk.wire.brings(trade(13))
    successor = desk.market.connect()
    successor.accept()
    assert (desk.seen(), desk.told()) == (["13"], [("10", "13")])
    desk.wire.brings(trade(14))
    successor.brings(trade(14), trade(15))
    desk.market.feed.replace()
    assert desk.seen() == ["14", "15"]


def test_a_replacement_that_left_a_hole_is_mended() -> None:
    """(fault F044)"""
    desk = Desk()
    desk.wire.brings(trade(11))
    successor = desk.market.connect()
    successor.accept()
    desk.market.feed.on_lost(ConnectionFailed("gone early"))
    desk.market.feed.replace()
    assert desk.seen() == ["11"]
    successor.brings(trade(14))
    desk.answer(rows(12, 13))
    assert desk.seen() == ["12+", "13+", "14"]


def test_numbers_that_begin_anew_are_no_gap() -> None:
    """(fault F066)"""
    desk = Desk()
    desk.wire.brings(trade(3, at_ms=2))
    assert (desk.seen(), desk.market.missed) == (["3"], [])


def test_only_what_can_be_filled_is_held_back() -> None:
    desk = Desk(TRADES, TICKER)
    desk.wire.brings(ticker(5), trade(13))
    assert desk.market.tickers.pending == 1
    assert [topic.channel for topic, _, _ in desk.market.missed] == [Channel.TRADE]


def test_each_topic_is_filled_for_itself() -> None:
    desk = Desk(TRADES, ETH_TRADES)
    desk.wire.brings(trade(13), trade(1, "ETH-USDT"))
    assert desk.seen() == ["1"], "of which nothing was known before the cut"
    desk.answer(rows(11, 12))
    assert desk.seen() == ["11+", "12+", "13"]


@pytest.mark.parametrize("pages", [[range(11, 1011), range(1011, 1020)]])
def test_a_long_cut_is_asked_for_in_pages(pages: list[range]) -> None:
    desk = Desk()
    desk.wire.brings(trade(1020))
    for page in pages:
        assert len(desk.market.missed) == 1
        desk.answer(rows(*page))
    seen = desk.seen()
    assert [int(each.rstrip("+")) for each in seen] == list(range(11, 1021))
    assert seen[-1] == "1020"
