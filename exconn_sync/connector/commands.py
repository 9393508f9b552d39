"""Commands of a connector: what changes the account."""

from __future__ import annotations

from concurrent.futures import Future

from exconn_sync._live.order_handle import Order
from exconn_sync._runtime.correlation import correlated
from exconn_sync._runtime.executor import Priority
from exconn_sync.connector.core import Core
from exconn_sync.errors import ValidationError
from exconn_sync.model.orders import OrderRequest


class CommandFace:
    """Placing and cancelling orders. A command is sent at most once, and ends as done, refused or unknown."""

    _core: Core

    @correlated
    def place_order(self, request: OrderRequest, *, once: bool = False, timeout: float | None = None) -> Order:
        """Place an order and return its live handle once the exchange has it.

        Where an exchange only says that it has received the order (Bybit: 4.7), the handle may still be
        ``pending_new``: what became of it, also a refusal, is told by the handle, its events and ``wait``.

        Checked first, in this order and before anything is sent: the key, the symbol, the symbol's trading rules, the
        risk limits. ``timeout`` seconds (default: ``timeouts.request``) bound everything, also the waiting for a
        request budget.

        With ``once`` the client order id of the request, which must be given, stands for what is intended: where an
        order with it is known, placed by whatever thread or by an earlier process with the same journal, that one is
        returned and nothing is sent. So a placement whose outcome was unknown can be repeated as often as one likes.

        Raises:
            ValidationError: the order breaks a rule; nothing was sent.
            AuthenticationError: no key, or it was refused.
            RiskRejected: a risk rule refused the order; nothing was sent.
            OrderRejected: the exchange certainly did not take the order; its kinds say why.
            RateLimitError, CircuitOpen, ConnectionFailed, NotReady: see ``outcome``.
            OutcomeUnknown: it is not known in time whether the exchange took the order. The error carries the live
                handle as ``order``; looking for it goes on in the background, and it is never sent again.
        """
        gateway = self._core.assembly.gateway
        place = gateway.place_once if once else gateway.place
        return place(request_of(request), gateway.deadline(timeout))

    @correlated
    def cancel_order(self, order: Order | str, *, timeout: float | None = None) -> None:
        """Cancel an order by its handle, client order id or exchange order id; returns when it is confirmed.

        That is when the order has ended: a receipt of the cancel is no confirmation (Bybit: 4.7).

        Raises:
            ValidationError: no order with this id is known here.
            OrderRejected: the order is terminal already, or the exchange refused.
            OutcomeUnknown: it is not known in time whether the cancel arrived.
        """
        gateway = self._core.assembly.gateway
        gateway.cancel(order, gateway.deadline(timeout))

    @correlated
    def submit_order(self, request: OrderRequest, *, once: bool = False, timeout: float | None = None) -> Future[Order]:
        """Place an order on a thread of the pool; the future gets what ``place_order`` returns or raises.

        ``timeout`` counts from now, so that an order which waits too long for a thread is not sent any more: the future
        fails with RequestTimeout, outcome ``not_sent``.
        """
        gateway = self._core.assembly.gateway
        place = gateway.place_once if once else gateway.place
        checked, deadline = request_of(request), gateway.deadline(timeout)
        return self._core.assembly.executor.submit(lambda: place(checked, deadline), deadline=deadline)

    @correlated
    def submit_cancel(self, order: Order | str, *, timeout: float | None = None) -> Future[None]:
        """Cancel an order on a thread of the pool; the future gets what ``cancel_order`` raises, or None.

        Cancels go before orders that wait for a thread, and never wait for a slow read.
        """
        gateway = self._core.assembly.gateway
        deadline = gateway.deadline(timeout)
        return self._core.assembly.executor.submit(
            lambda: gateway.cancel(order, deadline), priority=Priority.URGENT, deadline=deadline
        )


def request_of(request: object) -> OrderRequest:
    """Return a checked request. Raises ValidationError."""
    if not isinstance(request, OrderRequest):
        raise ValidationError("request", request, "must be an OrderRequest, for example OrderRequest.limit(...)")
    return request
