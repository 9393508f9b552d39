"""The part of the driver that is about orders beyond single ones: commands, lists, history (Binance: 5.6 to 5.10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from exconn_sync.errors import ValidationError
from exconn_sync.exchanges.binance import (
    encode_lists,
    encode_orders,
    faults,
    limits,
    parse_history,
    parse_lists,
    parse_orders,
    parse_replace,
    parse_rest,
)
from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.binance.order_rows import allocation_number
from exconn_sync.model.account import Fact
from exconn_sync.model.account_reports import Commission, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.limits import Lane
from exconn_sync.model.order_lists import OrderListFact, OrderListRequest, OrderListState
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.wire import HistoryLimits, Params, RestCall, TimeSpan
from exconn_sync.ports.trading import ReplaceAnswer

_DAY_MS = 24 * 60 * 60 * 1000


class BinanceTrading:
    """Orders of Binance spot; see ``TradingDriver`` for what each method promises."""

    # Orders that ended without a fill are archived after 90 days (Binance: 5.6).
    history_limits = HistoryLimits(longest_ms=_DAY_MS, rows=1000, unfilled_ms=90 * _DAY_MS)

    enlarges_orders = False

    # --- commands ---------------------------------------------------------------------------------------------------

    def place_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places the order; its answer is the order and its immediate fills."""
        path = urls.SOR_ORDER if order.smart_routing else urls.ORDER
        parse = partial(parse_orders.parse_placed, instrument, client_order_id)
        params = encode_orders.place_params(order, instrument, client_order_id)
        costs = limits.costs_of("POST", path)
        return RestCall("POST", path, parse, params, is_signed=True, is_command=True, costs=costs)

    def test_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, *, with_commission: bool
    ) -> RestCall[Commission | None]:
        """Return the call that has an order checked; it changes nothing, so it is a question."""
        path = urls.SOR_ORDER_TEST if order.smart_routing else urls.ORDER_TEST
        parse = partial(parse_history.parse_tested, instrument)
        params = encode_orders.place_params(order, instrument, client_order_id)
        if with_commission:
            params = (*params, ("computeCommissionRates", "true"))
        return RestCall("POST", path, parse, params, is_signed=True, costs=limits.costs_of("POST", path, params))

    def guards_disconnects(self, environment: str) -> bool:
        """Return False: Binance spot leaves orders alone."""
        return False

    def set_cancel_on_disconnect(self, seconds: int) -> RestCall[None]:
        """Refuse: there is no such thing."""
        raise _no_guard()

    def fetch_cancel_on_disconnect(self) -> RestCall[int | None]:
        """Refuse: there is no such thing."""
        raise _no_guard()

    def command_wire(self, environment: str) -> None:
        """Return nothing: commands go over REST."""

    def batch_calls(self, environment: str) -> None:
        """Return nothing: Binance takes orders one by one."""

    def fetch_past_order(self, instrument: Instrument, order: OrderState, instruments: Instruments) -> None:
        """Return nothing: Binance is asked for present and past orders alike."""

    def cancel_all(self, instrument: Instrument, instruments: Instruments) -> Sequence[RestCall[Sequence[Fact]]]:
        """Return the one command that cancels all open orders of a symbol, order lists included."""
        parse = partial(parse_lists.parse_cancelled_all, instrument)
        params = (("symbol", instrument.exchange_symbol),)
        costs = limits.costs_of("DELETE", urls.OPEN_ORDERS)
        call = RestCall(
            "DELETE", urls.OPEN_ORDERS, parse, params, is_signed=True, is_command=True, costs=costs, lane=Lane.CANCEL
        )
        return (call,)

    def replace_order(
        self,
        old: OrderState,
        order: OrderRequest,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        instruments: Instruments,
        *,
        place_anyway: bool,
        cancel_anyway: bool,
    ) -> RestCall[ReplaceAnswer]:
        """Return the command that cancels one order and places another, which is not one transaction."""
        parse = partial(parse_replace.parse_replaced, instrument, old, client_order_id, faults.half_error_of)
        params = encode_orders.replace_params(
            old, order, instrument, client_order_id, place_anyway=place_anyway, cancel_anyway=cancel_anyway
        )
        costs = limits.costs_of("POST", urls.CANCEL_REPLACE)
        return RestCall(
            "POST", urls.CANCEL_REPLACE, parse, params, is_signed=True, is_command=True, costs=costs,
            limit_of=faults.limit_of_halves,
        )  # fmt: skip

    def amend_order(
        self,
        instrument: Instrument,
        order: OrderState,
        quantity: Decimal | None,
        instruments: Instruments,
        *,
        price: Decimal | None = None,
        exits: Mapping[str, Decimal] | None = None,
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that makes an order smaller; Binance changes nothing else of it."""
        encode_orders.refuse_exits(exits or {})
        if price is not None or quantity is None:
            text = f"cannot be changed on {urls.EXCHANGE}; replace the order"
            raise ValidationError("price", price, text, exchange=urls.EXCHANGE)
        parse = partial(parse_replace.parse_amended, instrument, order)
        params = encode_orders.amend_params(instrument, order, quantity)
        costs = limits.costs_of("PUT", urls.AMEND)
        return RestCall("PUT", urls.AMEND, parse, params, is_signed=True, is_command=True, costs=costs)

    # --- order lists ------------------------------------------------------------------------------------------------

    def place_list(
        self,
        request: OrderListRequest,
        instrument: Instrument,
        list_client_id: ClientOrderId,
        legs: Sequence[ClientOrderId],
        instruments: Instruments,
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places an order list."""
        path = encode_lists.list_path(request)
        parse = partial(parse_lists.parse_placed_list, instrument, list_client_id, legs)
        params = encode_lists.list_params(request, instrument, list_client_id, legs)
        costs = limits.costs_of("POST", path)
        return RestCall("POST", path, parse, params, is_signed=True, is_command=True, costs=costs)

    def cancel_list(
        self, instrument: Instrument, state: OrderListState, legs: Sequence[OrderState], instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels an order list with all its orders."""
        parse = partial(parse_lists.parse_cancelled_list, instrument, state)
        params = encode_lists.named_list_params(instrument, state)
        costs = limits.costs_of("DELETE", urls.ORDER_LIST)
        return RestCall(
            "DELETE", urls.ORDER_LIST, parse, params, is_signed=True, is_command=True, costs=costs, lane=Lane.CANCEL
        )

    def fetch_list(self, state: OrderListState, instruments: Instruments) -> RestCall[OrderListFact]:
        """Return the call for one order list."""
        parse = partial(parse_lists.parse_queried_list, instruments)
        params = encode_lists.named_list_params(None, state)
        costs = limits.costs_of("GET", urls.ORDER_LIST)
        return RestCall("GET", urls.ORDER_LIST, parse, params, is_signed=True, costs=costs, lane=Lane.QUERY)

    def fetch_open_lists(self, instruments: Instruments) -> RestCall[list[OrderListFact]]:
        """Return the call for all open order lists."""
        parse = partial(parse_lists.parse_open_lists, instruments)
        costs = limits.costs_of("GET", urls.OPEN_ORDER_LISTS)
        return RestCall("GET", urls.OPEN_ORDER_LISTS, parse, is_signed=True, costs=costs)

    # --- history ----------------------------------------------------------------------------------------------------

    def fetch_order_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan | None, limit: int
    ) -> RestCall[list[OrderFact]]:
        """Return the call for orders of a symbol by the time of their last change; a span has at most 24 hours."""
        parse = partial(parse_history.parse_order_history, instrument)
        costs = limits.costs_of("GET", urls.ALL_ORDERS)
        return RestCall("GET", urls.ALL_ORDERS, parse, _of_span(instrument, span, limit), is_signed=True, costs=costs)

    def fetch_fill_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan, limit: int
    ) -> RestCall[list[Fill]]:
        """Return the call for the fills of a symbol in a span of at most 24 hours."""
        parse = partial(parse_rest.parse_fills, instrument)
        costs = limits.costs_of("GET", urls.MY_TRADES)
        return RestCall("GET", urls.MY_TRADES, parse, _of_span(instrument, span, limit), is_signed=True, costs=costs)

    def fetch_allocations(
        self,
        instrument: Instrument,
        instruments: Instruments,
        *,
        span: TimeSpan | None,
        limit: int,
        order_id: ExchangeOrderId | None = None,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Return the call for allocations of a span of at most 24 hours, or of one order after a known one."""
        parse = partial(parse_history.parse_allocations, instrument)
        params = _of_span(instrument, span, limit)
        if order_id is not None:
            # As with trades: without a first id the newest would come (Binance: 5.10).
            first = 0 if after is None else allocation_number(after) + 1
            params = (*params, ("orderId", order_id), ("fromAllocationId", str(first)))
        costs = limits.costs_of("GET", urls.ALLOCATIONS)
        return RestCall("GET", urls.ALLOCATIONS, parse, params, is_signed=True, costs=costs)

    def fetch_amendments(
        self, instrument: Instrument, order: OrderState, *, limit: int
    ) -> RestCall[list[OrderAmendment]]:
        """Return the call for an order's amendments; it is named by the exchange's id only."""
        parse = partial(parse_history.parse_amendments, instrument, order)
        params = (
            ("symbol", instrument.exchange_symbol), ("orderId", order.exchange_order_id or ""), ("limit", str(limit)),
        )  # fmt: skip
        costs = limits.costs_of("GET", urls.AMENDMENTS)
        return RestCall("GET", urls.AMENDMENTS, parse, params, is_signed=True, costs=costs)

    def fetch_prevented_matches(
        self, instrument: Instrument, exchange_order_id: ExchangeOrderId, *, after: str | None, limit: int
    ) -> RestCall[list[PreventedMatch]]:
        """Return the call for the prevented trades of one order."""
        parse = partial(parse_history.parse_prevented, instrument)
        params: Params = (
            ("symbol", instrument.exchange_symbol), ("orderId", exchange_order_id), ("limit", str(limit)),
        )  # fmt: skip
        if after is not None:
            params = (*params, ("fromPreventedMatchId", str(int(after) + 1)))
        costs = limits.costs_of("GET", urls.PREVENTED_MATCHES)
        return RestCall("GET", urls.PREVENTED_MATCHES, parse, params, is_signed=True, costs=costs)

    def fetch_commission(self, instrument: Instrument) -> RestCall[Commission]:
        """Return the call for the account's rates of a symbol."""
        parse = partial(parse_history.parse_commission, instrument)
        params = (("symbol", instrument.exchange_symbol),)
        costs = limits.costs_of("GET", urls.COMMISSION)
        return RestCall("GET", urls.COMMISSION, parse, params, is_signed=True, costs=costs)

    def fetch_order_counts(self) -> RestCall[list[OrderCount]]:
        """Return the call for the counts of unfilled orders."""
        path = urls.ORDER_COUNTS
        costs = limits.costs_of("GET", path)
        return RestCall("GET", path, parse_history.parse_order_counts, is_signed=True, costs=costs)


def _of_span(instrument: Instrument, span: TimeSpan | None, limit: int) -> Params:
    params: Params = (("symbol", instrument.exchange_symbol), ("limit", str(limit)))
    if span is None:
        return params
    return (*params, ("startTime", str(span.first_ms)), ("endTime", str(span.last_ms)))


def _no_guard() -> ValidationError:
    text = "does not cancel orders of a program that is gone"
    return ValidationError("exchange", urls.EXCHANGE, text, exchange=urls.EXCHANGE)
