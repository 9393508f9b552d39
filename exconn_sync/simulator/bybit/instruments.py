"""The rules of the pairs (Bybit: 4.2)."""

from decimal import Decimal

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.market_data import known_market
from exconn_sync.simulator.bybit.venue import Answer, Call
from exconn_sync.simulator.bybit.wire import number
from exconn_sync.simulator.core.symbols import SymbolSpec, SymbolStatus

_LISTED = (SymbolStatus.TRADING, SymbolStatus.CANCEL_ONLY)


def instruments(call: Call) -> Answer:
    """GET market/instruments-info: everything in one answer; ``limit``, ``cursor`` and ``baseCoin`` mean nothing."""
    return Answer({"category": "spot", "list": [instrument(index, spec) for index, spec in _chosen(call)]})


def account_instruments(call: Call) -> Answer:
    """GET account/instruments-info: the same, and what this account may do."""
    rows = [
        {**instrument(index, spec), "isPublicRpi": False, "myRpiPermission": False} for index, spec in _chosen(call)
    ]
    return Answer({"category": "spot", "list": rows})


def _chosen(call: Call) -> list[tuple[int, SymbolSpec]]:
    params = call.params
    params.category()
    name, status = params.text("symbol"), params.text("status", "Trading")
    kind = params.text("symbolType")
    if name:
        known_market(call, name)
    if status not in ("Trading", "PreLaunch", "Delivering", "Closed"):
        raise errors.bad_parameter("status is invalid")
    specs = [market.spec for market in call.venue.exchange.markets.values()]
    return [
        (index, spec)
        for index, spec in enumerate(specs, start=1)
        if name in ("", spec.name) and status == "Trading" and not kind and spec.status in _LISTED
    ]


def instrument(symbol_id: int, spec: SymbolSpec) -> dict[str, object]:
    """One pair."""
    ratio = number(spec.price_multiplier_up - 1)
    market_quantity = min(spec.max_quantity, spec.max_market_quantity)
    return {
        "symbolId": symbol_id,
        "symbol": spec.name,
        "baseCoin": spec.base,
        "quoteCoin": spec.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "symbolType": "",
        "lotSizeFilter": {
            "basePrecision": number(spec.step),
            "quotePrecision": number(Decimal(1).scaleb(-spec.quote_decimals)),
            "minOrderQty": number(spec.min_quantity),
            "maxOrderQty": number(spec.max_quantity),
            "minOrderAmt": number(spec.min_notional),
            "maxOrderAmt": number(spec.max_notional),
            "maxLimitOrderQty": number(spec.max_quantity),
            "maxMarketOrderQty": number(market_quantity),
            "postOnlyMaxLimitOrderSize": number(spec.max_quantity),
        },
        "priceFilter": {"tickSize": number(spec.tick)},
        "riskParameters": {"priceLimitRatioX": ratio, "priceLimitRatioY": ratio},
    }
