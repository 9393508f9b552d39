"""Any sequence of commands with order lists: money is kept, locks are right, and no order outlives its list."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.simulator.core.commission import FeeRates
from exconn_sync.simulator.core.events import Event, ListChange, ListEvent
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.order_lists import ListKind, NewOrderList
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Peg, PegPrice, PreventionMode, Side, TimeInForce
from exconn_sync.simulator.core.refusals import Refusal

from .test_conservation import ACTIONS, Action, execute, new_order
from .venue_state import SYMBOL, TRADERS, check_invariants, limit, make_exchange

D = Decimal
STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
GOALS = (OrderType.LIMIT_MAKER, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


@dataclass(frozen=True)
class ListAction:
    """A new list, made of the numbers of three orders."""

    account: str
    kind: ListKind
    working: Action
    single: Action
    stop: Action
    goal: Action
    side: Side
    distance: int


@dataclass(frozen=True)
class Nudge:
    """Two orders that want to meet at a price, so that it becomes the last one unless others stand in the way."""

    ticks: int


def action(kinds: Sequence[OrderType]) -> st.SearchStrategy[Action]:
    return st.builds(
        Action,
        account=st.sampled_from(TRADERS),
        side=st.sampled_from(Side),
        kind=st.sampled_from(kinds),
        tif=st.sampled_from((TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK)),
        ticks=st.integers(5990, 6010),
        stop_ticks=st.integers(5985, 6015),
        size=st.integers(10, 300),
        delta=st.none() | st.integers(10, 60),
        by_quote=st.just(False),
        prevention=st.just(PreventionMode.NONE) | st.sampled_from(PreventionMode),
        parts=st.just(0) | st.integers(0, 4),
        peg=st.none() | st.none() | st.builds(Peg, st.sampled_from(PegPrice), st.none() | st.integers(1, 2)),
    )


LISTS = st.builds(
    ListAction,
    account=st.sampled_from(TRADERS),
    kind=st.sampled_from(ListKind),
    working=action((OrderType.LIMIT, OrderType.LIMIT_MAKER)),
    single=action(tuple(OrderType)),
    stop=action(STOPS),
    goal=action(GOALS),
    side=st.sampled_from(Side),
    distance=st.integers(1, 5),
)
STEPS = st.lists(
    LISTS | ACTIONS.filter(len).map(lambda actions: actions[0]) | st.builds(Nudge, st.integers(5980, 6008)), max_size=40
)


def leg_of(action: Action, client_id: str) -> NewOrder:
    """Return an order of a list. Only Binance has lists, where whatever waits holds its funds (Binance: 5.9)."""
    return new_order(replace(action, holds_funds=True), kind_of(action), client_id)


def new_list(exchange: Exchange, asked: ListAction, now: int) -> NewOrderList:
    last = int(exchange.markets[SYMBOL].last_price // D("10.01"))
    kind, side = asked.kind, Side.SELL if asked.kind.sells_received else asked.side
    legs = []
    if kind.has_working:
        working = leg_of(asked.working, f"{now}-0")
        legs.append(replace(working, side=Side.BUY) if kind.sells_received else working)
    if kind.has_pair:
        # Around the last price, on the right sides of it unless it is about to move.
        sign = -1 if side is Side.SELL else 1
        stop = replace(asked.stop, side=side, stop_ticks=last + sign * asked.distance, size=asked.goal.size)
        goal = replace(
            asked.goal, side=side, ticks=last - sign * asked.distance, stop_ticks=last - sign * asked.distance
        )
        legs += [leg_of(stop, f"{now}-1"), leg_of(goal, f"{now}-2")]
    else:
        single = leg_of(replace(asked.single, side=side), f"{now}-1")
        legs.append(single)
    if kind.sells_received:
        legs = [legs[0], *(replace(leg, quantity=None) for leg in legs[1:])]
    return NewOrderList(kind, f"list-{now}", tuple(legs))


def nudge(exchange: Exchange, step: Nudge, now: int) -> None:
    at = str(step.ticks * D("10.01"))
    for name, side in zip(TRADERS, (Side.SELL, Side.BUY), strict=True):
        exchange.place(name, limit(side, "0.1", at, f"{now}-{name}", TimeInForce.GTC), now)
        check_invariants(exchange)


def kind_of(asked: Action) -> OrderType:
    assert isinstance(asked.kind, OrderType)
    return asked.kind


@settings(deadline=None)
@given(STEPS, st.sampled_from(["0", "0.001", "0.01"]), st.booleans())
def test_nothing_is_ever_made_or_lost_and_no_order_outlives_its_list(
    steps: list[ListAction | Action | Nudge], rate: str, is_group: bool
) -> None:
    exchange = make_exchange()
    exchange.fees.rates = FeeRates(D(rate), D(rate))
    for name in TRADERS:
        exchange.accounts[name].trade_group = 1 if is_group else None
    told: list[tuple[ListChange, int]] = []

    def hear(event: Event) -> None:
        if isinstance(event, ListEvent):
            told.append((event.change, event.order_list.list_id))

    exchange.listeners.append(hear)
    for now, step in enumerate(steps):
        before = exchange.total("BTC"), exchange.total("USDT")
        try:
            if isinstance(step, Nudge):
                nudge(exchange, step, now)
            elif isinstance(step, ListAction):
                exchange.place_list(step.account, new_list(exchange, step, now), now)
            else:
                execute(exchange, step, now)
        except Refusal:
            pass
        assert (exchange.total("BTC"), exchange.total("USDT")) == before
        check_invariants(exchange)
    for name in TRADERS:
        for order_list in exchange.lists.lists(name, SYMBOL):
            changes = [change for change, list_id in told if list_id == order_list.list_id]
            assert changes[0] is ListChange.STARTED
            assert changes.count(ListChange.DONE) == int(order_list.is_done)
            assert ListChange.DONE not in changes[:-1]
