"""Lists of many pages that change while they are read (fault F089)."""

from __future__ import annotations

import threading
from decimal import Decimal

from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side
from tests.faults.conftest import LIMIT, Connect, Ups
from tests.faults.faces import quiet_bybit
from tests.unit.support import Background

__all__ = ["quiet_bybit"]

REALTIME = "/v5/order/realtime"
MANY = 1000


def place(exchange: Simulator, names: list[str]) -> None:
    """Place orders on the account in the exchange itself, as another program would."""
    core = exchange._accounts._exchange

    def all_of_them() -> None:
        for name in names:
            request = NewOrder(
                "BTCUSDT", Side.BUY, OrderType.LIMIT, name, quantity=Decimal("0.001"), price=Decimal(59_000)
            )
            core.place("demo", request, exchange._clock.now_ms())

    exchange._server.call(all_of_them)


def cancel(exchange: Simulator, name: str) -> None:
    core = exchange._accounts._exchange

    def one() -> None:
        order = core.registry.find("demo", "BTCUSDT", name)
        assert order is not None
        core.cancel(order, exchange._clock.now_ms())

    exchange._server.call(one)


def test_a_thousand_open_orders_that_change_while_they_are_read(quiet_bybit: Simulator, connect: Connect) -> None:
    """Whatever stays open is in the list, once; what is read by a comparison is no less (fault F089)."""
    quiet_bybit.market.rules("BTCUSDT", max_open_orders=2 * MANY)
    names = [f"o{number}" for number in range(MANY)]
    place(quiet_bybit, names)
    leaving = [f"o{number}" for number in range(0, MANY, 5)]
    staying = set(names) - set(leaving)
    connector = connect(quiet_bybit)
    assert {state.client_order_id for state in connector.orders.open()} == set(names)
    reads, done = threading.Event(), threading.Event()

    def change() -> None:
        assert reads.wait(LIMIT)
        for number, name in enumerate(leaving):
            cancel(quiet_bybit, name)
            place(quiet_bybit, [f"n{number}"])
            if done.is_set():
                return

    changing = Background(change)
    before = len(quiet_bybit.request_log())
    with quiet_bybit.faults.answer_late("GET", REALTIME, 0.02):
        reads.set()
        listed = [state.client_order_id for state in connector.fetch_open_orders()]
        pages = [seen for seen in quiet_bybit.request_log()[before:] if seen.path == REALTIME]
        ups = Ups(connector, "account")
        quiet_bybit.faults.drop_connections("private")
        ups.recover()
        connector.wait_ready(3 * LIMIT)
    done.set()
    changing.result()
    assert len(pages) >= len(staying) // 50, "no page is taken for the whole"
    assert len(set(listed)) == len(listed), "an order that moved to another page is there once"
    assert staying <= set(listed)
    assert staying <= {state.client_order_id for state in connector.orders.open()}
    assert not any(state.contradictions for state in connector.orders.history())
