"""Cancels and fills in the same moment: 25 times, in the soak run a thousand."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

import pytest

from exconn_sync import Order, OrderRejected, OrderRequest
from tests.faults.conftest import LIMIT, Connect, connect
from tests.faults.faces import Face, face, resting
from tests.faults.test_order_of_arrival import Told
from tests.simulator.clients import eventually
from tests.soak.scale import scaled, show
from tests.unit.support import Background

__all__ = ["connect", "face"]

RACES = scaled(25, 1000)


@pytest.mark.timeout(scaled(120, 1800))
def test_a_cancel_and_a_fill_in_the_same_moment(face: Face, connect: Connect) -> None:
    """Whoever wins, the order ends once, and the cancel says what it did (fault F094)."""
    paths = {face.place[1]: RACES, face.cancel[1]: RACES}
    face.exchange.faults.rate_limits(weight_per_minute=10**9, orders_per_10s=10**6, endpoint_per_s=paths)
    connector, random = connect(face.exchange), Random(5)
    told = Told(connector)
    outcomes: Counter[str] = Counter()
    orders: list[Order] = []
    for _ in range(RACES):
        order = resting(connector, OrderRequest.limit("BTC-USDT", "buy", "0.001", "60005"))
        orders.append(order)
        together = threading.Barrier(2)

        def fill(together: threading.Barrier = together) -> None:
            together.wait(LIMIT)
            face.exchange.market.trade("BTCUSDT", "sell", "0.001")

        def cancel(order: Order = order, together: threading.Barrier = together) -> None:
            together.wait(LIMIT)
            try:
                order.cancel(timeout=LIMIT)
                outcomes["canceled"] += 1
                assert order.status == "canceled"
            except OrderRejected:
                outcomes["filled"] += 1
                assert order.wait("filled", LIMIT)

        # Whoever has no thread to be woken first has a little advantage.
        here, there = (fill, cancel) if random.random() < 0.5 else (cancel, fill)
        elsewhere = Background(there)
        here()
        elsewhere.result()
    truth = {each.client_order_id or each.original_client_order_id: each for each in face.exchange.accounts.orders()}
    truth |= {each.original_client_order_id: each for each in truth.values() if each.original_client_order_id}
    for order in orders:
        assert str(order.status) == truth[order.client_order_id].status.value
        eventually(lambda order=order: told.statuses(order)[-1] == str(order.status))  # type: ignore[misc]
        assert order.state.contradictions == ()
        assert sum(status in ("filled", "canceled") for status in told.statuses(order)) == 1
    assert outcomes.total() == RACES
    show(f"cancel against fill on {face.name}", **outcomes)
