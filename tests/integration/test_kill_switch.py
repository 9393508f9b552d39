"""The kill switch, the dead man's switch, limits that are changed while running, and what is told of them."""

from __future__ import annotations

import queue
import threading
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import (
    Connector,
    ConnectorStopped,
    Order,
    OrderRejected,
    OrderRequest,
    RiskAlert,
    RiskLimits,
    RiskRejected,
    ValidationError,
)
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.simulator.clients import eventually
from tests.unit.support import Background, in_threads

ORDER = "/api/v3/order"
BTC = "BTC-USDT"


def buy(quantity: str = "0.01", price: str = "50000") -> OrderRequest:
    return OrderRequest.limit(BTC, "buy", quantity, price)


class Alerts:
    """What is told on ``on_risk_alert``."""

    def __init__(self, connector: Connector) -> None:
        self._queue: queue.Queue[RiskAlert] = queue.Queue()
        connector.on_risk_alert(self._queue.put)

    def next(self) -> RiskAlert:
        return self._queue.get(timeout=LIMIT)

    @property
    def is_empty(self) -> bool:
        return self._queue.empty()


def refused(connector: Connector, rule: str = "kill_switch") -> None:
    with pytest.raises(RiskRejected) as caught:
        connector.place_order(buy())
    assert caught.value.rule == rule


def open_at_exchange(exchange: Simulator) -> list[Any]:
    return [order for order in exchange.accounts.orders() if order.is_open]


def test_it_cancels_our_orders_and_refuses_more_until_it_is_armed_again(quiet: Simulator, connect: Connect) -> None:
    """Orders placed elsewhere stay (fault F100)."""
    foreign = connect(quiet).place_order(buy())
    connector = connect(quiet)
    alerts = Alerts(connector)
    eventually(lambda: connector.orders.get(foreign.client_order_id) is not None)
    placed = [connector.place_order(buy()) for _ in range(5)]
    assert connector.kill("enough", timeout=LIMIT) == []
    assert [order.status for order in placed] == ["canceled"] * 5
    assert (foreign.status, connector.killed) == ("new", "enough")
    refused(connector)
    assert "the kill switch was thrown: enough" in connector.health().reasons
    placed[0].wait(timeout=LIMIT)
    assert connector.kill("again", timeout=LIMIT) == []
    assert connector.killed == "enough"
    assert connector.rearm()
    assert not connector.rearm()
    connector.place_order(buy())
    assert [alerts.next().level for _ in range(2)] == ["killed", "armed"]
    assert alerts.is_empty


def test_a_replacement_is_refused_and_a_cancel_is_not(quiet: Simulator, connect: Connect) -> None:
    """The switch is thrown without a connection, so that the order is still there."""
    connector = connect(quiet)
    order = connector.place_order(buy())
    connector._core.assembly.risk.kill("by hand")
    with pytest.raises(RiskRejected):
        connector.replace_order(order, buy())
    assert connector.amend_order(order, "0.005").quantity == Decimal("0.005")
    order.cancel()
    assert order.status == "canceled"


def test_whatever_is_placed_at_the_same_moment_is_cancelled_or_refused(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    begun = threading.Barrier(17)

    def place(index: int) -> None:
        begun.wait(LIMIT)
        if index == 16:
            assert connector.kill(timeout=LIMIT) == []
            return
        try:
            while True:
                connector.place_order(buy("0.001"), timeout=LIMIT)
        except RiskRejected as error:
            assert error.rule == "kill_switch"  # noqa: PT017 - nothing else ends the loop

    in_threads(17, place)
    assert open_at_exchange(quiet) == []
    assert [state for state in connector.orders.open() if state.is_own] == []


def test_what_cannot_be_cancelled_in_time_is_cancelled_later(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    placed = [connector.place_order(buy()) for _ in range(2)]
    quiet.faults.answer("DELETE", ORDER, 503, "busy", count=2)
    left = connector.kill(timeout=0.3)
    assert {order.client_order_id for order in left} <= {order.client_order_id for order in placed}
    assert all(order.wait(timeout=LIMIT) for order in placed)
    assert open_at_exchange(quiet) == []
    assert "binance-risk" in {report.name for report in connector.workers()}


def test_an_order_that_nobody_knows_of_is_met_once_it_is_found(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", ORDER)
    placing = Background(lambda: connector.place_order(buy(), timeout=LIMIT))
    eventually(lambda: bool(connector.orders.open()))
    assert connector.kill(timeout=LIMIT) == []
    assert placing.result().status == "canceled"
    assert open_at_exchange(quiet) == []


REFUSAL = '{"code":-2010,"msg":"Account has insufficient balance for requested action."}'


def test_an_order_that_is_open_although_it_was_refused_is_cancelled(quiet: Simulator, connect: Connect) -> None:
    """What may trade counts, not what we hold of it; each comparison looks for such an order too (F094, F101)."""
    connector = connect(quiet)
    quiet.faults.execute_then_answer("POST", ORDER, 400, REFUSAL, count=2)
    for name in ("one", "two"):
        with pytest.raises(OrderRejected):
            connector.place_order(buy().with_options(client_order_id=name))
    eventually(lambda: [state.is_contested for state in connector.orders.open()] == [True, True])
    (gone,) = connector.cancel_orders(["one"])
    assert (gone.outcome, gone.order.status) == ("done", "canceled")
    assert connector.kill(timeout=LIMIT) == []
    assert open_at_exchange(quiet) == []
    assert connector.orders.open() == []


def test_a_cancel_that_is_not_answered_is_sent_again_in_time(quiet: Simulator, connect: Connect) -> None:
    """Without waiting for as long as the call may take (fault F095)."""
    connector = connect(quiet)
    connector.place_order(buy())
    quiet.faults.answer("DELETE", ORDER, 503, "busy")
    assert connector.kill(timeout=60) == []
    assert open_at_exchange(quiet) == []


def test_it_stays_thrown_over_a_restart_and_can_be_thrown_before_the_start(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, start=False)
    alerts = Alerts(connector)
    assert connector.kill("not today") == []
    assert alerts.next().message == "not today"
    connector.start()
    connector.wait_ready(LIMIT)
    refused(connector)
    connector.restart(timeout=LIMIT)
    connector.wait_ready(LIMIT)
    refused(connector)
    assert connector.rearm()
    connector.place_order(buy())


def test_a_stop_ends_a_kill_that_waits(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    connector.place_order(buy())
    quiet.faults.answer("DELETE", ORDER, 503, "busy", count=1000)
    kill = Background(lambda: connector.kill(timeout=60.0))
    eventually(lambda: connector.killed is not None)
    assert connector.stop(LIMIT) == []
    with pytest.raises(ConnectorStopped):
        kill.result()
    with pytest.raises(ValidationError):
        connector.kill(None)  # type: ignore[arg-type]


def test_a_stop_does_not_wait_for_the_worker_whose_cancels_are_never_answered(
    quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    order = connector.place_order(buy())
    with quiet.faults.delay("DELETE", ORDER, 1000.0):
        assert [left.client_order_id for left in connector.kill(timeout=0.2)] == [order.client_order_id]
        assert connector.stop(LIMIT) == []


# --- dead man's switch ----------------------------------------------------------------------------------------------


def test_a_connection_that_is_gone_for_too_long_throws_it(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(dead_man=0.3))
    alerts = Alerts(connector)
    order = connector.place_order(buy())
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections()
        alert = alerts.next()
        assert (alert.rule, alert.level) == ("kill_switch", "killed")
        assert "was not whole for 0.3 s" in alert.message
        refused(connector)
    assert order.wait(timeout=LIMIT)
    assert order.status == "canceled"
    connector.wait_ready(LIMIT)
    refused(connector)
    assert connector.rearm()
    connector.place_order(buy())
    assert alerts.next().level == "armed"


def test_a_short_loss_throws_nothing(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(dead_man=30.0))
    order = connector.place_order(buy())
    quiet.faults.drop_connections()
    eventually(lambda: not connector.ready.is_set())
    connector.wait_ready(LIMIT)
    assert (connector.killed, order.status) == (None, "new")


def test_it_can_be_set_while_running(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(buy())
    connector.change_risk_limits(dead_man=0.2)
    with quiet.faults.refuse_connections():
        quiet.faults.drop_connections("stream")
        eventually(lambda: connector.killed is not None)
        # Questions and commands still get through.
        assert order.wait(timeout=LIMIT)


# --- limits and alerts ----------------------------------------------------------------------------------------------


def test_limits_are_changed_while_running(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_open_orders=1, check_balance=True))
    connector.place_order(buy())
    refused(connector, "max_open_orders")
    former = connector.change_risk_limits(max_open_orders=2, max_position={BTC: "0.02"})
    assert former == RiskLimits(max_open_orders=1, check_balance=True)
    assert connector.risk_limits == RiskLimits(
        max_open_orders=2, max_position={BTC: Decimal("0.02")}, check_balance=True
    )
    connector.place_order(buy())
    refused(connector, "max_open_orders")
    connector.change_risk_limits(max_open_orders=None)
    refused(connector, "max_position")
    for wrong in ({"max_open_orders": 0}, {"max_orders": 3}, {"max_position": 1, "alert_share": 2}):
        with pytest.raises(ValidationError):
            connector.change_risk_limits(**wrong)
    assert connector.risk_limits.max_position == {BTC: Decimal("0.02")}


def test_changed_limits_outlive_a_restart_unless_it_brings_others(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_open_orders=1))
    connector.change_risk_limits(max_open_orders=7)
    connector.restart(timeout=LIMIT)
    assert connector.risk_limits.max_open_orders == 7
    connector.restart(quick(quiet.config(), risk=RiskLimits(max_open_orders=1)), LIMIT)
    assert connector.risk_limits.max_open_orders == 7
    connector.restart(quick(quiet.config(), risk=RiskLimits(max_open_orders=2)), LIMIT)
    assert connector.risk_limits.max_open_orders == 2


def test_a_limit_is_told_once_before_it_and_once_at_it(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_open_orders=5))
    alerts = Alerts(connector)
    placed: list[Order] = [connector.place_order(buy()) for _ in range(5)]
    for _ in range(3):
        refused(connector, "max_open_orders")
    first, second = alerts.next(), alerts.next()
    assert [(each.rule, each.level, each.value, each.limit) for each in (first, second)] == [
        ("max_open_orders", "near", Decimal(4), Decimal(5)), ("max_open_orders", "reached", Decimal(5), Decimal(5)),
    ]  # fmt: skip
    for order in placed:
        order.cancel()
    connector.place_order(buy())
    for _ in range(3):
        connector.place_order(buy())
    assert alerts.next().level == "near"
    assert alerts.is_empty


def test_a_loss_is_told_while_nothing_is_placed(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_daily_loss=Decimal(20)))
    alerts = Alerts(connector)
    connector.order_book(BTC)
    eventually(lambda: connector.order_book(BTC).is_valid)
    assert connector.place_order(OrderRequest.market(BTC, "buy", "0.1")).wait(timeout=LIMIT)
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 59800, 1)
    alert = alerts.next()
    if alert.level == "near":
        alert = alerts.next()
    assert (alert.rule, alert.scope, alert.level, alert.limit) == ("max_daily_loss", "USDT", "reached", Decimal(20))


def test_alerts_can_be_subscribed_to_by_pattern(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, risk=RiskLimits(max_order_quantity={BTC: Decimal("0.001")}))
    told: queue.Queue[RiskAlert] = queue.Queue()
    connector.subscribe(f"riskalert.binance.{BTC}", told.put)
    refused(connector, "max_order_quantity")
    assert told.get(timeout=LIMIT).scope == BTC
