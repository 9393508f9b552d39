"""One order for one intent, whoever repeats it (fault F115)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync import Order, OrderRejected, OrderRequest, OutcomeUnknown, RiskRejected, ValidationError
from exconn_sync.config.settings import RiskLimits
from exconn_sync.persistence import MemoryJournal
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect
from tests.faults.faces import Face, face, proof
from tests.unit.support import in_threads

__all__ = ["face"]

MINE = OrderRequest.limit("BTC-USDT", "buy", "0.02", "50000", client_order_id="mine")


@pytest.mark.parametrize("arrives", [True, False])
def test_fifty_threads_with_one_intent_and_lost_answers(arrives: bool, face: Face, connect: Connect) -> None:
    """One request leaves; all get the same order, or learn the same of it (faults F067, F068, F115)."""
    connector = connect(face.exchange, **proof())
    if arrives:
        face.exchange.faults.execute_then_drop(*face.place, count=50)
    else:
        face.exchange.faults.answer(*face.place, 504, "gateway", count=50)
    got: list[object] = []

    def place(_: int) -> None:
        for _ in range(3):
            try:
                got.append(connector.place_order(MINE, once=True, timeout=LIMIT).client_order_id)
                return
            except OutcomeUnknown as error:
                got.append(error.order.client_order_id)
            except OrderRejected as error:
                got.append("never arrived" in str(error))
                return

    in_threads(50, place)
    placed = face.exchange.accounts.orders()
    if arrives:
        assert set(got) == {"mine"}
        assert [order.client_order_id for order in placed] == ["mine"]
    else:
        assert (set(got) - {"mine"}, placed) == ({True}, [])
    board = face.exchange._board
    left = iter(lambda: board.take_drop(face.place) if arrives else board.take_answer(face.place) is not None, False)
    assert len(list(left)) == 49, "one request has met the fault"
    assert len(connector.orders.history()) == 1


def test_an_unknown_placement_may_be_repeated(face: Face, connect: Connect) -> None:
    """It waits for what becomes of the first one (fault F115)."""
    connector = connect(face.exchange)
    with face.exchange.faults.queue_in_engine(*face.place, 1.0):
        with pytest.raises(OutcomeUnknown) as caught:
            connector.place_order(MINE, timeout=0.3)
        with pytest.raises(OutcomeUnknown, match="placed before") as again:
            connector.place_order(MINE, once=True, timeout=0.1)
        assert again.value.order.client_order_id == caught.value.order.client_order_id
        order = connector.place_order(MINE, once=True, timeout=LIMIT)
        assert order.wait("new", LIMIT)
    assert len(face.exchange.accounts.orders()) == 1
    assert connector.submit_order(MINE, once=True).result(LIMIT).exchange_order_id == order.exchange_order_id


def test_an_order_of_an_earlier_process_is_returned(quiet: Simulator, connect: Connect) -> None:
    """Its journal knows the intent (faults F100, F115)."""
    journal = MemoryJournal()
    first = connect(quiet, journal=journal)
    placed = first.place_order(MINE)
    assert first.stop(LIMIT) == []
    second = connect(quiet, journal=journal)
    order = second.place_order(MINE, once=True)
    assert (order.exchange_order_id, order.state.is_own) == (placed.exchange_order_id, True)
    assert len(quiet.accounts.orders()) == 1


def test_what_a_repeated_intent_needs(quiet: Simulator, connect: Connect) -> None:
    """(fault F115)"""
    connector = connect(quiet, risk=RiskLimits(max_order_quantity=Decimal("0.5")))
    with pytest.raises(ValidationError, match="must be given with once=True"):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.02", "50000"), once=True)
    with pytest.raises(RiskRejected):
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.9", "50000", client_order_id="large"), once=True)
    order: Order = connector.place_order(MINE, once=True)
    other = OrderRequest.limit("BTC-USDT", "sell", "0.02", "70000", client_order_id="mine")
    with pytest.raises(ValidationError, match="was used for another order: buy BTC-USDT limit"):
        connector.place_order(other, once=True)
    order.cancel()
    assert connector.place_order(MINE, once=True).status == "canceled"
    with pytest.raises(ValidationError, match="was used before"):
        connector.place_order(MINE)
