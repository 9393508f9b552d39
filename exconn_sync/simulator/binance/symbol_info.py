"""The exchangeInfo answer."""

from collections.abc import Collection, Iterable, Mapping

from exconn_sync.simulator.binance.filter_info import exchange_filters, symbol_filters
from exconn_sync.simulator.binance.limits import window_of
from exconn_sync.simulator.core.orders import OrderType, PreventionMode
from exconn_sync.simulator.core.symbols import ExchangeRules, SymbolSpec
from exconn_sync.simulator.rate_limits import RateLimits

DEFAULT_PERMISSIONS = frozenset({"SPOT", "MARGIN", "LEVERAGED"})
PERMISSIONS = DEFAULT_PERMISSIONS | {f"TRD_GRP_{number:03}" for number in range(2, 26)}


def rate_limit(kind: str, interval: str, interval_num: int, limit: int) -> dict[str, object]:
    """One entry of a list of limits."""
    return {"rateLimitType": kind, "interval": interval, "intervalNum": interval_num, "limit": limit}


def weight_limit(limits: RateLimits) -> dict[str, object]:
    """The limit of the request weight."""
    return rate_limit("REQUEST_WEIGHT", *window_of(limits.weight_window_s), limits.weight_per_minute)


def rate_limits(limits: RateLimits) -> list[dict[str, object]]:
    """The limits of the venue."""
    return [
        weight_limit(limits),
        rate_limit("ORDERS", *window_of(limits.order_window_s), limits.orders_per_10s),
        rate_limit("ORDERS", "DAY", 1, limits.orders_per_day),
        rate_limit("RAW_REQUESTS", "MINUTE", 5, limits.raw_requests_per_5m),
    ]


def has_permission(spec: SymbolSpec, permissions: Collection[str]) -> bool:
    """Whether one of the permissions opens a symbol."""
    return any(name in permissions for names in spec.permission_sets for name in names)


def exchange_info(
    limits: list[dict[str, object]],
    specs: Iterable[SymbolSpec],
    server_time: int,
    rules: ExchangeRules | None = None,
    pools: Mapping[str, Collection[str]] | None = None,
    *,
    shows_sets: bool = True,
) -> dict[str, object]:
    """The whole answer; ``pools`` are the symbols that are routed together, by base asset."""
    sors = [{"baseAsset": base, "symbols": list(symbols)} for base, symbols in (pools or {}).items()]
    return {
        "timezone": "UTC",
        "serverTime": server_time,
        "rateLimits": limits,
        "exchangeFilters": [] if rules is None else exchange_filters(rules),
        "symbols": [symbol_info(spec, shows_sets=shows_sets) for spec in specs],
        **({"sors": sors} if sors else {}),
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
        "orderTypes": [kind.name for kind in OrderType if kind in spec.order_types],
        "icebergAllowed": spec.iceberg_allowed,
        "ocoAllowed": spec.oco_allowed,
        "otoAllowed": spec.oto_allowed,
        "opoAllowed": spec.opo_allowed,
        "quoteOrderQtyMarketAllowed": spec.quote_market_allowed,
        "allowTrailingStop": spec.trailing_allowed,
        "cancelReplaceAllowed": spec.replace_allowed,
        "amendAllowed": spec.amend_allowed,
        "pegInstructionsAllowed": spec.pegs_allowed,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": symbol_filters(spec),
        "permissions": [],
        "permissionSets": [list(names) for names in spec.permission_sets] if shows_sets else [],
        "defaultSelfTradePreventionMode": spec.default_prevention.name,
        "allowedSelfTradePreventionModes": [mode.name for mode in PreventionMode if mode in spec.prevention_modes],
    }
