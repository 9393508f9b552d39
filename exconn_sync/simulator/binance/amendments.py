"""Amending an order in its place, and what was amended: handlers (Binance: 5.7)."""

from exconn_sync.simulator.binance import errors, list_reports, order_reports
from exconn_sync.simulator.binance.market_data import MAX_ROWS, required_market
from exconn_sync.simulator.binance.new_order import CLIENT_ID_FORM
from exconn_sync.simulator.binance.trading import find_order
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.filters import decimals
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.core.refusals import Reason, Refusal


def amend(call: Call) -> object:
    """PUT order/amend/keepPriority."""
    market = required_market(call)
    client_id = call.params.matching("newClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    call.params.required("newQty")
    quantity = call.params.decimal("newQty")
    order = find_order(call, market.spec.name)
    call.params.finish()
    if not market.spec.amend_allowed:
        raise errors.ApiError(-2038, "Order amend is not supported for this symbol.")
    if not quantity:
        raise errors.missing_parameter("newQty")
    if decimals(quantity) > market.spec.base_decimals:
        raise errors.too_precise("newQty")
    call.check_before_matching()
    exchange = call.venue.exchange
    try:
        if order is None:
            raise Refusal(Reason.UNKNOWN_ORDER)
        amended = exchange.amend(order, quantity, call.now, client_id)
    except Refusal as refusal:
        raise errors.amend_rejected(refusal) from refusal
    amendment = exchange.registry.amendments(amended)[-1]
    return {
        "transactTime": call.time(amendment.time),
        "executionId": amendment.execution_id,
        "amendedOrder": order_reports.amended(amended, call.unit),
        **_list_status(call, amended),
    }


def _list_status(call: Call, order: SimOrder) -> dict[str, object]:
    if order.list_id is None:
        return {}
    exchange = call.venue.exchange
    order_list = exchange.list_of(order)
    return {"listStatus": list_reports.amended(order_list, exchange.orders_of(order_list))}


def amendments(call: Call) -> object:
    """GET order/amendments."""
    market = required_market(call)
    call.params.required("orderId")
    order = find_order(call, market.spec.name)
    first = call.params.integer("fromExecutionId", 0) or 0
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    if order is None:
        raise errors.no_such_order()
    known = call.venue.exchange.registry.amendments(order)
    rows = [order_reports.amendment(row, call.unit) for row in known if row.execution_id >= first]
    return rows[:limit]
