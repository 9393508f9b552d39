"""What Bybit spot offers and lacks, by the methods of a connector (Bybit: 1.3, 4, 6)."""

from __future__ import annotations

from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.encode_market import MOST_TRADES
from exconn_sync.exchanges.bybit.streams import CHANNELS, variants_of
from exconn_sync.model.capabilities import Capabilities

_NO_AGGREGATES = "there are no aggregate trades; trades have one price each"
_NO_AVERAGE = "there is no average price"
_NO_MINI = "there is one ticker only"
_NO_PARTIAL = "books come as a snapshot and changes: use the order book with a depth"
_NO_LISTS = "orders that depend on each other cannot be placed over the API"
_NO_REPLACE = "a cancel and a new order are two commands"

_MISSING = {
    "fetch_aggregate_trades": _NO_AGGREGATES,
    "on_aggregate_trade": _NO_AGGREGATES,
    "stream_aggregate_trades": _NO_AGGREGATES,
    "fetch_average_price": _NO_AVERAGE,
    "on_average_price": _NO_AVERAGE,
    "stream_average_price": _NO_AVERAGE,
    "on_mini_ticker": _NO_MINI,
    "stream_mini_ticker": _NO_MINI,
    "on_partial_book": _NO_PARTIAL,
    "stream_partial_book": _NO_PARTIAL,
    "place_order_list": _NO_LISTS,
    "submit_order_list": _NO_LISTS,
    "fetch_open_order_lists": _NO_LISTS,
    "replace_order": _NO_REPLACE,
    "submit_replace": _NO_REPLACE,
    "test_order": "an order cannot be checked without placing it",
    "fetch_allocations": "orders are routed nowhere",
    "fetch_amendments": "past quantities are not told",
    "fetch_prevented_matches": "prevented trades are told by the end of the order only",
    "fetch_order_counts": "limits on the number of orders a day are not published",
}
_LIMITED = {
    "fetch_trades": f"the newest {MOST_TRADES} only, and none from an id on",
    "fetch_ticker": "the last 24 hours only",
    "fetch_tickers": "the last 24 hours only",
    "fetch_klines": "no candles of a second, of 8 hours or of 3 days",
    "fetch_order_book": "1,000 levels at most",
    "on_ticker": "the last 24 hours only, without best prices",
    "stream_ticker": "the last 24 hours only, without best prices",
}
_NO_GUARD = "the demo environment does not look after orders"
_DEMO_MISSING = {
    "fetch_commission": "the demo environment does not tell fees",
    "fetch_key": "the demo environment does not tell what a key may do",
    "set_cancel_on_disconnect": _NO_GUARD,
    "fetch_cancel_on_disconnect": _NO_GUARD,
}


def capabilities(environment: str) -> Capabilities:
    """Return what an environment offers."""
    return Capabilities(
        exchange=urls.EXCHANGE,
        environment=environment,
        streams={channel.value: variants_of(channel) for channel in sorted(CHANNELS)},
        missing=_MISSING | _DEMO_MISSING if environment == urls.DEMO else _MISSING,
        limited=_LIMITED,
        key_types=("hmac", "rsa"),
    )
