"""Commands whose answer is lost, false or late: looked for, never sent again, and never taken for refused."""

from __future__ import annotations

import pytest

from exconn_sync import OrderRejected, OrderState, OrderStatus, OutcomeUnknown
from tests.faults.conftest import LIMIT, Connect
from tests.faults.faces import RESTING, Face, face, proof, resting
from tests.simulator.clients import eventually

__all__ = ["face"]

PAGE = "<html><body>bad gateway</body></html>"


def test_an_order_behind_a_server_error_is_found(face: Face, connect: Connect) -> None:
    """It was executed, and the answer says that something failed (fault F071)."""
    connector = connect(face.exchange)
    states: list[OrderState] = []
    connector.on_order(states.append)
    placed = []
    for status in (500, 502, 503, 504):
        face.exchange.faults.execute_then_answer(*face.place, status, PAGE)
        order = connector.place_order(RESTING)
        assert order.wait("new", LIMIT)
        placed.append(order)
    ids = [order.client_order_id for order in placed]
    assert [each.client_order_id for each in face.exchange.accounts.orders()] == ids
    for order in placed:
        order.cancel()
    eventually(lambda: [state.status for state in states].count(OrderStatus.CANCELED) == len(placed))
    assert "rejected" not in {state.status for state in states}


def test_an_order_that_never_arrived_is_proven_absent_and_only_then_rejected(face: Face, connect: Connect) -> None:
    """(faults F067, F071)"""
    connector = connect(face.exchange, **proof())
    states: list[OrderState] = []
    connector.on_order(states.append)
    face.exchange.faults.answer(*face.place, 504, PAGE)
    with pytest.raises(OrderRejected, match="never arrived"):
        connector.place_order(RESTING, timeout=LIMIT)
    eventually(lambda: [state.status for state in states] == ["pending_new", "unknown", "rejected"])
    assert face.asked(face.look) >= 2, "one look proves nothing"
    assert face.exchange.accounts.orders() == []


def test_an_order_that_is_executed_long_after_it_was_given_up_is_found(face: Face, connect: Connect) -> None:
    """All looks before that find nothing, which proves nothing; its window is over by then (fault F069)."""
    connector = connect(face.exchange, **proof(window_ms=1000, processing_limit=3.0))
    states: list[OrderState] = []
    connector.on_order(states.append)
    with face.exchange.faults.queue_in_engine(*face.place, 2.0):
        with pytest.raises(OutcomeUnknown) as caught:
            connector.place_order(RESTING, timeout=0.5)
        order = caught.value.order
        assert order.status == "unknown"
        eventually(lambda: face.asked(face.look) >= 2)
        assert face.exchange.accounts.orders() == [], "it is still on its way"
        assert order.wait("new", LIMIT)
    (placed,) = face.exchange.accounts.orders()
    assert placed.client_order_id == order.client_order_id
    eventually(lambda: [state.status for state in states][-1] == "new")
    assert [state.status for state in states] == ["pending_new", "unknown", "new"]
    assert connector.health().unknown_orders == 0


# --- cancels --------------------------------------------------------------------------------------------------------


def test_a_cancel_whose_answer_is_lost_is_found_done(face: Face, connect: Connect) -> None:
    """(faults F068, F095)"""
    connector = connect(face.exchange)
    order = resting(connector)
    face.exchange.faults.execute_then_drop(*face.cancel)
    with face.exchange.faults.silence(face.orders):
        order.cancel(timeout=LIMIT)
    assert order.status == "canceled"
    assert face.asked(face.cancel) == 1


def test_a_cancel_that_never_arrived_is_unknown_and_its_order_as_open_as_it_was(face: Face, connect: Connect) -> None:
    """However often it is looked at; a new cancel is the user's decision (fault F095)."""
    connector = connect(face.exchange)
    order = resting(connector)
    face.exchange.faults.answer(*face.cancel, 503, PAGE)
    with pytest.raises(OutcomeUnknown, match="not known yet whether it arrived") as caught:
        order.cancel(timeout=2.5)
    assert caught.value.order.client_order_id == order.client_order_id
    assert face.asked(face.look) >= 2
    assert (order.status, face.asked(face.cancel)) == ("new", 0)
    order.cancel(timeout=LIMIT)
    assert order.status == "canceled"


def test_a_cancel_that_is_executed_after_it_was_given_up_shows(face: Face, connect: Connect) -> None:
    """(faults F069, F095)"""
    connector = connect(face.exchange)
    order = resting(connector)
    with face.exchange.faults.queue_in_engine(*face.cancel, 1.5):
        with pytest.raises(OutcomeUnknown):
            order.cancel(timeout=0.5)
        assert order.status == "new", "not because we asked for it"
        assert order.wait("canceled", LIMIT)
    assert order.state.contradictions == ()


def test_a_cancel_of_which_the_exchange_does_not_know_what_became(face: Face, connect: Connect) -> None:
    """A status unknown to the exchange is no refusal (faults F072, F095)."""
    connector = connect(face.exchange)
    order = resting(connector)
    body = {
        "binance": '{"code":-1007,"msg":"Timeout waiting for response from backend server."}',
        "bybit": '{"retCode":170147,"retMsg":"Cancel order timeout","result":{},"retExtInfo":{},"time":1}',
    }[face.name]
    face.exchange.faults.execute_then_answer(*face.cancel, 504 if face.name == "binance" else 200, body)
    order.cancel(timeout=LIMIT)
    assert order.status == "canceled"
