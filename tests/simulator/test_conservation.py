"""Any sequence of commands: money is neither made nor lost, and the book says what is open."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.simulator.bybit.terms import set_fees
from exconn_sync.simulator.core.commission import FeeRates
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import (
    Change,
    NewOrder,
    OrderType,
    Peg,
    PegPrice,
    PreventionMode,
    Side,
    TimeInForce,
)
from exconn_sync.simulator.core.refusals import Refusal

from .venue_state import SYMBOL, TRADERS, check_invariants, make_exchange

D = Decimal


@dataclass(frozen=True)
class Action:
    """One command; which of the numbers count depends on its kind."""

    account: str
    side: Side
    kind: OrderType | str
    tif: TimeInForce
    ticks: int
    stop_ticks: int
    size: int
    delta: int | None
    by_quote: bool
    prevention: PreventionMode
    parts: int
    peg: Peg | None
    holds_funds: bool


ACTIONS = st.lists(
    st.builds(
        Action,
        account=st.sampled_from(TRADERS),
        side=st.sampled_from(Side),
        kind=st.sampled_from([*OrderType, "cancel", "amend", "change"]),
        tif=st.sampled_from(TimeInForce),
        ticks=st.integers(5990, 6010),
        stop_ticks=st.integers(5985, 6015),
        size=st.integers(1, 300),
        delta=st.none() | st.integers(10, 60),
        by_quote=st.booleans(),
        prevention=st.sampled_from(PreventionMode),
        parts=st.integers(0, 4),
        peg=st.none() | st.builds(Peg, st.sampled_from(PegPrice), st.none() | st.integers(1, 2)),
        holds_funds=st.booleans(),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(ACTIONS, st.booleans(), st.booleans())
def test_nothing_is_ever_made_or_lost(actions: list[Action], is_group: bool, pays_makers: bool) -> None:
    exchange = make_exchange()
    if pays_makers:
        set_fees(exchange.fees)
        exchange.fees.rates = FeeRates(maker=D("-0.0002"), taker=D("0.00075"))
    for name in TRADERS:
        exchange.accounts[name].trade_group = 1 if is_group else None
    for now, action in enumerate(actions):
        try:
            execute(exchange, action, now)
        except Refusal:
            continue
        check_invariants(exchange)
    check_invariants(exchange)


def execute(exchange: Exchange, action: Action, now: int) -> None:
    if isinstance(action.kind, str):
        still_open = exchange.registry.open_orders(action.account)
        if not still_open:
            return
        order = still_open[action.size % len(still_open)]
        if action.kind == "cancel":
            exchange.cancel(order, now)
        elif action.kind == "change":
            exchange.change(order, new_terms(action), now)
        else:
            exchange.amend(order, order.quantity - D(action.size) * D("0.00321"), now, str(now))
        return
    exchange.place(action.account, new_order(action, action.kind, str(now)), now)


def new_terms(action: Action) -> Change:
    return Change(
        quantity=D(action.size) * D("0.00321") if action.by_quote else None,
        price=D(action.ticks) * D("10.01") if action.parts else None,
        stop_price=D(action.stop_ticks) * D("10.01") if action.holds_funds else None,
    )


def new_order(action: Action, kind: OrderType, client_id: str) -> NewOrder:
    peg = action.peg if kind.has_limit else None
    by_quote = kind is OrderType.MARKET and action.by_quote
    return NewOrder(
        SYMBOL,
        action.side,
        kind,
        client_id,
        action.tif if kind.has_limit and kind is not OrderType.LIMIT_MAKER else TimeInForce.GTC,
        quantity=None if by_quote else D(action.size) * D("0.00321"),
        price=D(action.ticks) * D("10.01") if kind.has_limit and peg is None else None,
        quote_quantity=D(action.size) * 100 if by_quote else None,
        stop_price=D(action.stop_ticks) * D("10.01") if kind.is_stop else None,
        trailing_delta=action.delta if kind.is_stop else None,
        prevention=action.prevention,
        iceberg_quantity=D(action.size // action.parts or 1) * D("0.00321")
        if kind.has_limit and action.parts
        else None,
        peg=peg,
        holds_funds=action.holds_funds,
        worst_price=D(action.ticks) * D("10.01") if kind is OrderType.MARKET and action.parts else None,
    )
