"""What every command needs: checks before it, its deadline, its intents, and the looking for unknown outcomes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import NamedTuple

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.order_handle import Order
from exconn_sync._live.reconciler import Reconciler
from exconn_sync._live.resolver import Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.risk_desk import RiskDesk
from exconn_sync._machines.deadline import Deadline
from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.entry import Entry
from exconn_sync.config import Config
from exconn_sync.errors import (
    AuthenticationError,
    ConnectorStopped,
    ExconnError,
    RequestTimeout,
    ValidationError,
)
from exconn_sync.model.enums import FactSource, OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderFact, OrderRequest, OrderState, own_statement
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.risk.case import Case


class Checked(NamedTuple):
    """An order that passed all checks before sending, and the id by which it will be found again."""

    request: OrderRequest
    instrument: Instrument
    client_order_id: ClientOrderId
    case: Case | None = None


class CommandDesk:
    """What the gateways of commands share. Thread-safe.

    ``cancel`` is what the handles it gives out call: a handle outlives the life of the connector that made it.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        catalogue: Catalogue,
        store: AccountStore,
        risk: RiskDesk,
        reconciler: Reconciler,
        resolver: Resolver,
        clock: Clock,
        cancel: Callable[[Order, float | None], None],
    ) -> None:
        self.driver = driver
        self.rest = rest
        self.catalogue = catalogue
        self.store = store
        self.reconciler = reconciler
        self.resolver = resolver
        self.clock = clock
        self._config = config
        self.risk = risk
        self._cancel = cancel
        # Placements that have not returned. One thread changes an entry at a time, so no lock is needed.
        self.under_way: dict[ClientOrderId, Deadline] = {}

    def handle(self, client_order_id: ClientOrderId) -> Order:
        """Return a live handle on a known order."""
        return Order(client_order_id, self.store, self._cancel)

    def deadline(self, timeout: float | None) -> Deadline:
        """Return the deadline of a command that begins now; None is the configured limit."""
        seconds = self._config.timeouts.request if timeout is None else timeout
        return Deadline.after(self.clock.monotonic_ns(), seconds)

    def remaining(self, deadline: Deadline) -> float | None:
        """Return the seconds that are left, None where there is no limit."""
        return deadline.remaining(self.clock.monotonic_ns())

    # --- before sending ---------------------------------------------------------------------------------------------

    def require(self, what: str, deadline: Deadline) -> None:
        """Check that there is time and a key for a command.

        Raises:
            RequestTimeout, AuthenticationError: there is not; nothing was sent.
        """
        if deadline.is_over(self.clock.monotonic_ns()):
            raise RequestTimeout("no time was left to send it", exchange=self.driver.name, outcome="not_sent")
        if not self._config.has_account:
            raise AuthenticationError(
                f"{what} needs an API key; none was configured", exchange=self.driver.name, outcome="not_sent"
            )

    def checked(self, request: OrderRequest) -> Checked:
        """Return an order with its instrument and id, after all checks that need nobody but us.

        Raises:
            ValidationError: unknown symbol, or it breaks a trading rule.
        """
        instrument = self.catalogue.get(request.symbol)
        instrument.check(request)
        return Checked(request, instrument, request.client_order_id or new_id())

    def admit(self, item: Checked, *, replaces: OrderState | None = None) -> Checked:
        """Return an order as the limits will judge it when it is entered, after the user's rules have.

        ``replaces`` is the order that is cancelled before it is placed. Raises RiskRejected.
        """
        return item._replace(case=self.risk.admit(item.request, item.instrument, replaces=replaces))

    def known(self, order: Order | str) -> OrderState:
        """Return the state of an order by its handle or id. Raises ValidationError where it is not known."""
        if isinstance(order, Order):
            return order.state
        state = self.store.order(order) if isinstance(order, str) else None
        if state is None:
            raise ValidationError("order", order, "is not a known order; pass an Order or its id")
        return state

    def placing(self, items: Sequence[Checked], deadline: Deadline) -> Placing:
        """Enter the intents of new orders, and be answerable for them while the block sends them; see ``Placing``."""
        entries = [self.risk.entry(self._intent(item), item.case) for item in items]
        return Placing(self, entries, deadline)

    def is_under_way(self, client_order_id: ClientOrderId) -> bool:
        """Return whether a command still works on a new order, which has not told what became of it."""
        deadline = self.under_way.get(client_order_id)
        return deadline is not None and not deadline.is_over(self.clock.monotonic_ns())

    def look_after(self) -> None:
        """Doubt the new orders whose command ended without a word, as after two interrupts in a row (fault F129)."""
        for state in self.store.open_orders():
            if (
                state.is_own
                and state.status is OrderStatus.PENDING_NEW
                and not self.is_under_way(state.client_order_id)
            ):
                self.doubt(state.client_order_id, "its command ended without a word")

    # --- afterwards -------------------------------------------------------------------------------------------------

    def reject(self, order: Order, reason: str) -> None:
        """Note that an order of ours certainly is not at the exchange."""
        self.store.apply([self._stated(order.state, OrderStatus.REJECTED, reason)])

    def doubt(self, client_order_id: ClientOrderId, reason: str) -> None:
        """Note that nobody knows whether the exchange has the order, and begin to look for it."""
        state = self.store.order(client_order_id)
        if state is not None:
            self.store.apply([self._stated(state, OrderStatus.UNKNOWN, reason)])
            self.resolver.track(client_order_id)

    def settled(
        self, client_order_id: ClientOrderId, until: Callable[[OrderState], bool], deadline: Deadline
    ) -> OrderState | None:
        """Wait for the looking to end; None where it does not in time, or because of the stop."""
        try:
            return self.store.wait_for(client_order_id, until, self.remaining(deadline))
        except ConnectorStopped:
            return None

    def looked_up(self, state: OrderState, deadline: Deadline) -> OrderState | None:
        """Ask the exchange for an order; return its state then, None where the question was not answered."""
        try:
            instrument = self.catalogue.get(state.symbol)
            call = self.driver.fetch_order(instrument, state, self.catalogue.instruments)
            self.store.apply([self.rest.call(call, self.remaining(deadline))])
        except ExconnError:
            # Whoever asks goes on not knowing: that is no failure of its own.
            return None
        return self.store.order(state.client_order_id)

    def _intent(self, item: Checked) -> OrderFact:
        request = item.request
        return OrderFact(
            exchange=self.driver.name,
            symbol=item.instrument.symbol,
            client_order_id=item.client_order_id,
            source=FactSource.LOCAL,
            received_at=self.clock.time_ns(),
            status=OrderStatus.PENDING_NEW,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            quantity=request.quantity,
            price=request.price,
            stop_price=request.stop_price,
            quote_quantity=request.quote_quantity,
            is_own=True,
            trailing_delta=request.trailing_delta,
            iceberg_quantity=request.iceberg_quantity,
            self_trade_prevention=request.self_trade_prevention,
            peg=request.peg,
        )

    def _stated(self, state: OrderState, status: OrderStatus, reason: str) -> OrderFact:
        return own_statement(state, status, reason, self.clock.time_ns())


class Placing:
    """Orders from their intents to their outcome: a ``with`` block that gives their handles, and sends them.

    On entry all intents are entered and in the journal, or none can leave and the error says why. An ExconnError out of
    the block has told the outcome. Anything else is Ctrl-C or a defect: an order that may have left is looked for, one
    that cannot have left is ended (fault F129).
    """

    def __init__(self, desk: CommandDesk, entries: Sequence[Entry], deadline: Deadline) -> None:
        self._desk = desk
        self._entries = entries
        self._deadline = deadline

    def __enter__(self) -> list[Order]:
        try:
            for entry in self._entries:
                self._desk.under_way[entry.intent.client_order_id] = self._deadline
            for entry in self._entries:
                self._enter(entry)
            for entry in self._entries:
                entry.may_leave = True
        except BaseException as error:
            self._leave(error)
            raise
        # From here on the orders and their handles exist, before anything leaves.
        return [self._desk.handle(entry.intent.client_order_id) for entry in self._entries]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    def _enter(self, entry: Entry) -> None:
        try:
            self._desk.risk.begin(entry)
        except ExconnError as error:
            for other in self._entries:
                text = error.message if other is entry else "not sent: another order of its list could not be entered"
                self._desk.store.withdraw(other, text)
            raise

    def _leave(self, error: BaseException | None) -> None:
        try:
            if error is not None and not isinstance(error, ExconnError):
                for entry in self._entries:
                    self._interrupted(entry, f"interrupted by {type(error).__name__}")
        finally:
            for entry in self._entries:
                self._desk.under_way.pop(entry.intent.client_order_id, None)

    def _interrupted(self, entry: Entry, why: str) -> None:
        if entry.may_leave:
            self._desk.doubt(entry.intent.client_order_id, why)
        else:
            self._desk.store.withdraw(entry, why + " before it was sent")


def new_id() -> ClientOrderId:
    """Return an id that no other order has: of this process, of another one, or of a fork (fault F101)."""
    return ClientOrderId("ex-" + secrets.token_hex(12))


def refusal_text(error: ExconnError) -> str:
    """Return why an order is not at the exchange, for its ``reason``."""
    return f"{error.code}: {error.message}"
