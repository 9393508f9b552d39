"""Bybit: numbers are exact from the user's text over our encoder, the wire and the exchange back to our values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings

from exconn_sync import Connector, OrderRequest
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import plain_text
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.wire import number as written
from tests.exchanges.bybit.support import instrument
from tests.integration.conftest import LIMIT, quick
from tests.integration.test_exact_decimals import FINE, GRAIN, any_amounts, prices, quantities, unhurried

TSTUSDT = instrument("TST", "USDT")


@unhurried
@given(any_amounts, any_amounts)
@example(GRAIN, GRAIN)
def test_text_to_text_without_a_connection(price: Decimal, quantity: Decimal) -> None:
    """Encoder, the exchange's reader, its writer, our reader."""
    order = OrderRequest.limit("TST-USDT", "buy", plain_text(quantity), plain_text(price))
    call = DRIVER.place_order(order, TSTUSDT, ClientOrderId("x"), Instruments("bybit", [TSTUSDT]))
    params = Params.from_body((call.body or b"").decode())
    for name, wanted in (("price", price), ("qty", quantity)):
        assert params.required(name) == plain_text(wanted)
        arrived = params.decimal(name)
        assert arrived == wanted
        assert arrived is not None
        assert number(written(arrived)) == wanted
        assert plain_text(number(written(arrived))) == plain_text(wanted)


@pytest.fixture(scope="module")
def fine() -> Iterator[tuple[Simulator, Connector]]:
    with Simulator("bybit", running_market=False, symbols=[FINE]) as exchange:
        exchange.market.clear("TSTUSDT")
        # From the smallest price of a case to the largest of the next.
        exchange.market.rules("TSTUSDT", price_multiplier_up=FINE.price_multiplier_up)
        exchange.accounts.deposit("USDT", 10**12)
        connector = Connector(quick(exchange.config()))
        connector.start()
        connector.wait_ready(LIMIT)
        yield exchange, connector
        assert connector.stop(LIMIT) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(price=prices, quantity=quantities)
@example(GRAIN, GRAIN)
@example(10**6 - GRAIN, 9_000 - GRAIN)
def test_text_to_text_through_the_exchange(
    fine: tuple[Simulator, Connector], price: Decimal, quantity: Decimal
) -> None:
    """An order rests, is told and asked for, is seen in the book, trades, and is seen in fills and trades."""
    exchange, connector = fine
    wanted = plain_text(price), plain_text(quantity)
    fills = connector.stream_fills()
    order = connector.place_order(OrderRequest.limit("TST-USDT", "buy", wanted[1], wanted[0]))
    assert order.wait(lambda state: state.status == "new", LIMIT)
    truth = exchange.accounts.orders()[-1]
    assert (plain_text(truth.price), plain_text(truth.quantity)) == wanted
    (found,) = connector.fetch_open_orders("TST-USDT")
    for seen in (order, connector.fetch_order(order.client_order_id), found):
        assert seen.price is not None
        assert seen.quantity is not None
        assert (plain_text(seen.price), plain_text(seen.quantity)) == wanted
    (level,) = connector.fetch_order_book("TST-USDT").bids
    assert tuple(map(plain_text, level)) == wanted
    exchange.market.trade("TSTUSDT", "sell", quantity)
    fill = fills.get(timeout=LIMIT)
    assert order.wait("filled", LIMIT)
    fills.stop()
    assert (plain_text(fill.price), plain_text(fill.quantity)) == wanted
    assert plain_text(order.filled_quantity) == wanted[1]
    trade = connector.fetch_trades("TST-USDT", 1)[0]
    assert (plain_text(trade.price), plain_text(trade.quantity)) == wanted
    last = connector.fetch_fills("TST-USDT", order=order)[-1]
    assert (plain_text(last.price), plain_text(last.quantity)) == wanted
    balance, (there, locked) = connector.fetch_balances()["USDT"], exchange.accounts.balances()["USDT"]
    assert (balance.free, balance.locked) == (there, locked)
