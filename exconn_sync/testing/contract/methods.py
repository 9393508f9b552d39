"""Which methods of a connector stand on which part of a driver: what ``capabilities`` is compared with."""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.model.enums import Channel

OF_CALLS: Mapping[str, tuple[str, ...]] = {
    "fetch_order_book": ("fetch_order_book",),
    "fetch_trades": ("fetch_trades",),
    "fetch_aggregate_trades": ("fetch_aggregate_trades",),
    "fetch_klines": ("fetch_klines",),
    "fetch_tickers": ("fetch_ticker", "fetch_tickers"),
    "fetch_book_tickers": ("fetch_book_ticker", "fetch_book_tickers"),
    "fetch_average_price": ("fetch_average_price",),
    "fetch_balances": ("fetch_balances",),
    "fetch_order": ("fetch_order",),
    "fetch_open_orders": ("fetch_open_orders",),
    "fetch_fills": ("fetch_fills",),
    "fetch_order_history": ("fetch_order_history",),
    "place_order": ("place_order", "submit_order", "place_orders"),
    "cancel_order": ("cancel_order", "submit_cancel", "cancel_orders"),
    "cancel_all": ("cancel_all", "submit_cancel_all"),
    "replace_order": ("replace_order", "submit_replace"),
    "amend_order": ("amend_order", "submit_amend", "amend_orders"),
    "place_list": ("place_order_list", "submit_order_list"),
    "fetch_open_lists": ("fetch_open_order_lists",),
    "test_order": ("test_order",),
    "fetch_allocations": ("fetch_allocations",),
    "fetch_amendments": ("fetch_amendments",),
    "fetch_prevented_matches": ("fetch_prevented_matches",),
    "fetch_commission": ("fetch_commission",),
    "fetch_order_counts": ("fetch_order_counts",),
    "fetch_account": ("fetch_account",),
    "fetch_key": ("fetch_key",),
    "set_cancel_on_disconnect": ("set_cancel_on_disconnect",),
    "fetch_cancel_on_disconnect": ("fetch_cancel_on_disconnect",),
}
"""By the driver's method: what does not work where it refuses."""

OF_CHANNELS: Mapping[Channel, tuple[str, ...]] = {
    Channel.TRADE: ("on_trade", "stream_trades"),
    Channel.BOOK_TICKER: ("on_book_ticker", "stream_book_ticker"),
    Channel.ORDER_BOOK: ("on_order_book", "stream_order_book"),
    Channel.AGGREGATE_TRADE: ("on_aggregate_trade", "stream_aggregate_trades"),
    Channel.KLINE: ("on_kline", "stream_klines"),
    Channel.TICKER: ("on_ticker", "stream_ticker"),
    Channel.MINI_TICKER: ("on_mini_ticker", "stream_mini_ticker"),
    Channel.AVERAGE_PRICE: ("on_average_price", "stream_average_price"),
    Channel.PARTIAL_BOOK: ("on_partial_book", "stream_partial_book"),
}
"""By the channel: what does not work where it cannot be subscribed."""

BESIDE = frozenset({"cancel_order_list"})
"""Further methods that may be said to be missing, because others are."""

ALL = frozenset(name for names in (*OF_CALLS.values(), *OF_CHANNELS.values()) for name in names) | BESIDE
