"""The filters as exchangeInfo and myFilters show them (Binance: 6)."""

from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.symbols import ExchangeRules, SymbolSpec

Filter = dict[str, object]


def symbol_filters(spec: SymbolSpec) -> list[Filter]:
    """The filters of one symbol."""
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
        {"filterType": "ICEBERG_PARTS", "limit": spec.max_iceberg_parts},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": number(spec.min_market_quantity),
            "maxQty": number(spec.max_market_quantity),
            "stepSize": number(spec.market_step),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": spec.min_trailing_above,
            "maxTrailingAboveDelta": spec.max_trailing_above,
            "minTrailingBelowDelta": spec.min_trailing_below,
            "maxTrailingBelowDelta": spec.max_trailing_below,
        },
        _percent_price(spec),
        _notional(spec),
        *_counts(spec),
    ]


def exchange_filters(rules: ExchangeRules) -> list[Filter]:
    """The filters that count over all symbols."""
    rows = (
        ("EXCHANGE_MAX_NUM_ORDERS", "maxNumOrders", rules.max_open_orders),
        ("EXCHANGE_MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders", rules.max_algo_orders),
        ("EXCHANGE_MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders", rules.max_iceberg_orders),
        ("EXCHANGE_MAX_NUM_ORDER_LISTS", "maxNumOrderLists", rules.max_order_lists),
    )
    return [{"filterType": name, field: most} for name, field, most in rows if most is not None]


def _percent_price(spec: SymbolSpec) -> Filter:
    up, down = str(spec.price_multiplier_up), str(spec.price_multiplier_down)
    if not spec.percent_price_by_side:
        return {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": up,
            "multiplierDown": down,
            "avgPriceMins": spec.average_minutes,
        }
    return {
        "filterType": "PERCENT_PRICE_BY_SIDE",
        "bidMultiplierUp": up,
        "bidMultiplierDown": down,
        "askMultiplierUp": str(spec.ask_multiplier_up),
        "askMultiplierDown": str(spec.ask_multiplier_down),
        # Zero minutes: the last price counts, not an average.
        "avgPriceMins": spec.average_minutes,
    }


def _notional(spec: SymbolSpec) -> Filter:
    if not spec.has_max_notional:
        return {
            "filterType": "MIN_NOTIONAL",
            "minNotional": number(spec.min_notional),
            "applyToMarket": spec.min_notional_to_market,
            "avgPriceMins": spec.average_minutes,
        }
    return {
        "filterType": "NOTIONAL",
        "minNotional": number(spec.min_notional),
        "applyMinToMarket": spec.min_notional_to_market,
        "maxNotional": number(spec.max_notional),
        "applyMaxToMarket": spec.max_notional_to_market,
        "avgPriceMins": spec.average_minutes,
    }


def _counts(spec: SymbolSpec) -> list[Filter]:
    rows: list[Filter] = [
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.max_open_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": spec.max_algo_orders},
        {"filterType": "MAX_NUM_ORDER_LISTS", "maxNumOrderLists": spec.max_order_lists},
        {"filterType": "MAX_NUM_ORDER_AMENDS", "maxNumOrderAmends": spec.max_amendments},
    ]
    if spec.max_iceberg_orders is not None:
        rows.append({"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": spec.max_iceberg_orders})
    if spec.max_position is not None:
        rows.append({"filterType": "MAX_POSITION", "maxPosition": number(spec.max_position)})
    return rows
