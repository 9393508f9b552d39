"""The exchangeInfo answer."""

from collections.abc import Collection, Iterable

from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec
from exconn_sync.simulator.rate_limits import RateLimits

ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET"]
_RAW_REQUESTS_PER_5_MINUTES = 300_000

DEFAULT_PERMISSIONS = frozenset({"SPOT", "MARGIN", "LEVERAGED"})
PERMISSIONS = DEFAULT_PERMISSIONS | {f"TRD_GRP_{number:03}" for number in range(2, 26)}


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


def has_permission(spec: SymbolSpec, permissions: Collection[str]) -> bool:
    """Whether one of the permissions opens a symbol."""
    return any(name in permissions for names in spec.permission_sets for name in names)


def exchange_info(
    limits: list[dict[str, object]], specs: Iterable[SymbolSpec], server_time: int, *, shows_sets: bool = True
) -> dict[str, object]:
    """The whole answer."""
    return {
        "timezone": "UTC",
        "serverTime": server_time,
        "rateLimits": limits,
        "exchangeFilters": [],
        "symbols": [symbol_info(spec, shows_sets=shows_sets) for spec in specs],
    }


def symbol_info(spec: SymbolSpec, *, shows_sets: bool = True) -> dict[str, object]:
    """One symbol of it."""
    return {
        "symbol": spec.name,
        "status": spec.status.name,
        "baseAsset": spec.base,
        "baseAssetPrecision": spec.base_decimals,
        "quoteAsset": spec.quote,
        "quotePrecision": spec.quote_decimals,
        "quoteAssetPrecision": spec.quote_decimals,
        "baseCommissionPrecision": spec.base_decimals,
        "quoteCommissionPrecision": spec.quote_decimals,
        "orderTypes": ORDER_TYPES,
        "icebergAllowed": False,
        "ocoAllowed": False,
        "otoAllowed": False,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "amendAllowed": False,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(spec),
        "permissions": [],
        "permissionSets": [list(names) for names in spec.permission_sets] if shows_sets else [],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
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
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.max_open_orders},
    ]
