"""What the exchange offers and lacks, by the methods of a connector."""

from __future__ import annotations

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.market_calls import MOST_LEVELS
from exconn_sync.exchanges._template.signing import KEY_TYPES
from exconn_sync.exchanges._template.streams import CHANNELS, variants_of
from exconn_sync.model.capabilities import Capabilities

_NO_AGGREGATES = "there are no aggregate trades"
_NO_CANDLES = "there are no candles"
_NO_TICKER = "there are no tickers"
_NO_AVERAGE = "there is no average price"
_NO_PARTIAL = "books come as a snapshot and changes"
_NO_LISTS = "orders cannot depend on each other"
_NO_REPLACE = "a cancel and a new order are two commands"
_NO_AMEND = "orders cannot be changed"
_NO_GUARD = "orders of a program that is gone are left alone"

MISSING = {
    "fetch_aggregate_trades": _NO_AGGREGATES,
    "on_aggregate_trade": _NO_AGGREGATES,
    "stream_aggregate_trades": _NO_AGGREGATES,
    "fetch_klines": _NO_CANDLES,
    "on_kline": _NO_CANDLES,
    "stream_klines": _NO_CANDLES,
    "fetch_ticker": _NO_TICKER,
    "fetch_tickers": _NO_TICKER,
    "on_ticker": _NO_TICKER,
    "stream_ticker": _NO_TICKER,
    "on_mini_ticker": _NO_TICKER,
    "stream_mini_ticker": _NO_TICKER,
    "fetch_average_price": _NO_AVERAGE,
    "on_average_price": _NO_AVERAGE,
    "stream_average_price": _NO_AVERAGE,
    "on_partial_book": _NO_PARTIAL,
    "stream_partial_book": _NO_PARTIAL,
    "place_order_list": _NO_LISTS,
    "submit_order_list": _NO_LISTS,
    "fetch_open_order_lists": _NO_LISTS,
    "replace_order": _NO_REPLACE,
    "submit_replace": _NO_REPLACE,
    "amend_order": _NO_AMEND,
    "submit_amend": _NO_AMEND,
    "amend_orders": _NO_AMEND,
    "fetch_amendments": _NO_AMEND,
    "test_order": "an order cannot be checked without placing it",
    "set_cancel_on_disconnect": _NO_GUARD,
    "fetch_cancel_on_disconnect": _NO_GUARD,
    "fetch_allocations": "orders are routed nowhere",
    "fetch_prevented_matches": "prevented trades are not told",
    "fetch_commission": "fees are not told before a trade",
    "fetch_account": "what an account may do is not told",
    "fetch_key": "what a key may do is not told",
    "fetch_order_counts": "there is no limit on the number of orders a day",
}
_LIMITED = {
    "fetch_trades": "none from an id on",
    "fetch_order_book": f"{MOST_LEVELS} levels at most",
}


def capabilities(environment: str) -> Capabilities:
    """Return what an environment offers."""
    return Capabilities(
        exchange=EXCHANGE,
        environment=environment,
        streams={channel.value: variants_of(channel) for channel in sorted(CHANNELS)},
        missing=MISSING,
        limited=_LIMITED,
        key_types=KEY_TYPES,
    )
