"""Smart order routing in the core: the best prices of several books, and allocations instead of trades."""

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.simulator.core.events import Event, Execution, OrderEvent, PublicTrade
from exconn_sync.simulator.core.exchange import HOUSE, Exchange
from exconn_sync.simulator.core.orders import (
    ExpiryReason,
    Fill,
    Floor,
    NewOrder,
    OrderStatus,
    OrderType,
    PreventionMode,
    Side,
    SimOrder,
    TimeInForce,
)
from exconn_sync.simulator.core.reference import MeanOfBuckets
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, PriceRange, SymbolStatus, spec_of

D = Decimal
QUOTES = ("USDT", "USDC", "USDP")
SPECS = tuple(
    spec_of("BTC", quote, tick="0.01", step="0.00001", min_notional="5", start_price="30000") for quote in QUOTES
)
SYMBOLS = tuple(spec.name for spec in SPECS)
TRADERS = ("maker", "taker", "other")
FUNDS = {"BTC": D(100), **dict.fromkeys(QUOTES, D(3_000_000))}
BUY, SELL = Side.BUY, Side.SELL
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


def make_exchange() -> Exchange:
    """Return three books of one base asset that are routed together, without fees, and three rich traders."""
    made = Exchange(SPECS)
    made.router.open(SYMBOLS)
    for name in TRADERS:
        made.add_account(name)
        for asset, amount in FUNDS.items():
            made.deposit(name, asset, amount, 0)
    return made


def rest(exchange: Exchange, side: Side, *orders: tuple[str, str, str], account: str = "maker") -> list[SimOrder]:
    """Let orders of quote asset, quantity and price rest."""
    return [
        exchange.place(
            account,
            NewOrder(f"BTC{quote}", side, OrderType.LIMIT, f"{account}-{index}", quantity=D(quantity), price=D(price)),
            1,
        )
        for index, (quote, quantity, price) in enumerate(orders)
    ]


def routed(
    side: Side,
    quantity: str,
    price: str | None,
    tif: TimeInForce = TimeInForce.GTC,
    prevention: PreventionMode = PreventionMode.NONE,
) -> NewOrder:
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else D(price)
    return NewOrder(
        "BTCUSDT", side, kind, "routed", tif, D(quantity), limit, prevention=prevention, is_routed=True
    )  # fmt: skip


def given_to(exchange: Exchange, order: SimOrder) -> list[tuple[int | None, str, str]]:
    """Return id, quantity and price of each fill, all of which must be allocations."""
    fills = exchange.registry.fills_of(order)
    assert {fill.trade_id for fill in fills} <= {-1}
    return [(fill.allocation_id, f"{fill.quantity:f}", f"{fill.price:f}") for fill in fills]


def check(exchange: Exchange) -> None:
    """Money is kept, what is locked is what open orders need, and no book is crossed."""
    for asset, amount in FUNDS.items():
        assert exchange.total(asset) == amount * len(TRADERS)
    house = exchange.accounts[HOUSE]
    assert house.balance("BTC").total == 0
    assert sum(house.balance(quote).total for quote in QUOTES) == 0
    for name in TRADERS:
        locked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in exchange.registry.open_orders(name):
            locked["BTC" if order.side is SELL else exchange.market(order.symbol).spec.quote] += order.locked
            assert order.locked == (order.remaining if order.side is SELL else order.resting_price * order.remaining)
        for asset in FUNDS:
            assert exchange.accounts[name].balance(asset).locked == locked[asset]
            assert exchange.accounts[name].balance(asset).free >= 0
    for market in exchange.markets.values():
        for side in Side:
            open_here = (
                order.remaining
                for name in TRADERS
                for order in exchange.registry.open_orders(name, market.spec.name)
                if order.side is side
            )
            assert market.book.total(side) == sum(open_here, D(0))
        bid, ask = (market.book.best(side) for side in Side)
        assert bid is None or ask is None or bid[0] < ask[0]


ASKS = (
    ("USDT", "3", "30800"), ("USDT", "3", "30500"), ("USDC", "1", "30000"), ("USDC", "1", "28000"),
    ("USDP", "1", "35000"), ("USDP", "1", "29000"),
)  # fmt: skip
BIDS = (("USDT", "5", "29500"), ("USDC", "5", "35000"), ("USDC", "5", "30000"), ("USDP", "5", "28000"))


@pytest.mark.parametrize(
    ("resting", "order", "expected", "paid", "status"),
    [
        (ASKS, routed(BUY, "0.5", "31000"), ["0.5@28000"], "14000", OrderStatus.FILLED),
        (
            ASKS, routed(BUY, "5", "31000"), ["1@28000", "1@29000", "1@30000", "2@30500"], "148000",
            OrderStatus.FILLED,
        ),
        (
            ASKS, routed(BUY, "11", None),
            ["1@28000", "1@29000", "1@30000", "3@30500", "3@30800", "1@35000"], "305900",
            OrderStatus.EXPIRED,
        ),
        (BIDS, routed(SELL, "10", "29000"), ["5@35000", "5@30000"], "325000", OrderStatus.FILLED),
    ],
    ids=["a part of the best level", "four levels", "more than there is", "selling"],
)  # fmt: skip
def test_the_best_levels_of_all_books(
    resting: tuple[tuple[str, str, str], ...], order: NewOrder, expected: list[str], paid: str, status: OrderStatus
) -> None:
    """The documentation of routing has these books and these answers."""
    exchange = make_exchange()
    rest(exchange, order.side.opposite, *resting)
    before = exchange.accounts["taker"].balances()
    made = exchange.place("taker", order, 2)
    assert given_to(exchange, made) == [(n, *text.split("@")) for n, text in enumerate(expected)]
    assert (made.filled_quote, made.status, made.floor) == (D(paid), status, Floor.SOR)
    assert made.expiry_reason is (ExpiryReason.NO_LIQUIDITY if status is OrderStatus.EXPIRED else None)
    after = exchange.accounts["taker"].balances()
    # Only the quote asset of the order's own symbol changes hands, whichever book gave.
    sign = 1 if order.side is SELL else -1
    changed = {asset: after[asset].total - before[asset].total for asset in FUNDS}
    fees = exchange.fees.collected
    assert changed == {
        "BTC": -sign * made.filled_quantity - (0 if sign > 0 else fees["BTC"]),
        "USDT": sign * D(paid) - (fees["USDT"] if sign > 0 else 0),
        "USDC": 0, "USDP": 0,
    }  # fmt: skip
    assert exchange.total("BTC") == FUNDS["BTC"] * len(TRADERS)


def test_what_is_left_rests_on_the_own_book_and_trades_there() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDC", "1", "32000"))
    made = exchange.place("taker", routed(BUY, "3", "30000"), 2)
    assert (made.status, made.floor, made.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Floor.EXCHANGE, D(1))
    assert exchange.market("BTCUSDT").book.levels(BUY) == [(D(30000), D(2))]
    assert exchange.market("BTCUSDC").book.levels(BUY) == []
    rest(exchange, SELL, ("USDT", "0.5", "30000"), account="other")
    allocation, trade = exchange.registry.fills_of(made)
    assert (allocation.allocation_id, allocation.trade_id, allocation.is_maker) == (0, -1, False)
    assert (trade.allocation_id, trade.trade_id, trade.is_maker) == (None, 1, True)
    check(exchange)


def test_an_order_that_finds_nothing_works_on_its_own_book_from_the_start() -> None:
    exchange = make_exchange()
    told: list[Event] = []
    exchange.listeners.append(told.append)
    made = exchange.place("taker", routed(BUY, "1", "29000"), 2)
    (event,) = (event for event in told if isinstance(event, OrderEvent))
    assert (event.execution, event.order.floor, made.floor) == (Execution.NEW, Floor.EXCHANGE, Floor.EXCHANGE)


def test_each_book_shows_its_trades_and_each_maker_hears_of_them() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDT", "1", "30500"), ("USDC", "1", "28000"))
    told: list[Event] = []
    exchange.listeners.append(told.append)
    exchange.place("taker", routed(BUY, "2", None), 2)
    trades = [(event.symbol, event.trade_id, event.price) for event in told if isinstance(event, PublicTrade)]
    assert trades == [("BTCUSDC", 1, D(28000)), ("BTCUSDT", 1, D(30500))]
    makers = [fill for fill in exchange.registry.fills("maker") if fill.is_maker]
    assert [(fill.symbol, fill.trade_id, fill.allocation_id) for fill in makers] == [
        ("BTCUSDC", 1, None), ("BTCUSDT", 1, None),
    ]  # fmt: skip
    check(exchange)


def test_the_own_book_goes_first_at_the_same_price() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDT", "1", "28000"))
    exchange.place("taker", routed(BUY, "1", None), 2)
    assert exchange.market("BTCUSDT").book.best(SELL) is None
    assert exchange.market("BTCUSDC").book.best(SELL) == (D(28000), D(1))


@pytest.mark.parametrize(("tif", "filled"), [(IOC, "1"), (FOK, "0")])
def test_what_may_not_rest_ends(tif: TimeInForce, filled: str) -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDC", "1", "29000"))
    made = exchange.place("taker", routed(BUY, "2", "28500", tif), 2)
    reason = ExpiryReason.UNFILLED_IOC if tif is IOC else ExpiryReason.UNFILLED_FOK
    assert (made.status, made.expiry_reason, made.filled_quantity) == (OrderStatus.EXPIRED, reason, D(filled))
    assert made.floor is Floor.SOR
    check(exchange)


def test_a_fill_or_kill_counts_all_books() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDP", "1", "28100"), ("USDT", "1", "28200"))
    assert exchange.place("taker", routed(BUY, "3", "28500", FOK), 2).status is OrderStatus.FILLED
    check(exchange)


def test_a_symbol_that_does_not_trade_gives_nothing() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDT", "1", "29000"))
    halted = exchange.market("BTCUSDC")
    halted.spec = replace(halted.spec, status=SymbolStatus.HALT)
    assert given_to(exchange, exchange.place("taker", routed(BUY, "1", None), 2)) == [(0, "1", "29000")]


def test_a_price_range_holds_for_all_books() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "28000"), ("USDP", "1", "40000"))
    own = exchange.market("BTCUSDT")
    own.spec = replace(own.spec, price_range=PriceRange(bid_up=D("1.1")))
    exchange.references.set("BTCUSDT", D(30000), 1, MeanOfBuckets())
    made = exchange.place("taker", routed(BUY, "2", None), 2)
    assert (made.filled_quantity, made.expiry_reason) == (D(1), ExpiryReason.PRICE_RANGE)
    check(exchange)


@pytest.mark.parametrize(
    ("mode", "maker_left", "filled", "status"),
    [
        (PreventionMode.EXPIRE_MAKER, "0", "2", OrderStatus.FILLED),
        (PreventionMode.EXPIRE_TAKER, "1", "1", OrderStatus.EXPIRED_IN_MATCH),
        (PreventionMode.EXPIRE_BOTH, "0", "1", OrderStatus.EXPIRED_IN_MATCH),
        (PreventionMode.DECREMENT, "0", "1", OrderStatus.EXPIRED_IN_MATCH),
        (PreventionMode.TRANSFER, "0", "1", OrderStatus.EXPIRED_IN_MATCH),
    ],
)
def test_own_orders_on_other_books_are_not_met(
    mode: PreventionMode, maker_left: str, filled: str, status: OrderStatus
) -> None:
    exchange = make_exchange()
    for name in ("taker", "other"):
        exchange.accounts[name].trade_group = 7
    rest(exchange, SELL, ("USDP", "1", "28000"), ("USDT", "5", "30000"))
    own = NewOrder("BTCUSDC", SELL, OrderType.LIMIT, "own", quantity=D(1), price=D(29000), prevention=mode)
    resting = exchange.place("other", own, 1)
    made = exchange.place("taker", routed(BUY, "2", "30000", IOC, mode), 2)
    assert (made.filled_quantity, made.status) == (D(filled), status)
    left = exchange.registry.get("BTCUSDC", resting.order_id)
    assert left is not None
    assert left.remaining == D(maker_left)
    (match,) = exchange.registry.prevented("taker", "BTCUSDT")
    assert (match.symbol, match.maker_symbol, match.price) == ("BTCUSDT", "BTCUSDC", D(29000))
    check(exchange)


def test_a_trade_on_another_book_fires_the_stops_there() -> None:
    exchange = make_exchange()
    rest(exchange, SELL, ("USDC", "1", "31000"))
    stop = NewOrder(
        "BTCUSDC", BUY, OrderType.STOP_LOSS_LIMIT, "stop", quantity=D(1), price=D(30900), stop_price=D(30950)
    )
    waiting = exchange.place("other", stop, 1)
    exchange.place("taker", routed(BUY, "1", None), 2)
    fired = exchange.registry.get("BTCUSDC", waiting.order_id)
    assert fired is not None
    assert fired.working_at == 2
    assert exchange.market("BTCUSDC").top == ((D(30900), D(1)), None)
    check(exchange)


@pytest.mark.parametrize("symbols", [(), ("BTCUSDT", "NOPE"), ("BTCUSDT", "ETHUSDT"), ("BTCUSDT", "BTCEUR")], ids=str)
def test_a_pool_has_one_base_asset_and_one_grid(symbols: tuple[str, ...]) -> None:
    coarse = spec_of("BTC", "EUR", tick="0.1", step="0.00001", min_notional="5", start_price="30000")
    exchange = Exchange((*DEFAULT_SYMBOLS, coarse))
    with pytest.raises(ValueError, match=r"pool|share"):
        exchange.router.open(symbols)
    assert not exchange.router.pools


def test_a_symbol_that_is_not_routed_refuses() -> None:
    exchange = make_exchange()
    exchange.router.close()
    with pytest.raises(Refusal) as caught:
        exchange.place("taker", routed(BUY, "1", "30000"), 2)
    assert caught.value.reason is Reason.NOT_ROUTED
    check(exchange)


@dataclass(frozen=True)
class Action:
    account: str
    quote: str
    side: Side
    ticks: int
    size: int
    tif: TimeInForce
    is_market: bool
    is_routed: bool
    prevention: PreventionMode
    cancels: bool


ACTIONS = st.lists(
    st.builds(
        Action,
        account=st.sampled_from(TRADERS),
        quote=st.sampled_from(QUOTES),
        side=st.sampled_from(Side),
        ticks=st.integers(2995, 3005),
        size=st.integers(1, 300),
        tif=st.sampled_from(TimeInForce),
        is_market=st.booleans(),
        is_routed=st.booleans(),
        prevention=st.sampled_from(PreventionMode),
        cancels=st.booleans(),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(ACTIONS, st.booleans())
def test_nothing_is_ever_made_or_lost(actions: list[Action], is_group: bool) -> None:
    exchange = make_exchange()
    for name in TRADERS:
        exchange.accounts[name].trade_group = 1 if is_group else None
    for now, action in enumerate(actions):
        act(exchange, action, now)
        check(exchange)
    for order in exchange.registry.orders():
        fills = exchange.registry.fills_of(order)
        assert order.filled_quantity == sum((fill.quantity for fill in fills), D(0))
        assert order.filled_quote == sum((fill.quote for fill in fills), D(0))
    allocations = [fill for fill in exchange.registry.fills() if fill.allocation_id is not None]
    for symbol in SYMBOLS:
        assert ids_of(allocations, symbol) == list(range(len(ids_of(allocations, symbol))))
    assert all(fill.trade_id == -1 and not fill.is_maker for fill in allocations)


def ids_of(fills: list[Fill], symbol: str) -> list[int | None]:
    return [fill.allocation_id for fill in fills if fill.symbol == symbol]


def act(exchange: Exchange, action: Action, now: int) -> None:
    still_open = exchange.registry.open_orders(action.account)
    if action.cancels and still_open:
        exchange.cancel(still_open[action.size % len(still_open)], now)
        return
    order = NewOrder(
        f"BTC{action.quote}",
        action.side,
        OrderType.MARKET if action.is_market else OrderType.LIMIT,
        str(now),
        TimeInForce.GTC if action.is_market else action.tif,
        D(action.size) * D("0.00321"),
        None if action.is_market else D(action.ticks) * D("10.01"),
        prevention=action.prevention,
        is_routed=action.is_routed,
    )
    best = [
        level[0]
        for market in exchange.router.places(exchange.market(order.symbol))
        if (level := market.book.best(order.side.opposite)) is not None
    ]
    made = exchange.place(action.account, order, now)
    given = exchange.registry.fills_of(made)
    if action.is_routed and given and action.prevention is PreventionMode.NONE:
        # Nobody has to take a worse price than the best one of all books.
        assert given[0].price == (min(best) if action.side is BUY else max(best))
        assert given == sorted(given, key=lambda fill: fill.price if action.side is BUY else -fill.price)
