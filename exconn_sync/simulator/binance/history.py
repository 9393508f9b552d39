"""Past trades, aggregates and average prices: their handlers."""

from exconn_sync.simulator.binance.market_data import public_trade, required_market
from exconn_sync.simulator.binance.paging import Page
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.trade_history import Aggregate

AVERAGE_MINUTES = 5


def historical_trades(call: Call) -> object:
    """GET historicalTrades."""
    market = required_market(call)
    page = Page.by_id(call.params)
    call.params.finish()
    rows = page.of(market.trades, lambda row: row.trade_id, lambda row: row.time)
    return [public_trade(row, call.unit) for row in rows]


def block_trades(call: Call) -> object:
    """GET historicalBlockTrades: there never are any here."""
    required_market(call)
    call.params.required("fromId")
    Page.by_id(call.params)
    call.params.finish()
    return []


def aggregate_trades(call: Call) -> object:
    """GET aggTrades."""
    symbol = required_market(call).spec.name
    page = Page.by_id_or_time(call.params)
    call.params.finish()
    rows = page.of(call.venue.history.aggregates(symbol), lambda row: row.aggregate_id, lambda row: row.time)
    return [_aggregate(row, call.unit) for row in rows]


def average_price(call: Call) -> object:
    """GET avgPrice."""
    market = required_market(call)
    call.params.finish()
    price = number(market.mean_price(AVERAGE_MINUTES, call.now))
    return {"mins": AVERAGE_MINUTES, "price": price, "closeTime": call.time(market.last_trade_time)}


def _aggregate(row: Aggregate, unit: int) -> dict[str, object]:
    return {
        "a": row.aggregate_id,
        "p": number(row.price),
        "q": number(row.quantity),
        "f": row.first_trade_id,
        "l": row.last_trade_id,
        "T": row.time * unit,
        "m": row.buyer_is_maker,
        "M": True,
    }
