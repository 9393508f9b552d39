"""How far from the market an order may trade, and what a market order comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import BookState
from exconn_sync.model.orders import OrderRequest
from exconn_sync.risk.collar import objection, walk
from tests.machines.make import fixed

limit, market = OrderRequest.limit, OrderRequest.market
SYMBOL = "BTC-USDT"
D = Decimal
LEVELS = [(D(100), D(1)), (D(105), D(2)), (D(120), D(3))]


def view(state: BookState = BookState.LIVE, *, is_empty: bool = False, age: float = 0.0) -> BookView:
    rows: dict[str, Any] = {} if is_empty else {
        "bids": [(D(99), "1"), (D(90), "5")], "asks": [(price, str(size)) for price, size in LEVELS]
    }  # fmt: skip
    return BookView(exchange="binance", symbol=SYMBOL, state=state, age=age, **rows)


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (limit(SYMBOL, "buy", 1, "110"), ""),
        (limit(SYMBOL, "buy", 1, "110.01"), "110.01 is more than a share of 0.1 beyond the best opposite price, 100"),
        (limit(SYMBOL, "buy", 1, "1"), ""),
        (limit(SYMBOL, "sell", 1, "89.1"), ""),
        (limit(SYMBOL, "sell", 1, "89"), "beyond the best opposite price, 99"),
        (limit(SYMBOL, "sell", 1, "1000000"), ""),
        (market(SYMBOL, "buy", 3), ""),
        (market(SYMBOL, "buy", "3.1"), "a price of 120 is more"),
        (market(SYMBOL, "buy", 7), "does not hold that much"),
        (market(SYMBOL, "buy", quote_quantity=310), ""),
        (market(SYMBOL, "buy", quote_quantity=311), "a price of 120"),
        (market(SYMBOL, "sell", 6), ""),
        (market(SYMBOL, "sell", "6.1"), "does not hold"),
        (OrderRequest.stop_limit(SYMBOL, "buy", 1, "220", "200"), ""),
        (OrderRequest.stop_limit(SYMBOL, "buy", 1, "221", "200"), "beyond its trigger, 200"),
        (OrderRequest.stop_limit(SYMBOL, "sell", 1, "40", "50"), "beyond its trigger, 50"),
        (OrderRequest.stop_limit(SYMBOL, "buy", 1, "111", trailing_delta=100), "beyond the best opposite price"),
        (OrderRequest.stop_market(SYMBOL, "buy", 1, "200"), ""),
        (OrderRequest.pegged(SYMBOL, "buy", 1), ""),
    ],
)
def test_what_harms_is_refused(request_: OrderRequest, text: str) -> None:
    found = objection(request_, view(), D("0.1"), None)
    assert text in found
    assert bool(text) == bool(found)


@pytest.mark.parametrize("state", [each for each in BookState if each is not BookState.LIVE])
def test_a_book_that_is_not_live_lets_nothing_pass(state: BookState) -> None:
    for order in (limit(SYMBOL, "buy", 1, 1), market(SYMBOL, "sell", 1)):
        assert f"the BTC-USDT book is {state}" in objection(order, view(state), D(1), None)
    assert objection(OrderRequest.stop_market(SYMBOL, "buy", 1, 9), view(state), D(1), None) == ""


def test_a_book_that_is_old_or_empty_lets_nothing_pass() -> None:
    order = limit(SYMBOL, "buy", 1, 1)
    assert objection(order, view(age=5.0), D(1), 5.0) == ""
    assert "nothing was heard" in objection(order, view(age=5.1), D(1), 5.0)
    assert "nobody sells" in objection(order, view(is_empty=True), D(1), None)
    assert "nobody buys" in objection(limit(SYMBOL, "sell", 1, 1), view(is_empty=True), D(1), None)


@fixed
@given(st.integers(1, 700))
def test_a_walk_takes_what_was_asked_for_at_the_best_prices(hundredths: int) -> None:
    quantity = D(hundredths) / 100
    by_quantity = walk(LEVELS, quantity, None)
    if quantity > 6:
        assert by_quantity is None
        return
    assert by_quantity is not None
    parts = [min(size, max(D(0), quantity - before)) for (_, size), before in zip(LEVELS, (0, 1, 3), strict=True)]
    worth = sum((price * part for (price, _), part in zip(LEVELS, parts, strict=True)), D(0))
    worst = max(price for (price, _), part in zip(LEVELS, parts, strict=True) if part)
    assert by_quantity == (worst, quantity, worth)
    by_quote = walk(LEVELS, None, worth)
    assert by_quote is not None
    assert (by_quote.worst, by_quote.notional) == (worst, worth)
    assert abs(by_quote.quantity - quantity) < D("1e-20")


def test_nothing_to_walk_for_is_nothing() -> None:
    assert walk(LEVELS, None, None) is None
    assert walk([], D(1), None) is None
