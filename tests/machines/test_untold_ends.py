"""Orders that should have ended by what has traded are noticed, and only those (fault F106)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync._machines.untold_ends import UntoldEnds, should_be_over
from exconn_sync.model.enums import OrderStatus, OrderType, TimeInForce
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderState

_S = 1_000_000_000
NAME = ClientOrderId("a")


def state(
    filled: str = "2",
    *,
    quantity: str | None = "2",
    kind: OrderType = OrderType.LIMIT,
    force: TimeInForce | None = None,
    status: OrderStatus = OrderStatus.PARTIALLY_FILLED,
) -> OrderState:
    return OrderState(
        "bybit", "BTC-USDT", NAME, status=status, type=kind, time_in_force=force,
        quantity=None if quantity is None else Decimal(quantity), filled_quantity=Decimal(filled),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "is_over"),
    [
        (state(), True),
        (state("3"), True),
        (state("1"), False),
        (state("0"), False),
        (state("1", kind=OrderType.MARKET), True),
        (state("1", quantity=None, kind=OrderType.MARKET), True),
        (state("0", kind=OrderType.MARKET), False),
        (state("1", force=TimeInForce.IOC), True),
        (state("1", force=TimeInForce.FOK), True),
        (state("1", force=TimeInForce.GTC), False),
        (state(quantity=None), False),
        (state(status=OrderStatus.FILLED), False),
        (state("1", kind=OrderType.MARKET, status=OrderStatus.EXPIRED), False),
    ],
)
def test_what_should_be_over(order: OrderState, is_over: bool) -> None:
    assert should_be_over(order) is is_over


def test_an_end_may_stay_away_for_a_while() -> None:
    """(fault F106)"""
    ends = UntoldEnds(1.0)
    ends.note(state(), 0)
    # Another report of the same does not put it off.
    ends.note(state(), _S // 2)
    assert ends.next_due() == _S
    assert not ends.take_due(_S - 1, lambda _: state())
    assert ends.take_due(_S, lambda _: state())
    assert ends.next_due() is None, "it is told once"


def test_an_end_that_was_told_meanwhile_is_none_that_is_missing() -> None:
    ends = UntoldEnds(1.0)
    ends.note(state(), 0)
    assert not ends.take_due(_S, lambda _: state(status=OrderStatus.FILLED))
    ends.note(state(), 0)
    assert not ends.take_due(_S, lambda _: None)


def test_an_order_that_goes_on_is_waited_for_no_more() -> None:
    ends = UntoldEnds(1.0)
    ends.note(state(), 0)
    ends.note(state(quantity="5"), 1)
    assert ends.next_due() is None
