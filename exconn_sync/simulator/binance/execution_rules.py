"""Execution rules and reference prices: their handlers."""

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.market_data import (
    check_status,
    chosen_markets,
    count_of_symbols,
    required_market,
    status_of,
)
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.reference import MeanOfBuckets, Reference


def execution_rules(call: Call) -> object:
    """GET executionRules."""
    params = call.params
    wanted = status_of(params)
    if wanted is not None and count_of_symbols(params):
        raise errors.bad_combination()
    markets = chosen_markets(call)
    params.finish()
    shown = [market for market in markets if wanted in (None, market.spec.status)]
    return {"symbolRules": [{"symbol": market.spec.name, "rules": _rules(market)} for market in shown]}


def execution_rules_weight(params: Params) -> int:
    """Each symbol costs; without a symbol it is dearest."""
    return min(2 * count_of_symbols(params), 40) or 40


def reference_price(call: Call) -> object:
    """GET referencePrice."""
    market = required_market(call)
    call.params.finish()
    found = _reference(call, market)
    return {
        "symbol": market.spec.name,
        "referencePrice": None if found.price is None else number(found.price),
        "timestamp": call.time(found.time),
    }


def reference_calculation(call: Call) -> object:
    """GET referencePrice/calculation."""
    market = required_market(call)
    check_status(market, status_of(call.params))
    call.params.finish()
    calculation = _reference(call, market).calculation
    if isinstance(calculation, MeanOfBuckets):
        kind: dict[str, object] = {
            "calculationType": "ARITHMETIC_MEAN",
            "bucketCount": calculation.count,
            "bucketWidthMs": calculation.width_ms,
        }
    else:
        kind = {"calculationType": "EXTERNAL", "externalCalculationId": calculation.calculation_id}
    return {"symbol": market.spec.name, **kind}


def _reference(call: Call, market: Market) -> Reference:
    found = call.venue.exchange.references.get(market.spec.name)
    if found is None:
        raise errors.ApiError(-2043, "This symbol doesn't have a reference price.")
    return found


def _rules(market: Market) -> list[dict[str, object]]:
    limits = market.spec.price_range
    if limits is None:
        return []
    bounds = (
        ("bidLimitMultUp", limits.bid_up),
        ("bidLimitMultDown", limits.bid_down),
        ("askLimitMultUp", limits.ask_up),
        ("askLimitMultDown", limits.ask_down),
    )
    return [{"ruleType": "PRICE_RANGE", **{name: str(bound) for name, bound in bounds if bound is not None}}]
