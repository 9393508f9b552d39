"""Numbers are exact from the user's text over our encoder, the wire and the simulated exchange back to our values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exconn_sync import Connector, OrderRequest
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import plain_text
from exconn_sync.simulator import Simulator, spec_of
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.wire import number as written
from tests.exchanges.binance.support import instrument
from tests.integration.conftest import LIMIT, quick
from tests.integration.exactness import text_to_text

unhurried = settings(deadline=None)
GRAIN = Decimal("0.00000001")
FINE = replace(
    spec_of("TST", "USDT", tick="0.00000001", step="0.00000001", min_notional="0.00000001", start_price="1"),
    min_notional=Decimal(0),
    max_notional=Decimal(10**12),
    # From the smallest price of a case to the largest of the next.
    price_multiplier_up=Decimal(10**14),
    price_multiplier_down=Decimal(0),
)
TSTUSDT = instrument("TST", "USDT")

prices = st.integers(1, 10**14).map(lambda grains: grains * GRAIN)
quantities = st.integers(1, 9_000 * 10**8).map(lambda grains: grains * GRAIN)
any_amounts = st.integers(1, 10**20).map(lambda grains: grains * GRAIN)


@unhurried
@given(any_amounts, any_amounts)
def test_text_to_text_without_a_connection(price: Decimal, quantity: Decimal) -> None:
    """Encoder, the exchange's reader, its writer, our reader."""
    order = OrderRequest.limit("TST-USDT", "buy", plain_text(quantity), plain_text(price))
    call = DRIVER.place_order(order, TSTUSDT, ClientOrderId("x"), Instruments("binance", [TSTUSDT]))
    request = DRIVER.to_http(replace(call, is_signed=False), None, 0, 0)
    params = Params.from_http(urlsplit(request.target).query, "")
    for name, wanted in (("price", price), ("quantity", quantity)):
        arrived = params.decimal(name)
        assert arrived == wanted
        assert arrived is not None
        assert number(written(arrived)) == wanted
        assert plain_text(number(written(arrived))) == plain_text(wanted)


@pytest.fixture(scope="module")
def fine() -> Iterator[tuple[Simulator, Connector]]:
    with Simulator(running_market=False, symbols=[FINE]) as exchange:
        exchange.market.clear("TSTUSDT")
        exchange.accounts.deposit("USDT", 10**12)
        exchange.faults.rate_limits(orders_per_10s=10_000)
        connector = Connector(quick(exchange.config()))
        connector.start()
        connector.wait_ready(LIMIT)
        yield exchange, connector
        assert connector.stop(LIMIT) == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(price=prices, quantity=quantities)
def test_text_to_text_through_the_exchange(
    fine: tuple[Simulator, Connector], price: Decimal, quantity: Decimal
) -> None:
    text_to_text(*fine, price, quantity)
