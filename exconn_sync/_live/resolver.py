"""Orders whose fate is unknown, and the looks that settle it (fault model 0.1). Never sends anything again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.absence import AbsenceProof, deadline_of
from exconn_sync._runtime.correlation import Correlation
from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ConnectorStopped, ExconnError, OrderNotFound, OutcomeUnknown
from exconn_sync.model.enums import OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderFact, OrderState, own_statement
from exconn_sync.ports.clock import Clock

logger = logging.getLogger("exconn_sync")

_MARGIN_MS = 1000
_LOOK_PAUSE = 1.0
"""Seconds between looks that may find the order early, before absence can be proven."""

UNSETTLED = (OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN)
"""States of an order of which nobody knows yet whether the exchange has it."""

Look = Callable[[OrderState], list[OrderFact]]
Report = Callable[[ClientOrderId, ExconnError], None]


class Resolver:
    """Keeps the unknown orders and the proof for each. ``track`` may be called from any thread.

    An order that the exchange may have forgotten since, which it does ``memory_ms`` after its end (None: never), stays
    unknown. That is told through ``report``, and whoever compares everything goes on looking for it (fault F090).

    ``look`` asks the exchange for one order and returns what it says, possibly of an older one of the same client id
    (fault F102); it raises OrderNotFound where the exchange does not know it. ``wake`` makes the worker that calls
    ``resolve`` do so soon.
    """

    def __init__(
        self,
        store: AccountStore,
        clock: Clock,
        server_clock: ServerClock,
        window_ms: int,
        processing_limit_ms: int,
        look: Look,
        wake: Callable[[], None],
        *,
        read_lag: float = 1.0,
        memory_ms: int | None = None,
        report: Report = lambda *_: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._server_clock = server_clock
        self._window_ms = window_ms
        self._processing_limit_ms = processing_limit_ms
        self._look = look
        self._wake = wake
        self._read_lag = read_lag
        self._memory_ms = memory_ms
        self._report = report
        # Guards both tables: commands add, the reconciler works them off.
        self._lock = threading.Lock()
        self._proofs: dict[ClientOrderId, AbsenceProof] = {}
        # Until when the account stream is left the time to speak, in ns of the monotonic clock.
        self._patience: dict[ClientOrderId, int] = {}
        # Those that no look can settle any more, unless it finds them.
        self._forgotten: set[ClientOrderId] = set()

    @property
    def unresolved(self) -> list[ClientOrderId]:
        """Orders whose fate is not settled yet."""
        with self._lock:
            return list(self._proofs)

    @property
    def doubtful(self) -> list[ClientOrderId]:
        """Those of them of which it is not even known whether the exchange has received them."""
        states = (self._store.order(client_order_id) for client_order_id in self.unresolved)
        return [
            state.client_order_id
            for state in states
            if state is not None
            and state.status in UNSETTLED
            and (state.status is OrderStatus.UNKNOWN or state.exchange_order_id is None)
        ]

    def track(self, client_order_id: ClientOrderId, patience: float = 0.0) -> None:
        """Begin to look for an order whose request may have been taken just now, after ``patience`` seconds."""
        # The request was stamped before this moment, so the proof errs on the long side.
        now_ms = self._server_clock.now_ns() // 1_000_000
        until = deadline_of(now_ms, self._window_ms, self._processing_limit_ms, self._server_clock.bound_ns, _MARGIN_MS)
        with self._lock:
            self._proofs.setdefault(client_order_id, AbsenceProof(until, self._read_lag))
            self._patience.setdefault(client_order_id, self._clock.monotonic_ns() + int(patience * 1e9))
        self._wake()

    def is_out_of_sight(self, since_ns: int) -> bool:
        """Return whether the exchange may have forgotten what ended, without a fill, after that moment (F090)."""
        memory_ms = self._memory_ms
        return memory_ms is not None and self._server_clock.now_ns() - since_ns > memory_ms * 1_000_000

    def resolve(self) -> float | None:
        """Look for each unresolved order once; return the seconds until the next look, None where nothing is open.

        Raises:
            ConnectorStopped: the connector is stopping.
        """
        for client_order_id in self.unresolved:
            state = self._store.order(client_order_id)
            if state is None or state.status not in UNSETTLED:
                self._settle(client_order_id)
            elif self._is_due(client_order_id):
                with Correlation(state.correlation_id):
                    self._look_for(state)
        return _LOOK_PAUSE if set(self.unresolved) - self._forgotten else None

    def _is_due(self, client_order_id: ClientOrderId) -> bool:
        with self._lock:
            is_late_enough = self._clock.monotonic_ns() >= self._patience.get(client_order_id, 0)
            return is_late_enough and client_order_id not in self._forgotten

    def _look_for(self, state: OrderState) -> None:
        with self._lock:
            proof = self._proofs[state.client_order_id]
        started_ns = self._server_clock.now_ns()
        try:
            facts = self._look(state)
        except OrderNotFound:
            proof.look(started_ns, found_nothing=True)
        except ConnectorStopped:
            raise
        except ExconnError:
            proof.look(started_ns, found_nothing=False, failed=True)
        else:
            self._store.apply(facts)
            if any(self._is_about(fact, state) for fact in facts):
                logger.debug("order %s was looked for and found", state.client_order_id)
                self._settle(state.client_order_id)
                return
            proof.look(started_ns, found_nothing=True)
        if proof.is_proven and not self._may_be_forgotten(state, proof):
            logger.debug("order %s was looked for and never arrived", state.client_order_id)
            self._store.apply([self._absent(state)])
            self._settle(state.client_order_id)

    def _may_be_forgotten(self, state: OrderState, proof: AbsenceProof) -> bool:
        learnt = self._store.order_history(state.client_order_id)
        since_ns = min((entry.received_at for entry in learnt), default=0)
        if not proof.may_be_forgotten(since_ns, self._memory_ms):
            return False
        with self._lock:
            self._forgotten.add(state.client_order_id)
        text = (
            "the exchange does not know it, which proves nothing: it is older than what the exchange remembers of "
            "orders that ended without a fill"
        )
        self._report(state.client_order_id, OutcomeUnknown(text, exchange=state.exchange))
        return True

    def _is_about(self, fact: OrderFact, state: OrderState) -> bool:
        """Return whether a fact is in the store as one of this order; an older one of its id is not (fault F102)."""
        found = self._store.order_of(fact)
        return found is not None and found.client_order_id == state.client_order_id

    def _absent(self, state: OrderState) -> OrderFact:
        reason = "never arrived: the exchange does not know it and can no longer accept it"
        if state.exchange_order_id is not None:
            reason = "received and never placed: the exchange does not know it and can no longer accept it"
        return own_statement(state, OrderStatus.REJECTED, reason, self._clock.time_ns())

    def _settle(self, client_order_id: ClientOrderId) -> None:
        with self._lock:
            self._proofs.pop(client_order_id, None)
            self._patience.pop(client_order_id, None)
            self._forgotten.discard(client_order_id)
