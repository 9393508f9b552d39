"""What Binance spot offers and lacks, by the methods of a connector (Binance: 12)."""

from __future__ import annotations

from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.binance.streams import CHANNELS, variants_of
from exconn_sync.model.capabilities import Capabilities

_NO_KEYS = "the environment has public data only"
_OF_ACCOUNT = (
    "place_order", "submit_order", "cancel_order", "submit_cancel", "cancel_all", "submit_cancel_all", "replace_order",
    "submit_replace", "amend_order", "submit_amend", "place_order_list", "submit_order_list", "cancel_order_list",
    "test_order", "fetch_balances", "fetch_order", "fetch_open_orders", "fetch_open_order_lists", "fetch_order_history",
    "fetch_fills", "fetch_allocations", "fetch_amendments", "fetch_prevented_matches", "fetch_commission",
    "fetch_order_counts", "fetch_account", "place_orders", "cancel_orders", "amend_orders",
)  # fmt: skip
_NO_GUARD = "orders of a program that is gone are left alone"
_NEVER = {
    "set_cancel_on_disconnect": _NO_GUARD,
    "fetch_cancel_on_disconnect": _NO_GUARD,
    "fetch_key": "keys are looked after by another interface than that of spot",
}
_NO_EXITS = "no take-profit or stop-loss attached to an order; place an order list"
_TICKERS = {"fetch_tickers": "windows other than 24h take at most 100 symbols, named one by one"}
_LIMITED = _TICKERS | dict.fromkeys(("place_order", "submit_order", "place_orders"), _NO_EXITS)
_LIMITED_THERE = _TICKERS | {
    "fetch_trades": "none from an id on",
    "fetch_ticker": "no trading day",
}


def capabilities(environment: str) -> Capabilities:
    """Return what an environment offers."""
    is_public = urls.public_paths(environment) is not None
    return Capabilities(
        exchange=urls.EXCHANGE,
        environment=environment,
        streams={channel.value: variants_of(channel) for channel in sorted(CHANNELS)},
        missing=_NEVER | (dict.fromkeys(_OF_ACCOUNT, _NO_KEYS) if is_public else {}),
        limited=_LIMITED_THERE if is_public else _LIMITED,
        key_types=() if is_public else ("hmac", "rsa", "ed25519"),
    )
