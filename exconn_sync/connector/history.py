"""Questions about the past of orders, about fees and about limits of the account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import TypeVar

from exconn_sync._live.order_fills import OrderFills
from exconn_sync._live.order_handle import Order
from exconn_sync._live.order_list_handle import OrderList
from exconn_sync._machines.deadline import Deadline
from exconn_sync._machines.fills import fill_order
from exconn_sync._machines.span_walk import SpanWalk
from exconn_sync.connector.core import Core
from exconn_sync.connector.spans import check_span
from exconn_sync.errors import NotReady, ValidationError
from exconn_sync.model.account_reports import Commission, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.limits import Lane
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.model.wire import RestCall, TimeSpan

T = TypeVar("T")

_NS_PER_MS = 1_000_000
_MOST_PAGES = 1000
_NEWEST_ORDERS = 500


class HistoryFace:
    """The ``fetch_...`` calls about what was. Each is limited, guarded and signed; ``timeout`` seconds bound it whole.

    What a call learns about orders and fills also enters the local state. Times are integer nanoseconds since the Unix
    epoch. A long time is asked for in as many requests as it takes: 20 of request weight for each day on Binance.

    Raises (all): as the other ``fetch_...`` calls.
    """

    _core: Core

    def fetch_order_history(
        self,
        symbol: str,
        *,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
        timeout: float | None = None,
    ) -> list[OrderState]:
        """Return orders of a symbol, finished ones included, oldest first (Binance: 5.6, ``allOrders``).

        Without times the newest ``limit``: 1,000 at most, by default 500, and no more than the exchange gives at once.
        With ``start`` (and ``end``, else now) all that changed in between. Orders that never traded are gone after 90
        days.
        """
        driver, assembly = self._core.driver, self._core.assembly
        instrument, instruments = assembly.catalogue.get(symbol), assembly.catalogue.instruments

        def call(span: TimeSpan | None, rows: int) -> RestCall[list[OrderFact]]:
            return driver.fetch_order_history(instrument, instruments, span=span, limit=rows)

        newest = min(_NEWEST_ORDERS, driver.history_limits.rows) if limit is None else limit
        facts = self._walked(call, start, end, newest, timeout)
        store = self._core.store
        store.apply(facts)
        found = {state.client_order_id: state for fact in facts if (state := store.order_of(fact)) is not None}
        return list(found.values())

    def fetch_fills(
        self,
        symbol: str,
        *,
        order: Order | str | None = None,
        start: int | None = None,
        end: int | None = None,
        timeout: float | None = None,
    ) -> list[Fill]:
        """Return executions of the account in a symbol, oldest first (Binance: 5.6, ``myTrades``).

        The newest, up to 1,000; or all of one ``order``; or with ``start`` (and ``end``, else now) all in between.
        What the exchange itself gave a routed order is there too where one ``order`` is asked for; otherwise see
        ``fetch_allocations``.
        """
        driver, assembly = self._core.driver, self._core.assembly
        instrument, instruments = assembly.catalogue.get(symbol), assembly.catalogue.instruments
        if order is not None:
            if start is not None or end is not None:
                raise ValidationError("order", "given", "does not go with start and end")
            fills = self._fills_of(symbol, order, self._deadline(timeout))
        elif start is None and end is None:
            limit = self._deadline(timeout)
            fills = assembly.rest.call(driver.fetch_fills(instrument, None, instruments), self._left(limit))
        else:

            def call(span: TimeSpan | None, rows: int) -> RestCall[list[Fill]]:
                whole = span or TimeSpan(0, 0)
                return driver.fetch_fill_history(instrument, instruments, span=whole, limit=rows)

            fills = self._walked(call, start, end, driver.history_limits.rows, timeout)
        self._core.store.apply(fills)
        return fills

    def fetch_allocations(
        self, symbol: str, *, start: int | None = None, end: int | None = None, timeout: float | None = None
    ) -> list[Fill]:
        """Return what the exchange itself gave to orders that it routed, oldest first (Binance: 5.10, SOR).

        These are executions without a trade; their ``trade_id`` begins with ``allocation-``.
        """
        driver, assembly = self._core.driver, self._core.assembly
        instrument, instruments = assembly.catalogue.get(symbol), assembly.catalogue.instruments

        def call(span: TimeSpan | None, rows: int) -> RestCall[list[Fill]]:
            return driver.fetch_allocations(instrument, instruments, span=span, limit=rows)

        fills = self._walked(call, start, end, driver.history_limits.rows, timeout)
        self._core.store.apply(fills)
        return fills

    def fetch_open_order_lists(self, *, timeout: float | None = None) -> list[OrderList]:
        """Return live handles on the open order lists of the account (Binance: 5.9, ``openOrderList``).

        Orders of a list that are not known yet are asked for too; those that ended before are not shown.
        """
        driver, assembly, store = self._core.driver, self._core.assembly, self._core.store
        deadline, instruments = self._deadline(timeout), assembly.catalogue.instruments
        facts = assembly.rest.call(driver.fetch_open_lists(instruments), self._left(deadline))
        for symbol in sorted({fact.symbol for fact in facts if any(store.order(leg) is None for leg in fact.legs)}):
            call = driver.fetch_open_orders(assembly.catalogue.get(symbol), instruments)
            orders = assembly.rest.call(call, self._left(deadline))
            store.apply(orders)
        store.apply(facts)
        states = [store.order_list(fact.list_id or fact.list_client_id) for fact in facts]
        return [assembly.lists.handle(state) for state in states if state is not None]

    def fetch_amendments(self, order: Order | str, *, timeout: float | None = None) -> list[OrderAmendment]:
        """Return the changes of an order's quantity, oldest first, at most 1,000 (Binance: 5.7)."""
        state = self._with_exchange_id(order)
        assembly = self._core.assembly
        call = self._core.driver.fetch_amendments(assembly.catalogue.get(state.symbol), state, limit=1000)
        return assembly.rest.call(call, self._left(self._deadline(timeout)))

    def fetch_prevented_matches(self, order: Order | str, *, timeout: float | None = None) -> list[PreventedMatch]:
        """Return the trades of an order that self-trade prevention did not let happen, oldest first (Binance: 5.10)."""
        state = self._with_exchange_id(order)
        assembly, deadline = self._core.assembly, self._deadline(timeout)
        instrument = assembly.catalogue.get(state.symbol)
        order_id = ExchangeOrderId(state.exchange_order_id or "")
        found: list[PreventedMatch] = []
        for _ in range(_MOST_PAGES):
            after = found[-1].match_id if found else None
            call = self._core.driver.fetch_prevented_matches(instrument, order_id, after=after, limit=1000)
            page = assembly.rest.call(call, self._left(deadline))
            found += page
            if len(page) < 1000:
                break
        return found

    def fetch_commission(self, symbol: str, *, timeout: float | None = None) -> Commission:
        """Return what trading a symbol costs this account (Binance: 5.10, ``account/commission``)."""
        assembly = self._core.assembly
        call = self._core.driver.fetch_commission(assembly.catalogue.get(symbol))
        return assembly.rest.call(call, self._left(self._deadline(timeout)))

    def fetch_order_counts(self, *, timeout: float | None = None) -> list[OrderCount]:
        """Return how many orders the account placed, and may place (Binance: 4, 5.10, ``rateLimit/order``)."""
        call = self._core.driver.fetch_order_counts()
        return self._core.assembly.rest.call(call, self._left(self._deadline(timeout)))

    # --- parts ------------------------------------------------------------------------------------------------------

    def _walked(
        self,
        call: Callable[[TimeSpan | None, int], RestCall[list[T]]],
        start: int | None,
        end: int | None,
        limit: int,
        timeout: float | None,
    ) -> list[T]:
        """Return the newest rows, or with a time all rows of it, in as many questions as it takes."""
        assembly, limits = self._core.assembly, self._core.driver.history_limits
        deadline = self._deadline(timeout)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= limits.rows:
            raise ValidationError("limit", limit, f"must be a whole number from 1 to {limits.rows}")
        if start is None and end is None:
            return assembly.rest.call(call(None, limit), self._left(deadline))
        walk = self._walk(start, end)
        rows: list[T] = []
        while (span := walk.next()) is not None:
            # A long walk leaves room to what decisions wait for.
            question = replace(call(span, limits.rows), lane=Lane.BULK)
            page = assembly.rest.call(question, self._left(deadline))
            if walk.answered(len(page)):
                rows += page
        return rows

    def _walk(self, start: int | None, end: int | None) -> SpanWalk:
        if start is None:
            raise ValidationError("start", start, "is needed where end is given")
        clock = self._core.assembly.server_clock
        if end is None and not clock.is_synchronized:
            raise NotReady("the exchange's clock is not known yet", exchange=self._core.driver.name)
        last = clock.now_ns() if end is None else end
        check_span(start, last)
        return SpanWalk(start // _NS_PER_MS, last // _NS_PER_MS, self._core.driver.history_limits)

    def _fills_of(self, symbol: str, order: Order | str, deadline: Deadline) -> list[Fill]:
        state = self._with_exchange_id(order)
        assembly = self._core.assembly
        if assembly.catalogue.get(symbol).symbol != state.symbol:
            raise ValidationError("symbol", symbol, f"the order is of {state.symbol}")
        asked = OrderFills(self._core.driver, assembly.rest, assembly.catalogue)

        def left() -> float | None:
            return self._left(deadline)

        fills = [fill for page in asked.trades(state, left) for fill in page]
        if reduce(EXACT.add, (fill.quantity for fill in fills), ZERO) < state.filled_quantity:
            fills += [fill for page in asked.allocations(state, left) for fill in page]
            fills.sort(key=fill_order)
        return fills

    def _with_exchange_id(self, order: Order | str) -> OrderState:
        state = order.state if isinstance(order, Order) else self._core.own_store.order(ClientOrderId(order))
        if state is None:
            raise ValidationError("order", order, "is not a known order; pass an Order or its id")
        if state.exchange_order_id is None:
            raise ValidationError("order", state.client_order_id, "has no id of the exchange yet; fetch_order it first")
        return state

    def _deadline(self, timeout: float | None) -> Deadline:
        return self._core.assembly.gateway.deadline(timeout)

    def _left(self, deadline: Deadline) -> float | None:
        return deadline.remaining(self._core.clock.monotonic_ns())
