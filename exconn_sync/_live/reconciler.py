"""The worker that compares what we know of the account with what the exchange says.

It works after each reconnect of the account stream, at an interval, and at once where something is unknown. It only
looks; every difference enters the store as a fact.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from exconn_sync._live.account_reader import ACCOUNT, RECONCILED
from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.catch_up import CatchUp
from exconn_sync._live.contradictions import Contradictions
from exconn_sync._live.differences import Differences
from exconn_sync._live.order_fills import OrderFills
from exconn_sync._live.order_look import OrderLook
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.questions import CountedQuestions
from exconn_sync._live.resolver import UNSETTLED, Resolver
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._machines.backoff import Backoff
from exconn_sync._machines.missed_orders import MissedOrders
from exconn_sync._machines.reconcile import plan, unlisted
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync._store.account_store import AccountStore
from exconn_sync.config import Config
from exconn_sync.errors import (
    AuthenticationError,
    CircuitOpen,
    ConnectorStopped,
    ExchangeError,
    ExconnError,
    OrderNotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimitError,
    RequestTimeout,
)
from exconn_sync.model.enums import OrderListStatus, OrderStatus
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.limits import Lane
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.order_lists import own_list_statement
from exconn_sync.model.orders import OrderFact, OrderState
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver
from exconn_sync.ports.waiting import Event

T = TypeVar("T")

_TELLING = 5.0
"""Seconds that readiness waits for subscribers and journal to be told what a comparison has found."""
_APART_NS = 5_000_000_000
"""How far apart comparisons are that commands ask for."""

_HOPELESS = (AuthenticationError, CircuitOpen, ConnectorStopped, PermissionDenied, RateLimitError, RequestTimeout)
"""What says, of one question, that the next ones will not be answered either."""


class Reconciler:
    """``wake`` and ``reconcile_soon`` may be called from any thread; ``body`` is the worker's."""

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        rest: RestClient,
        catalogue: Catalogue,
        store: AccountStore,
        readiness: Readiness,
        pipeline: Pipeline,
        clock: Clock,
        rng: random.Random,
        server_clock: ServerClock,
    ) -> None:
        self._config = config
        self._driver = driver
        # All that it asks is counted: it is to cost little.
        self._rest = CountedQuestions(driver.name, rest, pipeline.metrics)
        self._catalogue = catalogue
        self._store = store
        self._readiness = readiness
        self._pipeline = pipeline
        self._clock = clock
        self._order_fills = OrderFills(driver, self._rest, catalogue)
        self._order_look = OrderLook(driver, self._rest, catalogue)
        self._differences = Differences(store, pipeline)
        self._catch_up = CatchUp(driver, catalogue, store, server_clock, self._differences.apply)
        self._backoff = Backoff(config.reconnect.base, config.reconnect.cap, 0.0, rng)
        # Of the present life of the worker: an abandoned one must not take what wakes its successor.
        self._awake = Event()
        # A comparison is owed while the two differ. Numbers and no flag, so that a wish is not lost that comes during
        # a comparison, or in whose comparison the worker crashes.
        self._wishes = itertools.count(1)
        self._wished = 0
        self._fulfilled = 0
        # The same for wishes that can wait: none is fulfilled before a moment after the last one.
        self._doubted = 0
        self._resolved = 0
        self._not_before_ns = 0
        self._due_ns = 0
        self._reported: set[ClientOrderId] = set()
        self._to_look_into: deque[ClientOrderId] = deque()
        pipeline.contradictions = Contradictions(pipeline, self.look_into)
        self._missed = MissedOrders(config.unknown_orders.read_lag)
        # Orders that an earlier life left without an outcome: what became of them has to be found out.
        self._inherited = [item for item in store.orders() if item.is_own and item.status in UNSETTLED]
        self.resolver: Resolver | None = None
        # Has new orders doubted that nobody works on any more.
        self.look_after: Callable[[], None] = lambda: None

    def wake(self) -> None:
        """Work on unknown orders soon; returns at once."""
        self._awake.set()

    def reconcile_soon(self) -> None:
        """Compare everything at once, because events may have been missed; returns at once."""
        self._wished = next(self._wishes)
        self._awake.set()

    def look_into(self, client_order_id: ClientOrderId) -> None:
        """Ask the exchange about an order of which the facts exclude each other; returns at once."""
        self._to_look_into.append(client_order_id)
        self._awake.set()

    def doubt(self) -> None:
        """Compare everything because of a command, but not again and again: it costs much; returns at once."""
        self._doubted = next(self._wishes)
        self._awake.set()

    def body(self, run: WorkerRun) -> None:
        """Work until stop: the body of the worker."""
        # Set, because what woke the last life may not have been worked on.
        awake = self._awake = Event()
        awake.set()
        run.stop.on_set(awake.set)
        pause: float | None = None
        while True:
            seconds = self._wait_time(pause)
            run.beat(seconds)
            awake.wait(seconds)
            awake.clear()
            if run.stop.is_set or not run.is_current:
                return
            run.beat()
            try:
                pause = self._work(run)
            except ConnectorStopped:
                return

    def look(self, state: OrderState) -> list[OrderFact]:
        """Ask the exchange for one order, by its id and among the open orders.

        Where its id was used before (fault F102) the look by it may bring the older order, so that it is looked for
        among all that came after that one as well.

        Raises:
            OrderNotFound: it is in none of these places.
        """
        seconds = lambda: self._config.timeouts.request  # noqa: E731 - one expression, used twice
        try:
            fact = self._order_look.at(state, seconds)
        except OrderNotFound:
            found = self._order_look.among_open(state, seconds)
            if not found:
                raise
            return found
        # The store tells by their ages whether it is another order, and keeps that one under a name of its own.
        self._store.apply([fact])
        known = self._store.order_of(fact)
        if known is None or known.client_order_id == state.client_order_id:
            return [fact]
        text = f"its id was used before, by the order with the exchange's id {fact.exchange_order_id}"
        self.report_once(state.client_order_id, ExconnError(text, exchange=self._driver.name))
        return [*self._order_look.among_open(state, seconds), *self._order_look.later_than(fact, state, seconds)]

    def _wait_time(self, pause: float | None) -> float:
        times = [self._due_ns] if self._due_ns else []
        if self._doubted != self._resolved:
            times.append(self._not_before_ns)
        if (again := self._missed.next_due()) is not None:
            times.append(again)
        until_due = max(min(times, default=0) - self._clock.monotonic_ns(), 0) / 1e9
        whole = until_due if times else self._config.intervals.reconcile
        return whole if pause is None else min(whole, pause)

    def _work(self, run: WorkerRun) -> float | None:
        """Do what is due; return the seconds after which unknown orders want the next look."""
        now_ns = self._clock.monotonic_ns()
        is_due = self._due_ns and now_ns >= self._due_ns
        wished, doubted = self._wished, self._doubted
        is_doubted = doubted != self._resolved and now_ns >= self._not_before_ns
        if wished != self._fulfilled or is_doubted or is_due:
            if is_doubted:
                self._not_before_ns = now_ns + _APART_NS
            if wished != self._fulfilled:
                self._catch_up.owe()
            self._compare(run)
            if run.is_current:
                self._fulfilled, self._resolved = wished, doubted
        self._look_again()
        return None if self.resolver is None else self.resolver.resolve()

    def _compare(self, run: WorkerRun) -> None:
        losses = self._readiness.losses(RECONCILED)
        try:
            self._reconcile()
        except ConnectorStopped:
            raise
        except ExconnError as error:
            if not run.is_current:
                return
            delay = self._backoff.next_delay()
            self._due_ns = self._clock.monotonic_ns() + int(delay * 1e9)
            if isinstance(error, AuthenticationError) and self._config.credentials_provider is None:
                self._readiness.fail(RECONCILED, error)
            if self._backoff.attempts == 1:
                self._pipeline.error("reconciliation", error)
            return
        if not run.is_current:
            return
        run.note_data()
        self._backoff.reset()
        self._due_ns = self._clock.monotonic_ns() + int(self._config.intervals.reconcile * 1e9)
        # Whoever subscribes once the account is ready hears only of what comes then.
        run.beat(_TELLING)
        self._store.desk.settle(_TELLING)
        run.beat()
        if run.is_current:
            self._readiness.met(RECONCILED, losses)

    def _reconcile(self) -> None:
        self._adopt()
        self.look_after()
        timeout = self._config.timeouts.request
        instruments = self._catalogue.instruments
        began_ns = self._catch_up.now_ns()
        # Taken before the question: an order placed after it need not stand in the answer.
        known = self._store.open_orders()
        # Readiness waits for these, so nobody's walk through the past comes before them.
        listed = self._rest.call(replace(self._driver.fetch_open_orders(None, instruments), lane=Lane.QUERY), timeout)
        self._differences.apply(listed)
        balances = self._rest.call(replace(self._driver.fetch_balances(), lane=Lane.QUERY), timeout)
        self._store.apply([*balances, *unlisted(self._store.balances().values(), balances)])
        # Each is asked for, whatever becomes of the others; what failed has the comparison made again (fault F099).
        failures = self._each(self._look_at, plan(known, listed, {}).look_at)
        failures += self._each(lambda symbol: self._catch_up.look_at(symbol, self._rest, timeout), self._catch_up.owed)
        everything = plan(self._store.orders(), listed, self._fill_sums())
        failures += self._each(self._fetch_fills, everything.fills_for)
        self._compare_lists()
        if failures:
            raise failures[0]
        self._catch_up.proven(began_ns)
        self._pipeline.metrics.count("reconciliations", exchange=self._driver.name)

    def _compare_lists(self) -> None:
        """Ask for the order lists that are held as open: what the stream told of them meanwhile was missed.

        The orders are what counts and are known by now, so a list that cannot be asked for holds up nothing.
        """
        for state in self._store.order_lists():
            legs = [leg for name in state.legs if (leg := self._store.order(name)) is not None]
            # The orders of a list that was not answered are looked for one by one; until then it is not known either.
            if not state.status.is_open or any(leg.status in UNSETTLED for leg in legs):
                continue
            if legs and all(leg.status is OrderStatus.REJECTED for leg in legs):
                at = self._clock.time_ns()
                self._store.apply([own_list_statement(state, OrderListStatus.REJECTED, legs[0].reason, at)])
                continue
            try:
                call = self._driver.fetch_list(state, self._catalogue.instruments)
                self._store.apply([self._rest.call(call, self._config.timeouts.request)])
            except ConnectorStopped:
                raise
            except ExconnError as error:
                self.report_once(state.list_client_id, error)

    def _adopt(self) -> None:
        inherited, self._inherited = self._inherited, []
        for state in inherited:
            if self.resolver is not None:
                self.resolver.track(state.client_order_id)

    @staticmethod
    def _each(ask: Callable[[T], None], subjects: Iterable[T]) -> list[ExconnError]:
        """Ask about each; return the failures. One that says that further questions fail as well ends it."""
        failures: list[ExconnError] = []
        for subject in subjects:
            try:
                ask(subject)
            except _HOPELESS:
                raise
            except ExconnError as error:
                failures.append(error)
        return failures

    def _look_again(self) -> None:
        """Look into contradictory orders, and for those missed a moment ago: reads may lag behind writes (F070)."""
        while self._to_look_into:
            state = self._store.order(self._to_look_into[0])
            try:
                self._store.apply([] if state is None else self.look(state))
            except ConnectorStopped:
                raise
            except OrderNotFound as error:
                self.report_once(self._to_look_into[0], error)
            except ExconnError:
                # What is wrong with the exchange, comparisons tell; it is asked again with the next one.
                break
            self._to_look_into.popleft()
        for client_order_id in self._missed.due(self._clock.monotonic_ns()):
            try:
                self._look_at(client_order_id)
            except ConnectorStopped:
                raise
            except ExconnError:
                # What is wrong with the exchange, comparisons tell.
                continue
            finally:
                # One that was neither found nor missed for long by this look is due again, and not at once.
                self._missed.put_off(client_order_id, self._clock.monotonic_ns())

    def _look_at(self, client_order_id: ClientOrderId) -> None:
        state = self._store.order(client_order_id)
        if state is None or not state.may_trade:
            self._missed.found(client_order_id)
            return
        try:
            self._differences.apply(self.look(state))
            self._missed.found(client_order_id)
        except OrderNotFound as error:
            # Not found once proves nothing: an order of ours whose request is in doubt goes on to the proof, any other
            # one stays as it is, and somebody has to be told that the exchange does not know it (any more).
            if self.resolver is not None and state.is_own and state.status is OrderStatus.UNKNOWN:
                self.resolver.track(client_order_id)
            elif state.status not in UNSETTLED and self._missed.miss(client_order_id, self._clock.monotonic_ns()):
                self.report_once(client_order_id, self._missing(state, error))
        except ExchangeError as error:
            self._pass_over(state, error)

    def _missing(self, state: OrderState, error: ExconnError) -> ExconnError:
        """Return what to tell of an order that we hold as open and that the exchange does not know."""
        if self.resolver is None or not self.resolver.is_out_of_sight(state.updated_at):
            return error
        text = (
            f"it was {state.status} when it was last heard of, and the exchange does not know it: it has ended, "
            "without a further fill, longer ago than the exchange remembers"
        )
        return OutcomeUnknown(text, exchange=self._driver.name)

    def report_once(self, client_order_id: ClientOrderId, error: ExconnError) -> None:
        """Tell on ``on_error`` what is wrong with an order, the first time; on the worker's thread only."""
        if client_order_id not in self._reported:
            self._reported.add(client_order_id)
            self._pipeline.error(f"order {client_order_id}", error)

    def _pass_over(self, state: OrderState, error: ExchangeError) -> None:
        """Tell that an order cannot be asked for because the exchange does not list its symbol; the others can."""
        if state.symbol in self._catalogue.instruments:
            raise error
        self.report_once(state.client_order_id, error)

    def _fetch_fills(self, client_order_id: ClientOrderId) -> None:
        state = self._store.order(client_order_id)
        if state is None or state.exchange_order_id is None:
            return
        timeout = self._config.timeouts.request
        try:
            trades = self._order_fills.trades(state, lambda: timeout)
            allocations = self._order_fills.allocations(state, lambda: timeout)
            for fills in itertools.chain(trades, allocations):
                self._differences.apply(fills)
                if self._fill_sums().get(client_order_id, ZERO) >= state.filled_quantity:
                    return
        except ExchangeError as error:
            self._pass_over(state, error)
            return
        self.report_once(client_order_id, ExconnError("the exchange does not list all fills of the order"))

    def _fill_sums(self) -> dict[ClientOrderId, Decimal]:
        sums: dict[ClientOrderId, Decimal] = {}
        for fill in self._store.fills():
            if fill.client_order_id is not None:
                sums[fill.client_order_id] = EXACT.add(sums.get(fill.client_order_id, ZERO), fill.quantity)
        return sums


__all__ = ["ACCOUNT", "RECONCILED", "Reconciler"]
