"""What every command needs: checks before it, its deadline, its intents, and the looking for unknown outcomes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import NamedTuple, TypeVar

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.checked_order import Checked
from exconn_sync._live.command_route import CommandRoute
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_look import OrderLook
from exconn_sync._live.reconciler import Reconciler
from exconn_sync._live.resolver import UNSETTLED, Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.risk_desk import RiskDesk
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.deadline import Deadline
from exconn_sync._runtime.correlation import current
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
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import OrderFact, OrderRequest, OrderState, own_statement
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.risk.case import Case

logger = logging.getLogger("exconn_sync")

T = TypeVar("T")

PATIENCE = 1.0
"""Seconds that the account stream has to tell what became of a command that was received, before anybody asks."""
LONGEST_PAUSE = 5.0
_LOOK = 2.0
"""Seconds that a refused command takes longer at most, because its order is looked at."""


class UnderWay(NamedTuple):
    """A placement that has not returned: until when it may take, and how often the exchange's clock had stepped."""

    deadline: Deadline
    clock_steps: int


class CommandDesk:
    """What the gateways of commands share. Thread-safe.

    ``cancel`` is what the handles it gives out call: a handle outlives the life of the connector that made it.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        route: CommandRoute,
        catalogue: Catalogue,
        store: AccountStore,
        risk: RiskDesk,
        reconciler: Reconciler,
        resolver: Resolver,
        clock: Clock,
        server_clock: ServerClock,
        cancel: Callable[[Order, float | None], None],
    ) -> None:
        self.driver = driver
        self.rest = rest
        self._route = route
        self.catalogue = catalogue
        self.store = store
        self.reconciler = reconciler
        self.resolver = resolver
        self.clock = clock
        self.order_look = OrderLook(driver, rest, catalogue)
        self._config = config
        self.risk = risk
        self._server_clock = server_clock
        self._cancel = cancel
        # Placements that have not returned. One thread changes an entry at a time, so no lock is needed.
        self.under_way: dict[ClientOrderId, UnderWay] = {}

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

    def send(self, call: RestCall[T], deadline: Deadline) -> T:
        """Send a command, over the socket for commands where one is wanted and ready; see ``CommandRoute``."""
        return self._route.call(call, self.remaining(deadline))

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

    def admit_all(self, items: Sequence[Checked]) -> list[Checked]:
        """Return orders as ``admit`` does, each judged on top of those before it. Raises RiskRejected."""
        admitted: list[Checked] = []
        before: tuple[Case, ...] = ()
        for item in items:
            case = self.risk.admit(item.request, item.instrument, before=before)
            before = (*before, case)
            admitted.append(item._replace(case=case))
        return admitted

    def known(self, order: Order | str) -> OrderState:
        """Return the state of an order by its handle or id. Raises ValidationError where it is not known."""
        if isinstance(order, Order):
            return order.state
        state = self.store.order(order) if isinstance(order, str) else None
        if state is None:
            raise ValidationError("order", order, "is not a known order; pass an Order or its id")
        return state

    def placing(self, items: Sequence[Checked], deadline: Deadline, *, in_parts: bool = False) -> Placing:
        """Enter the intents of new orders, and be answerable for them while the block sends them; see ``Placing``."""
        entries = [self.risk.entry(self._intent(item), item.case) for item in items]
        return Placing(self, entries, deadline, in_parts=in_parts)

    def begun(self, deadline: Deadline) -> UnderWay:
        """Return what is to be known of a placement that begins now."""
        return UnderWay(deadline, self._server_clock.server_steps)

    def is_under_way(self, client_order_id: ClientOrderId) -> bool:
        """Return whether a command still works on a new order, which has not told what became of it."""
        found = self.under_way.get(client_order_id)
        return found is not None and not found.deadline.is_over(self.clock.monotonic_ns())

    def look_after(self) -> None:
        """Doubt the new orders whose command ended without a word, as after two interrupts in a row (fault F129).

        Those that the exchange has received are looked for as well, but are not in doubt.
        """
        for state in self.store.open_orders():
            if not state.is_own or state.status is not OrderStatus.PENDING_NEW:
                continue
            if state.exchange_order_id is not None:
                self.resolver.track(state.client_order_id)
            elif not self.is_under_way(state.client_order_id):
                self.doubt(state.client_order_id, "its command ended without a word")

    # --- afterwards -------------------------------------------------------------------------------------------------

    def stated(self, state: OrderState, status: OrderStatus, reason: str) -> OrderFact:
        """Return what we ourselves say of an order of ours."""
        return own_statement(state, status, reason, self.clock.time_ns())

    def reject(self, order: Order, reason: str) -> None:
        """Note that an order of ours certainly is not at the exchange."""
        self.store.apply([self.stated(order.state, OrderStatus.REJECTED, reason)])

    def doubt(self, client_order_id: ClientOrderId, reason: str) -> None:
        """Note that nobody knows whether the exchange has the order, and begin to look for it."""
        state = self.store.order(client_order_id)
        if state is not None:
            fact = self.stated(state, OrderStatus.UNKNOWN, reason)
            found = self.under_way.get(client_order_id)
            if found is not None and found.clock_steps != self._server_clock.server_steps:
                # The request may have been signed again for an earlier time than the intent was made for, so an
                # order's age does not tell any more whether it is this one.
                fact = replace(fact, created_at=0)
            self.store.apply([fact])
            logger.debug("order %s is unknown: %s", client_order_id, reason)
            self.resolver.track(client_order_id)

    def received(self, client_order_id: ClientOrderId) -> None:
        """Have a new order looked for that the exchange has received, unless the account stream tells of it soon."""
        state = self.store.order(client_order_id)
        if state is not None and state.status in UNSETTLED:
            self.resolver.track(client_order_id, PATIENCE)

    def confirmed(
        self, client_order_id: ClientOrderId, until: Callable[[OrderState], bool], deadline: Deadline
    ) -> OrderState | None:
        """Wait until a command that was received shows at its order; None where it does not in time.

        The account stream tells; where it is silent, the exchange is asked, less and less often.
        """
        pause = PATIENCE
        while True:
            left = self.remaining(deadline)
            try:
                state = self.store.wait_for(client_order_id, until, pause if left is None else min(pause, left))
            except ConnectorStopped:
                return None
            if state is not None or deadline.is_over(self.clock.monotonic_ns()):
                return state
            known = self.store.order(client_order_id)
            if known is not None:
                self.looked_up(known, deadline)
            pause = min(2 * pause, LONGEST_PAUSE)

    def settled(
        self, client_order_id: ClientOrderId, until: Callable[[OrderState], bool], deadline: Deadline
    ) -> OrderState | None:
        """Wait for the looking to end; None where it does not in time, or because of the stop."""
        try:
            return self.store.wait_for(client_order_id, until, self.remaining(deadline))
        except ConnectorStopped:
            return None

    def found_out(self, state: OrderState, deadline: Deadline) -> None:
        """Look at an order of which a change was refused: it may have ended, or not arrived (fault F094).

        One look costs a twentieth of a comparison of everything, which is left to do where the look tells nothing.
        """
        left = self.remaining(deadline)
        seconds = _LOOK if left is None else min(left, _LOOK)
        if self.looked_up(state, Deadline.after(self.clock.monotonic_ns(), seconds)) is None:
            self.reconciler.doubt()

    def searched(self, state: OrderState, until: Callable[[OrderState], bool], deadline: Deadline) -> OrderState | None:
        """Look until an order whose change was not answered is as wanted; None where it is not in time."""
        looked = self.looked_up(state, deadline)
        if looked is not None and until(looked):
            return looked
        found = self.confirmed(state.client_order_id, until, deadline)
        if found is None:
            self.reconciler.doubt()
        return found

    def looked_up(self, state: OrderState, deadline: Deadline) -> OrderState | None:
        """Ask the exchange for an order; return its state then, None where the question was not answered."""
        try:
            self.store.apply([self.order_look.at(state, lambda: self.remaining(deadline))])
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
            post_only=request.post_only,
            strategy_id=request.strategy_id,
            strategy_type=request.strategy_type,
            peg_offset=request.peg_offset,
            smart_routing=request.smart_routing,
            may_grow=self.driver.enlarges_orders,
            created_at=self._server_clock.earliest_ns(),
            correlation_id=current(),
            **{name: getattr(request, name) for name in EXITS},
        )


class Placing:
    """Orders from their intents to their outcome: a ``with`` block that gives their handles, and sends them.

    On entry all intents are entered and in the journal, or none can leave and the error says why. An ExconnError out of
    the block has told the outcome. Anything else is Ctrl-C or a defect: an order that may have left is looked for, one
    that cannot have left is ended (fault F129). With ``in_parts`` the block says by ``leave`` which of them it sends.
    """

    def __init__(
        self, desk: CommandDesk, entries: Sequence[Entry], deadline: Deadline, *, in_parts: bool = False
    ) -> None:
        self._desk = desk
        self._entries = entries
        self._deadline = deadline
        self._in_parts = in_parts

    def __enter__(self) -> list[Order]:
        try:
            for entry in self._entries:
                self._desk.under_way[entry.intent.client_order_id] = self._desk.begun(self._deadline)
            for entry in self._entries:
                self._enter(entry)
            if not self._in_parts:
                self.leave(0, len(self._entries))
        except BaseException as error:
            self._leave(error)
            raise
        # From here on the orders and their handles exist, before anything leaves.
        return [self._desk.handle(entry.intent.client_order_id) for entry in self._entries]

    def leave(self, begin: int, end: int) -> None:
        """Note that these orders are sent from now on."""
        for entry in self._entries[begin:end]:
            entry.may_leave = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(error)

    def _enter(self, entry: Entry) -> None:
        try:
            self._desk.risk.begin(entry)
        except ExconnError as error:
            for other in self._entries:
                text = error.message if other is entry else "not sent: another order with it could not be entered"
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
