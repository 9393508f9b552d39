"""A venue without a wire for the tests of the core, and what must be true of it after every command."""

from collections import defaultdict
from decimal import Decimal

from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.order_lists import STOP_LOSSES, Legs
from exconn_sync.simulator.core.orders import ExpiryReason, NewOrder, OrderType, Side, SimOrder, TimeInForce

D = Decimal
SYMBOL = "BTCUSDT"
TRADERS = ("maker", "taker")
FUNDS = {"BTC": D(10), "USDT": D(1_000_000)}


def make_exchange() -> Exchange:
    """Two accounts with money and an empty book; the last price is 60000."""
    made = Exchange()
    for name in TRADERS:
        made.add_account(name)
        for asset, amount in FUNDS.items():
            made.deposit(name, asset, amount, 0)
    return made


def limit(side: Side, quantity: str, price: str, client_id: str = "", tif: TimeInForce = TimeInForce.GTC) -> NewOrder:
    return NewOrder(SYMBOL, side, OrderType.LIMIT, client_id, tif, D(quantity), D(price))


def market(side: Side, quantity: str) -> NewOrder:
    return NewOrder(SYMBOL, side, OrderType.MARKET, "", quantity=D(quantity))


def stop(
    kind: OrderType,
    side: Side,
    quantity: str,
    stop_price: str | None,
    price: str | None = None,
    delta: int | None = None,
) -> NewOrder:
    return NewOrder(
        SYMBOL,
        side,
        kind,
        f"{kind.value}-{side.value}-{stop_price}-{delta}",
        quantity=D(quantity),
        price=None if price is None else D(price),
        stop_price=None if stop_price is None else D(stop_price),
        trailing_delta=delta,
    )


def trade_at(exchange: Exchange, price: str, now: int = 1, quantity: str = "0.001") -> None:
    """Let two orders meet at a price where nobody else stands."""
    exchange.place("maker", limit(Side.SELL, quantity, price, f"sell-{now}-{price}"), now)
    exchange.place("taker", limit(Side.BUY, quantity, price, f"buy-{now}-{price}"), now)
    # What it fires may have traded since, elsewhere.
    assert D(price) in [trade.price for trade in exchange.markets[SYMBOL].trades if trade.time == now]


def current(exchange: Exchange, order: SimOrder) -> SimOrder:
    """An order as it stands now."""
    found = exchange.registry.get(order.symbol, order.order_id)
    assert found is not None
    return found


def check_invariants(exchange: Exchange) -> None:
    """Money is kept, locks are what open orders need, the book shows what is open and is not crossed."""
    check_lists(exchange)
    for asset, amount in FUNDS.items():
        assert exchange.total(asset) == amount * len(TRADERS)
    market_ = exchange.markets[SYMBOL]
    least: defaultdict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
    most: defaultdict[tuple[Side, Decimal], Decimal] = defaultdict(Decimal)
    for name in TRADERS:
        locked: defaultdict[str, Decimal] = defaultdict(Decimal)
        for order in exchange.registry.orders(name):
            locked["BTC"] += order.received
            assert order.received == 0 or order.is_open
        for order in exchange.registry.open_orders(name):
            locked["USDT" if order.side is Side.BUY else "BTC"] += order.locked
            assert order.locked == needed(exchange, order)
            if order.order_id not in market_.triggers and not order.is_pending:
                assert order.working_at is not None
                place = (order.side, order.resting_price)
                # How much of its part an iceberg order shows depends on what has been taken of it.
                least[place] += min(order.remaining, market_.spec.step) if order.iceberg_quantity else order.remaining
                most[place] += min(order.remaining, order.iceberg_quantity or order.remaining)
        for asset in FUNDS:
            balance = exchange.accounts[name].balance(asset)
            assert balance.locked == locked[asset]
            assert balance.free >= 0
    for side in Side:
        levels = dict(market_.book.levels(side))
        assert levels.keys() == {price for (s, price) in most if s is side}
        for price, total in levels.items():
            assert least[side, price] <= total <= most[side, price]
        left = (
            order.remaining
            for name in TRADERS
            for order in exchange.registry.open_orders(name, SYMBOL)
            if order.side is side and order.order_id not in market_.triggers and not order.is_pending
        )
        assert market_.book.total(side) == sum(left, D(0))
    bid, ask = (market_.book.best(side) for side in Side)
    assert bid is None or ask is None or bid[0] < ask[0]


def needed(exchange: Exchange, order: SimOrder) -> Decimal:
    """What an open order has to have set aside; a waiting order without a limit keeps its estimate."""
    if order.is_pending or (order.working_at is None and not order.holds_funds):
        return D(0)
    other = partner_of(exchange, order)
    is_stop_of_pair = other is not None and other.is_open and order.type in STOP_LOSSES and order.working_at is None
    alone = order.remaining if order.side is Side.SELL else order.limit and order.limit * order.remaining
    if alone is None:
        return order.locked
    if is_stop_of_pair:
        assert other is not None
        return max(D(0), alone - other.locked)
    return alone


def partner_of(exchange: Exchange, order: SimOrder) -> SimOrder | None:
    """The other order of a pair."""
    order_list = None if order.list_id is None else exchange.lists.get(order.list_id)
    return None if order_list is None else Legs.of(order_list.kind, exchange.orders_of(order_list)).partner(order)


def check_lists(exchange: Exchange) -> None:
    """No order outlives its list, none waits for an order that is over, and of a pair only one ever begins."""
    for name in TRADERS:
        for order_list in exchange.lists.lists(name):
            orders = exchange.orders_of(order_list)
            assert any(order.is_open for order in orders) is not order_list.is_done
            legs = Legs.of(order_list.kind, orders)
            waits = [order for order in legs.dependent if order.is_pending]
            assert not waits or (legs.working is not None and legs.working.is_open)
            # What loses to its partner has done nothing yet.
            losers = [order for order in orders if order.expiry_reason is ExpiryReason.OTHER_CAME_FIRST]
            assert len(losers) <= 1
            assert all(order.remaining == order.quantity for order in losers)
            if legs.pair is not None:
                both_open = all(order.is_open for order in legs.pair)
                assert both_open or sum(order.is_open or order.remaining < order.quantity for order in legs.pair) <= 1
                assert not both_open or all(order.remaining == order.quantity for order in legs.pair)
