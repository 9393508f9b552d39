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
from tests.integration.exactness import text_to_text
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
    text_to_text(*fine, price, quantity)
    exchange, connector = fine
    balance, (there, locked) = connector.fetch_balances()["USDT"], exchange.accounts.balances()["USDT"]
    assert (balance.free, balance.locked) == (there, locked)
