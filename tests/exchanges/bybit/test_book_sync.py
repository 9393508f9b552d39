"""The sequence rules of Bybit's streams (Bybit: 6.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._machines.takeover import Takeover
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.enums import Channel, Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market import BookDiff, BookSnapshot, Trade
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.wire import Topic

BOOK = Topic(Channel.ORDER_BOOK, "BTC-USDT")


def diff(update_id: int) -> BookDiff:
    return BookDiff("bybit", "BTC-USDT", update_id, update_id, [], [], None, 0)


def snapshot(update_id: int) -> BookSnapshot:
    return BookSnapshot("bybit", "BTC-USDT", update_id, [], [], 0)


@pytest.mark.parametrize(
    ("update_id", "verdict"), [(101, "apply"), (100, "ignore"), (102, "gap"), (99, "gap"), (2, "gap"), (10**15, "gap")]
)
def test_numbers_go_up_by_one(update_id: int, verdict: str) -> None:
    """A lower number follows a restart whose snapshot did not come: the book must not stay as it was for ever."""
    assert DRIVER.judge_diff(100, diff(update_id)) == verdict


@given(st.integers(1, 50), st.integers(0, 20), st.integers(0, 20))
def test_a_second_connection_takes_over_without_a_gap_or_a_repetition(joined: int, behind: int, ahead: int) -> None:
    """Its snapshot joins up with whatever was delivered, also where it is behind (faults F044, F049)."""
    span = DRIVER.span(BOOK)
    assert span is not None
    takeover: Takeover[BookDiff | BookSnapshot] = Takeover(span, None)
    first = 100
    delivered = takeover.on_old([snapshot(first), *(diff(first + number) for number in range(1, joined + 1))])
    at = max(first + joined - behind + ahead, 1)
    delivered += takeover.on_new([snapshot(at), *(diff(at + number) for number in range(1, 60))])
    assert takeover.is_switched
    book = 0
    for event in delivered:
        if isinstance(event, BookSnapshot):
            assert event.update_id > book
            book = event.update_id
        else:
            assert DRIVER.judge_diff(book, event) == "apply"
            book = event.last_update_id
    assert book == at + 59


def test_trades_are_numbered_by_their_ids_as_long_as_they_are_numbers() -> None:
    span = DRIVER.span(Topic(Channel.TRADE, "BTC-USDT"))
    assert span is not None

    def trade(trade_id: str, at: int | None) -> Trade:
        return Trade("bybit", "BTC-USDT", TradeId(trade_id), ZERO, ZERO, Side.BUY, at, 0)

    assert span(trade("2290000000000000001", 5)) == (2290000000000000001,) * 2
    assert span(trade("20f43950-d8dd-5b31-9112-a178eb6023af", 5)) == (5, 5)
    assert span(trade("x", None)) == (0, 0)


def test_only_the_deepest_book_is_numbered_as_rest_is() -> None:
    """(Bybit: 4.3)"""
    assert DRIVER.has_numbers_of_rest(Topic(Channel.ORDER_BOOK, "BTC-USDT", "1000"))
    assert not DRIVER.has_numbers_of_rest(BOOK)


def test_every_channel_has_an_order() -> None:
    assert all(DRIVER.span(Topic(channel, "BTC-USDT")) is not None for channel in DRIVER.channels)
    assert DRIVER.span(Topic(Channel.AVERAGE_PRICE, "BTC-USDT")) is None
