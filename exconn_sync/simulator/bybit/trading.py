"""Placing, amending, cancelling one by one and all at once (Bybit: 4.7, 4.8)."""

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.exits import read_changed_exits
from exconn_sync.simulator.bybit.market_data import known_market
from exconn_sync.simulator.bybit.new_order import check_quantity, read_link_id, read_new_order
from exconn_sync.simulator.bybit.notes import OCO, PLAIN, STOP, TPSL
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.venue import Answer, Call
from exconn_sync.simulator.core.orders import Change, SimOrder

_FILTERS = (PLAIN, STOP, TPSL, OCO, "BidirectionalTpslOrder")


def create(call: Call) -> Answer:
    """POST order/create."""
    call.params.category()
    return Answer(create_one(call, call.params))


def create_one(call: Call, params: Params) -> dict[str, object]:
    """Acknowledge one new order."""
    command = read_new_order(call, params)
    symbol, order_id, link_id = call.desk.create(call.account, command)
    return {"orderId": call.venue.ids.order(symbol, order_id), "orderLinkId": link_id}


def amend(call: Call) -> Answer:
    """POST order/amend."""
    call.params.category()
    return Answer(amend_one(call, call.params))


def amend_one(call: Call, params: Params) -> dict[str, object]:
    """Acknowledge new terms for one order. Of two ids the exchange's own counts."""
    market, order = known_market(call, params.required("symbol")), _named(call, params)
    change = Change(params.decimal("qty"), params.decimal("price"), params.decimal("triggerPrice"))
    notes = call.venue.notes.of(order)
    exits = read_changed_exits(params, market, notes.exits)
    if exits != notes.exits and (notes.order_filter != PLAIN or not order.type.has_limit):
        raise errors.ApiError(170312, "takeProfit and stopLoss go with limit orders.")
    if change == Change() and exits == notes.exits:
        raise errors.bad_parameter("nothing to amend")
    for price in (change.price, change.stop_price):
        if price is not None and price % market.spec.tick:
            raise errors.ApiError(170134, "Order price has too many decimals.")
    if change.quantity is not None:
        check_quantity(market.spec, change.quantity, is_market=not order.type.has_limit)
    call.desk.amend(order, change, exits)
    return _ids(call, order)


def cancel(call: Call) -> Answer:
    """POST order/cancel."""
    call.params.category()
    return Answer(cancel_one(call, call.params))


def cancel_one(call: Call, params: Params) -> dict[str, object]:
    """Acknowledge the cancel of one order; a conditional one is found by its own filter only."""
    symbol = known_market(call, params.required("symbol")).spec.name
    wanted = _filter(params)
    pending = call.desk.find_pending(call.account, params.text("orderId"), params.text("orderLinkId"))
    if pending is not None and pending[0] == symbol:
        call.desk.withdraw(pending)
        return {
            "orderId": call.venue.ids.order(*pending),
            "orderLinkId": params.text("orderLinkId") or call.venue.ids.link(*pending),
        }
    order = _named(call, params)
    if call.venue.notes.of(order).order_filter != wanted:
        raise errors.unknown_order()
    call.desk.cancel(order)
    return _ids(call, order)


def cancel_all(call: Call) -> Answer:
    """POST order/cancel-all: without a filter only plain orders go."""
    params = call.params
    params.category()
    symbol, base, wanted = params.text("symbol"), params.text("baseCoin"), _filter(params)
    if symbol:
        known_market(call, symbol)
    venue = call.venue
    chosen = [
        order
        for order in venue.exchange.registry.open_orders(call.account)
        if symbol in ("", order.symbol)
        and base in ("", venue.exchange.market(order.symbol).spec.base)
        and venue.notes.of(order).order_filter == wanted
    ]
    for order in chosen:
        call.desk.cancel(order)
    return Answer({"list": [_ids(call, order) for order in chosen], "success": "1"})


def _filter(params: Params) -> str:
    wanted = params.text("orderFilter", PLAIN)
    if wanted not in _FILTERS:
        raise errors.ApiError(170201, "Invalid orderFilter.")
    return wanted


def _named(call: Call, params: Params) -> SimOrder:
    order_id, link_id = params.text("orderId"), read_link_id(params)
    if not order_id and not link_id:
        raise errors.bad_parameter("orderId or orderLinkId is required")
    order = call.desk.find(call.account, params.required("symbol"), order_id, link_id)
    if order is None or not order.is_open:
        raise errors.unknown_order()
    return order


def _ids(call: Call, order: SimOrder) -> dict[str, object]:
    return {"orderId": call.venue.ids.order(order.symbol, order.order_id), "orderLinkId": order.client_order_id}
