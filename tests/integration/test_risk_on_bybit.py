"""Risk limits where commands are answered with receipts and go in batches (Bybit: 4.7, 4.8, 4.9, 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import CommandOutcome, Connector, Order, OrderRequest, RiskRejected
from exconn_sync.config.risk_limits import RiskLimits
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.quiet import quiet_exchange
from tests.simulator.clients import eventually
from tests.unit.support import in_threads

limit = OrderRequest.limit
DONE, REFUSED = CommandOutcome.DONE, CommandOutcome.REFUSED
BTC, ETH = "BTC-USDT", "ETH-USDT"
CREATE, AMEND, AMENDS = "/v5/order/create", "/v5/order/amend", "/v5/order/amend-batch"


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


def buy(quantity: str = "0.02", price: str = "50000", symbol: str = BTC) -> OrderRequest:
    return limit(symbol, "buy", quantity, price)


def refused(call: Callable[[], Any], rule: str) -> None:
    with pytest.raises(RiskRejected) as caught:
        call()
    assert (caught.value.rule, caught.value.outcome) == (rule, "not_sent")


def limited(bybit: Simulator, connect: Connect, **limits: Any) -> Connector:
    return connect(bybit, risk=RiskLimits(**limits))


def resting(connector: Connector, quantity: str = "0.02") -> Order:
    order = connector.place_order(buy(quantity))
    assert order.wait("new", LIMIT)
    return order


def commands(bybit: Simulator, path: str) -> int:
    return sum(entry.path == path for entry in bybit.request_log())


# --- orders that are only received ----------------------------------------------------------------------------------


def test_a_received_order_keeps_its_money_until_the_exchange_says_that_it_has_it(
    bybit: Simulator, connect: Connect
) -> None:
    connector = limited(bybit, connect, max_open_orders=1, check_balance=True)
    free = connector.balances["USDT"].free
    with bybit.faults.match_late(0.5):
        order = connector.place_order(buy())
        # A newer statement of the exchange does not know of the order.
        assert connector.fetch_balances()["USDT"].free == free
        assert order.status == "pending_new"
        assert connector.balances["USDT"].reserved == Decimal(1000)
        refused(lambda: connector.place_order(buy()), "max_open_orders")
        assert order.wait("new", LIMIT)
    eventually(lambda: connector.balances["USDT"].reserved == 0)
    assert connector.balances["USDT"].free == free - 1000
    order.cancel()
    eventually(lambda: connector.balances["USDT"].free == free)
    resting(connector)


def test_an_order_that_is_refused_after_its_receipt_gives_its_part_back(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_open_orders=1, max_position="0.02")
    with bybit.faults.match_late(0.2):
        bybit.faults.reject_orders("EC_Others")
        order = connector.place_order(buy())
        refused(lambda: connector.place_order(buy()), "max_open_orders")
        assert order.wait("rejected", LIMIT)
    assert connector.balances["USDT"].reserved == 0
    resting(connector)


def test_an_order_over_the_trade_socket_is_judged(bybit: Simulator, connect: Connect) -> None:
    limits = RiskLimits(max_open_orders=2, max_order_quantity=Decimal("0.02"))
    connector = connect(bybit, commands="socket", risk=limits)
    refused(lambda: connector.place_order(buy("0.03")), "max_order_quantity")
    order = resting(connector)
    refused(lambda: connector.amend_order(order, "0.03"), "max_order_quantity")
    refused(lambda: connector.place_orders([buy(), buy()]), "max_open_orders")
    assert [result.outcome for result in connector.place_orders([buy()])] == [DONE]
    refused(lambda: connector.place_order(buy()), "max_open_orders")
    assert len(bybit.accounts.orders()) == 2


# --- batches --------------------------------------------------------------------------------------------------------


def test_of_a_batch_each_order_is_judged_on_top_of_those_before_it(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_position={BTC: "0.05"}, max_open_orders_per_symbol=2)
    refused(lambda: connector.place_orders([buy(), buy(), buy()]), "max_open_orders_per_symbol")
    refused(lambda: connector.place_orders([buy(), buy("0.04")]), "max_position")
    assert connector.orders.history() == []
    # The other symbol has limits of its own, and a sell adds nothing to what is bought.
    results = connector.place_orders([
        buy("0.03"), buy("0.04", "3000", ETH), limit(BTC, "sell", "0.02", "70000"), buy("0.04", "3000", ETH),
    ])  # fmt: skip
    assert [result.outcome for result in results] == [DONE] * 4
    refused(lambda: connector.place_orders([buy("0.01")]), "max_open_orders_per_symbol")
    assert len(bybit.accounts.orders()) == 4


def test_a_batch_takes_no_more_than_there_is(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, check_balance=True)
    most = Decimal(int(connector.balances["USDT"].free * 2 / 3 / 50000 * 1000)) / 1000
    refused(lambda: connector.place_orders([buy(str(most)), buy(str(most))]), "check_balance")
    assert connector.balances["USDT"].reserved == 0
    assert connector.orders.history() == []
    assert [result.outcome for result in connector.place_orders([buy(str(most))])] == [DONE]
    refused(lambda: connector.place_orders([buy(str(most))]), "check_balance")


def test_batches_of_many_threads_stay_within_a_limit(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_position="0.1")
    outcomes: list[str] = []

    def place(index: int) -> None:
        try:
            results = connector.place_orders([buy("0.01") for _ in range(3)])
            outcomes.extend(result.outcome for result in results)
        except RiskRejected as error:
            outcomes.append(error.rule)

    in_threads(8, place)
    placed = outcomes.count(DONE)
    assert outcomes.count("max_position") == 8 - placed // 3
    assert len(bybit.accounts.orders()) == placed
    # Batches that meet at the limit may keep each other out; what came in is whole, and within it.
    assert placed % 3 == 0
    assert placed <= 10


def test_a_batch_of_another_thread_that_was_faster_keeps_all_orders_from_leaving(
    bybit: Simulator, connect: Connect
) -> None:
    connector = limited(bybit, connect, max_position="0.05")
    desk = connector._core.assembly.batches._desk
    items = desk.admit_all([desk.checked(buy()), desk.checked(buy())])
    order = resting(connector)
    with pytest.raises(RiskRejected), desk.placing(items, desk.deadline(LIMIT)):
        raise AssertionError("nothing may be sent")
    kept_out = [connector.orders.get(item.client_order_id) for item in items]
    assert [state and (state.status, state.reason) for state in kept_out] == [
        ("rejected", "not sent: another order with it could not be entered"), None,
    ]  # fmt: skip
    order.cancel()
    assert [result.outcome for result in connector.place_orders([buy(), buy()])] == [DONE, DONE]


# --- amends ---------------------------------------------------------------------------------------------------------


def test_an_amend_is_judged_until_it_is_confirmed(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_position="0.05", max_order_notional=2000, check_balance=True)
    order = resting(connector)
    refused(lambda: connector.amend_order(order, "0.06"), "max_order_notional")
    refused(lambda: connector.amend_order(order, "0.04", price="50001"), "max_order_notional")
    assert commands(bybit, AMEND) == 0
    assert connector.amend_order(order, "0.03").quantity == Decimal("0.03")
    connector.amend_order(order, price="50001")
    refused(lambda: connector.place_order(buy("0.03")), "max_position")
    connector.amend_order(order, "0.01")
    assert connector.place_order(buy("0.04")).wait("new", LIMIT)


def test_a_higher_price_needs_the_money_for_it(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, check_balance=True)
    most = Decimal(int(connector.balances["USDT"].free / 50000 * 1000) - 1) / 1000
    order = resting(connector, str(most))
    eventually(lambda: connector.balances["USDT"].reserved == 0)
    refused(lambda: connector.amend_order(order, price="59000"), "check_balance")
    # Only what it costs more than before has to be there.
    assert connector.amend_order(order, price="50001").state.price == Decimal(50001)
    assert connector.amend_order(order, price="40000").state.price == Decimal(40000)


def test_amends_in_a_batch_are_judged_together_or_none_is_sent(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_position="0.07")
    first, second = resting(connector), resting(connector)
    refused(lambda: connector.amend_orders([(first, "0.04"), (second, "0.04")]), "max_position")
    assert commands(bybit, AMENDS) == 0
    # What was counted for the first one is given back: it fits in alone.
    results = connector.amend_orders([(first, "0.05"), (second, "0.01")])
    assert [result.outcome for result in results] == [DONE, DONE]
    refused(lambda: connector.place_order(buy()), "max_position")
    resting(connector, "0.01")


def test_an_amend_in_a_batch_that_is_refused_gives_its_part_back(bybit: Simulator, connect: Connect) -> None:
    connector = limited(bybit, connect, max_position="0.05")
    order = resting(connector)
    bybit.faults.answer("POST", AMENDS, 200, '{"retCode": 10001, "retMsg": "no", "result": {}, "retExtInfo": {}}')
    results = connector.amend_orders([(order, "0.05")])
    assert [result.outcome for result in results] == [REFUSED]
    resting(connector, "0.03")


# --- the kill switch, and the journal -------------------------------------------------------------------------------


def test_the_kill_switch_ends_what_a_batch_has_placed_and_keeps_batches_out(bybit: Simulator, connect: Connect) -> None:
    connector = connect(bybit)
    orders = [result.order for result in connector.place_orders([buy() for _ in range(3)])]
    assert connector.kill(timeout=LIMIT) == []
    assert {order.status for order in orders} == {"canceled"}
    refused(lambda: connector.place_orders([buy()]), "kill_switch")
    connector.rearm()
    order = resting(connector)
    connector.kill(timeout=LIMIT)
    assert order.status == "canceled"


def test_orders_out_of_a_journal_in_a_file_count(bybit: Simulator, tmp_path: Path) -> None:
    limits = RiskLimits(max_open_orders=2, max_position=Decimal("0.05"))
    config = quick(bybit.config(), journal=f"sqlite:{tmp_path / 'orders.db'}", risk=limits)
    with Connector(config) as first:
        first.wait_ready(LIMIT)
        assert first.place_order(OrderRequest.market(BTC, "buy", "0.02")).wait("filled", LIMIT)
        resting(first)
        with bybit.faults.match_late(0.2):
            bybit.faults.execute_then_drop("POST", CREATE)
            received = first.submit_order(limit(BTC, "sell", "0.01", "70000"), timeout=0.1)
            with pytest.raises(Exception, match="not known"):
                received.result(LIMIT)
    with Connector(config) as second:
        second.wait_ready(LIMIT)
        refused(lambda: second.place_order(limit(BTC, "sell", "0.01", "70000")), "max_open_orders")
        for state in second.orders.open():
            if state.side == "sell":
                second.cancel_order(state.client_order_id)
        refused(lambda: second.place_order(buy("0.02")), "max_position")
        assert second.place_order(buy("0.01")).wait("new", LIMIT)
