"""What became of orders: realtime, history, executions (Bybit: 4.11, 4.12, 4.16)."""

from collections.abc import Callable, Iterable

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.notes import PLAIN, STOP, TPSL
from exconn_sync.simulator.bybit.order_records import fill_record, history_record, rest_record, status_word
from exconn_sync.simulator.bybit.paging import page, time_window
from exconn_sync.simulator.bybit.venue import Answer, Call, Venue
from exconn_sync.simulator.core.candles import DAY_MS
from exconn_sync.simulator.core.orders import Fill, SimOrder

_CACHED = 500
_FORGOTTEN = ("Cancelled", "Rejected", "Deactivated")
"""Closed orders without a fill are known for a day only."""
_FINAL = ("Filled", "PartiallyFilledCanceled", *_FORGOTTEN)
_FILTERS = (PLAIN, STOP, TPSL, "OcoOrder", "BidirectionalTpslOrder")


def realtime(call: Call) -> Answer:
    """GET order/realtime: open orders, or the newest closed ones; with an id whichever it is."""
    params, venue = call.params, call.venue
    params.category()
    open_only, limit = params.integer("openOnly", 0), params.limit(20, 50)
    named = _named(call)
    if named is not None:
        chosen = [order for order in named if order.is_open or order.updated_at > venue.cache_lost_at]
    elif open_only == 1:
        closed = (order for order in _all(call) if not order.is_open and order.updated_at > venue.cache_lost_at)
        chosen = _newest_first(closed)[:_CACHED]
    else:
        chosen = _newest_first(order for order in _all(call) if order.is_open)
    return _orders(call, _filtered(call, chosen), limit, rest_record)


def history(call: Call) -> Answer:
    """GET order/history: orders that are over."""
    params = call.params
    params.category()
    status, limit = params.text("orderStatus"), params.limit(20, 50)
    if status and status not in _FINAL:
        raise errors.ApiError(181017, "orderStatus must be final")
    named, now = _named(call), call.now
    if named is None:
        start, end = time_window(params, now)
        chosen: Iterable[SimOrder] = (order for order in _all(call) if start <= order.created_at <= end)
    else:
        chosen = named
    closed = [
        order
        for order in _newest_first(chosen)
        if not order.is_open
        and status in ("", status_word(order))
        and (status_word(order) not in _FORGOTTEN or order.updated_at > now - DAY_MS)
    ]
    return _orders(call, _filtered(call, closed), limit, history_record)


def executions(call: Call) -> Answer:
    """GET execution/list, newest first; an id rules everything else out."""
    params, registry = call.params, call.venue.exchange.reads.registry
    params.category()
    limit, kind = params.limit(50, 100), params.text("execType", "Trade")
    named = _named(call)
    if named is not None:
        fills = [fill for order in named for fill in registry.fills_of(order)]
    else:
        start, end = time_window(params, call.now)
        symbol, base = params.text("symbol"), params.text("baseCoin")
        fills = [
            fill
            for fill in registry.fills(call.account)
            if symbol in ("", fill.symbol) and base in ("", _base(call, fill.symbol)) and start <= fill.time <= end
        ]
    ordered = sorted(fills, key=lambda fill: (fill.time, fill.trade_id), reverse=True) if kind == "Trade" else []
    chosen, token = page(params, ordered, lambda fill: _fill_key(call, fill), limit)
    rows = [_execution(call, fill) for fill in chosen]
    return Answer({"category": "spot", "list": rows, "nextPageCursor": token})


def _execution(call: Call, fill: Fill) -> dict[str, object]:
    order = call.venue.exchange.registry.get(fill.symbol, fill.order_id)
    if order is None:
        raise LookupError(f"order {fill.order_id} of {fill.symbol} has a fill and is not registered")
    return fill_record(call.venue, order, fill)


def _fill_key(call: Call, fill: Fill) -> str:
    return f"{call.venue.ids.trade(fill.symbol, fill.trade_id)}-{fill.order_id}"


def _base(call: Call, symbol: str) -> str:
    return call.venue.exchange.market(symbol).spec.base


def _named(call: Call) -> list[SimOrder] | None:
    """The order that an id names, if one does; None where no id is given."""
    params = call.params
    order_id, link_id = params.text("orderId"), params.text("orderLinkId")
    if not order_id and not link_id:
        return None
    symbols = [params.text("symbol")] if params.text("symbol") else list(call.venue.exchange.markets)
    seen = call.venue.exchange.reads.registry
    found = (call.desk.find(call.account, symbol, order_id, link_id, seen) for symbol in symbols)
    return [order for order in found if order is not None]


def _all(call: Call) -> list[SimOrder]:
    return call.venue.exchange.reads.registry.orders(call.account)


def _age(order: SimOrder) -> tuple[int, int]:
    return order.created_at, order.order_id


def _newest_first(orders: Iterable[SimOrder]) -> list[SimOrder]:
    return sorted(orders, key=_age, reverse=True)


def _filtered(call: Call, orders: Iterable[SimOrder]) -> list[SimOrder]:
    params, notes = call.params, call.venue.notes
    symbol, base, wanted = params.text("symbol"), params.text("baseCoin"), params.text("orderFilter")
    if wanted and wanted not in _FILTERS:
        raise errors.ApiError(170201, "Invalid orderFilter.")
    return [
        order
        for order in orders
        if symbol in ("", order.symbol)
        and wanted in ("", notes.of(order).order_filter)
        and base in ("", _base(call, order.symbol))
    ]


def _orders(
    call: Call, orders: list[SimOrder], limit: int, record: Callable[[Venue, SimOrder], dict[str, object]]
) -> Answer:
    ids = call.venue.ids

    def behind(key: str) -> int | None:
        """Where older orders begin than one that has left the list meanwhile."""
        named = ids.read_order(key)
        gone = None if named is None else call.venue.exchange.registry.get(*named)
        if gone is None:
            return None
        return next((index for index, order in enumerate(orders) if _age(order) < _age(gone)), len(orders))

    chosen, token = page(call.params, orders, lambda order: ids.order(order.symbol, order.order_id), limit, behind)
    rows = [record(call.venue, order) for order in chosen]
    return Answer({"category": "spot", "list": rows, "nextPageCursor": token})
