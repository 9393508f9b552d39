"""The calls of the exchange: where they are, who may make them, how often (Bybit: 3.2, 4)."""

from exconn_sync.simulator.bybit import (
    account_data,
    batches,
    instruments,
    market_data,
    order_queries,
    trading,
)
from exconn_sync.simulator.bybit.security import Access
from exconn_sync.simulator.bybit.venue import Endpoint, Handler


def _public(handler: Handler) -> Endpoint:
    return Endpoint(handler)


def _read(handler: Handler, per_second: int, *, in_demo: bool = True) -> Endpoint:
    return Endpoint(handler, Access.READ, per_second, in_demo=in_demo)


def _trade(handler: Handler, per_second: int, *, in_demo: bool = True) -> Endpoint:
    return Endpoint(handler, Access.TRADE, per_second, in_demo=in_demo)


def _batch(handler: Handler) -> Endpoint:
    return Endpoint(handler, Access.TRADE, batches.PER_SECOND, is_batch=True, in_demo=False)


SET_WINDOW, WINDOW_INFO = "/v5/order/disconnected-cancel-all", "/v5/account/query-dcp-info"

REST: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v5/market/time"): _public(market_data.server_time),
    ("GET", "/v5/market/instruments-info"): _public(instruments.instruments),
    ("GET", "/v5/market/orderbook"): _public(market_data.order_book),
    ("GET", "/v5/market/full_orderbook"): _public(market_data.full_order_book),
    ("GET", "/v5/market/tickers"): _public(market_data.tickers),
    ("GET", "/v5/market/recent-trade"): _public(market_data.recent_trades),
    ("GET", "/v5/market/kline"): _public(market_data.klines),
    ("GET", "/v5/market/price-limit"): _public(market_data.price_limit),
    ("POST", "/v5/order/create"): _trade(trading.create, 20),
    ("POST", "/v5/order/amend"): _trade(trading.amend, 10),
    ("POST", "/v5/order/cancel"): _trade(trading.cancel, 20),
    ("POST", "/v5/order/cancel-all"): _trade(trading.cancel_all, 20),
    ("POST", batches.CREATE_PATH): _batch(batches.create_batch),
    ("POST", batches.AMEND_PATH): _batch(batches.amend_batch),
    ("POST", batches.CANCEL_PATH): _batch(batches.cancel_batch),
    ("POST", SET_WINDOW): _trade(lambda call: call.guard.set_window(call), 5, in_demo=False),
    ("GET", WINDOW_INFO): _read(lambda call: call.guard.information(call), 5, in_demo=False),
    ("GET", "/v5/order/realtime"): _read(order_queries.realtime, 50),
    ("GET", "/v5/order/history"): _read(order_queries.history, 50),
    ("GET", "/v5/execution/list"): _read(order_queries.executions, 50),
    ("GET", "/v5/order/spot-borrow-check"): _read(account_data.borrow_check, 50, in_demo=False),
    ("GET", "/v5/account/wallet-balance"): _read(account_data.wallet_balance, 50),
    ("GET", "/v5/account/info"): _read(account_data.account_info, 50),
    ("GET", "/v5/account/user-setting-config"): _read(account_data.user_settings, 50, in_demo=False),
    ("GET", "/v5/account/fee-rate"): _read(account_data.fee_rate, 5, in_demo=False),
    ("GET", "/v5/account/smp-group"): _read(account_data.smp_group, 5, in_demo=False),
    ("GET", "/v5/account/instruments-info"): _read(instruments.account_instruments, 10, in_demo=False),
    ("GET", "/v5/user/query-api"): _read(account_data.key_information, 10, in_demo=False),
}

TRADE_OPS = {
    f"order.{name}": f"/v5/order/{name}"
    for name in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}
"""What the trade socket can do, and the path whose quota it shares."""
