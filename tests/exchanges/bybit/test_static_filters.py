"""An order that Bybit would refuse by a static filter is refused here first, and no other (fault F183).

Specs and orders are made up. The exchange is a simulator that is asked to place the orders, over a socket like
everything else; the last price, by which it judges market orders, is known. How far a price may lie from the market
(Bybit: 4.10) is no static rule: the exchange judges it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderRequest
from exconn_sync.simulator import Simulator, SymbolSpec, spec_of
from tests.exchanges.binance.test_static_filters import LAST, amounts, near, steps
from tests.exchanges.bybit.support import response
from tests.simulator.bybit.clients import Rest

RULES: dict[int, set[str]] = {
    170134: {"PRICE_FILTER", "PRECISION"}, 170137: {"LOT_SIZE", "PRECISION"}, 170148: {"PRECISION"},
    170381: {"LOT_SIZE"}, 170382: {"MARKET_LOT_SIZE", "LOT_SIZE"}, 170140: {"NOTIONAL"},
}  # fmt: skip
"""What the exchange answers, and the names of the rules here."""

OF_THE_MARKET = frozenset({170193, 170194})
"""Beyond the band of prices."""


@st.composite
def specs(draw: st.DrawFn) -> SymbolSpec:
    """Return a symbol with limits near the numbers of the orders."""
    spec = spec_of("BTC", "USDT", tick=draw(steps), step=draw(steps), min_notional="1", start_price="100")
    return replace(
        spec,
        max_quantity=max(draw(amounts("1", 20)), spec.step),
        max_market_quantity=draw(amounts("1", 20)),
        min_notional=draw(amounts("1", 300)),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[SymbolSpec, OrderRequest]:
    """Return a symbol and an order whose numbers lie around its limits."""
    spec = draw(specs())
    side = draw(st.sampled_from(["buy", "sell"]))
    kind = draw(st.sampled_from(["limit", "limit", "post_only", "market", "quote"]))
    quantity = draw(near(spec.step, min(spec.max_quantity, spec.max_market_quantity), spec.step))
    if kind == "market":
        return spec, OrderRequest.market("BTC-USDT", side, quantity)
    if kind == "quote":
        return spec, OrderRequest.market("BTC-USDT", side, quote_quantity=draw(near(spec.min_notional, LAST, LAST)))
    price = draw(near(LAST, LAST + 5, spec.tick))
    return spec, OrderRequest.limit("BTC-USDT", side, quantity, price, post_only=kind == "post_only")


@contextmanager
def venue(spec: SymbolSpec) -> Iterator[tuple[Instrument, Rest]]:
    """Serve one symbol; give what the library knows of it, and a client that asks the exchange."""
    with Simulator("bybit", running_market=False, symbols=[spec]) as simulator:
        simulator.accounts.deposit("USDT", 10**9)
        simulator.accounts.deposit("BTC", 10**6)
        client = Rest(simulator)
        try:
            body = json.dumps(client.public("/v5/market/instruments-info")).encode()
            yield DRIVER.fetch_instruments().parse(response(body)).get("BTC-USDT"), client
        finally:
            client.close()


def refused_there(client: Rest, instrument: Instrument, order: OrderRequest) -> int:
    """Return the code by which the exchange refuses the order, 0 where it takes it in."""
    table = Instruments("bybit", [instrument])
    call = DRIVER.place_order(order, instrument, ClientOrderId("a-1"), table)
    code: int = client.post(call.path, **json.loads(call.body or b""))["retCode"]
    return code


def refusal_here(instrument: Instrument, order: OrderRequest) -> ValidationError | None:
    try:
        instrument.check(order, average_price=LAST)
    except ValidationError as error:
        return error
    return None


@settings(max_examples=60, deadline=None)
@given(cases())
def test_what_passes_here_passes_there_and_the_other_way_round(case: tuple[SymbolSpec, OrderRequest]) -> None:
    """(fault F183)"""
    spec, order = case
    with venue(spec) as (instrument, client):
        there, here = refused_there(client, instrument, order), refusal_here(instrument, order)
    event(f"refused with {there}")
    if there in OF_THE_MARKET:
        # It is looked at first there, and another rule may be broken too.
        return
    if there == 0:
        assert here is None
    else:
        assert here is not None
        assert here.details["filter"] in RULES[there]
