"""Where Bybit answers, and under which paths (Bybit: 1, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from exconn_sync.errors import ValidationError

EXCHANGE = "bybit"
CATEGORY = "spot"

REST = "rest"
PUBLIC = "public"
PRIVATE = "private"
TRADE = "trade"

TIME = "/v5/market/time"
INSTRUMENTS = "/v5/market/instruments-info"
ORDER_BOOK = "/v5/market/orderbook"
TICKERS = "/v5/market/tickers"
RECENT_TRADES = "/v5/market/recent-trade"
KLINE = "/v5/market/kline"

CREATE = "/v5/order/create"
AMEND = "/v5/order/amend"
CANCEL = "/v5/order/cancel"
CANCEL_ALL = "/v5/order/cancel-all"
CREATE_BATCH = "/v5/order/create-batch"
AMEND_BATCH = "/v5/order/amend-batch"
CANCEL_BATCH = "/v5/order/cancel-batch"
REALTIME = "/v5/order/realtime"
HISTORY = "/v5/order/history"
EXECUTIONS = "/v5/execution/list"
BORROW_CHECK = "/v5/order/spot-borrow-check"
SET_DCP = "/v5/order/disconnected-cancel-all"
QUERY_DCP = "/v5/account/query-dcp-info"
WALLET_BALANCE = "/v5/account/wallet-balance"
ACCOUNT_INFO = "/v5/account/info"
FEE_RATE = "/v5/account/fee-rate"
WITHDRAWAL = "/v5/account/withdrawal"
SETTING_CONFIG = "/v5/account/user-setting-config"
SMP_GROUP = "/v5/account/smp-group"
ACCOUNT_INSTRUMENTS = "/v5/account/instruments-info"
TRANSACTION_LOG = "/v5/account/transaction-log"
SET_PRICE_ACTION = "/v5/account/set-limit-px-action"
DEMO_MONEY = "/v5/account/demo-apply-money"
KEY_INFO = "/v5/user/query-api"
COIN_BALANCES = "/v5/asset/transfer/query-account-coins-balance"

BATCHES = frozenset({CREATE_BATCH, AMEND_BATCH, CANCEL_BATCH})

DEMO = "demo"

_PUBLIC_PATH, _PRIVATE_PATH, _TRADE_PATH = "/v5/public/spot", "/v5/private", "/v5/trade"
_NONE: Mapping[str, str] = MappingProxyType({})


def _urls(rest: str, stream: str) -> Mapping[str, str]:
    return MappingProxyType(
        {
            REST: f"https://{rest}",
            PUBLIC: f"wss://{stream}{_PUBLIC_PATH}",
            PRIVATE: f"wss://{stream}{_PRIVATE_PATH}",
            TRADE: f"wss://{stream}{_TRADE_PATH}",
        }
    )


# Sites without a host for streams of their own use the common one (Bybit: 1.2).
_COMMON = "stream.bybit.com"
_ENVIRONMENTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "production": _urls("api.bybit.com", _COMMON),
        "testnet": _urls("api-testnet.bybit.com", "stream-testnet.bybit.com"),
        # Public data come from production, and orders cannot be placed over a socket (Bybit: 1.2, 9.2).
        DEMO: MappingProxyType(
            {
                REST: "https://api-demo.bybit.com",
                PUBLIC: f"wss://{_COMMON}{_PUBLIC_PATH}",
                PRIVATE: f"wss://stream-demo.bybit.com{_PRIVATE_PATH}",
            }
        ),
        "nl": _urls("api.bybit.nl", _COMMON),
        "tr": _urls("api.bybit.tr", "stream.bybit.tr"),
        "kz": _urls("api.bybit.kz", "stream.bybit.kz"),
        "ge": _urls("api.bybitgeorgia.ge", "stream.bybitgeorgia.ge"),
        "ae": _urls("api.bybit.ae", _COMMON),
        "id": _urls("api.bybit.id", "stream.bybit.id"),
        "eu": _urls("api.bybit.eu", _COMMON),
        "jp": _urls("api.manepa.jp", "stream.manepa.jp"),
        "hk": _urls("api.bybit.com.hk", _COMMON),
        # The one host of a testnet that is regional; its streams are those of the common testnet.
        "jp_testnet": _urls("api-testnet.manepa.jp", "stream-testnet.bybit.com"),
    }
)

ENVIRONMENTS = tuple(_ENVIRONMENTS)
"""Three worlds, and the sites of registration, each of which knows its own keys only (Bybit: 1.1)."""

DEMO_LACKS = frozenset(
    {
        *BATCHES,
        *(FEE_RATE, SET_DCP, QUERY_DCP, KEY_INFO, SETTING_CONFIG, SMP_GROUP, SET_PRICE_ACTION, ACCOUNT_INSTRUMENTS),
        *(BORROW_CHECK, WITHDRAWAL, COIN_BALANCES),
    }
)
"""What the demo environment does not answer: all that is not on the list of what it does (Bybit: 1.3, 9.2)."""


def base_urls(environment: str) -> Mapping[str, str]:
    """Return the base URLs of an environment by name; empty for an unknown one."""
    return _ENVIRONMENTS.get(environment, _NONE)


def check_base_url(name: str, url: str) -> None:
    """Refuse a REST URL with the version that is added to it.

    Raises:
        ValidationError: names the right form by the environment's own, and not by the URL, which may be hidden.
    """
    if name == REST and urlsplit(url).path.endswith("/v5"):
        example = _ENVIRONMENTS["testnet"][REST]
        raise ValidationError(name, url, f"must be given without /v5, as {example}", exchange=EXCHANGE)


def missing_paths(environment: str) -> frozenset[str]:
    """Return the REST paths that an environment does not have, although the others do."""
    return DEMO_LACKS if environment == DEMO else frozenset()
