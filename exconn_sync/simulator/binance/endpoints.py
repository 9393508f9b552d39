"""The calls of the exchange: where they are, who may make them, what they cost."""

from collections.abc import Callable

from exconn_sync.simulator.binance import (
    account_data,
    amendments,
    commission_info,
    execution_rules,
    history,
    klines,
    list_data,
    list_trading,
    market_data,
    prevention_data,
    replacing,
    routed_orders,
    tickers,
    trading,
)
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.security import Security
from exconn_sync.simulator.binance.venue import Endpoint, Handler


def _costs(weight: int) -> Callable[[Params], int]:
    return lambda _: weight


def _public(handler: Handler, weight: int) -> Endpoint:
    return Endpoint(handler, _costs(weight))


def _signed(handler: Handler, weight: int) -> Endpoint:
    return Endpoint(handler, _costs(weight), Security.SIGNED)


def _command(handler: Handler) -> Endpoint:
    return Endpoint(handler, _costs(1), Security.TRADE, free_on_success=True)


_PING = _public(market_data.ping, 1)
_TIME = _public(market_data.server_time, 1)
_INFO = _public(market_data.info, 20)
_WS_INFO = _public(market_data.ws_info, 20)
_DEPTH = Endpoint(market_data.depth, market_data.depth_weight)
_TRADES = _public(market_data.trades, 25)
_PRICE = Endpoint(market_data.price_ticker, market_data.ticker_weight)
_BOOK_TICKER = Endpoint(market_data.book_ticker, market_data.ticker_weight)
_KLINES = _public(klines.klines, 2)
_DAY = Endpoint(tickers.day_ticker, tickers.day_ticker_weight)
_TRADING_DAY = Endpoint(tickers.trading_day_ticker, tickers.window_ticker_weight)
_WINDOW = Endpoint(tickers.window_ticker, tickers.window_ticker_weight)
_OLD_TRADES = _public(history.historical_trades, 25)
_BLOCK_TRADES = _public(history.block_trades, 25)
_AGGREGATES = _public(history.aggregate_trades, 4)
_AVERAGE = _public(history.average_price, 2)
_RULES = Endpoint(execution_rules.execution_rules, execution_rules.execution_rules_weight)
_REFERENCE = _public(execution_rules.reference_price, 2)
_CALCULATION = _public(execution_rules.reference_calculation, 2)
_PLACE = _command(trading.place)
_PLACE_TEST = Endpoint(trading.place_test, trading.place_test_weight, Security.TRADE)
_ROUTE = _command(routed_orders.place)
_WS_ROUTE = _command(routed_orders.ws_place)
_ROUTE_TEST = Endpoint(routed_orders.place_test, trading.place_test_weight, Security.TRADE)
_ALLOCATIONS = _signed(routed_orders.my_allocations, 20)
_CANCEL = _command(trading.cancel)
_CANCEL_REPLACE = _command(replacing.cancel_replace)
_AMEND = Endpoint(amendments.amend, _costs(4), Security.TRADE)
_AMENDMENTS = _signed(amendments.amendments, 4)
_CANCEL_ALL = _command(trading.cancel_all)
_ACCOUNT = _signed(account_data.account, 20)
_ORDER = _signed(account_data.order_status, 4)
_OPEN_ORDERS = Endpoint(account_data.open_orders, account_data.open_orders_weight, Security.SIGNED)
_ALL_ORDERS = _signed(account_data.all_orders, 20)
_PLACE_OCO = _command(list_trading.place_oco)
_PLACE_OLD_OCO = _command(list_trading.place_old_oco)
_PLACE_OTO = _command(list_trading.place_oto)
_PLACE_OTOCO = _command(list_trading.place_otoco)
_PLACE_OPO = _command(list_trading.place_opo)
_PLACE_OPOCO = _command(list_trading.place_opoco)
_CANCEL_LIST = _command(list_trading.cancel_list)
_LIST = _signed(list_data.order_list, 4)
_WS_LIST = _signed(list_data.ws_order_list, 4)
_OPEN_LISTS = _signed(list_data.open_order_lists, 6)
_ALL_LISTS = _signed(list_data.all_order_lists, 20)
_MY_TRADES = Endpoint(account_data.my_trades, account_data.my_trades_weight, Security.SIGNED)
_PREVENTED = Endpoint(
    prevention_data.my_prevented_matches, prevention_data.my_prevented_matches_weight, Security.SIGNED
)
_COMMISSION = _signed(commission_info.account_commission, 20)
_MY_FILTERS = _signed(account_data.my_filters, 40)
_ORDER_LIMITS = _signed(account_data.order_limits, 40)

REST: dict[tuple[str, str], Endpoint] = {
    ("GET", "/api/v3/ping"): _PING,
    ("GET", "/api/v3/time"): _TIME,
    ("GET", "/api/v3/exchangeInfo"): _INFO,
    ("GET", "/api/v3/depth"): _DEPTH,
    ("GET", "/api/v3/trades"): _TRADES,
    ("GET", "/api/v3/klines"): _KLINES,
    ("GET", "/api/v3/uiKlines"): _KLINES,
    ("GET", "/api/v3/executionRules"): _RULES,
    ("GET", "/api/v3/historicalTrades"): _OLD_TRADES,
    ("GET", "/api/v3/historicalBlockTrades"): _BLOCK_TRADES,
    ("GET", "/api/v3/aggTrades"): _AGGREGATES,
    ("GET", "/api/v3/avgPrice"): _AVERAGE,
    ("GET", "/api/v3/referencePrice"): _REFERENCE,
    ("GET", "/api/v3/referencePrice/calculation"): _CALCULATION,
    ("GET", "/api/v3/ticker"): _WINDOW,
    ("GET", "/api/v3/ticker/tradingDay"): _TRADING_DAY,
    ("GET", "/api/v3/ticker/24hr"): _DAY,
    ("GET", "/api/v3/ticker/price"): _PRICE,
    ("GET", "/api/v3/ticker/bookTicker"): _BOOK_TICKER,
    ("POST", "/api/v3/order"): _PLACE,
    ("POST", "/api/v3/order/test"): _PLACE_TEST,
    ("POST", "/api/v3/sor/order"): _ROUTE,
    ("POST", "/api/v3/sor/order/test"): _ROUTE_TEST,
    ("GET", "/api/v3/myAllocations"): _ALLOCATIONS,
    ("GET", "/api/v3/order"): _ORDER,
    ("DELETE", "/api/v3/order"): _CANCEL,
    ("POST", "/api/v3/order/cancelReplace"): _CANCEL_REPLACE,
    ("PUT", "/api/v3/order/amend/keepPriority"): _AMEND,
    ("GET", "/api/v3/order/amendments"): _AMENDMENTS,
    ("GET", "/api/v3/openOrders"): _OPEN_ORDERS,
    ("DELETE", "/api/v3/openOrders"): _CANCEL_ALL,
    ("GET", "/api/v3/allOrders"): _ALL_ORDERS,
    ("POST", "/api/v3/order/oco"): _PLACE_OLD_OCO,
    ("POST", "/api/v3/orderList/oco"): _PLACE_OCO,
    ("POST", "/api/v3/orderList/oto"): _PLACE_OTO,
    ("POST", "/api/v3/orderList/otoco"): _PLACE_OTOCO,
    ("POST", "/api/v3/orderList/opo"): _PLACE_OPO,
    ("POST", "/api/v3/orderList/opoco"): _PLACE_OPOCO,
    ("DELETE", "/api/v3/orderList"): _CANCEL_LIST,
    ("GET", "/api/v3/orderList"): _LIST,
    ("GET", "/api/v3/openOrderList"): _OPEN_LISTS,
    ("GET", "/api/v3/allOrderList"): _ALL_LISTS,
    ("GET", "/api/v3/myTrades"): _MY_TRADES,
    ("GET", "/api/v3/myPreventedMatches"): _PREVENTED,
    ("GET", "/api/v3/account"): _ACCOUNT,
    ("GET", "/api/v3/account/commission"): _COMMISSION,
    ("GET", "/api/v3/myFilters"): _MY_FILTERS,
    ("GET", "/api/v3/rateLimit/order"): _ORDER_LIMITS,
}

WS_API: dict[str, Endpoint] = {
    "ping": _PING,
    "time": _TIME,
    "exchangeInfo": _WS_INFO,
    "executionRules": _RULES,
    "depth": _DEPTH,
    "trades.recent": _TRADES,
    "klines": _KLINES,
    "uiKlines": _KLINES,
    "trades.historical": _OLD_TRADES,
    "blockTrades.historical": _BLOCK_TRADES,
    "trades.aggregate": _AGGREGATES,
    "avgPrice": _AVERAGE,
    "referencePrice": _REFERENCE,
    "referencePrice.calculation": _CALCULATION,
    "ticker": _WINDOW,
    "ticker.tradingDay": _TRADING_DAY,
    "ticker.24hr": _DAY,
    "ticker.price": _PRICE,
    "ticker.book": _BOOK_TICKER,
    "order.place": _PLACE,
    "order.test": _PLACE_TEST,
    "sor.order.place": _WS_ROUTE,
    "sor.order.test": _ROUTE_TEST,
    "myAllocations": _ALLOCATIONS,
    "order.status": _ORDER,
    "order.cancel": _CANCEL,
    "order.cancelReplace": _CANCEL_REPLACE,
    "order.amend.keepPriority": _AMEND,
    "order.amendments": _AMENDMENTS,
    "openOrders.status": _OPEN_ORDERS,
    "openOrders.cancelAll": _CANCEL_ALL,
    "allOrders": _ALL_ORDERS,
    "orderList.place": _PLACE_OLD_OCO,
    "orderList.place.oco": _PLACE_OCO,
    "orderList.place.oto": _PLACE_OTO,
    "orderList.place.otoco": _PLACE_OTOCO,
    "orderList.place.opo": _PLACE_OPO,
    "orderList.place.opoco": _PLACE_OPOCO,
    "orderList.cancel": _CANCEL_LIST,
    "orderList.status": _WS_LIST,
    "openOrderLists.status": _OPEN_LISTS,
    "allOrderLists": _ALL_LISTS,
    "myTrades": _MY_TRADES,
    "myPreventedMatches": _PREVENTED,
    "account.status": _ACCOUNT,
    "account.commission": _COMMISSION,
    "myFilters": _MY_FILTERS,
    "account.rateLimits.orders": _ORDER_LIMITS,
}
