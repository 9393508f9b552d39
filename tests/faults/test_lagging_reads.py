"""Answers that are older than what is known, that miss what exists, that fail, or that hold only a part."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

import pytest

from exconn_sync import Connector, OrderRequest, OutcomeUnknown
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.config.settings import UnknownOrders
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.request_fates import ScriptedAnswer
from tests.faults.conftest import LIMIT, Connect, Errors, Ups
from tests.faults.faces import RESTING, Face, face, proof, resting
from tests.simulator.clients import eventually

__all__ = ["face"]

ORDER, OPEN = "/api/v3/order", "/api/v3/openOrders"


def compare_everything(face: Face, connector: Connector) -> None:
    """Lose the account stream and wait until all is compared."""
    ups = Ups(connector, "account")
    face.exchange.faults.drop_connections(face.account_kind)
    ups.recover()
    connector.wait_ready(LIMIT)


def test_an_acknowledged_order_is_not_lost_while_reads_lag(face: Face, connect: Connect) -> None:
    """It is asked for again, and there is nothing to tell (fault F070)."""
    connector = connect(face.exchange, unknown_orders=UnknownOrders(read_lag=3.0))
    errors = Errors(connector)
    with face.exchange.faults.lag_reads(60):
        order = resting(connector)
        compare_everything(face, connector)
        assert order.status == "new", "it was neither listed nor found"
        before = face.asked(face.look)
        assert before > 0
    eventually(lambda: face.asked(face.look) > before)
    assert [event.where for event in errors.told if event.where.startswith("order")] == []
    order.cancel()
    assert (order.status, order.state.contradictions) == ("canceled", ())


def test_an_acknowledged_order_that_stays_missing_is_told_and_kept(face: Face, connect: Connect) -> None:
    """(fault F070)"""
    connector = connect(face.exchange, unknown_orders=UnknownOrders(read_lag=0.3))
    errors = Errors(connector)
    with face.exchange.faults.lag_reads(60):
        order = resting(connector)
        compare_everything(face, connector)
        event = errors.until(lambda event: event.where == f"order {order.client_order_id}")
        assert "not" in str(event.error)
        compare_everything(face, connector)
        assert order.status == "new"
    order.cancel()
    assert order.status == "canceled"
    assert [each.where for each in errors.told].count(event.where) == 1


def test_an_order_without_an_answer_is_found_once_the_reads_catch_up(face: Face, connect: Connect) -> None:
    """Whatever the looks have missed until then (faults F068, F070)."""
    connector = connect(face.exchange, **proof(window_ms=1000, read_lag=2.0))
    with face.exchange.faults.lag_reads(2.0), face.exchange.faults.silence(face.orders):
        face.exchange.faults.execute_then_drop(*face.place)
        with pytest.raises(OutcomeUnknown) as caught:
            connector.place_order(RESTING, timeout=0.5)
        order = caught.value.order
        assert order.wait(lambda state: state.status != "unknown", LIMIT)
        assert order.status == "new"
    assert len(face.exchange.accounts.orders()) == 1


def test_an_answer_that_was_held_back_does_not_set_an_order_back(face: Face, connect: Connect) -> None:
    """It was computed before the fill that the stream has told meanwhile (fault F093)."""
    connector = connect(face.exchange)
    order = resting(connector, OrderRequest.limit("BTC-USDT", "buy", "0.2", "60005"))
    answers: list[str] = []
    with face.exchange.faults.answer_late(*face.look, 1.0):
        before = face.asked(face.look)
        look = threading.Thread(target=lambda: answers.append(str(connector.fetch_order(order).status)))
        look.start()
        eventually(lambda: face.asked(face.look) > before)
        face.exchange.market.trade("BTCUSDT", "sell", "0.2")
        assert order.wait("filled", LIMIT)
        look.join(LIMIT)
    assert (order.status, order.filled_quantity, order.state.contradictions) == ("filled", order.quantity, ())
    statuses = [str(entry.status) for entry in order.history if str(entry.source) == "query"]
    assert "new" in statuses, "the old answer came, and was noted"
    assert len(answers) == 1


def test_a_comparison_goes_on_behind_looks_that_fail(quiet: Simulator, connect: Connect) -> None:
    """What was found is kept, and only the rest asked for again; nothing is ready before (fault F099)."""
    connector, other = connect(quiet), connect(quiet)
    orders = [resting(connector) for _ in range(10)]
    ups = Ups(connector, "account")
    found: list[tuple[int, bool]] = []

    def note() -> None:
        if threading.current_thread().name == "exconn-binance-reconciler":
            found.append((sum(order.status == "canceled" for order in orders), connector.ready.is_set()))

    with quiet.faults.silence("userDataStream"):
        other.cancel_all("BTC-USDT")
    assert other.stop(LIMIT) == []
    quiet.faults.answer("GET", ORDER, 503, "<html>busy</html>", count=4)
    before = Counter((seen.method, seen.path) for seen in quiet.request_log())
    with installed("rest.before_send", note):
        quiet.faults.drop_connections("ws_api")
        ups.recover()
        connector.wait_ready(LIMIT)
    assert {order.status for order in orders} == {"canceled"}
    asked = Counter((seen.method, seen.path) for seen in quiet.request_log()) - before
    assert asked["GET", OPEN] == 2, "two comparisons: the first one has found what was answered"
    # Each look that was answered settles its order; of the other four the past of their symbol tells.
    assert asked["GET", ORDER] == len(orders) - 4
    assert [is_ready for count, is_ready in found if count < len(orders)].count(True) == 0


def test_a_third_of_all_questions_fail(quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F099)"""
    connector, other = connect(quiet), connect(quiet)
    orders = [resting(connector) for _ in range(12)]
    partly = resting(connector, OrderRequest.limit("BTC-USDT", "buy", "0.3", "60005"))
    ups, random = Ups(connector, "account"), Random(99)
    with quiet.faults.silence("userDataStream"):
        for order in orders[::2]:
            other.cancel_order(order.client_order_id)
        quiet.market.trade("BTCUSDT", "sell", "0.1")
    assert other.stop(LIMIT) == []
    board, asked = quiet._board, Counter[bool]()
    scripted = board.take_answer

    def take(target: tuple[str, str]) -> ScriptedAnswer | None:
        fails = target[0] == "GET" and random.random() < 0.3
        asked[fails] += 1
        return ScriptedAnswer(503, "<html>busy</html>") if fails else scripted(target)

    monkeypatch.setattr(board, "take_answer", take)
    quiet.faults.drop_connections("ws_api")
    ups.recover()
    connector.wait_ready(3 * LIMIT)
    monkeypatch.setattr(board, "take_answer", scripted)
    assert asked[True] >= 3
    assert [order.status for order in orders] == ["canceled", "new"] * 6
    assert (partly.status, len(connector.fills())) == ("partially_filled", 1)
