"""The part of the driver that is about orders: commands, questions, history.

Look up: which answers are receipts only (``is_receipt``: what becomes of the order is told later), how lists are paged
(``Pages``), how far back history goes, whether ``fetch_order`` knows orders that ended long ago (``fetch_past_order``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from exconn_sync.exchanges._template import encode, encode_orders, limits, parse_orders
from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.exchanges._template.not_offered import NotOffered
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.limits import Lane
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.wire import HistoryLimits, HttpResponse, Params, RestCall, TimeSpan
from exconn_sync.ports.batch import BatchCalls
from exconn_sync.ports.command_wire import CommandWire

T = TypeVar("T")

_MOST_ROWS = 500
_WEEK_MS = 7 * 24 * 60 * 60 * 1000


class TemplateTrading(NotOffered):
    """Orders; see ``TradingDriver`` and ``ExchangeDriver`` for what each method promises."""

    history_limits = HistoryLimits(longest_ms=_WEEK_MS, rows=_MOST_ROWS)

    # --- commands ---------------------------------------------------------------------------------------------------

    def place_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places the order. Raises ValidationError for what is not offered."""
        body = encode.json_body(encode_orders.placed(order, instrument, client_order_id))
        parse = partial(parse_orders.parse_placed, instrument, client_order_id, instruments)
        return _command("POST", urls.ORDERS, parse, body=body)

    def cancel_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels the order."""
        parse = partial(parse_orders.parse_cancelled, instrument, order, instruments)
        return _command("DELETE", urls.ORDERS, parse, encode_orders.named(instrument, order))

    def cancel_all(self, instrument: Instrument, instruments: Instruments) -> Sequence[RestCall[Sequence[Fact]]]:
        """Return the one command that cancels all open orders of a symbol."""
        parse = partial(parse_orders.parse_orders, instrument, instruments, FactSource.ANSWER)
        return [_command("DELETE", urls.ALL_ORDERS, parse, _symbol(instrument))]

    def command_wire(self, environment: str) -> CommandWire | None:
        """Return None: commands go over REST only."""
        return None

    def batch_calls(self, environment: str) -> BatchCalls | None:
        """Return None: orders are taken one by one."""
        return None

    # --- questions --------------------------------------------------------------------------------------------------

    def fetch_order(self, instrument: Instrument, order: OrderState, instruments: Instruments) -> RestCall[OrderFact]:
        """Return the call for one order; the code for one that there is not becomes OrderNotFound."""
        parse = partial(parse_orders.parse_order, instrument, order, instruments, FactSource.QUERY)
        return _question(urls.ORDERS, parse, encode_orders.named(instrument, order), lane=Lane.QUERY)

    def fetch_open_orders(self, instrument: Instrument | None, instruments: Instruments) -> RestCall[list[OrderFact]]:
        """Return the call for the open orders of one symbol or of all."""
        parse = partial(parse_orders.parse_orders, instrument, instruments, FactSource.RECONCILIATION)
        if instrument is None:
            return _question(urls.OPEN_ORDERS, parse)
        return _question(urls.OPEN_ORDERS, parse, _symbol(instrument), lane=Lane.QUERY)

    def fetch_fills(
        self,
        instrument: Instrument,
        exchange_order_id: str | None,
        instruments: Instruments,
        *,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Return the call for the newest fills of a symbol, or for those of one order, which come page by page."""
        params: Params = (*_symbol(instrument), ("limit", str(_MOST_ROWS)))
        if exchange_order_id is not None:
            params = (*params, ("order_id", exchange_order_id), ("after", after or "0"))
        return _question(urls.FILLS, partial(parse_orders.parse_fills, instrument, instruments), params)

    def fetch_order_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan | None, limit: int
    ) -> RestCall[list[OrderFact]]:
        """Return the call for the newest orders of a symbol, or for those of a time span."""
        parse = partial(parse_orders.parse_orders, instrument, instruments, FactSource.QUERY)
        params = (*_symbol(instrument), *_of_span(span), ("limit", str(limit)))
        return _question(urls.PAST_ORDERS, parse, params)

    def fetch_fill_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan, limit: int
    ) -> RestCall[list[Fill]]:
        """Return the call for the fills of a symbol in a time span."""
        params = (*_symbol(instrument), *_of_span(span), ("limit", str(limit)))
        return _question(urls.FILLS, partial(parse_orders.parse_fills, instrument, instruments), params)


def _command(
    method: str, path: str, parse: Callable[[HttpResponse], T], params: Params = (), *, body: bytes | None = None
) -> RestCall[T]:
    return RestCall(
        method, path, parse, params, is_signed=True, is_command=True, costs=limits.costs_of(method, path),
        lane=limits.lane_of(method, path), body=body,
    )  # fmt: skip


def _question(
    path: str, parse: Callable[[HttpResponse], T], params: Params = (), *, lane: Lane | None = None
) -> RestCall[T]:
    return RestCall("GET", path, parse, params, is_signed=True, costs=limits.costs_of("GET", path), lane=lane)


def _symbol(instrument: Instrument) -> Params:
    return (("symbol", instrument.exchange_symbol),)


def _of_span(span: TimeSpan | None) -> Params:
    return () if span is None else (("from_ms", str(span.first_ms)), ("to_ms", str(span.last_ms)))
