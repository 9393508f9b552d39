"""Where Binance spot answers, and under which paths (Binance: 1, 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from exconn_sync.errors import ValidationError

EXCHANGE = "binance"

REST = "rest"
STREAM = "stream"
WS_API = "ws_api"

PING = "/api/v3/ping"
TIME = "/api/v3/time"
EXCHANGE_INFO = "/api/v3/exchangeInfo"
EXECUTION_RULES = "/api/v3/executionRules"
DEPTH = "/api/v3/depth"
TRADES = "/api/v3/trades"
HISTORICAL_TRADES = "/api/v3/historicalTrades"
AGGREGATE_TRADES = "/api/v3/aggTrades"
KLINES = "/api/v3/klines"
AVERAGE_PRICE = "/api/v3/avgPrice"
DAY_TICKER = "/api/v3/ticker/24hr"
TRADING_DAY_TICKER = "/api/v3/ticker/tradingDay"
WINDOW_TICKER = "/api/v3/ticker"
PRICE_TICKER = "/api/v3/ticker/price"
BOOK_TICKER = "/api/v3/ticker/bookTicker"
ACCOUNT = "/api/v3/account"
ORDER = "/api/v3/order"
OPEN_ORDERS = "/api/v3/openOrders"
MY_TRADES = "/api/v3/myTrades"
ORDER_TEST = "/api/v3/order/test"
CANCEL_REPLACE = "/api/v3/order/cancelReplace"
AMEND = "/api/v3/order/amend/keepPriority"
AMENDMENTS = "/api/v3/order/amendments"
SOR_ORDER = "/api/v3/sor/order"
SOR_ORDER_TEST = "/api/v3/sor/order/test"
ALL_ORDERS = "/api/v3/allOrders"
ORDER_LIST = "/api/v3/orderList"
OPEN_ORDER_LISTS = "/api/v3/openOrderList"
ORDER_COUNTS = "/api/v3/rateLimit/order"
COMMISSION = "/api/v3/account/commission"
PREVENTED_MATCHES = "/api/v3/myPreventedMatches"
ALLOCATIONS = "/api/v3/myAllocations"

MARKET_DATA = "market_data"

_NONE: Mapping[str, str] = MappingProxyType({})

_ENVIRONMENTS: Mapping[str, Mapping[str, str]] = {
    "production": MappingProxyType(
        {
            REST: "https://api.binance.com",
            STREAM: "wss://stream.binance.com:9443",
            WS_API: "wss://ws-api.binance.com:443/ws-api/v3",
        }
    ),
    "testnet": MappingProxyType(
        {
            REST: "https://testnet.binance.vision",
            STREAM: "wss://stream.testnet.binance.vision",
            WS_API: "wss://ws-api.testnet.binance.vision/ws-api/v3",
        }
    ),
    "demo": MappingProxyType(
        {
            REST: "https://demo-api.binance.com",
            STREAM: "wss://demo-stream.binance.com",
            WS_API: "wss://demo-ws-api.binance.com/ws-api/v3",
        }
    ),
    MARKET_DATA: MappingProxyType(
        {REST: "https://data-api.binance.vision", STREAM: "wss://data-stream.binance.vision"}
    ),
}

ENVIRONMENTS = tuple(_ENVIRONMENTS)
"""Names of the environments (Binance: 1)."""

_ADDED: Mapping[str, tuple[str, ...]] = {REST: ("/api/v3", "/api")}
"""Ends of URLs as Binance prints them, which are added to the base URL here."""

_RAW, _COMBINED = "/ws", "/stream"

_MICROSECONDS = "?timeUnit=MICROSECOND"

_PUBLIC_PATHS = frozenset(
    {
        PING, TIME, EXCHANGE_INFO, DEPTH, TRADES, AGGREGATE_TRADES, KLINES, "/api/v3/uiKlines", AVERAGE_PRICE,
        DAY_TICKER, WINDOW_TICKER, PRICE_TICKER, BOOK_TICKER,
    }
)  # fmt: skip
"""What the hosts for market data alone answer (Binance: 12)."""


def base_urls(environment: str) -> Mapping[str, str]:
    """Return the base URLs of an environment by name; empty for an unknown one."""
    return _ENVIRONMENTS.get(environment, _NONE)


def check_base_url(name: str, url: str) -> None:
    """Refuse a URL with an end that is added to it, and one of streams that ends with both forms of a connection.

    Raises:
        ValidationError: names the right form by the environment's own, and not by the URL, which may be hidden.
    """
    path = urlsplit(url).path
    if name == STREAM and path.endswith((_RAW + _COMBINED, _COMBINED + _RAW)):
        # Such a connection is opened and stays empty.
        raise ValidationError(name, url, f"must end with {_RAW}, with {_COMBINED} or with neither", exchange=EXCHANGE)
    for end in _ADDED.get(name, ()):
        if path.endswith(end):
            example = _ENVIRONMENTS["testnet"][name]
            raise ValidationError(name, url, f"must be given without {end}, as {example}", exchange=EXCHANGE)


def public_paths(environment: str) -> frozenset[str] | None:
    """Return the only REST paths of an environment without keys, None for a whole exchange."""
    return _PUBLIC_PATHS if environment == MARKET_DATA else None


def account_url(endpoints: Mapping[str, str], *, microseconds: bool) -> str:
    """Return the URL of a connection to the WebSocket API (Binance: 11)."""
    return endpoints[WS_API] + (_MICROSECONDS if microseconds else "")


def combined_stream_url(endpoints: Mapping[str, str], *, microseconds: bool) -> str:
    """Return the URL of a stream connection whose frames name their stream (Binance: 8.1)."""
    return endpoints[STREAM].removesuffix(_COMBINED) + _COMBINED + (_MICROSECONDS if microseconds else "")


def has_raw_streams(endpoints: Mapping[str, str]) -> bool:
    """Return whether the user wants a raw stream connection: the form of the URL says so (Binance: 8.1)."""
    return urlsplit(endpoints.get(STREAM, "")).path.endswith(_RAW)


def raw_stream_url(endpoints: Mapping[str, str], *, microseconds: bool) -> str:
    """Return the URL of a stream connection whose frames are the bare events (Binance: 8.1)."""
    return endpoints[STREAM] + (_MICROSECONDS if microseconds else "")
