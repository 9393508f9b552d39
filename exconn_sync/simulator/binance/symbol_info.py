"""The exchangeInfo answer."""

from collections.abc import Iterable

from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.orders import OrderType, PreventionMode
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec
from exconn_sync.simulator.rate_limits import RateLimits

_RAW_REQUESTS_PER_5_MINUTES = 300_000


def rate_limit(kind: str, interval: str, interval_num: int, limit: int) -> dict[str, object]:
    """One entry of a list of limits."""
    return {"rateLimitType": kind, "interval": interval, "intervalNum": interval_num, "limit": limit}


def rate_limits(limits: RateLimits) -> list[dict[str, object]]:
    """The limits of the venue."""
    return [
        rate_limit("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
        rate_limit("ORDERS", "SECOND", 10, limits.orders_per_10s),
        rate_limit("ORDERS", "DAY", 1, limits.orders_per_day),
        rate_limit("RAW_REQUESTS", "MINUTE", 5, _RAW_REQUESTS_PER_5_MINUTES),
    ]


def exchange_info(limits: list[dict[str, object]], specs: Iterable[SymbolSpec], server_time: int) -> dict[str, object]:
    """The whole answer."""
    return {
        "timezone": "UTC",
        "serverTime": server_time,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [symbol_info(spec) for spec in specs],
    }


def symbol_info(spec: SymbolSpec) -> dict[str, object]:
    """One symbol of it."""
    return {
        "symbol": spec.name,
        "status": "TRADING",
        "baseAsset": spec.base,
        "baseAssetPrecision": spec.base_decimals,
        "quoteAsset": spec.quote,
        "quotePrecision": spec.quote_decimals,
        "quoteAssetPrecision": spec.quote_decimals,
        "baseCommissionPrecision": spec.base_decimals,
        "quoteCommissionPrecision": spec.quote_decimals,
        "orderTypes": [kind.name for kind in OrderType if kind in spec.order_types],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": spec.trailing_allowed,
        "cancelReplaceAllowed": spec.replace_allowed,
        "amendAllowed": spec.amend_allowed,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(spec),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": spec.default_prevention.name,
        "allowedSelfTradePreventionModes": [mode.name for mode in PreventionMode if mode in spec.prevention_modes],
    }


def _filters(spec: SymbolSpec) -> list[dict[str, object]]:
    up, down = str(spec.price_multiplier_up), str(spec.price_multiplier_down)
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": number(spec.min_price),
            "maxPrice": number(spec.max_price),
            "tickSize": number(spec.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": number(spec.min_quantity),
            "maxQty": number(spec.max_quantity),
            "stepSize": number(spec.step),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": number(ZERO),
            "maxQty": number(spec.max_market_quantity),
            "stepSize": number(ZERO),
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            # Zero minutes: the last price counts, not an average.
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": number(spec.min_notional),
            "applyMinToMarket": True,
            "maxNotional": number(spec.max_notional),
            "applyMaxToMarket": True,
            "avgPriceMins": 0,
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": spec.min_trailing_delta,
            "maxTrailingAboveDelta": spec.max_trailing_delta,
            "minTrailingBelowDelta": spec.min_trailing_delta,
            "maxTrailingBelowDelta": spec.max_trailing_delta,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": spec.max_algo_orders},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": spec.max_amendments},
    ]
