"""From an order to what the risk limits need to know of it, and to the store, which asks them in one step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import partial

from exconn_sync._live.book_shelf import BookShelf
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.wanted_terms import Wanted
from exconn_sync._machines.exposure import Exposure
from exconn_sync._store.account_store import AccountStore
from exconn_sync._store.entry import Entry
from exconn_sync.config.risk_limits import RiskLimits, limit_for
from exconn_sync.errors import ExconnError
from exconn_sync.model.account import Position
from exconn_sync.model.enums import Channel, OrderType, Side
from exconn_sync.model.events import RiskAlert
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.orders import OrderFact, OrderRequest, OrderState
from exconn_sync.model.profit import Profit, Top, profit_of
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.risk import Proposal
from exconn_sync.risk import RiskGate, RiskGuard
from exconn_sync.risk.case import Case
from exconn_sync.risk.collar import Walk, objection, opposite, walk
from exconn_sync.risk.guard import Change
from exconn_sync.risk.loss import quotes, symbols_to_price

_CERTAIN = ("not_sent", "refused")


class RiskDesk:
    """Asks the user's rules and the guard for one life of a connector. Thread-safe.

    What the guard decides and what there is to tell of it happens under the store's lock; the telling outside of it.
    """

    def __init__(
        self,
        store: AccountStore,
        guard: RiskGuard,
        gate: RiskGate,
        books: BookShelf,
        clock: Clock,
        server_clock: ServerClock,
        pipeline: Pipeline,
        want_book: Callable[[str], None],
    ) -> None:
        self._store = store
        self._guard = guard
        self._gate = gate
        self._books = books
        self._clock = clock
        self._server_clock = server_clock
        self._pipeline = pipeline
        self._want_book = want_book
        self._told: deque[RiskAlert] = deque()

    # --- placing ----------------------------------------------------------------------------------------------------

    def admit(
        self,
        request: OrderRequest,
        instrument: Instrument,
        *,
        replaces: OrderState | None = None,
        with_balance: bool = True,
        before: tuple[Case, ...] = (),
    ) -> Case:
        """Return an order as the guard will judge it, after the user's rules have.

        They are asked without any lock, and only about orders that the limits would let pass. ``before`` are orders of
        the same command: of those none is to be entered where the limits do not let all pass.

        Raises:
            RiskRejected: a rule objects, or a limit where there are rules or several orders.
        """
        make = partial(self._case, request, instrument, replaces, with_balance, before)
        case = make()
        if self._gate.has_rules or before:
            self._decide(lambda exposure, told: self._guard.judge(case, exposure, Change.LOOK, told))
            self._gate.admit(Proposal(request, case.symbol, case.notional, case.replaces))
            case = make()
        return case

    def entry(self, intent: OrderFact, case: Case | None) -> Entry:
        """Return an order on its way into the store, which lets it in only if the guard does."""
        assert case is not None, "an order that was not shown to the risk rules"
        # Those before it are in the store by now, and count there.
        alone = replace(case, before=()) if case.before else case

        def admit(exposure: Exposure) -> None:
            told: list[RiskAlert] = []
            try:
                self._guard.judge(alone, exposure, Change.ORDER, told)
            finally:
                self._told.extend(told)
            exposure.expect(intent.client_order_id, case.adds, case.need)

        return Entry(intent, admit)

    def begin(self, entry: Entry) -> None:
        """Enter an order of ours; see ``AccountStore.begin``."""
        try:
            self._store.begin(entry)
        finally:
            self.tell()

    # --- amending ---------------------------------------------------------------------------------------------------

    @contextmanager
    def amending(self, state: OrderState, instrument: Instrument, wanted: Wanted) -> Iterator[None]:
        """Count an order as large as it may become, from before its amend is sent until that is certain.

        One that only becomes smaller needs no leave. Raises RiskRejected.
        """
        self.begin_amend(state, instrument, wanted)
        try:
            yield
        except ExconnError as error:
            if error.outcome in _CERTAIN:
                self.undo_amend(state, wanted)
            raise

    def begin_amend(self, state: OrderState, instrument: Instrument, wanted: Wanted) -> None:
        """Begin with what ``amending`` does; whoever sends it calls ``undo_amend``. Raises RiskRejected."""
        if state.side is None or not wanted.needs_leave(state):
            return
        request = _request_of(state, wanted)
        case = self._grown(request, instrument, state)
        if self._gate.has_rules:
            looked = case
            self._decide(lambda exposure, told: self._guard.judge(looked, exposure, Change.AMEND, told))
            self._gate.admit(Proposal(request, case.symbol, case.notional, state.client_order_id))
            case = self._grown(request, instrument, state)

        def begin(exposure: Exposure, told: list[RiskAlert]) -> None:
            self._guard.judge(case, exposure, Change.AMEND, told)
            if wanted.quantity is not None:
                exposure.wish(state.client_order_id, wanted.quantity)

        self._decide(begin)

    def undo_amend(self, state: OrderState, wanted: Wanted) -> None:
        """Count an order no longer as it was to become: it certainly was not amended."""
        quantity = wanted.quantity
        if quantity is not None and wanted.needs_leave(state):
            self._store.decide(lambda exposure: exposure.unwish(state.client_order_id, quantity))

    # --- what else happens ------------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Note what the markets have made of the day's profit, and tell of it."""
        now, limits = self._now(), self._guard.limits
        tops: dict[str, Top] = {}
        for quote in self._store.decide(quotes):
            if limit_for(limits.max_daily_loss, quote) is not None:
                tops.update(self._tops(quote, limits, now))
        self._decide(lambda exposure, told: self._guard.watch(exposure, tops, now, told))

    def kill(self, reason: str) -> bool:
        """Let no order pass from now on; return whether that is new."""
        now = self._now()
        return self._decide(lambda _, told: self._guard.kill(reason, now, told))

    @property
    def killed(self) -> str | None:
        """Why the kill switch was thrown, None while it is armed."""
        return self._guard.killed

    @property
    def limits(self) -> RiskLimits:
        """The limits as they are now."""
        return self._guard.limits

    def tell(self) -> None:
        """Publish what there is to tell, outside of any lock."""
        while self._told:
            try:
                alert = self._told.popleft()
            except IndexError:
                # Another thread was faster.
                return
            self._pipeline.account(Channel.RISK_ALERT, alert.scope, [alert])
            self._pipeline.count("risk.alerts", rule=alert.rule, level=alert.level)

    def _decide(self, decision: Callable[[Exposure, list[RiskAlert]], object]) -> bool:
        told: list[RiskAlert] = []
        try:
            return bool(self._store.decide(lambda exposure: decision(exposure, told)))
        finally:
            self._told.extend(told)
            self.tell()

    def profit(self, symbol: str) -> Profit:
        """Return what the position of a symbol has brought; see ``Connector.profit``."""
        position = self._store.positions().get(symbol) or Position(self._pipeline.exchange, symbol)
        valued = partial(
            profit_of, symbol, position.quantity, position.average_price, position.realized, dict(position.other_fees)
        )
        return valued({pair: self._top(pair) for pair in valued({}).missing})

    # --- what an order comes to -------------------------------------------------------------------------------------

    def _case(
        self,
        request: OrderRequest,
        instrument: Instrument,
        replaces: OrderState | None = None,
        with_balance: bool = True,
        before: tuple[Case, ...] = (),
    ) -> Case:
        limits, symbol = self._guard.limits, instrument.symbol
        has_loss_limit = limit_for(limits.max_daily_loss, instrument.quote) is not None
        # Only the day has to be the exchange's.
        now = self._now() if has_loss_limit else self._clock.time_ns()
        walked = self._walked(request, symbol) if limits.wants_depth else None
        quantity = request.quantity if walked is None else walked.quantity
        notional = self._notional(request, symbol) if walked is None else walked.notional
        is_sell = request.side is Side.SELL
        return Case(
            symbol=symbol,
            side=request.side,
            quantity=quantity,
            notional=notional,
            adds=quantity,
            asset=(instrument.base if is_sell else instrument.quote) if with_balance else None,
            amount=quantity if is_sell else notional,
            replaces=None if replaces is None else replaces.client_order_id,
            before=before,
            collar=None if limits.max_price_deviation is None else (limits.max_price_deviation, limits.max_book_age),
            objection=self._objection(request, symbol, limits),
            tops=self._tops(instrument.quote, limits, now) if has_loss_limit else {},
            now_ns=self._clock.monotonic_ns(),
            time_ns=now,
        )

    def _grown(self, request: OrderRequest, instrument: Instrument, state: OrderState) -> Case:
        """Return an order of ours as it will be, as a case of what it is to have more than now."""
        case = self._case(request, instrument)
        more = max(ZERO, EXACT.subtract(request.quantity or ZERO, state.quantity or ZERO))
        amount = more if request.side is Side.SELL else _dearer(request, state)
        return replace(case, adds=more, amount=amount, is_new=False)

    def _walked(self, request: OrderRequest, symbol: str) -> Walk | None:
        """Return what a market order comes to in the book, None where the book cannot tell."""
        if request.type is not OrderType.MARKET:
            return None
        view = self._books.view(symbol)
        if not view.is_valid:
            return None
        found = walk(opposite(view, request.side), request.quantity, request.quote_quantity)
        # What was ordered is exact; only the other of the two is an estimate.
        if found is None or request.quote_quantity is None:
            return found
        return found._replace(notional=request.quote_quantity)

    def _notional(self, request: OrderRequest, symbol: str) -> Decimal | None:
        """Return the most that an order is worth in the quote asset, None where that cannot be told."""
        if request.quote_quantity is not None:
            return request.quote_quantity
        bid, ask = self._books.top(symbol)
        price = request.price or request.stop_price
        if request.side is Side.SELL and bid is not None:
            # A sell trades at the best bid where its limit lies below.
            price = bid[0] if price is None else max(price, bid[0])
        elif price is None and request.side is Side.BUY and ask is not None:
            price = ask[0]
        if price is None or request.quantity is None:
            return None
        return EXACT.multiply(price, request.quantity)

    def _objection(self, request: OrderRequest, symbol: str, limits: RiskLimits) -> str:
        if limits.max_price_deviation is None:
            return ""
        view = self._books.view(symbol, None if request.type is OrderType.MARKET else 1)
        if not view.is_valid:
            self._want(symbol)
        return objection(request, view, limits.max_price_deviation, limits.max_book_age)

    def _tops(self, quote: str, limits: RiskLimits, now: int) -> dict[str, Top]:
        """Return the best prices that the day's profit depends on; an unknown one is asked for, for the next time."""
        day_start = limits.day_start(now)
        wanted = self._store.decide(lambda exposure: symbols_to_price(exposure, quote, day_start))
        return {symbol: self._top(symbol) for symbol in wanted}

    def _top(self, symbol: str) -> Top:
        top = self._books.top(symbol)
        if None in top:
            self._want(symbol)
        return top

    def _want(self, symbol: str) -> None:
        try:
            self._want_book(symbol)
        except ExconnError:
            # There is no such symbol, so its price stays unknown, which the limits say.
            return

    def _now(self) -> int:
        """Return the exchange's time, which fills carry; ours before it is known."""
        return self._server_clock.now_ns() if self._server_clock.is_synchronized else self._clock.time_ns()


def _request_of(state: OrderState, wanted: Wanted) -> OrderRequest:
    """Return the order that an amended one would be. Raises ValidationError where nobody could place such a one."""
    assert state.side is not None
    price = wanted.price or state.price
    kind = state.type or OrderType.OTHER
    return OrderRequest(
        state.symbol,
        state.side,
        # Of a kind that this library cannot place, the price says how it trades.
        OrderType.LIMIT if kind is OrderType.OTHER and price is not None and state.stop_price is None else kind,
        quantity=wanted.quantity or state.quantity,
        price=price,
        stop_price=state.stop_price,
        time_in_force=state.time_in_force,
        trailing_delta=state.trailing_delta,
    )


def _dearer(request: OrderRequest, state: OrderState) -> Decimal | None:
    """Return how much more of the quote asset a buy takes once it is amended, None where that cannot be told."""
    if request.price is None or request.quantity is None:
        return None
    cost = EXACT.multiply(request.price, EXACT.subtract(request.quantity, state.filled_quantity))
    if state.price is not None and state.quantity is not None:
        rest = EXACT.subtract(state.quantity, state.filled_quantity)
        cost = EXACT.subtract(cost, EXACT.multiply(state.price, rest))
    return max(ZERO, cost)
