"""What an order was asked for beyond price and quantity, as the exchange tells it to somebody who did not place it."""

from __future__ import annotations

import pytest

from exconn_sync import Connector, OrderListRequest, OrderRequest
from exconn_sync.model.orders import OrderState
from exconn_sync.simulator import Simulator
from tests.integration.conftest import Connect
from tests.unit.support import until

limit = OrderRequest.limit


def as_another_sees_it(other: Connector, client_order_id: str | None) -> OrderState:
    """Return an order that only the exchange can have told of."""
    (state,) = [found for found in other.fetch_open_orders() if found.client_order_id == client_order_id]
    return state


def test_a_post_only_order_is_one_for_whoever_looks(quiet: Simulator, connect: Connect) -> None:
    connector, other = connect(quiet), connect(quiet)
    maker = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000", post_only=True))
    plain = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    assert (maker.state.post_only, plain.state.post_only) == (True, False)
    assert as_another_sees_it(other, maker.client_order_id).post_only is True
    assert as_another_sees_it(other, plain.client_order_id).post_only is False


def test_a_strategy_and_the_times_of_a_trailing_stop_are_told(quiet: Simulator, connect: Connect) -> None:
    connector, other = connect(quiet), connect(quiet)
    request = OrderRequest.stop_limit("BTC-USDT", "sell", "0.02", "50000", "51000", trailing_delta=100)
    waiting = connector.place_order(request.with_options(strategy_id=7, strategy_type=1_000_001))
    resting = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    state = as_another_sees_it(other, waiting.client_order_id)
    assert (state.strategy_id, state.strategy_type, state.trailing_delta) == (7, 1_000_001, 100)
    assert (state.working_at, state.trailing_since) == (None, None)
    assert as_another_sees_it(other, resting.client_order_id).working_at == resting.state.working_at is not None


def test_an_order_that_the_exchange_ends_says_so(quiet: Simulator, connect: Connect) -> None:
    """(fault F110; Binance: 5.11)"""
    connector = connect(quiet)
    order = connector.place_order(limit("BTC-USDT", "buy", "0.02", "50000"))
    quiet.accounts.expire(str(order.client_order_id))
    assert order.wait(timeout=10)
    assert (order.status, order.state.reason) == ("expired", "EXCHANGE_CANCELED")
    assert connector.fetch_open_orders() == []
    free, locked = quiet.accounts.balances()["USDT"]
    assert free > 0
    assert locked == 0
    with pytest.raises(ValueError, match="no open order"):
        quiet.accounts.expire(str(order.client_order_id))


def test_the_end_of_an_order_by_the_exchange_is_the_end_of_its_list(quiet: Simulator, connect: Connect) -> None:
    """(Binance: 5.9)"""
    connector = connect(quiet)
    pair = connector.place_order_list(
        OrderListRequest.oco(
            limit("BTC-USDT", "sell", "0.02", "70000", post_only=True),
            OrderRequest.stop_market("BTC-USDT", "sell", "0.02", "50000"),
        )
    )
    above, below = pair.orders
    quiet.accounts.expire(str(above.client_order_id))
    for leg, why in ((above, "EXCHANGE_CANCELED"), (below, "OCO_TRIGGER")):
        assert leg.wait(timeout=10)
        assert (leg.status, leg.state.reason) == ("expired", why)
    assert quiet.accounts.order_lists()[-1].is_done


def test_a_prevented_trade_is_named_and_can_be_asked_for(quiet: Simulator, connect: Connect) -> None:
    """(fault F111)"""
    connector = connect(quiet)
    connector.place_order(limit("BTC-USDT", "buy", "0.02", "60005"))
    taking = limit("BTC-USDT", "sell", "0.02", "60005").with_options(self_trade_prevention="expire_taker")
    ended = connector.place_order(taking)
    assert ended.wait(timeout=10)
    (match,) = connector.fetch_prevented_matches(ended)
    assert ended.state.prevented_matches == (match.match_id,)
    until(lambda: ended.state.prevented_trades)
    (told,) = ended.state.prevented_trades
    assert (told.match_id, told.price, told.group_id) == (match.match_id, match.price, match.group_id)
    assert (told.lost_quantity, told.other_order_id) == (match.taker_quantity, match.maker_order_id)
    assert told.other_symbol == "BTC-USDT"
    assert ended.state.placed_at is not None
