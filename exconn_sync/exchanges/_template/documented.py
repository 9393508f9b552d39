"""Payloads as the exchange's pages show them: what the contract suite is run with.

Copy the examples of the pages, whole, and change their symbols and ids so that all are about ``SYMBOL`` and one order.
Where the pages and the exchange differ, a recorded payload is better than a documented one.
"""

from __future__ import annotations

from exconn_sync.errors import (
    AuthenticationError,
    DuplicateOrder,
    FilterViolation,
    InsufficientBalance,
    MarketClosed,
    OrderNotFound,
    PermissionDenied,
    RateLimitError,
)

SYMBOL, CLIENT_ORDER_ID, EXCHANGE_ORDER_ID = "BTC-USDT", "my-order-1", "8812"

_TIME = b'{"time_ms":1800000000000}'
_ORDER = (
    b'{"id":"8812","client_id":"my-order-1","symbol":"BTC_USDT","side":"buy","kind":"limit","rule":"until_cancelled",'
    b'"price":"60005.00","quantity":"0.50000","filled":"0.20000","spent":"12001.00","state":"partly_filled",'
    b'"reason":"","time_ms":1800000000100,"created_ms":1800000000000}'
)
_FILL = (
    b'{"id":"4711","order_id":"8812","client_id":"my-order-1","symbol":"BTC_USDT","side":"buy","price":"60005.00",'
    b'"quantity":"0.20000","fee":"0.00020","fee_asset":"BTC","maker":true,"time_ms":1800000000100}'
)
_BALANCES = b'[{"asset":"BTC","free":"1.2","locked":"0"},{"asset":"USDT","free":"969997.5","locked":"18001.5"}]'
_TRADE = b'{"id":"4711","price":"60005.00","quantity":"0.20000","taker":"sell","time_ms":1800000000100}'
_BEST = (
    b'{"symbol":"BTC_USDT","number":77,"time_ms":1800000000100,"bid":["60000.00","1.00000"],'
    b'"ask":["60010.00","1.00000"]}'
)
_LEVELS = b'"bids":[["60000.00","1.00000"]],"asks":[["60010.00","1.00000"],["60011.00","0.50000"]]'

ANSWERS = {
    "ping": _TIME,
    "server_time": _TIME,
    "fetch_instruments": (
        b'{"symbols":[{"symbol":"BTC_USDT","base":"BTC","quote":"USDT","state":"open","price_step":"0.01",'
        b'"quantity_step":"0.00001","least_quantity":"0.00001","least_worth":"5"}]}'
    ),
    "fetch_order_book": b'{"number":77,"time_ms":1800000000100,' + _LEVELS + b"}",
    "fetch_trades": b'{"trades":[' + _TRADE + b"]}",
    "fetch_book_tickers": b'{"best":[' + _BEST + b"]}",
    "fetch_balances": b'{"time_ms":1800000000100,"balances":' + _BALANCES + b"}",
    "fetch_order": _ORDER,
    "fetch_open_orders": b'{"orders":[' + _ORDER + b"]}",
    "fetch_order_history": b'{"orders":[' + _ORDER + b"]}",
    "fetch_fills": b'{"fills":[' + _FILL + b"]}",
    "fetch_fill_history": b'{"fills":[' + _FILL + b"]}",
    "place_order": _ORDER,
    "cancel_order": _ORDER.replace(b"partly_filled", b"cancelled"),
    "cancel_all": b'{"orders":[' + _ORDER.replace(b"partly_filled", b"cancelled") + b"]}",
}

FRAMES = {
    "trade": [b'{"name":"trades.BTC_USDT","data":[' + _TRADE + b"]}"],
    "bookticker": [b'{"name":"best.BTC_USDT","data":' + _BEST + b"}"],
    "orderbook": [
        b'{"name":"book.BTC_USDT","data":{"whole":true,"number":77,"time_ms":1800000000100,' + _LEVELS + b"}}",
        b'{"name":"book.BTC_USDT","data":{"whole":false,"number":78,"time_ms":1800000000200,"bids":[],'
        b'"asks":[["60010.00","0"]]}}',
    ],
}

CONTROL_FRAMES = [
    b'{"id":1,"done":true}',
    b'{"id":2,"done":false,"error":{"code":"BAD_REQUEST","text":"no such name: trades.BTC_USD"}}',
    b'{"notice":"closing"}',
]

ACCOUNT_FRAMES = [
    b'{"id":1,"done":true}',
    b'{"id":1,"done":false,"error":{"code":"BAD_KEY","text":"unknown key"}}',
    b'{"name":"orders","data":[' + _ORDER + b"]}",
    b'{"name":"fills","data":[' + _FILL + b"]}",
    b'{"name":"balances","time_ms":1800000000100,"data":' + _BALANCES + b"}",
    b'{"notice":"closing"}',
]


def _error(code: str, text: str = "as the pages say") -> bytes:
    return f'{{"error":{{"code":"{code}","text":"{text}"}}}}'.encode()


REFUSALS = [
    (401, _error("BAD_KEY"), AuthenticationError),
    (403, _error("NOT_ALLOWED"), PermissionDenied),
    (429, _error("TOO_MANY"), RateLimitError),
    (400, _error("NO_FUNDS"), InsufficientBalance),
    (400, _error("BAD_STEP"), FilterViolation),
    (409, _error("DUPLICATE_ID"), DuplicateOrder),
    (404, _error("NO_SUCH_ORDER"), OrderNotFound),
    (400, _error("MARKET_CLOSED"), MarketClosed),
]
"""Status, body, and the error that it becomes."""

UNKNOWN_REFUSAL = _error("SOMETHING_NEW")
