"""Placing and cancelling order lists: handlers of the calls that reach the matching engine (Binance: 5.9)."""

from collections.abc import Callable

from exconn_sync.simulator.binance import errors, list_reports, order_reports
from exconn_sync.simulator.binance.market_data import required_market
from exconn_sync.simulator.binance.new_order import CLIENT_ID_FORM
from exconn_sync.simulator.binance.new_order_list import ListCommand, read_list, read_old_pair
from exconn_sync.simulator.binance.trading import canceled_list, check_order_in_time
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.order_lists import ListKind, SimOrderList
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.core.refusals import Refusal


def place_oco(call: Call) -> object:
    """POST orderList/oco."""
    return _place(call, read_list(call, ListKind.OCO))


def place_old_oco(call: Call) -> object:
    """POST order/oco, which is deprecated."""
    return _place(call, read_old_pair(call))


def place_oto(call: Call) -> object:
    """POST orderList/oto."""
    return _place(call, read_list(call, ListKind.OTO))


def place_otoco(call: Call) -> object:
    """POST orderList/otoco."""
    return _place(call, read_list(call, ListKind.OTOCO))


def place_opo(call: Call) -> object:
    """POST orderList/opo."""
    return _place(call, read_list(call, ListKind.OPO))


def place_opoco(call: Call) -> object:
    """POST orderList/opoco."""
    return _place(call, read_list(call, ListKind.OPOCO))


def cancel_list(call: Call) -> object:
    """DELETE orderList. The id of the cancel becomes that of the list; its orders get another one together."""
    symbol = required_market(call).spec.name
    client_id = call.params.matching("newClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    order_list = find_list(call, "listClientOrderId")
    call.params.finish()
    call.check_before_matching()
    if order_list is None or order_list.is_done or order_list.symbol != symbol:
        raise errors.cancel_rejected()
    return canceled_list(call, order_list, call.venue.new_client_id(), client_id)


def find_list(call: Call, client_id_name: str, *, client_id_wins: bool = False) -> SimOrderList | None:
    """The account's list which one of two parameters names; with both they must agree, unless one wins."""
    list_id = call.params.integer("orderListId")
    client_id = call.params.optional(client_id_name)
    if list_id is None and client_id is None:
        text = f"Param '{client_id_name}' or 'orderListId' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    lists = call.venue.exchange.lists
    if list_id is None or (client_id is not None and client_id_wins):
        return lists.find(call.account, client_id or "")
    found = lists.get(list_id)
    if found is None or found.account != call.account:
        return None
    if client_id is not None and client_id not in (found.client_list_id, found.original_client_list_id):
        raise errors.ApiError(-2039, "Client order ID is not correct for this order ID")
    return found


def _place(call: Call, command: ListCommand) -> object:
    orders = len(command.request.legs)
    call.venue.order_counts.admit(call.account, call.now, orders)
    check_order_in_time(call, orders)
    try:
        placed = call.venue.exchange.place_list(call.account, command.request, call.now)
    except Refusal as refusal:
        raise errors.of_refusal(refusal) from refusal
    call.placed_order = True
    return list_reports.placed(placed.order_list, placed.orders, call.unit, _report(call, command.response_type))


def _report(call: Call, response_type: str) -> Callable[[SimOrder], dict[str, object]]:
    if response_type == "ACK":
        return lambda order: order_reports.acknowledgement(order, call.unit)
    if response_type == "RESULT":
        return lambda order: order_reports.result(order, call.unit)
    fills_of = call.venue.exchange.registry.fills_of
    # What a pending order has done since belongs to later: the answer tells it as it was placed.
    return lambda order: order_reports.full(order, fills_of(order) if order.filled_quantity else [], call.unit)
