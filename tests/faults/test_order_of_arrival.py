"""Answers, order events, fills and balances that come early, late, twice or not at all add up to the same."""

from __future__ import annotations

import json
import threading
from decimal import Decimal

import pytest

from exconn_sync import Connector, Fill, Order, OrderRequest, OrderState
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups
from tests.faults.faces import Face, face, quiet_bybit, resting
from tests.simulator.clients import eventually
from tests.unit.support import Background

__all__ = ["face", "quiet_bybit"]

NEAR = OrderRequest.limit("BTC-USDT", "buy", "0.2", "60005")


class Told:
    """What subscribers hear of orders and fills."""

    def __init__(self, connector: Connector) -> None:
        self.states: list[OrderState] = []
        self.fills: list[Fill] = []
        connector.on_order(self.states.append)
        connector.on_fill(self.fills.append)

    def statuses(self, order: Order) -> list[str]:
        """Return the statuses of one order that were told, each change of status once."""
        all_of_it = [str(state.status) for state in self.states if state.client_order_id == order.client_order_id]
        return [status for index, status in enumerate(all_of_it) if all_of_it[:index][-1:] != [status]]


def asked_for(exchange: Simulator) -> int:
    """Return how often the exchange was asked for one order."""
    return sum((request.method, request.path) == ("GET", "/api/v3/order") for request in exchange.request_log())


def filled_at_once(face: Face, connector: Connector, told: Told, order: Order) -> None:
    """Check that an order counts as filled, once, everywhere."""
    assert order.wait("filled", LIMIT)
    eventually(lambda: sum(fill.quantity for fill in told.fills) == Decimal("0.2"))
    assert (order.filled_quantity, order.state.contradictions) == (Decimal("0.2"), ())
    truth = face.exchange.accounts.fills()
    assert len(connector.fills()) == len(told.fills) == len([fill for fill in truth if fill.account == "demo"])
    eventually(lambda: told.statuses(order)[-1] == "filled")
    assert told.statuses(order).count("filled") == 1


# --- answers that are late ------------------------------------------------------------------------------------------


def test_a_fill_that_comes_before_the_answer(face: Face, connect: Connect) -> None:
    """The order is ours from its first event on, and filled when the call returns (fault F091)."""
    connector = connect(face.exchange)
    told = Told(connector)
    with face.exchange.faults.answer_late(*face.place, 1.0):
        placing = Background(lambda: connector.place_order(NEAR))
        eventually(lambda: bool(face.exchange.accounts.orders()))
        face.exchange.market.trade("BTCUSDT", "sell", "0.2")
        eventually(lambda: [str(state.status) for state in told.states[-1:]] == ["filled"])
        assert placing.is_running, "the answer has not come yet"
        order = placing.result()
    assert order.status == "filled"
    assert {state.is_own for state in told.states} == {True}
    filled_at_once(face, connector, told, order)


def test_an_answer_that_is_stored_after_the_fill(face: Face, connect: Connect) -> None:
    """It says that nothing is filled yet, and opens nothing again (fault F092)."""
    connector = connect(face.exchange)
    told = Told(connector)
    mine = threading.get_ident()

    def fill_first() -> None:
        if threading.get_ident() == mine:
            face.exchange.market.trade("BTCUSDT", "sell", "0.2")
            eventually(lambda: [str(state.status) for state in told.states[-1:]] == ["filled"])

    with installed("order.before_answer", fill_first):
        order = connector.place_order(NEAR)
    assert order.status == "filled"
    assert str(order.history[-1].source) == "answer"
    filled_at_once(face, connector, told, order)


# --- reports that come twice ----------------------------------------------------------------------------------------


def test_reports_that_come_twice_count_once(face: Face, connect: Connect) -> None:
    """Each event of the account, over the stream and again by a comparison (fault F096)."""
    connector = connect(face.exchange)
    told = Told(connector)
    for name in {face.orders, face.fills, face.balances}:
        face.exchange.faults.duplicate_frames(name, 1000)
    order = resting(connector, NEAR)
    for _ in range(4):
        face.exchange.market.trade("BTCUSDT", "sell", "0.05")
    filled_at_once(face, connector, told, order)
    ups = Ups(connector, "account")
    face.exchange.faults.drop_connections(face.account_kind)
    ups.recover()
    connector.wait_ready(LIMIT)
    filled_at_once(face, connector, told, order)
    assert order.fees == {"BTC": Decimal("0.0002")}
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.1998")
    assert len({(state.client_order_id, state.sequence) for state in told.states}) == len(told.states)


def test_old_events_that_come_again_after_a_reconnect_are_no_news(face: Face, connect: Connect) -> None:
    """(fault F097)"""
    connector = connect(face.exchange)
    told = Told(connector)
    order = resting(connector, NEAR)
    for _ in range(4):
        face.exchange.market.trade("BTCUSDT", "sell", "0.05")
    filled_at_once(face, connector, told, order)
    open_order = resting(connector)
    eventually(lambda: told.statuses(open_order)[-1] == "new")
    heard, known = (list(told.states), list(told.fills)), connector.balances["BTC"]
    amounts = (known.free, known.locked)
    ups = Ups(connector, "account")
    with face.exchange.faults.repeat_events(50):
        face.exchange.faults.drop_connections(face.account_kind)
        ups.recover()
        connector.wait_ready(LIMIT)
        # What is told after all the old events: they were read by then.
        last = resting(connector)
        eventually(lambda: told.statuses(last)[-1:] == ["new"])
    assert [state for state in told.states if state.client_order_id != last.client_order_id] == heard[0]
    assert told.fills == heard[1]
    assert (connector.balances["BTC"].free, connector.balances["BTC"].locked) == amounts
    assert (order.status, open_order.status) == ("filled", "new")
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.1998")


# --- fills that come late, or not at all ----------------------------------------------------------------------------


def test_a_fill_that_comes_long_after_the_end_of_its_order(connect: Connect, quiet_bybit: Simulator) -> None:
    """Its order is closed and stays so; the fill is told, and counts (fault F105)."""
    connector = connect(quiet_bybit)
    told = Told(connector)
    order = resting(connector, NEAR)
    with quiet_bybit.faults.hold_events("execution"):
        quiet_bybit.market.trade("BTCUSDT", "sell", "0.05")
        assert order.wait("partially_filled", LIMIT)
        order.cancel()
        others = [resting(connector) for _ in range(20)]
        assert (order.status, order.filled_quantity, told.fills) == ("canceled", Decimal("0.05"), [])
        assert connector.fills() == []
    eventually(lambda: len(told.fills) == 1)
    assert told.fills[0].client_order_id == order.client_order_id
    assert (order.status, order.filled_quantity, order.state.contradictions) == ("canceled", Decimal("0.05"), ())
    eventually(lambda: order.fees == {"BTC": Decimal("0.00005")})
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.04995")
    assert told.statuses(order)[-1] == "canceled"
    assert {other.status for other in others} == {"new"}


def test_fills_that_the_stream_never_tells_are_asked_for(face: Face, connect: Connect) -> None:
    """Until then the order shows what is filled, and no fill is invented; what was missing is counted (fault F106)."""
    metrics = MemoryMetrics()
    connector = connect(face.exchange, metrics=metrics)
    told = Told(connector)
    order = resting(connector, NEAR)
    if face.name == "bybit":
        with face.exchange.faults.silence("execution"):
            face.exchange.market.trade("BTCUSDT", "sell", "0.1")
            assert order.wait("partially_filled", LIMIT)
    else:
        # The event of the first trade is lost; that of the second one says how much is filled altogether.
        face.exchange.faults.lose_frames("executionReport", 1)
        face.exchange.market.trade("BTCUSDT", "sell", "0.04")
        face.exchange.market.trade("BTCUSDT", "sell", "0.06")
    assert order.wait(lambda state: state.filled_quantity == Decimal("0.1"), LIMIT)
    known = sum(fill.quantity for fill in connector.fills())
    assert known < order.filled_quantity
    told_before = len(connector.fills())
    connector._core.assembly.reconciler.reconcile_soon()
    eventually(lambda: sum(fill.quantity for fill in connector.fills()) == Decimal("0.1"))
    eventually(lambda: len(told.fills) == len(connector.fills()))
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.0999")
    assert (order.status, order.state.contradictions) == ("partially_filled", ())
    found = f"reconciliation.differences{{exchange={face.name},kind=fill}}"
    eventually(lambda: metrics.counts().get(found) == len(connector.fills()) - told_before)


def test_more_that_is_filled_than_ordered_is_kept_and_named(quiet: Simulator, connect: Connect) -> None:
    """A defect of the exchange's is not made smaller than it is; it is told, counted and looked into (fault F107)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    errors = Errors(connector)
    told = Told(connector)
    order = resting(connector, NEAR)
    (placed,) = quiet.accounts.orders()
    with quiet.faults.hold_events("executionReport"):
        quiet.market.trade("BTCUSDT", "sell", "0.2")
    assert order.wait("filled", LIMIT)
    report = {
        "e": "executionReport", "E": 1795000000000, "s": "BTCUSDT", "c": order.client_order_id, "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": "0.20000000", "p": "60005.00000000", "P": "0.00000000", "F": "0.00000000",
        "g": -1, "C": "", "x": "TRADE", "X": "FILLED", "r": "NONE", "i": placed.order_id, "l": "0.10000000",
        "z": "0.30000000", "L": "60005.00000000", "n": "0.00010000", "N": "BTC", "T": 1795000000000, "t": 999999,
        "I": 999999, "w": False, "m": True, "M": True, "O": 1795000000000, "Z": "18001.50000000",
        "Y": "6000.50000000", "Q": "0.00000000", "V": "NONE",
    }  # fmt: skip
    looks = asked_for(quiet)
    quiet.faults.send_raw(json.dumps({"subscriptionId": 0, "event": report}), "ws_api")
    assert order.wait(lambda state: bool(state.contradictions), LIMIT)
    assert (order.status, order.filled_quantity) == ("filled", Decimal("0.3"))
    assert order.state.contradictions == ("more filled than ordered: 0.3 of 0.2",)
    eventually(lambda: len(told.fills) == 2)
    assert connector.positions["BTC-USDT"].quantity == Decimal("0.2997")
    eventually(lambda: asked_for(quiet) == looks + 1)
    text = "what was told of it excludes each other: more filled than ordered: 0.3 of 0.2"
    eventually(lambda: [str(event.error) for event in errors.told if "excludes" in str(event.error)] == [text])
    assert [event.where for event in errors.told] == [f"order {order.client_order_id}"]
    eventually(lambda: metrics.counts().get("orders.contradictory{exchange=binance}") == 1)


# --- balances -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after", "never"])
def test_balances_and_fills_in_any_order(when: str, face: Face, connect: Connect) -> None:
    """Balances are what the exchange states, and orders are never read out of them (fault F116)."""
    connector = connect(face.exchange)
    told = Told(connector)
    order = resting(connector, NEAR)
    before = connector.balances["BTC"]
    faults = face.exchange.faults
    late = {"before": face.fills, "after": face.balances}.get(when)
    with faults.hold_events(late) if late else faults.silence(face.balances):
        face.exchange.market.trade("BTCUSDT", "sell", "0.2")
        if when == "before":
            eventually(lambda: connector.balances["BTC"].free == Decimal("100.1998"))
            assert told.fills == []
        else:
            assert order.wait("filled", LIMIT)
            assert connector.balances["BTC"] == before, "fills are not added to what was stated"
    if when == "never":
        connector._core.assembly.reconciler.reconcile_soon()
    eventually(lambda: connector.balances["BTC"].free == Decimal("100.1998"))
    filled_at_once(face, connector, told, order)
    after = connector.balances["BTC"]
    assert after.exchange_time >= before.exchange_time
    truth = face.exchange.accounts.balances()
    shown = {asset: (known.free, known.locked) for asset, known in connector.balances.items()}
    assert {asset: truth[asset] for asset in ("BTC", "USDT")} == {asset: shown[asset] for asset in ("BTC", "USDT")}
