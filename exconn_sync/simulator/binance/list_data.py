"""Queries for order lists: their handlers (Binance: 5.9)."""

from exconn_sync.simulator.binance import errors, list_reports
from exconn_sync.simulator.binance.list_trading import find_list
from exconn_sync.simulator.binance.paging import Page
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.order_lists import SimOrderList

_DAY_US = 86_400_000_000


def order_list(call: Call) -> object:
    """GET orderList."""
    return _one(call, find_list(call, "origClientOrderId"))


def ws_order_list(call: Call) -> object:
    """The same over the WebSocket API, where the client id wins if both are sent."""
    return _one(call, find_list(call, "origClientOrderId", client_id_wins=True))


def open_order_lists(call: Call) -> object:
    """GET openOrderList."""
    call.params.finish()
    return [_row(call, found) for found in call.venue.exchange.lists.lists(call.account, only_open=True)]


def all_order_lists(call: Call) -> object:
    """GET allOrderList."""
    page = Page.by_id_or_time(call.params)
    if page.start is not None and page.end is not None and page.end - page.start > _DAY_US:
        raise errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    call.params.finish()
    known = call.venue.exchange.lists.lists(call.account)
    return [_row(call, found) for found in page.of(known, lambda row: row.list_id, lambda row: row.created_at)]


def _one(call: Call, found: SimOrderList | None) -> dict[str, object]:
    call.params.finish()
    if found is None:
        raise errors.no_such_list()
    return _row(call, found)


def _row(call: Call, found: SimOrderList) -> dict[str, object]:
    return list_reports.queried(found, call.venue.exchange.orders_of(found), call.unit)
