"""myPreventedMatches: the trades that an account was kept from (Binance: 5.10)."""

from exconn_sync.simulator.binance import errors, order_reports
from exconn_sync.simulator.binance.market_data import MAX_ROWS, required_market
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call


def my_prevented_matches(call: Call) -> object:
    """By the id of the match, or by the id of an order and from a match on."""
    symbol = required_market(call).spec.name
    match_id, order_id = call.params.integer("preventedMatchId"), call.params.integer("orderId")
    first = call.params.integer("fromPreventedMatchId")
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    if match_id is None and order_id is None:
        text = "Param 'preventedMatchId' or 'orderId' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    if match_id is not None and (order_id is not None or first is not None):
        raise errors.ApiError(-1128, "Combination of optional parameters invalid.")
    matches = [
        match
        for match in call.venue.exchange.registry.prevented(call.account, symbol)
        if match_id in (None, match.match_id)
        and order_id in (None, match.taker_order_id, match.maker_order_id)
        and match.match_id >= (first or 0)
    ]
    return [order_reports.prevented_match(match, call.unit) for match in matches[:limit]]


def my_prevented_matches_weight(params: Params) -> int:
    """Looking for the matches of an order costs more."""
    return 20 if params.peek("orderId") else 2
