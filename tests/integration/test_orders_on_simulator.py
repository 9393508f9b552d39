"""Every kind of order and command through the connector at a matching engine, account stream included."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync import (
    CommandOutcome,
    Connector,
    InsufficientBalance,
    Order,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    PartlyDone,
    SelfTradePrevention,
    Side,
    WouldTakeLiquidity,
)
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

ORDER, REPLACE, AMEND = "/api/v3/order", "/api/v3/order/cancelReplace", "/api/v3/order/amend/keepPriority"
DONE, REFUSED = CommandOutcome.DONE, CommandOutcome.REFUSED
limit = OrderRequest.limit


def resting(connector: Connector, quantity: str = "0.01") -> Order:
    return connector.place_order(limit("BTC-USDT", "buy", quantity, "50000", client_order_id="first"))


# --- kinds of orders ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stop_market", "take_profit_market"])
def test_an_order_waits_for_its_trigger_and_then_trades(kind: str, quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    side, stop = ("sell", "59000") if kind == "stop_market" else ("buy", "59000")
    order = connector.place_order(getattr(OrderRequest, kind)("BTC-USDT", side, "0.01", stop))
    assert (order.status, order.state.is_working, order.state.stop_price) == ("new", False, Decimal(59_000))
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 58_900, 1)
    quiet.market.quote("BTCUSDT", "sell", 58_910, 1)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    assert order.wait("filled", LIMIT)
    assert (order.filled_quantity, order.state.contradictions) == (Decimal("0.01"), ())


def test_a_trailing_order_follows_the_market(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    order = connector.place_order(OrderRequest.stop_market("BTC-USDT", "sell", "0.01", trailing_delta=100))
    assert (order.status, order.state.trailing_delta, order.state.is_working) == ("new", 100, False)
    quiet.market.trade("BTCUSDT", "sell", "0.001")  # from here on it follows
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", 59_000, 1)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    assert order.wait("filled", LIMIT)


def test_an_iceberg_order_shows_a_part_of_itself(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    request = limit("BTC-USDT", "buy", "0.1", "60005").with_options(iceberg_quantity="0.02")
    order = connector.place_order(request)
    assert (order.status, order.state.iceberg_quantity) == ("new", Decimal("0.02"))
    assert connector.fetch_order_book("BTC-USDT", 5).bids[0] == (Decimal(60_005), Decimal("0.02"))


def test_a_pegged_order_has_the_price_that_the_exchange_gave_it(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.pegged("BTC-USDT", "buy", "0.01"))
    assert (order.status, order.state.peg, order.state.pegged_price) == ("new", "primary", Decimal(60_000))
    assert connector.fetch_order(order).contradictions == ()


def test_what_self_trade_prevention_took_off_is_no_fill(quiet: Simulator, connect: Connect) -> None:
    """(fault F111)"""
    connector = connect(quiet)
    maker = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005"))
    request = limit("BTC-USDT", "sell", "0.01", "60005").with_options(self_trade_prevention="expire_taker")
    taker = connector.place_order(request)
    assert (taker.status, taker.filled_quantity, taker.state.reason) == ("expired", Decimal(0), "EXPIRED_IN_MATCH")
    assert (taker.state.prevented_quantity, maker.status) == (Decimal("0.01"), "new")
    assert connector.fills() == []
    (match,) = connector.fetch_prevented_matches(taker)
    assert (match.taker_order_id, match.maker_order_id) == (taker.exchange_order_id, maker.exchange_order_id)
    assert match.mode is SelfTradePrevention.EXPIRE_TAKER


@pytest.mark.parametrize("mode", ["expire_maker", "expire_both", "decrement"])
def test_crossing_orders_of_one_account_end_as_their_mode_says(mode: str, quiet: Simulator, connect: Connect) -> None:
    """(fault F111)"""
    connector = connect(quiet)
    maker = connector.place_order(limit("BTC-USDT", "buy", "0.02", "60005"))
    request = limit("BTC-USDT", "sell", "0.01", "60005").with_options(self_trade_prevention=mode)
    taker = connector.place_order(request)
    wanted = {
        "expire_maker": ("expired", "new"), "expire_both": ("expired", "expired"), "decrement": ("new", "expired"),
    }[mode]  # fmt: skip
    eventually(lambda: (str(maker.status), str(taker.status)) == wanted)
    assert (maker.filled_quantity, taker.filled_quantity, connector.fills()) == (Decimal(0), Decimal(0), [])
    assert maker.state.contradictions == taker.state.contradictions == ()
    if mode == "decrement":
        eventually(lambda: maker.state.prevented_quantity == Decimal("0.01"))
        assert maker.state.open_quantity == Decimal("0.01")


def test_a_tested_order_tells_its_cost_and_the_account_its_rates(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    cost = connector.test_order(limit("BTC-USDT", "buy", "0.01", "50000"), with_commission=True)
    assert cost is not None
    rates = connector.fetch_commission("BTC-USDT")
    assert cost.standard.maker == rates.standard.of(Side.BUY, is_maker=True)
    assert connector.fetch_open_orders() == []


# --- replace --------------------------------------------------------------------------------------------------------


def test_an_order_is_replaced(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    made = connector.replace_order(resting(connector), limit("BTC-USDT", "buy", "0.02", "50100"))
    assert (made.old.status, made.new.status, made.new.quantity) == ("canceled", "new", Decimal("0.02"))
    assert [state.client_order_id for state in connector.fetch_open_orders()] == [made.new.client_order_id]


def test_a_replacement_of_which_the_new_half_is_refused_leaves_nothing(quiet: Simulator, connect: Connect) -> None:
    """(faults F088, F109)"""
    connector = connect(quiet)
    old = resting(connector)
    with pytest.raises(PartlyDone) as caught:
        connector.replace_order(old, limit("BTC-USDT", "buy", "0.01", "60010", post_only=True))
    made = caught.value.result
    assert (made.cancel_outcome, made.placement_outcome) == (DONE, REFUSED)
    assert isinstance(made.placement_error, WouldTakeLiquidity)
    assert (old.status, made.new.status, connector.fetch_open_orders()) == ("canceled", "rejected", [])


def gone_unnoticed(quiet: Simulator, connector: Connector) -> Order:
    """Return an order that ended at the exchange without our hearing of it."""
    order = resting(connector)
    with quiet.faults.silence("userDataStream"):
        other = {"symbol": "BTCUSDT", "orderId": order.exchange_order_id or ""}
        connector.request("DELETE", ORDER, other, signed=True)
    assert order.status == "new"
    return order


def test_a_replacement_whose_old_order_is_gone_places_nothing_unless_told_so(
    quiet: Simulator, connect: Connect
) -> None:
    """(faults F088, F109)"""
    connector = connect(quiet)
    old = gone_unnoticed(quiet, connector)
    with pytest.raises(OrderNotFound):
        connector.replace_order(old, limit("BTC-USDT", "buy", "0.01", "50100"))
    assert connector.fetch_open_orders() == []
    assert old.wait("canceled", LIMIT), "looked up, because the cancel failed"
    with pytest.raises(PartlyDone) as caught:
        connector.replace_order(old, limit("BTC-USDT", "buy", "0.01", "50100"), place_anyway=True)
    made = caught.value.result
    assert (made.cancel_outcome, made.placement_outcome, made.new.status) == (REFUSED, DONE, "new")


def test_a_replacement_of_which_both_halves_are_refused_says_why_the_new_one_was(
    quiet: Simulator, connect: Connect
) -> None:
    """(fault F109)"""
    connector = connect(quiet)
    old = resting(connector)
    old.cancel()
    for attempt in ("next-1", "next-2"):
        wanted = limit("BTC-USDT", "buy", "50", "59000", client_order_id=attempt)
        with pytest.raises(InsufficientBalance, match=r"placement: .*cancel: ") as caught:
            connector.replace_order(old, wanted, place_anyway=True)
        error = caught.value
        assert isinstance(error.__cause__, OrderNotFound)
        assert (error.outcome, error.result.cancel_outcome, error.result.placement_outcome) == (
            "refused", REFUSED, REFUSED,
        )  # fmt: skip
        assert (error.result.old.status, error.result.new.status) == ("canceled", "rejected")


def test_a_replacement_whose_answer_is_lost_is_found(quiet: Simulator, connect: Connect) -> None:
    """Executed once, and never sent again (faults F067, F068, F109)."""
    connector = connect(quiet)
    old = resting(connector)
    quiet.faults.execute_then_drop("POST", REPLACE)
    made = connector.replace_order(old, limit("BTC-USDT", "buy", "0.02", "50100"))
    assert (made.cancel_outcome, made.placement_outcome) == (DONE, DONE)
    assert (old.status, made.new.status) == ("canceled", "new")
    assert len(connector.fetch_open_orders()) == 1


# --- amend ----------------------------------------------------------------------------------------------------------


def test_an_amended_order_keeps_id_and_fills(quiet: Simulator, connect: Connect) -> None:
    """(fault F108)"""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005", client_order_id="first"))
    quiet.market.trade("BTCUSDT", "sell", "0.002")
    assert order.wait("partially_filled", LIMIT)
    assert connector.amend_order(order, "0.005").quantity == Decimal("0.005")
    assert (order.state.open_quantity, order.state.contradictions) == (Decimal("0.003"), ())
    (amendment,) = connector.fetch_amendments(order)
    assert (amendment.old_quantity, amendment.new_quantity) == (Decimal("0.01"), Decimal("0.005"))
    quiet.market.trade("BTCUSDT", "sell", "0.003")
    assert order.wait("filled", LIMIT)
    assert [state.client_order_id for state in connector.orders.history()] == ["first"]


def test_an_order_amended_elsewhere_stays_ours_under_its_new_id(quiet: Simulator, connect: Connect) -> None:
    """(fault F103)"""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.01", "60005", client_order_id="first"))
    params = {"symbol": "BTCUSDT", "orderId": order.exchange_order_id or "", "newQty": "0.006"}
    renamed: str = connector.request("PUT", AMEND, params, signed=True)["amendedOrder"]["clientOrderId"]
    eventually(lambda: order.quantity == Decimal("0.006"))
    quiet.market.trade("BTCUSDT", "sell", "0.002")
    assert order.wait("partially_filled", LIMIT)
    state = connector.orders.get(renamed)
    assert state is not None
    assert (state.client_order_id, state.is_own, len(connector.orders)) == ("first", True, 1)
    order.cancel()
    assert (order.status, order.filled_quantity) == ("canceled", Decimal("0.002"))
    assert len(connector.fetch_order_history("BTC-USDT")) == len(connector.orders) == 1


def test_a_renaming_that_was_missed_is_made_up_for(quiet: Simulator, connect: Connect) -> None:
    """(faults F103, F108)"""
    connector = connect(quiet)
    order = resting(connector)
    with quiet.faults.silence("userDataStream"):
        params = {"symbol": "BTCUSDT", "orderId": order.exchange_order_id or "", "newQty": "0.006"}
        connector.request("PUT", AMEND, params, signed=True)
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: order.quantity == Decimal("0.006"))
    assert (len(connector.orders), order.state.contradictions) == (1, ())


def test_an_amend_whose_answer_is_lost_is_done_once_the_order_shows_it(quiet: Simulator, connect: Connect) -> None:
    """(fault F108)"""
    connector = connect(quiet)
    order = resting(connector)
    quiet.faults.execute_then_drop("PUT", AMEND)
    connector.amend_order(order, "0.004")
    assert (order.quantity, order.status) == (Decimal("0.004"), "new")


def test_an_amend_that_comes_too_late_is_refused(quiet: Simulator, connect: Connect) -> None:
    """(fault F108)"""
    connector = connect(quiet)
    order = gone_unnoticed(quiet, connector)
    with pytest.raises(OrderRejected) as caught:
        connector.amend_order(order, "0.004")
    assert caught.value.outcome == "refused"
    assert order.quantity == Decimal("0.01"), "the wished quantity is never shown as real"
