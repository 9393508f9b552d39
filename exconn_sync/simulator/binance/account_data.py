"""An account looks at itself: handlers of the private queries."""

from exconn_sync.simulator.binance import errors, order_reports
from exconn_sync.simulator.binance.commission_info import all_rates
from exconn_sync.simulator.binance.filter_info import exchange_filters, symbol_filters
from exconn_sync.simulator.binance.limits import window_of
from exconn_sync.simulator.binance.market_data import MAX_ROWS, known_market, required_market
from exconn_sync.simulator.binance.paging import between, page_of, time_range
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.symbol_info import rate_limit
from exconn_sync.simulator.binance.trading import find_order
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number

_BASIS_POINTS = 10_000
_ARCHIVED_AFTER_MS = 90 * 24 * 60 * 60 * 1000
"""Orders that ended without a fill are archived then (Binance: 5.6)."""


def account(call: Call) -> object:
    """Balances and rates."""
    omit_zero = call.params.flag("omitZeroBalances", default=False)
    call.params.finish()
    rates = call.venue.exchange.fees.rates
    balances = call.venue.exchange.accounts[call.account].balances()
    return {
        "makerCommission": int(rates.maker * _BASIS_POINTS),
        "takerCommission": int(rates.taker * _BASIS_POINTS),
        "buyerCommission": int(rates.buyer * _BASIS_POINTS),
        "sellerCommission": int(rates.seller * _BASIS_POINTS),
        "commissionRates": all_rates(rates),
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.time(call.now),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": number(balance.free), "locked": number(balance.locked)}
            for asset, balance in balances.items()
            if balance.total or not omit_zero
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def order_status(call: Call) -> object:
    """GET order."""
    market = required_market(call)
    order = find_order(call, market.spec.name, registry=call.venue.exchange.reads.registry)
    call.params.finish()
    if order is None:
        raise errors.no_such_order()
    if not order.is_open and not order.filled_quantity and order.updated_at < call.now - _ARCHIVED_AFTER_MS:
        raise errors.archived()
    return order_reports.queried(order, call.unit)


def open_orders(call: Call) -> object:
    """GET openOrders."""
    symbol = call.params.optional("symbol")
    call.params.finish()
    if symbol is not None:
        known_market(call, symbol)
    orders = call.venue.exchange.reads.registry.open_orders(call.account, symbol)
    return [order_reports.queried(order, call.unit) for order in orders]


def all_orders(call: Call) -> object:
    """GET allOrders; times win over an order id."""
    symbol = required_market(call).spec.name
    order_id = call.params.integer("orderId")
    start, end = time_range(call.params)
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    orders = call.venue.exchange.reads.registry.orders(call.account, symbol)
    if start is not None or end is not None:
        orders = between(orders, lambda order: order.updated_at, start, end)
    elif order_id is not None:
        orders = [order for order in orders if order.order_id >= order_id]
    is_forward = start is not None or order_id is not None
    return [order_reports.queried(order, call.unit) for order in page_of(orders, limit, forward=is_forward)]


def my_trades(call: Call) -> object:
    """GET myTrades."""
    symbol = required_market(call).spec.name
    order_id, from_id = call.params.integer("orderId"), call.params.integer("fromId")
    start, end = time_range(call.params)
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    if (start is not None or end is not None) and (order_id is not None or from_id is not None):
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    known = call.venue.exchange.reads.registry.fills(call.account, symbol)
    fills = [fill for fill in known if fill.allocation_id is None]
    fills = between(fills, lambda fill: fill.time, start, end)
    if order_id is not None:
        fills = [fill for fill in fills if fill.order_id == order_id]
    if from_id is not None:
        fills = [fill for fill in fills if fill.trade_id >= from_id]
    is_forward = start is not None or from_id is not None
    return [order_reports.own_trade(fill, call.unit) for fill in page_of(fills, limit, forward=is_forward)]


def my_filters(call: Call) -> object:
    """GET myFilters: all that hold for a symbol, those for its assets too."""
    spec = required_market(call).spec
    call.params.finish()
    rules = call.venue.exchange.rules
    return {
        "exchangeFilters": exchange_filters(rules),
        "symbolFilters": symbol_filters(spec),
        "assetFilters": [
            {"filterType": "MAX_ASSET", "asset": asset, "limit": number(rules.asset_limits[asset])}
            for asset in (spec.base, spec.quote)
            if asset in rules.asset_limits
        ],
    }


def order_limits(call: Call) -> object:
    """GET rateLimit/order."""
    call.params.finish()
    return order_limit_rows(call)


def order_limit_rows(call: Call) -> list[dict[str, object]]:
    """The order limits with the account's counts."""
    limits = call.venue.limits
    short, long = call.venue.order_counts.counts(call.account, call.now)
    return [
        {**rate_limit("ORDERS", *window_of(limits.order_window_s), limits.orders_per_10s), "count": short},
        {**rate_limit("ORDERS", "DAY", 1, limits.orders_per_day), "count": long},
    ]


def open_orders_weight(params: Params) -> int:
    """Looking at all symbols costs more."""
    return 6 if params.peek("symbol") else 80


def my_trades_weight(params: Params) -> int:
    """Looking at one order costs less."""
    return 5 if params.peek("orderId") else 20
