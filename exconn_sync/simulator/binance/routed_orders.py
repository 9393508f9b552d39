"""Smart order routing: orders that may take from several books, and what the exchange gave them (Binance: 5.10)."""

from dataclasses import replace

from exconn_sync.simulator.binance import errors, order_reports
from exconn_sync.simulator.binance.market_data import MAX_ROWS, required_market
from exconn_sync.simulator.binance.new_order import OrderCommand, read_new_order
from exconn_sync.simulator.binance.paging import between, page_of, time_range
from exconn_sync.simulator.binance.trading import check_command, place_command
from exconn_sync.simulator.binance.venue import Call

_TYPES = ("LIMIT", "MARKET")
_NOT_TAKEN = ("quoteOrderQty", "stopPrice", "trailingDelta", "pegPriceType", "pegOffsetType", "pegOffsetValue")


def place(call: Call) -> dict[str, object]:
    """POST sor/order."""
    return place_command(call, _read(call))


def ws_place(call: Call) -> list[dict[str, object]]:
    """The same over the WebSocket API, which answers with a list of one."""
    return [place(call)]


def place_test(call: Call) -> object:
    """POST sor/order/test; of special rates its documented answer says nothing."""
    answer = check_command(call, _read(call, "computeCommissionRates"))
    return {name: value for name, value in answer.items() if name != "specialCommissionForOrder"}


def my_allocations(call: Call) -> object:
    """GET myAllocations: between two times, or of an order, or from an id on."""
    symbol = required_market(call).spec.name
    order_id, from_id = call.params.integer("orderId"), call.params.integer("fromAllocationId")
    start, end = time_range(call.params)
    limit = call.params.limit(500, MAX_ROWS)
    call.params.finish()
    if (start is not None or end is not None) and (order_id is not None or from_id is not None):
        raise errors.bad_combination()
    fills = [
        fill
        for fill in call.venue.exchange.registry.fills(call.account, symbol)
        if fill.allocation_id is not None and order_id in (None, fill.order_id) and fill.allocation_id >= (from_id or 0)
    ]
    rows = between(fills, lambda fill: fill.time, start, end)
    is_forward = start is not None or from_id is not None
    return [order_reports.allocation(fill, call.unit) for fill in page_of(rows, limit, forward=is_forward)]


def _read(call: Call, *extra: str) -> OrderCommand:
    params = call.params
    for name in _NOT_TAKEN:
        if params.peek(name) is not None:
            raise errors.unwanted_parameter(name)
    if params.required("type") not in _TYPES:
        raise errors.ApiError(-1014, "Unsupported order combination.")
    params.required("quantity")
    command = read_new_order(call, *extra)
    return replace(command, order=replace(command.order, is_routed=True))
