"""A live handle on one order: always shows what is known now, and can be waited on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import TypeAlias

from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.model.enums import OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.orders import HistoryEntry, OrderState

Until: TypeAlias = "OrderStatus | str | Collection[OrderStatus | str] | Callable[[OrderState], bool] | None"


class Order:
    """One order of the account. Properties are instant and never do I/O; may be used from any thread.

    Quantities are in the base asset, prices in quote per base. ``state`` gives all of them as one immutable value,
    which is what to read where several must belong to the same moment.
    """

    def __init__(
        self, client_order_id: ClientOrderId, store: AccountStore, cancel: Callable[[Order, float | None], None]
    ) -> None:
        self.client_order_id = client_order_id
        self._store = store
        self._cancel = cancel

    @property
    def state(self) -> OrderState:
        """Everything known at this moment. Raises ForkedProcess in a child forked since."""
        state = self._store.order(self.client_order_id)
        if state is None:
            raise ExconnError(f"order {self.client_order_id} is not in the store")
        return state

    @property
    def exchange_order_id(self) -> ExchangeOrderId | None:
        """The exchange's id, None until it is known."""
        return self.state.exchange_order_id

    @property
    def correlation_id(self) -> str | None:
        """Id of the command that placed the order, None for one placed elsewhere; see ``correlation``."""
        return self.state.correlation_id

    @property
    def symbol(self) -> str:
        """Canonical symbol."""
        return self.state.symbol

    @property
    def side(self) -> Side | None:
        """Buy or sell."""
        return self.state.side

    @property
    def type(self) -> OrderType | None:
        """Kind of order."""
        return self.state.type

    @property
    def time_in_force(self) -> TimeInForce | None:
        """How long the order stays."""
        return self.state.time_in_force

    @property
    def status(self) -> OrderStatus:
        """State as far as it is known; ``unknown`` where it cannot be proven yet."""
        return self.state.status

    @property
    def quantity(self) -> Decimal | None:
        """Ordered quantity; None for a market order in quote."""
        return self.state.quantity

    @property
    def price(self) -> Decimal | None:
        """Limit price, None where there is none."""
        return self.state.price

    @property
    def filled_quantity(self) -> Decimal:
        """Quantity traded so far."""
        return self.state.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Mean price of what was traded, None before the first fill."""
        return self.state.average_price

    @property
    def fees(self) -> Mapping[str, Decimal]:
        """Fees paid so far by asset."""
        return self.state.fees

    @property
    def is_terminal(self) -> bool:
        """True where the order can no longer trade."""
        return self.state.is_terminal

    @property
    def history(self) -> tuple[HistoryEntry, ...]:
        """What was learnt about the order, when, and from which source."""
        return self._store.order_history(self.client_order_id)

    def wait(self, until: Until = None, timeout: float | None = None) -> bool:
        """Wait until the order is as wanted; return False when ``timeout`` seconds passed first.

        ``until`` is a status, several of them, or a function of the OrderState; by default the order must be terminal.
        A wait for statuses also ends, with False, when the order is terminal in another one: it cannot come any more.

        Raises:
            ConnectorStopped: the connector was stopped meanwhile.
            ValidationError: no such status, or ``timeout`` is no number of seconds.
        """
        if callable(until):
            return self._store.wait_for(self.client_order_id, until, timeout) is not None
        if until is None:
            wanted = frozenset(status for status in OrderStatus if status.is_terminal)
        else:
            if isinstance(until, (int, float)):
                raise ValidationError("until", until, "must be a status; seconds are given as timeout=")
            texts = [until] if isinstance(until, str) else until
            wanted = frozenset(OrderStatus.of("until", text) for text in texts)
        state = self._store.wait_for(
            self.client_order_id, lambda item: item.status in wanted or item.is_terminal, timeout
        )
        return state is not None and state.status in wanted

    def cancel(self, timeout: float | None = None) -> None:
        """Cancel the order; returns when the exchange has confirmed it.

        Raises:
            OrderRejected: the exchange refused, usually because the order is terminal already.
            OutcomeUnknown: the cancel may or may not have arrived; it is being looked into.
        """
        self._store.guard.check("order", "look for it with orders.get() of the connector once it is started here")
        self._cancel(self, timeout)

    def __repr__(self) -> str:
        if self._store.guard.is_foreign:
            return f"<Order {self.client_order_id} of the parent process>"
        state = self.state
        return (
            f"<Order {state.client_order_id} {state.exchange} {state.symbol} {state.side} "
            f"{state.filled_quantity}/{state.quantity} {state.status}>"
        )
