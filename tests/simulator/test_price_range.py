"""The price range rule: a taker does not trade too far away from the reference price."""

from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import ExpiryReason, NewOrder, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.simulator.core.reference import External
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.symbols import PriceRange

from .venue_state import SYMBOL, check_invariants, limit, make_exchange, market

D = Decimal


def make_ruled(rule: PriceRange | None = None, reference: str | None = "60000") -> Exchange:
    """Asks of 1 at 60000, 60500 and 61000, bids of 1 at 59900 and 59000; one per cent either way is allowed."""
    exchange = make_exchange()
    for price in ("60000", "60500", "61000"):
        exchange.place("maker", limit(Side.SELL, "1", price, f"ask-{price}"), 0)
    for price in ("59900", "59000"):
        exchange.place("maker", limit(Side.BUY, "1", price, f"bid-{price}"), 0)
    one_per_cent = PriceRange(D("1.01"), D("0.99"), D("1.01"), D("0.99"))
    exchange.markets[SYMBOL].spec = replace(exchange.markets[SYMBOL].spec, price_range=rule or one_per_cent)
    if reference is not None:
        exchange.references.set(SYMBOL, D(reference), 0, External(0))
    return exchange


@pytest.mark.parametrize(
    ("order", "filled"),
    [
        (market(Side.BUY, "3"), "2"),
        (limit(Side.BUY, "3", "62000"), "2"),
        (limit(Side.BUY, "3", "62000", tif=TimeInForce.IOC), "2"),
        (limit(Side.BUY, "3", "62000", tif=TimeInForce.FOK), "0"),
        (market(Side.SELL, "2"), "1"),
    ],
)
def test_an_order_that_would_leave_the_range_expires(order: NewOrder, filled: str) -> None:
    exchange = make_ruled()
    ended = exchange.place("taker", order, 1)
    assert (ended.status, ended.expiry_reason) == (OrderStatus.EXPIRED, ExpiryReason.PRICE_RANGE)
    assert ended.filled_quantity == D(filled)
    check_invariants(exchange)


@pytest.mark.parametrize(
    "order",
    [market(Side.BUY, "2"), limit(Side.BUY, "3", "60500"), limit(Side.BUY, "1", "50000"), market(Side.SELL, "1")],
)
def test_an_order_within_the_range_is_left_alone(order: NewOrder) -> None:
    assert make_ruled().place("taker", order, 1).expiry_reason is None


@pytest.mark.parametrize(
    "exchange",
    [
        make_ruled(reference=None),
        make_ruled(PriceRange(bid_down=D("0.99"), ask_up=D("1.01"), ask_down=D("0.99"))),
    ],
)
def test_without_a_reference_price_or_a_bound_there_is_no_rule(exchange: Exchange) -> None:
    assert exchange.place("taker", market(Side.BUY, "3"), 1).status is OrderStatus.FILLED


def test_a_maker_that_would_have_to_leave_the_range_would_take() -> None:
    exchange = make_ruled(reference="50000")
    maker = NewOrder(SYMBOL, Side.BUY, OrderType.LIMIT_MAKER, "m", quantity=D(1), price=D(61000))
    with pytest.raises(Refusal) as refused:
        exchange.place("taker", maker, 1)
    assert refused.value.reason is Reason.WOULD_TAKE


def test_filters_compare_with_the_reference_price_where_there_is_one() -> None:
    exchange = make_ruled(reference="10000")
    with pytest.raises(Refusal, match="PERCENT_PRICE_BY_SIDE"):
        exchange.place("taker", limit(Side.BUY, "1", "50000.01"), 1)
    assert exchange.place("taker", limit(Side.BUY, "1", "50000"), 1).is_open


def test_filters_compare_with_the_average_of_the_last_minutes() -> None:
    exchange = make_exchange()
    exchange.markets[SYMBOL].spec = replace(exchange.markets[SYMBOL].spec, average_minutes=5)
    for now, price, quantity in ((0, "90000", "1"), (400_000, "60000", "0.1"), (400_001, "30000", "0.3")):
        exchange.place("maker", limit(Side.SELL, quantity, price, f"s{now}"), now)
        exchange.place("taker", limit(Side.BUY, quantity, price, f"b{now}"), now)
    seen = exchange.markets[SYMBOL]
    assert exchange.average_price(seen, 400_002) == D(37500)
    assert exchange.average_price(seen, 10_000_000) == D(30000), "without a trade in that time the last one counts"
    with pytest.raises(Refusal, match="PERCENT_PRICE_BY_SIDE"):
        exchange.place("taker", limit(Side.SELL, "0.1", "187500.01"), 400_002)
    assert exchange.place("taker", limit(Side.SELL, "0.1", "187500"), 400_002).is_open
