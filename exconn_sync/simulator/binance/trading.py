"""Placing and cancelling: handlers of the calls that reach the matching engine."""

from exconn_sync.simulator.binance import errors, list_reports, order_reports
from exconn_sync.simulator.binance.commission_info import commission_for_order
from exconn_sync.simulator.binance.market_data import required_market
from exconn_sync.simulator.binance.new_order import CLIENT_ID_FORM, OrderCommand, read_new_order
from exconn_sync.simulator.binance.params import Params
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.order_lists import SimOrderList
from exconn_sync.simulator.core.orders import OrderStatus, SimOrder
from exconn_sync.simulator.core.refusals import Refusal
from exconn_sync.simulator.core.registry import OrderRegistry

_RESTRICTIONS = {"ONLY_NEW": OrderStatus.NEW, "ONLY_PARTIALLY_FILLED": OrderStatus.PARTIALLY_FILLED}


def place(call: Call) -> object:
    """POST order."""
    return place_command(call, read_new_order(call))


def place_command(call: Call, command: OrderCommand) -> dict[str, object]:
    """Place an order that was read, and answer as it was wanted."""
    call.venue.order_counts.admit(call.account, call.now)
    check_order_in_time(call)
    try:
        order = call.venue.exchange.place(call.account, command.order, call.now)
    except Refusal as refusal:
        raise errors.of_refusal(refusal) from refusal
    call.placed_order = True
    return placed(call, command, order)


def check_order_in_time(call: Call, orders: int = 1) -> None:
    """The late look at the time window, for new orders: this late, they already count."""
    try:
        call.check_before_matching()
    except errors.ApiError:
        call.venue.order_counts.add(call.account, orders, call.now)
        raise


def place_test(call: Call) -> object:
    """POST order/test: every check that comes before the matching engine, and nothing else."""
    return check_command(call, read_new_order(call, "computeCommissionRates"))


def check_command(call: Call, command: OrderCommand) -> dict[str, object]:
    """Do with an order that was read what a test does."""
    try:
        call.venue.exchange.check(call.account, command.order, call.now)
    except Refusal as refusal:
        raise errors.of_refusal(refusal) from refusal
    if not call.params.flag("computeCommissionRates", default=False):
        return {}
    spec = call.venue.exchange.market(command.order.symbol).spec
    return commission_for_order(call, spec, command.order.side)


def cancel(call: Call) -> object:
    """DELETE order."""
    params = call.params
    market = required_market(call)
    client_id = params.matching("newClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    restriction = read_restriction(params)
    order = find_order(call, market.spec.name)
    params.finish()
    call.check_before_matching()
    return cancel_found(call, order, restriction, client_id)


def read_restriction(params: Params) -> OrderStatus | None:
    """The status which an order must have to be canceled, if ``cancelRestrictions`` names one."""
    name = params.optional("cancelRestrictions")
    if name is not None and name not in _RESTRICTIONS:
        raise errors.ApiError(-1145, "Invalid cancelRestrictions")
    return None if name is None else _RESTRICTIONS[name]


def cancel_found(
    call: Call, order: SimOrder | None, restriction: OrderStatus | None, client_id: str
) -> dict[str, object]:
    """Cancel what was found and report it, or say why not."""
    if order is None or not order.is_open:
        raise errors.cancel_rejected()
    if restriction is not None and order.status is not restriction:
        raise errors.cancel_rejected("Order was not canceled due to cancel restrictions.")
    exchange = call.venue.exchange
    if order.list_id is not None:
        return canceled_list(call, exchange.list_of(order), client_id)
    return order_reports.canceled(exchange.cancel(order, call.now, client_id), call.unit)


def canceled_list(call: Call, order_list: SimOrderList, client_id: str, client_list_id: str = "") -> dict[str, object]:
    """Cancel a list that is open, and report it with each of its orders."""
    exchange = call.venue.exchange
    done = exchange.cancel_list(order_list, call.now, client_id, client_list_id)
    return list_reports.canceled(done, exchange.orders_of(done), call.unit)


def cancel_all(call: Call) -> object:
    """DELETE openOrders: single orders first, then whole lists."""
    market = required_market(call)
    call.params.finish()
    call.check_before_matching()
    exchange = call.venue.exchange
    orders = exchange.registry.open_orders(call.account, market.spec.name)
    if not orders:
        raise errors.cancel_rejected()
    client_id = call.venue.new_client_id()
    single = [order for order in orders if order.list_id is None]
    lists = exchange.lists.lists(call.account, market.spec.name, only_open=True)
    return [order_reports.canceled(exchange.cancel(order, call.now, client_id), call.unit) for order in single] + [
        canceled_list(call, order_list, client_id) for order_list in lists
    ]


def find_order(
    call: Call,
    symbol: str,
    id_name: str = "orderId",
    client_id_name: str = "origClientOrderId",
    registry: OrderRegistry | None = None,
) -> SimOrder | None:
    """The account's order which one of two parameters names; with both, they must agree.

    It is looked for in ``registry``, by default where commands find it.
    """
    order_id = call.params.integer(id_name)
    client_id = call.params.optional(client_id_name)
    if order_id is None and client_id is None:
        text = f"Param '{client_id_name}' or '{id_name}' must be sent, but both were empty/null!"
        raise errors.ApiError(-1102, text)
    registry = registry or call.venue.exchange.registry
    if order_id is None:
        return registry.find(call.account, symbol, client_id or "")
    order = registry.get(symbol, order_id)
    if order is None or order.account != call.account:
        return None
    if client_id is not None and not order.has_client_id(client_id):
        raise errors.ApiError(-2039, "Client order ID is not correct for this order ID")
    return order


def place_test_weight(params: Params) -> int:
    """Asking for the commission costs more."""
    return 20 if (params.peek("computeCommissionRates") or "").lower() == "true" else 1


def placed(call: Call, command: OrderCommand, order: SimOrder) -> dict[str, object]:
    """The kind of answer that was wanted."""
    if command.response_type == "ACK":
        return order_reports.acknowledgement(order, call.unit)
    registry = call.venue.exchange.registry
    prevented = [
        match for match in registry.prevented(call.account, order.symbol) if match.taker_order_id == order.order_id
    ]
    if command.response_type == "RESULT":
        return order_reports.result(order, call.unit, prevented)
    return order_reports.full(order, registry.fills_of(order), call.unit, prevented)
