"""Views of an order book refuse to be read when they are not whole, and never change."""

from __future__ import annotations

import pickle
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync.errors import StaleBook
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import BookState


def view(state: BookState = BookState.LIVE, **more: Any) -> BookView:
    rows: dict[str, Any] = {
        "bids": ((Decimal(10), "1.5"), (Decimal(9), "2")),
        "asks": ((Decimal(11), "0.5"), (Decimal(12), "3")),
    }
    return BookView(exchange="binance", symbol="BTC-USDT", state=state, update_id=7, exchange_time=1, received_at=2,
                    age=0.5, **{**rows, **more})  # fmt: skip


def test_a_live_view_is_read_best_first() -> None:
    book = view()
    assert book.is_valid
    assert book.bids == ((Decimal(10), Decimal("1.5")), (Decimal(9), Decimal(2)))
    assert book.best_bid == book.bids[0]
    assert book.best_ask == book.asks[0] == (Decimal(11), Decimal("0.5"))
    assert (book.exchange, book.symbol, book.update_id, book.exchange_time) == ("binance", "BTC-USDT", 7, 1)
    assert (book.received_at, book.age) == (2, 0.5)


@pytest.mark.parametrize("state", [item for item in BookState if item is not BookState.LIVE])
@pytest.mark.parametrize("part", ["bids", "asks", "best_bid", "best_ask"])
def test_a_view_that_is_not_whole_refuses_every_reading(state: BookState, part: str) -> None:
    book = view(state, reason="a gap at 8")
    assert not book.is_valid
    with pytest.raises(StaleBook, match="a gap at 8") as caught:
        getattr(book, part)
    assert caught.value.details["state"] == state.value
    assert caught.value.retryable
    assert "10" not in repr(book)
    with pytest.raises(StaleBook):
        getattr(book.limited(1), part)


def test_an_empty_side_has_no_best() -> None:
    book = view(bids=(), asks=())
    assert book.best_bid is None
    assert book.best_ask is None
    assert book.bids == book.asks == ()


def test_a_limited_view_keeps_all_but_the_depth() -> None:
    book = view().limited(1)
    assert len(book.bids) == len(book.asks) == 1
    assert (book.update_id, book.age, book.received_at) == (7, 0.5, 2)


@pytest.mark.parametrize(
    "name",
    [
        "exchange",
        "symbol",
        "state",
        "update_id",
        "exchange_time",
        "received_at",
        "age",
        "bids",
        "asks",
        "is_valid",
        "x",
    ],
)
def test_a_view_cannot_be_changed(name: str) -> None:
    book = view()
    with pytest.raises(AttributeError):
        setattr(book, name, None)
    assert book.is_valid


def test_a_view_can_be_pickled() -> None:
    again = pickle.loads(pickle.dumps(view()))
    assert again.bids == view().bids
    assert again.update_id == 7
