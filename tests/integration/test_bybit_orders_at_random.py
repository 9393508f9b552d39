"""Whatever comes late, twice, out of order or not at all: in the end each order is what it is at the exchange.

The simulated exchange is the truth; the connector learns it over its sockets (invariants I5 and I8; fault F073).
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from exconn_sync import ExconnError, OrderRequest
from exconn_sync.config.settings import Intervals
from exconn_sync.simulator import Simulator
from tests.integration.conftest import Connect
from tests.integration.test_bybit_orders import bybit
from tests.simulator.clients import eventually

__all__ = ["bybit"]

SYMBOL = "BTC-USDT"
STEPS = 40


def requests(rng: random.Random) -> OrderRequest:
    """Return any order: resting, trading in part or in full, waiting, or refused."""
    side = rng.choice(["buy", "sell"])
    quantity = rng.choice(["0.01", "0.02", "0.5", "500"])
    price = str(rng.choice([50_000, 59_999, 60_000, 60_010, 60_011, 70_000]))
    kind = rng.randrange(6)
    if kind == 0:
        return OrderRequest.market(SYMBOL, side, quantity=quantity)
    if kind == 1:
        return OrderRequest.market(SYMBOL, "buy", quote_quantity="150")
    if kind == 2:
        return OrderRequest.stop_market(SYMBOL, side, "0.01", "55000" if side == "sell" else "65000")
    stay = rng.choice(["GTC", "IOC", "FOK"])
    return OrderRequest.limit(SYMBOL, side, quantity, price, stay, post_only=stay == "GTC" and rng.random() < 0.3)


@pytest.mark.parametrize("via", ["rest", "socket"])
@pytest.mark.parametrize("seed", [1, 2])
def test_in_the_end_everybody_agrees(seed: int, via: str, bybit: Simulator, connect: Connect) -> None:
    rng = random.Random(seed)
    connector = connect(bybit, commands=via, intervals=Intervals(reconcile=2.0))
    faults = bybit.faults

    def place() -> None:
        connector.place_order(requests(rng), timeout=3)

    def place_several() -> None:
        connector.place_orders([requests(rng) for _ in range(rng.randrange(1, 5))], timeout=3)

    def open_order() -> str | None:
        names = [state.client_order_id for state in connector.orders.open()]
        return rng.choice(names) if names else None

    def cancel() -> None:
        if name := open_order():
            connector.cancel_order(name, timeout=2)

    def amend() -> None:
        if name := open_order():
            connector.amend_order(name, rng.choice(["0.015", "0.6"]), timeout=2)

    def trade() -> None:
        bybit.market.quote("BTCUSDT", "buy", 60_000, 1)
        bybit.market.quote("BTCUSDT", "sell", 60_010, 1)
        bybit.market.trade("BTCUSDT", rng.choice(["buy", "sell"]), "0.3")

    def lose_an_answer() -> None:
        faults.execute_then_drop("POST", "/v5/order/create")
        faults.execute_then_drop("WS", "order.create")

    def lose_events() -> None:
        faults.lose_frames(rng.choice(["order", "execution"]), rng.randrange(1, 4))

    def lose_a_connection() -> None:
        faults.drop_connections(rng.choice(["private", "trade"]))

    steps: list[Callable[[], None]] = [
        *[place] * 5, *[place_several] * 2, *[cancel] * 2, amend, trade, lose_an_answer, lose_events, lose_a_connection,
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        stack.enter_context(faults.shuffle_events())
        if seed % 2:
            stack.enter_context(faults.match_late(0.05))
        if seed == 2:
            stack.enter_context(faults.refuse_late())
        for _ in range(STEPS):
            with contextlib.suppress(ExconnError):
                rng.choice(steps)()
    known = {state.client_order_id for state in connector.orders.history()}
    assert len(known) >= 10

    def differences() -> list[str]:
        found = []
        truth = {order.client_order_id: order for order in bybit.accounts.orders(bybit.api_key)}
        for state in connector.orders.history():
            order = truth.get(state.client_order_id)
            if order is None:
                found += (
                    [] if state.status == "rejected" else [f"{state.client_order_id} is {state.status}, and not there"]
                )
            elif (state.is_terminal, state.filled_quantity) != (not order.is_open, order.filled_quantity):
                found.append(f"{state.client_order_id}: {state.status} {state.filled_quantity}, {order.status}")
        fills = sum((fill.quantity for fill in connector.fills()), Decimal(0))
        wanted = sum((fill.quantity for fill in bybit.accounts.fills(bybit.api_key)), Decimal(0))
        return [*found, *([] if fills == wanted else [f"fills {fills} of {wanted}"])]

    for _ in range(6):
        with contextlib.suppress(AssertionError):
            eventually(lambda: not differences())
            break
    assert differences() == []
    assert [state.contradictions for state in connector.orders.history() if state.contradictions] == []
