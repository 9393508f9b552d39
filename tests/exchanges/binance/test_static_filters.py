"""An order passes here exactly where it passes at the exchange, as far as symbol and order alone decide (fault F183).

Specs and orders are made up. The exchange is a simulator that tests the orders, over a socket like everything else; the
last price, by which it judges, is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, event, given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderRequest
from exconn_sync.simulator import Simulator, SymbolSpec, spec_of
from exconn_sync.simulator.binance.symbol_info import exchange_info
from tests.exchanges.binance.support import response
from tests.simulator.clients import Rest

LAST = Decimal(100)
NAMES = {
    "PRECISION": {"PRECISION"}, "PRICE_FILTER": {"PRICE_FILTER"}, "LOT_SIZE": {"LOT_SIZE"},
    "MARKET_LOT_SIZE": {"MARKET_LOT_SIZE"}, "NOTIONAL": {"NOTIONAL", "MIN_NOTIONAL"},
    "PERCENT_PRICE": {"PERCENT_PRICE", "PERCENT_PRICE_BY_SIDE"},
}  # fmt: skip
"""Names of rules here, and what the exchange calls them."""

steps = st.sampled_from(["1", "0.5", "0.25", "0.1", "0.03", "0.01", "0.001", "0.00000001"])


FINEST = Decimal("1e-8")


def amounts(least: str, most: int) -> st.SearchStrategy[Decimal]:
    """Return whole numbers often, numbers of eight decimals sometimes; never zero."""
    return st.one_of(
        st.integers(1, most).map(Decimal), st.integers(1, most * 10**8).map(lambda number: number * FINEST)
    ).map(lambda amount: max(amount, Decimal(least)))


@st.composite
def specs(draw: st.DrawFn) -> SymbolSpec:
    """Return a symbol with limits near the numbers of the orders."""
    spec = spec_of("BTC", "USDT", tick=draw(steps), step=draw(steps), min_notional="1", start_price="100")
    low_price, low_quantity, least = draw(amounts("0.01", 90)), draw(amounts("0.01", 2)), draw(amounts("1", 300))
    return replace(
        spec,
        min_price=low_price,
        max_price=low_price + draw(amounts("1", 200)),
        min_quantity=low_quantity,
        max_quantity=low_quantity + draw(amounts("1", 20)),
        max_market_quantity=draw(amounts("1", 20)),
        min_notional=least,
        max_notional=least + draw(amounts("1", 2000)),
        price_multiplier_up=draw(st.sampled_from([Decimal("1.1"), Decimal("1.5"), Decimal(5)])),
        price_multiplier_down=draw(st.sampled_from([Decimal("0.2"), Decimal("0.5"), Decimal("0.9")])),
        base_decimals=draw(st.sampled_from([2, 8, 8, 8])),
        quote_decimals=draw(st.sampled_from([2, 8, 8, 8])),
    )


@st.composite
def near(draw: st.DrawFn, low: Decimal, high: Decimal, step: Decimal) -> Decimal:
    """Return a number in the middle or at a limit, on the grid or a little off it."""
    start = draw(st.sampled_from([low, high, (low + high) / 2, (low * 9 + high) / 10, LAST]))
    on_grid = start // step * step + draw(st.integers(-1, 2)) * step
    shifted = on_grid + draw(st.sampled_from([0, 0, 0, 0, 1, -1])) * draw(st.sampled_from([FINEST, FINEST / 10]))
    return max(round(shifted, 9), FINEST)


@st.composite
def cases(draw: st.DrawFn) -> tuple[SymbolSpec, OrderRequest]:
    """Return a symbol and an order whose numbers lie around its limits."""
    spec = draw(specs())
    side = draw(st.sampled_from(["buy", "sell"]))
    kind = draw(st.sampled_from(["limit", "limit", "post_only", "market", "quote"]))
    quantity = draw(near(spec.min_quantity, min(spec.max_quantity, spec.max_market_quantity), spec.step))
    if kind == "market":
        return spec, OrderRequest.market("BTC-USDT", side, quantity)
    if kind == "quote":
        amount = draw(near(spec.min_notional, spec.max_notional, FINEST))
        return spec, OrderRequest.market("BTC-USDT", side, quote_quantity=amount)
    price = draw(near(spec.min_price, spec.max_price, spec.tick))
    return spec, OrderRequest.limit("BTC-USDT", side, quantity, price, post_only=kind == "post_only")


@contextmanager
def venue(spec: SymbolSpec) -> Iterator[tuple[Instrument, Rest]]:
    """Serve one symbol; give what the library knows of it, and a client that asks the exchange."""
    with Simulator(running_market=False, symbols=[spec]) as simulator:
        client = Rest(simulator)
        try:
            _, body = client.get("/api/v3/exchangeInfo")
            yield DRIVER.fetch_instruments().parse(response(body)).get("BTC-USDT"), client
        finally:
            client.close()


def refused_there(client: Rest, instrument: Instrument, order: OrderRequest) -> str | None:
    """Return the name of the rule by which the exchange refuses the order, which is only tested there."""
    table = Instruments("binance", [instrument])
    call = DRIVER.place_order(order, instrument, ClientOrderId("a-1"), table)
    status, body = client.signed("POST", "/api/v3/order/test", **dict(call.params))
    if status == 200:
        return None
    if body["code"] == -1111:
        return "PRECISION"
    assert body["code"] == -1013, body
    rule: str = body["msg"].removeprefix("Filter failure: ")
    return rule


def refusal_here(instrument: Instrument, order: OrderRequest) -> ValidationError | None:
    try:
        instrument.check(order, average_price=LAST)
    except ValidationError as error:
        return error
    return None


@given(cases())
def test_what_passes_here_passes_there_and_the_other_way_round(case: tuple[SymbolSpec, OrderRequest]) -> None:
    spec, order = case
    with venue(spec) as (instrument, client):
        there, here = refused_there(client, instrument, order), refusal_here(instrument, order)
    event(f"refused by {there}")
    assert there in (NAMES[here.details["filter"]] if here else {None})


@given(cases())
def test_the_nearest_value_is_one_that_passes_every_rule_for_its_field(case: tuple[SymbolSpec, OrderRequest]) -> None:
    spec, order = case
    instrument = DRIVER.fetch_instruments().parse(response(exchange_info([], [spec], 0))).get("BTC-USDT")
    error = refusal_here(instrument, order)
    assume(error is not None)
    assert error is not None
    nearest = error.details["nearest"]
    event(f"{error.details['filter']}, {'no value' if nearest is None else 'a value'}")
    if nearest is not None:
        mended = replace(order, **{error.field: nearest})
        left = refusal_here(instrument, mended)
        # Another number may still be wrong.
        assert left is None or left.field != error.field
