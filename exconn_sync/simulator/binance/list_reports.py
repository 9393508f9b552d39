"""How order lists look in answers (Binance: 5.9)."""

from collections.abc import Callable, Iterable, Sequence

from exconn_sync.simulator.binance import order_reports
from exconn_sync.simulator.core.events import ListChange
from exconn_sync.simulator.core.order_lists import ListKind, SimOrderList
from exconn_sync.simulator.core.orders import OrderStatus, SimOrder

LIST_STATUS_TYPES = {
    ListChange.STARTED: "EXEC_STARTED",
    ListChange.RENAMED: "UPDATED",
    ListChange.DONE: "ALL_DONE",
}


def contingency(kind: ListKind) -> str:
    """The exchange's word for how the orders depend on each other; it has two only."""
    return "OTO" if kind.has_working else "OCO"


def list_order_status(order_list: SimOrderList) -> str:
    """Whether a list still does something."""
    return "ALL_DONE" if order_list.is_done else "EXECUTING"


def own_client_id(order: SimOrder) -> str:
    """The client id of an order itself, where a cancel has given it another one."""
    return order.original_client_order_id if order.status is OrderStatus.CANCELED else order.client_order_id


def placed(
    order_list: SimOrderList, orders: Sequence[SimOrder], unit: int, report: Callable[[SimOrder], dict[str, object]]
) -> dict[str, object]:
    """The answer to a new list, with a report on each order."""
    return {**queried(order_list, orders, unit), "orderReports": [report(order) for order in orders]}


def canceled(order_list: SimOrderList, orders: Sequence[SimOrder], unit: int) -> dict[str, object]:
    """The answer to a cancel, with a report on each order that it ended."""
    ended = [order for order in orders if order.status is OrderStatus.CANCELED]
    return {
        **queried(order_list, orders, unit),
        "orderReports": [order_reports.canceled(order, unit) for order in ended],
    }


def queried(order_list: SimOrderList, orders: Iterable[SimOrder], unit: int) -> dict[str, object]:
    """A list in the answer to a query."""
    return {
        "orderListId": order_list.list_id,
        "contingencyType": contingency(order_list.kind),
        "listStatusType": LIST_STATUS_TYPES[ListChange.DONE if order_list.is_done else ListChange.STARTED],
        "listOrderStatus": list_order_status(order_list),
        "listClientOrderId": order_list.client_list_id,
        "transactionTime": order_list.updated_at * unit,
        "symbol": order_list.symbol,
        "orders": _orders(orders),
    }


def amended(order_list: SimOrderList, orders: Iterable[SimOrder]) -> dict[str, object]:
    """The part about the list in the answer to the amendment of one of its orders."""
    return {
        "orderListId": order_list.list_id,
        "contingencyType": contingency(order_list.kind),
        "listOrderStatus": list_order_status(order_list),
        "listClientOrderId": order_list.client_list_id,
        "symbol": order_list.symbol,
        "orders": _orders(orders),
    }


def _orders(orders: Iterable[SimOrder]) -> list[dict[str, object]]:
    return [
        {"symbol": order.symbol, "orderId": order.order_id, "clientOrderId": own_client_id(order)} for order in orders
    ]
