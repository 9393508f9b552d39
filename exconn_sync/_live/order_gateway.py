"""Commands: from the user's request to one of three outcomes, done, refused or unknown (fault model 0.1)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from decimal import Decimal

from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.order_handle import Order
from exconn_sync._live.reconciler import Reconciler
from exconn_sync._live.resolver import UNSETTLED, Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.faultpoints import reach
from exconn_sync._store.account_store import AccountStore, Entry
from exconn_sync.config import Config
from exconn_sync.errors import (
    AuthenticationError,
    ConnectorStopped,
    ExconnError,
    OrderNotFound,
    OrderRejected,
    OutcomeUnknown,
    RequestTimeout,
    ValidationError,
)
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import EXACT
from exconn_sync.model.orders import OrderFact, OrderRequest, OrderState, own_statement
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.risk import Proposal
from exconn_sync.risk import RiskGate


class OrderGateway:
    """Places and cancels orders on the caller's own thread. Thread-safe.

    ``cancel`` is what the handles it gives out call: a handle outlives the life of the connector that made it.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        catalogue: Catalogue,
        books: BookShelf,
        store: AccountStore,
        risk: RiskGate,
        reconciler: Reconciler,
        resolver: Resolver,
        clock: Clock,
        cancel: Callable[[Order, float | None], None],
    ) -> None:
        self._config = config
        self._driver = driver
        self._rest = rest
        self._catalogue = catalogue
        self._books = books
        self._store = store
        self._risk = risk
        self._reconciler = reconciler
        self._resolver = resolver
        self._clock = clock
        self._cancel = cancel
        # Placements that have not returned. One thread changes an entry at a time, so no lock is needed.
        self._under_way: dict[ClientOrderId, Deadline] = {}

    def handle(self, client_order_id: ClientOrderId) -> Order:
        """Return a live handle on a known order."""
        return Order(client_order_id, self._store, self._cancel)

    def deadline(self, timeout: float | None) -> Deadline:
        """Return the deadline of a command that begins now; None is the configured limit."""
        seconds = self._config.timeouts.request if timeout is None else timeout
        return Deadline.after(self._clock.monotonic_ns(), seconds)

    def place(self, request: OrderRequest, deadline: Deadline) -> Order:
        """Place an order; see ``Connector.place_order``."""
        self._require_time(deadline)
        self._require_key("placing an order")
        instrument = self._catalogue.get(request.symbol)
        instrument.check(request)
        client_order_id = request.client_order_id or ClientOrderId("ex-" + secrets.token_hex(12))
        self._risk.admit(Proposal(request, instrument.symbol, self._notional(request, instrument)))
        # Put into the exchange's words first: what cannot be said must not become an intent.
        call = self._driver.place_order(request, instrument, client_order_id, self._catalogue.instruments)
        reach("order.before_intent")
        entry = Entry(self._intent(request, instrument, client_order_id))
        # From here on the order and its handle exist, before anything leaves.
        order = self.handle(client_order_id)
        self._under_way[client_order_id] = deadline
        try:
            self._enter(entry)
            facts = self._sent(order, call, deadline)
            reach("order.before_answer")
            self._store.apply(facts)
        except ExconnError:
            raise
        except BaseException as error:
            self._interrupted(entry, order, f"interrupted by {type(error).__name__}")
            raise
        finally:
            self._under_way.pop(client_order_id, None)
        return order

    def _enter(self, entry: Entry) -> None:
        try:
            self._store.begin(entry)
        except ExconnError as error:
            self._store.withdraw(entry, error.message)
            raise
        entry.may_leave = True

    def _sent(self, order: Order, call: RestCall[Sequence[Fact]], deadline: Deadline) -> Sequence[Fact]:
        """Send a new order; return what the exchange states, nothing where only the looking has found it there."""
        try:
            reach("order.after_intent")
            return self._rest.call(call, self._remaining(deadline))
        except ExconnError as error:
            self._failed(order, error, deadline)
            return ()

    def _interrupted(self, entry: Entry, order: Order, why: str) -> None:
        """Ctrl-C, or a defect: an order that may have left is looked for, one that cannot have left is ended."""
        if entry.may_leave:
            self._doubt(order.client_order_id, why)
        else:
            self._store.withdraw(entry, why + " before it was sent")

    def is_under_way(self, client_order_id: ClientOrderId) -> bool:
        """Return whether a command still works on a new order, which has not told what became of it."""
        deadline = self._under_way.get(client_order_id)
        return deadline is not None and not deadline.is_over(self._clock.monotonic_ns())

    def cancel(self, order: Order | str, deadline: Deadline) -> None:
        """Cancel an order; see ``Connector.cancel_order``."""
        self._require_time(deadline)
        self._require_key("cancelling an order")
        state = self._known(order)
        if state.is_terminal:
            raise OrderRejected(f"order {state.client_order_id} is {state.status} already", outcome="not_sent")
        call = self._driver.cancel_order(self._catalogue.get(state.symbol), state, self._catalogue.instruments)
        try:
            facts = self._rest.call(call, self._remaining(deadline))
        except OrderNotFound:
            # Terminal already, or not yet arrived: only a look can tell (Binance: 7.4).
            self._reconciler.reconcile_soon()
            raise
        except ExconnError as error:
            if error.outcome not in ("not_sent", "refused"):
                self._settle_cancel(state, error, deadline)
                return
            raise
        self._store.apply(facts)

    def _failed(self, order: Order, error: ExconnError, deadline: Deadline) -> None:
        """Note the outcome of a placement that did not succeed; raise unless it turns out to be at the exchange."""
        if error.outcome in ("not_sent", "refused"):
            self._store.apply([self._stated(order.state, OrderStatus.REJECTED, f"{error.code}: {error.message}")])
            raise error
        self._doubt(order.client_order_id, error.message)
        settled = self._settled(order.client_order_id, lambda state: state.status not in UNSETTLED, deadline)
        if settled is None:
            text = f"order {order.client_order_id}: it is not known yet whether the exchange has it ({error.message})"
            raise OutcomeUnknown(
                text, order=order, exchange=error.exchange, request_id=error.request_id, details=error.details
            ) from error
        if settled.status is OrderStatus.REJECTED:
            raise OrderRejected(settled.reason, exchange=error.exchange, request_id=error.request_id) from error

    def _doubt(self, client_order_id: ClientOrderId, reason: str) -> None:
        """Note that nobody knows whether the exchange has the order, and begin to look for it."""
        state = self._store.order(client_order_id)
        if state is not None:
            self._store.apply([self._stated(state, OrderStatus.UNKNOWN, reason)])
            self._resolver.track(client_order_id)

    def look_after(self) -> None:
        """Doubt the new orders whose command ended without a word, as after two interrupts in a row (fault F129)."""
        for state in self._store.open_orders():
            if (
                state.is_own
                and state.status is OrderStatus.PENDING_NEW
                and not self.is_under_way(state.client_order_id)
            ):
                self._doubt(state.client_order_id, "its command ended without a word")

    def _settle_cancel(self, state: OrderState, error: ExconnError, deadline: Deadline) -> None:
        self._reconciler.reconcile_soon()
        settled = self._settled(state.client_order_id, lambda item: item.is_terminal, deadline)
        if settled is None:
            order = self.handle(state.client_order_id)
            text = f"cancel of {state.client_order_id}: it is not known yet whether it arrived ({error.message})"
            raise OutcomeUnknown(text, order=order, exchange=error.exchange, request_id=error.request_id) from error
        if settled.status is not OrderStatus.CANCELED:
            text = f"order {state.client_order_id} was not canceled, it is {settled.status}"
            raise OrderRejected(text, exchange=error.exchange, request_id=error.request_id) from error

    def _settled(
        self, client_order_id: ClientOrderId, until: Callable[[OrderState], bool], deadline: Deadline
    ) -> OrderState | None:
        """Wait for the looking to end; None where it does not in time, or because of the stop."""
        try:
            return self._store.wait_for(client_order_id, until, self._remaining(deadline))
        except ConnectorStopped:
            return None

    def _known(self, order: Order | str) -> OrderState:
        if isinstance(order, Order):
            return order.state
        state = self._store.order(order) if isinstance(order, str) else None
        if state is None:
            raise ValidationError("order", order, "is not a known order; pass an Order or its id")
        return state

    def _notional(self, request: OrderRequest, instrument: Instrument) -> Decimal | None:
        """Return the most that an order is worth in the quote asset, None where that cannot be told."""
        if request.quote_quantity is not None:
            return request.quote_quantity
        bid, ask = self._books.top(instrument.symbol)
        price = request.price or request.stop_price
        if request.side is Side.SELL and bid is not None:
            # A sell trades at the best bid where its limit lies below.
            price = bid[0] if price is None else max(price, bid[0])
        elif price is None and request.side is Side.BUY and ask is not None:
            price = ask[0]
        if price is None or request.quantity is None:
            return None
        return EXACT.multiply(price, request.quantity)

    def _intent(self, request: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId) -> OrderFact:
        return OrderFact(
            exchange=self._driver.name,
            symbol=instrument.symbol,
            client_order_id=client_order_id,
            source=FactSource.LOCAL,
            received_at=self._clock.time_ns(),
            status=OrderStatus.PENDING_NEW,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            quantity=request.quantity,
            price=request.price,
            stop_price=request.stop_price,
            quote_quantity=request.quote_quantity,
            is_own=True,
        )

    def _stated(self, state: OrderState, status: OrderStatus, reason: str) -> OrderFact:
        return own_statement(state, status, reason, self._clock.time_ns())

    def _require_key(self, what: str) -> None:
        if not self._config.has_account:
            raise AuthenticationError(
                f"{what} needs an API key; none was configured", exchange=self._driver.name, outcome="not_sent"
            )

    def _require_time(self, deadline: Deadline) -> None:
        if deadline.is_over(self._clock.monotonic_ns()):
            raise RequestTimeout("no time was left to send it", exchange=self._driver.name, outcome="not_sent")

    def _remaining(self, deadline: Deadline) -> float | None:
        return deadline.remaining(self._clock.monotonic_ns())
