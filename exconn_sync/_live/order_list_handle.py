"""A live handle on an order list: its orders, and what is known of the list itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from exconn_sync._live.order_handle import Order
from exconn_sync._machines.deadline import Deadline
from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import OrderListKind, OrderListStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.order_lists import OrderListState


class OrderList:
    """Orders that depend on each other. Properties are instant and never do I/O; may be used from any thread.

    ``orders`` are live handles: the working order first, then the pending ones; of a pair the upper one first.
    """

    def __init__(
        self,
        list_client_id: ClientOrderId,
        orders: tuple[Order, ...],
        store: AccountStore,
        cancel: Callable[[OrderList, float | None], None],
    ) -> None:
        self.list_client_id = list_client_id
        self.orders = orders
        self._store = store
        self._cancel = cancel

    @property
    def state(self) -> OrderListState:
        """Everything known of the list at this moment. Raises ForkedProcess in a child forked since."""
        state = self._store.order_list(self.list_client_id)
        if state is None:
            raise ExconnError(f"order list {self.list_client_id} is not in the store")
        return state

    @property
    def list_id(self) -> str | None:
        """The exchange's id, None until it is known."""
        return self.state.list_id

    @property
    def kind(self) -> OrderListKind | None:
        """How the orders depend on each other."""
        return self.state.kind

    @property
    def status(self) -> OrderListStatus:
        """State of the list; what became of each order stands in the orders."""
        return self.state.status

    @property
    def is_terminal(self) -> bool:
        """True where none of the orders can trade any more."""
        return all(order.is_terminal for order in self.orders)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all orders are terminal; return False when ``timeout`` seconds passed first.

        Raises:
            ConnectorStopped: the connector was stopped meanwhile.
        """
        deadline = Deadline.after(time.monotonic_ns(), timeout)
        return all(order.wait(timeout=deadline.remaining(time.monotonic_ns())) for order in self.orders)

    def cancel(self, timeout: float | None = None) -> None:
        """Cancel the list with all its orders; returns when the exchange has confirmed it.

        Raises:
            OrderRejected: the exchange refused, usually because all orders are terminal already.
            OutcomeUnknown: the cancel may or may not have arrived; it is being looked into.
        """
        self._store.guard.check("order list")
        self._cancel(self, timeout)

    def __repr__(self) -> str:
        if self._store.guard.is_foreign:
            return f"<OrderList {self.list_client_id} of the parent process>"
        return f"<OrderList {self.list_client_id} {self.kind} {self.status} {list(self.orders)}>"
