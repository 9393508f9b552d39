"""An order passes here exactly where it passes at the exchange, as far as symbol and order alone decide (fault F183).

Specs and orders are made up; the exchange is the simulator's core, and what the library knows of the rules has gone
over the wire's form.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import assume, event, given
from hypothesis import strategies as st

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderRequest
from exconn_sync.simulator.binance.symbol_info import exchange_info
from exconn_sync.simulator.core.filters import excess_precision, failed_filter
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, TimeInForce
from exconn_sync.simulator.core.symbols import SymbolSpec, spec_of
from tests.exchanges.binance.support import response

LAST = Decimal(100)
NAMES = {"PERCENT_PRICE": "PERCENT_PRICE_BY_SIDE"}

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


def instrument_of(spec: SymbolSpec) -> Instrument:
    """Return what the library makes of the symbol's part of exchangeInfo."""
    return DRIVER.fetch_instruments().parse(response(exchange_info([], [spec], 0))).get("BTC-USDT")


def asked(order: OrderRequest) -> NewOrder:
    """Return the order as it arrives at the exchange: zeros at the end are not sent."""
    kind = OrderType.MARKET if order.price is None else OrderType.LIMIT_MAKER if order.post_only else OrderType.LIMIT
    side = Side.BUY if order.side == "buy" else Side.SELL
    numbers: dict[str, Any] = {
        name: None if value is None else value.normalize()
        for name, value in (
            ("quantity", order.quantity), ("price", order.price), ("quote_quantity", order.quote_quantity),
        )
    }  # fmt: skip
    return NewOrder("BTCUSDT", side, kind, "", TimeInForce.GTC, **numbers)


def refused_there(spec: SymbolSpec, order: OrderRequest) -> str | None:
    """Return the name of the rule by which the exchange refuses the order."""
    request = asked(order)
    if excess_precision(spec, request) is not None:
        return "PRECISION"
    return failed_filter(spec, request, LAST, 0)


def refusal_here(instrument: Instrument, order: OrderRequest) -> ValidationError | None:
    try:
        instrument.check(order, average_price=LAST)
    except ValidationError as error:
        return error
    return None


@given(cases())
def test_what_passes_here_passes_there_and_the_other_way_round(case: tuple[SymbolSpec, OrderRequest]) -> None:
    spec, order = case
    there, here = refused_there(spec, order), refusal_here(instrument_of(spec), order)
    event(f"refused by {there}")
    name = None if here is None else here.details["filter"]
    assert NAMES.get(str(name), name) == there


@given(cases())
def test_the_nearest_value_is_one_that_passes_its_rule(case: tuple[SymbolSpec, OrderRequest]) -> None:
    spec, order = case
    instrument = instrument_of(spec)
    error = refusal_here(instrument, order)
    assume(error is not None)
    assert error is not None
    nearest = error.details["nearest"]
    event(f"{error.details['filter']}, {'no value' if nearest is None else 'a value'}")
    if nearest is not None:
        mended = replace(order, **{error.field: nearest})
        left = refusal_here(instrument, mended)
        # Another number may still be wrong, or the mended one be worth too little or too much by now.
        assert left is None or left.field != error.field or left.details["filter"] == "NOTIONAL"
        assert left is None or left.details["filter"] != error.details["filter"] or left.field != error.field
