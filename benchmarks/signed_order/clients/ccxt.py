"""ccxt, with the markets that it would have loaded put in by hand: one symbol is enough for an order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import ccxt


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""
    client = ccxt.binance({"apiKey": "key", "secret": "secret", "enableRateLimit": False})
    client.urls["api"] = dict.fromkeys(client.urls["api"], f"{url}/api/v3")
    listed = {
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "baseAssetPrecision": 8,
        "quotePrecision": 8, "quoteAssetPrecision": 8, "isSpotTradingAllowed": True, "permissions": ["SPOT"],
        "orderTypes": ["LIMIT", "MARKET"],
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
        ],
    }  # fmt: skip
    client.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    client.set_markets([client.parse_market(listed)])

    def place(number: int) -> object:
        return client.create_order("BTC/USDT", "limit", "buy", 0.01, 50000.01, {"newClientOrderId": f"bench-{number}"})

    yield place, client.fetch_time
