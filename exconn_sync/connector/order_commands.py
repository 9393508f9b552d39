"""Commands about orders that exist already, about several at once, and the test of an order."""

from __future__ import annotations

from concurrent.futures import Future
from decimal import Decimal

from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_list_handle import OrderList
from exconn_sync._live.order_replacement import OrderReplacement
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import correlated
from exconn_sync._runtime.executor import Priority
from exconn_sync.connector.commands import request_of
from exconn_sync.connector.core import Core
from exconn_sync.errors import ValidationError
from exconn_sync.model.account_reports import Commission
from exconn_sync.model.order_lists import OrderListRequest
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import OrderRequest


class OrderCommandFace:
    """Replacing, amending and cancelling several orders, and order lists. A command is sent at most once.

    ``timeout`` seconds (default: ``timeouts.request``) bound each call whole.

    Raises (all): ValidationError, AuthenticationError, RateLimitError, CircuitOpen, ConnectionFailed, NotReady,
    ConnectorStopped, and OrderRejected where the exchange refused; ``outcome`` says what is proven.
    """

    _core: Core

    @correlated
    def test_order(
        self, request: OrderRequest, *, with_commission: bool = False, timeout: float | None = None
    ) -> Commission | None:
        """Have the exchange check an order without placing it (Binance: 5.10, ``order/test``).

        With ``with_commission`` the answer is what the order would cost, else None.
        """
        gateway = self._core.assembly.gateway
        return gateway.test(request_of(request), gateway.deadline(timeout), with_commission=with_commission)

    @correlated
    def replace_order(
        self,
        order: Order | str,
        request: OrderRequest,
        *,
        place_anyway: bool = False,
        cancel_anyway: bool = False,
        timeout: float | None = None,
    ) -> OrderReplacement:
        """Cancel an order and place another in one request; return once both are done (Binance: 5.7).

        The exchange does not do both or none: it cancels first, then places. With ``place_anyway`` the new order is
        placed also where the cancel fails, for example because the old one is filled. With ``cancel_anyway`` the old
        one is cancelled also where a limit of orders keeps the new one out.

        Raises:
            PartlyDone: one half was done and the other certainly not; ``result`` says which.
            OutcomeUnknown: it is not known in time what became of a half. ``result`` has the outcome of each half and
                live handles; looking goes on, and nothing is sent again.
            OrderRejected: nothing was done. Where both were refused it is the refusal of the new order, with that of
                the cancel as its cause; ``result`` as above.
        """
        changes, deadline = self._core.assembly.changes, self._core.assembly.gateway.deadline(timeout)
        return changes.replace(
            order, request_of(request), deadline, place_anyway=place_anyway, cancel_anyway=cancel_anyway
        )

    @correlated
    def amend_order(
        self,
        order: Order | str,
        quantity: Decimal | int | str | None = None,
        *,
        price: Decimal | int | str | None = None,
        take_profit: Decimal | int | str | None = None,
        take_profit_limit_price: Decimal | int | str | None = None,
        stop_loss: Decimal | int | str | None = None,
        stop_loss_limit_price: Decimal | int | str | None = None,
        timeout: float | None = None,
    ) -> Order:
        """Give an order another quantity or limit price, or other exits, or all of them; return once it shows.

        ``quantity`` is the new whole quantity in the base asset, more than what is filled, ``price`` in quote per base.
        Binance (5.7, ``amend/keepPriority``) takes a smaller quantity only, and the order keeps its place in the book.
        Bybit (4.8) takes all of them. An order that gets larger passes the risk rules again.
        Of a pair of which one order cancels the other both get the quantity.

        ``take_profit`` and ``stop_loss`` are prices of what the exchange places once a limit order is filled, as in
        ``OrderRequest.with_options``; 0 takes one away, and None leaves it as it is (Bybit: 4.8).

        Raises:
            ValidationError: the quantity breaks a rule of the symbol; see ``Instrument.check_amend``.
            OrderRejected: the exchange refused, or the order is terminal already.
            OutcomeUnknown: it is not known in time whether the change arrived; the order is looked into.
            RiskRejected: a risk rule refused the larger order; nothing was sent.
        """
        changes = self._core.assembly.changes
        exits = _exits(take_profit, take_profit_limit_price, stop_loss, stop_loss_limit_price)
        return changes.amend(order, quantity, price, self._core.assembly.gateway.deadline(timeout), exits)

    @correlated
    def cancel_all(self, symbol: str, *, timeout: float | None = None) -> list[Order]:
        """Cancel all open orders of a symbol, order lists and orders placed elsewhere included; return their handles.

        Where none is open the list is empty. Where it takes several requests, all are made, whatever becomes of one.

        Raises:
            OutcomeUnknown: it is not known in time whether the cancel arrived; ``result`` has the orders still open.
            PartlyDone: some kinds of orders were cancelled and others certainly not; ``result`` has the cancelled ones.
        """
        changes = self._core.assembly.changes
        return changes.cancel_all(_symbol_of(symbol), self._core.assembly.gateway.deadline(timeout))

    def set_cancel_on_disconnect(self, seconds: int, *, timeout: float | None = None) -> None:
        """Set after how many seconds without an account stream the exchange cancels all orders (Bybit: 9.1, DCP).

        It counts for streams of a configuration with ``cancel_on_disconnect()``, and for all that the account has: one
        that lives prevents it. Bybit takes 3 to 300 seconds, and some to take effect.

        Raises:
            OutcomeUnknown: it is not known whether it was set; ``fetch_cancel_on_disconnect`` tells.
        """
        self._core.guard.check("connector")
        call, deadline = self._core.driver.set_cancel_on_disconnect(seconds), self._deadline_of(timeout)
        self._core.assembly.rest.call(call, deadline.remaining(self._core.clock.monotonic_ns()))

    def fetch_cancel_on_disconnect(self, *, timeout: float | None = None) -> int | None:
        """Return after how many seconds all orders would be cancelled; None where they would not."""
        self._core.guard.check("connector")
        call, deadline = self._core.driver.fetch_cancel_on_disconnect(), self._deadline_of(timeout)
        return self._core.assembly.rest.call(call, deadline.remaining(self._core.clock.monotonic_ns()))

    def _deadline_of(self, timeout: float | None) -> Deadline:
        return self._core.assembly.gateway.deadline(timeout)

    @correlated
    def place_order_list(self, request: OrderListRequest, *, timeout: float | None = None) -> OrderList:
        """Place two or three orders that depend on each other; return their live handles (Binance: 5.9).

        Each order is checked and asked of the risk rules as in ``place_order``.

        Raises:
            OrderRejected: the exchange certainly did not take the list.
            OutcomeUnknown: it is not known in time whether the exchange took it. ``result`` is the live list, each of
                whose orders is looked for.
        """
        return self._core.assembly.lists.place(_list_of(request), self._core.assembly.gateway.deadline(timeout))

    @correlated
    def cancel_order_list(self, order_list: OrderList | str, *, timeout: float | None = None) -> None:
        """Cancel an order list by its handle, or by your or the exchange's id of it; returns when it is confirmed.

        Raises:
            ValidationError: no list with this id is known here.
            OrderRejected: all its orders are terminal already, or the exchange refused.
            OutcomeUnknown: it is not known in time whether the cancel arrived.
        """
        self._core.assembly.lists.cancel(order_list, self._core.assembly.gateway.deadline(timeout))

    def order_list(self, list_id: str) -> OrderList:
        """Return a live handle on a known order list, by your or the exchange's id; instant, no I/O.

        Raises:
            ValidationError: no list with this id is known here.
            ConnectorStopped: not started, or stopped.
        """
        state = self._core.own_store.order_list(list_id) if isinstance(list_id, str) else None
        if state is None:
            raise ValidationError("list_id", list_id, "is not a known order list")
        return self._core.assembly.lists.handle(state)

    # --- on a thread of the pool ------------------------------------------------------------------------------------

    @correlated
    def submit_replace(
        self,
        order: Order | str,
        request: OrderRequest,
        *,
        place_anyway: bool = False,
        cancel_anyway: bool = False,
        timeout: float | None = None,
    ) -> Future[OrderReplacement]:
        """Replace an order on a thread of the pool; the future gets what ``replace_order`` returns or raises."""
        assembly, checked = self._core.assembly, request_of(request)
        deadline = assembly.gateway.deadline(timeout)
        return assembly.executor.submit(
            lambda: assembly.changes.replace(
                order, checked, deadline, place_anyway=place_anyway, cancel_anyway=cancel_anyway
            ),
            deadline=deadline,
        )

    @correlated
    def submit_amend(
        self,
        order: Order | str,
        quantity: Decimal | int | str | None = None,
        *,
        price: Decimal | int | str | None = None,
        take_profit: Decimal | int | str | None = None,
        take_profit_limit_price: Decimal | int | str | None = None,
        stop_loss: Decimal | int | str | None = None,
        stop_loss_limit_price: Decimal | int | str | None = None,
        timeout: float | None = None,
    ) -> Future[Order]:
        """Amend an order on a thread of the pool; the future gets what ``amend_order`` returns or raises."""
        assembly = self._core.assembly
        deadline = assembly.gateway.deadline(timeout)
        exits = _exits(take_profit, take_profit_limit_price, stop_loss, stop_loss_limit_price)
        return assembly.executor.submit(
            lambda: assembly.changes.amend(order, quantity, price, deadline, exits), deadline=deadline
        )

    @correlated
    def submit_cancel_all(self, symbol: str, *, timeout: float | None = None) -> Future[list[Order]]:
        """Cancel all orders of a symbol on a thread of the pool, before orders that wait for a thread."""
        assembly, checked = self._core.assembly, _symbol_of(symbol)
        deadline = assembly.gateway.deadline(timeout)
        return assembly.executor.submit(
            lambda: assembly.changes.cancel_all(checked, deadline), priority=Priority.URGENT, deadline=deadline
        )

    @correlated
    def submit_order_list(self, request: OrderListRequest, *, timeout: float | None = None) -> Future[OrderList]:
        """Place an order list on a thread of the pool; the future gets what ``place_order_list`` returns or raises."""
        assembly, checked = self._core.assembly, _list_of(request)
        deadline = assembly.gateway.deadline(timeout)
        return assembly.executor.submit(lambda: assembly.lists.place(checked, deadline), deadline=deadline)


def _list_of(request: object) -> OrderListRequest:
    if not isinstance(request, OrderListRequest):
        raise ValidationError("request", request, "must be an OrderListRequest, for example OrderListRequest.oco(...)")
    return request


def _symbol_of(symbol: object) -> str:
    if not isinstance(symbol, str) or not symbol:
        raise ValidationError("symbol", symbol, "must be a symbol such as BTC-USDT")
    return symbol


def _exits(*prices: object) -> dict[str, object]:
    return dict(zip(EXITS, prices, strict=True))
