"""Answers that come in another order, twice, too late, or about fewer orders than were asked for."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from exconn_sync import CommandOutcome, Connector, InsufficientBalance, Order, OrderRequest, OutcomeUnknown
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect
from tests.faults.faces import proof, quiet_bybit
from tests.integration.test_bybit_orders import over_the_socket
from tests.simulator.clients import eventually
from tests.unit.support import Background, in_threads

__all__ = ["quiet_bybit"]

CREATE, BATCH = "/v5/order/create", "/v5/order/create-batch"
DONE, REFUSED, UNKNOWN = CommandOutcome.DONE, CommandOutcome.REFUSED, CommandOutcome.UNKNOWN
limit = OrderRequest.limit


def test_answers_swapped_among_fifty_callers(quiet_bybit: Simulator, connect: Connect) -> None:
    """Each gets the answer to its own command, and to no other (fault F043).

    They are swapped by ten, because commands without an answer use up what is allowed in a second.
    """
    quiet_bybit.faults.rate_limits(endpoint_per_s={CREATE: 100})
    connector, metrics = over_the_socket(quiet_bybit, connect)
    callers, placed, lock = 50, dict[str, Order](), threading.Lock()
    quiet_bybit.faults.swap_answers("WS", "order.create", 10, times=callers // 10)

    def place(number: int) -> None:
        # One of five asks for more than there is, so that the answers differ.
        quantity = "1000" if number % 5 == 0 else "0.001"
        request = limit("BTC-USDT", "buy", quantity, "50000", client_order_id=f"c{number}")
        try:
            order = connector.place_order(request, timeout=3 * LIMIT)
        except InsufficientBalance:
            assert number % 5 == 0
            return
        assert number % 5 != 0
        with lock:
            placed[order.client_order_id] = order

    with quiet_bybit.faults.silence("order"):
        in_threads(callers, place)
        shown = {name: order.exchange_order_id for name, order in placed.items()}
    truth = {order.client_order_id: order.exchange_order_id for order in connector.fetch_open_orders()}
    assert len(placed) == len(quiet_bybit.accounts.orders()) == 40
    assert shown == truth
    assert not any(order.state.contradictions for order in placed.values())
    assert sum(count for key, count in metrics.counts().items() if key.startswith("socket.commands")) == callers


def test_an_answer_that_comes_after_its_caller_has_gone(quiet_bybit: Simulator, connect: Connect) -> None:
    """It wakes nobody, and the next caller does not get it (fault F043)."""
    connector, _ = over_the_socket(quiet_bybit, connect)
    quiet_bybit.faults.swap_answers("WS", "order.create", 2)
    with quiet_bybit.faults.silence("order"):
        first = Background(lambda: connector.place_order(limit("BTC-USDT", "buy", "0.001", "50000"), timeout=0.3))
        with pytest.raises(OutcomeUnknown) as caught:
            first.result()
        second = connector.place_order(limit("BTC-USDT", "buy", "0.002", "50000"), timeout=LIMIT)
    assert caught.value.order.wait("new", LIMIT)
    assert second.wait("new", LIMIT)
    assert second.exchange_order_id != caught.value.order.exchange_order_id
    assert [order.state.contradictions for order in (second, caught.value.order)] == [(), ()]


# --- batches --------------------------------------------------------------------------------------------------------


def outcomes(connector: Connector, requests: list[OrderRequest], **more: Any) -> list[CommandOutcome]:
    return [result.outcome for result in connector.place_orders(requests, **more)]


def test_each_order_of_a_batch_has_an_outcome_of_its_own(quiet_bybit: Simulator, connect: Connect) -> None:
    """Any of three may be refused, and the others stand (fault F088)."""
    connector = connect(quiet_bybit)
    for refused in range(8):
        pattern = [bool(refused >> place & 1) for place in range(3)]
        requests = [limit("BTC-USDT", "buy", "1000" if is_bad else "0.001", "50000") for is_bad in pattern]
        assert outcomes(connector, requests) == [REFUSED if is_bad else DONE for is_bad in pattern]
    assert len(quiet_bybit.accounts.orders()) == 12


def test_a_batch_answered_about_fewer_orders_is_unknown_for_each(quiet_bybit: Simulator, connect: Connect) -> None:
    """The answer names one of three; all were executed, and all are found (fault F088)."""
    connector = connect(quiet_bybit)
    body = {
        "retCode": 0, "retMsg": "OK", "time": 1,
        "result": {"list": [{"category": "spot", "symbol": "BTCUSDT", "orderId": "1", "orderLinkId": "a"}]},
        "retExtInfo": {"list": [{"code": 0, "msg": "OK"}]},
    }  # fmt: skip
    quiet_bybit.faults.execute_then_answer("POST", BATCH, 200, json.dumps(body))
    requests = [limit("BTC-USDT", "buy", "0.001", "50000") for _ in range(3)]
    results = connector.place_orders(requests, timeout=LIMIT)
    assert [result.outcome for result in results] == [DONE] * 3
    eventually(lambda: {result.order.status.value for result in results} == {"new"})
    assert len({result.order.exchange_order_id for result in results}) == 3


def test_a_whole_batch_that_is_lost_is_unknown_for_each(
    quiet_bybit: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until each is proven absent by itself (faults F067, F088)."""
    monkeypatch.setattr("exconn_sync._live.resolver._MARGIN_MS", 100)
    connector = connect(quiet_bybit, **proof())
    quiet_bybit.faults.answer("POST", BATCH, 504, "gateway")
    requests = [limit("BTC-USDT", "buy", "0.001", "50000") for _ in range(3)]
    results = connector.place_orders(requests, timeout=0.3)
    assert [result.outcome for result in results] == [UNKNOWN] * 3
    assert all(result.order.wait(timeout=LIMIT) for result in results)
    assert {result.order.status for result in results} == {"rejected"}
    assert quiet_bybit.accounts.orders() == []
