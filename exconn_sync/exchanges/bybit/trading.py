"""The part of the driver that is about orders: commands, questions, history (Bybit: 4.7 to 4.16)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from exconn_sync.exchanges.bybit import encode, encode_orders, limits, parse_account, parse_orders
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.batch import BybitBatches
from exconn_sync.exchanges.bybit.not_offered import NotOffered
from exconn_sync.exchanges.bybit.order_rows import FILTERS
from exconn_sync.exchanges.bybit.parse_market import next_page
from exconn_sync.exchanges.bybit.trade_socket import TradeSocket
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.limits import Lane
from exconn_sync.model.orders import Fill, OrderFact, OrderRequest, OrderState
from exconn_sync.model.wire import HistoryLimits, HttpResponse, Pages, Params, RestCall, TimeSpan

Row = TypeVar("Row")

_BATCHES, _SOCKET = BybitBatches(), TradeSocket()
_DAY_MS = 24 * 60 * 60 * 1000
_WEEK_MS = 7 * _DAY_MS
_ORDERS_A_PAGE = 50
_FILLS_A_PAGE = 100


class BybitTrading(NotOffered):
    """Orders of Bybit spot; see ``TradingDriver`` for what each method promises.

    Every answer to a command is a receipt: what became of the order comes over the private stream, maybe before.
    """

    # Orders that ended without a fill are known for a day (Bybit: 4.12).
    history_limits = HistoryLimits(longest_ms=_WEEK_MS, rows=1000, is_whole=True, unfilled_ms=_DAY_MS)

    enlarges_orders = True

    # --- commands ---------------------------------------------------------------------------------------------------

    def place_order(
        self, order: OrderRequest, instrument: Instrument, client_order_id: ClientOrderId, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that places the order."""
        words = encode_orders.placed(order, instrument, client_order_id)
        parse = partial(parse_orders.parse_placed, instrument, client_order_id, words.get("orderFilter"))
        return _command(urls.CREATE, words, parse)

    def cancel_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[Sequence[Fact]]:
        """Return the command that cancels the order, by the exchange's id where it is known."""
        parse = partial(parse_orders.parse_changed, instrument, order)
        return _command(urls.CANCEL, encode_orders.cancelled(instrument, order), parse)

    def cancel_all(self, instrument: Instrument, instruments: Instruments) -> Sequence[RestCall[Sequence[Fact]]]:
        """Return a command for each class of orders: without a name only ordinary ones are cancelled (Bybit: 4.8)."""
        parse = partial(parse_orders.parse_cancelled_all, instrument)
        symbol = {"symbol": instrument.exchange_symbol}
        return [_command(urls.CANCEL_ALL, symbol | {"orderFilter": name}, parse) for name in FILTERS]

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
        """Return the command that changes the quantity, to a larger one too, the price or the exits of an order."""
        parse = partial(parse_orders.parse_changed, instrument, order)
        return _command(urls.AMEND, encode_orders.amended(instrument, order, quantity, price, exits), parse)

    def command_wire(self, environment: str) -> TradeSocket | None:
        """Return the trade socket, which the demo environment does not have (Bybit: 1.2)."""
        return _SOCKET if urls.TRADE in urls.base_urls(environment) else None

    def batch_calls(self, environment: str) -> BybitBatches | None:
        """Return the batches, which the demo environment does not take (Bybit: 1.3)."""
        return None if urls.CREATE_BATCH in urls.missing_paths(environment) else _BATCHES

    # --- questions --------------------------------------------------------------------------------------------------

    def fetch_order(self, instrument: Instrument, order: OrderState, instruments: Instruments) -> RestCall[OrderFact]:
        """Return the call for an open or lately closed order, by the exchange's id where it is known (Bybit: 4.11)."""
        parse = partial(parse_orders.parse_queried, instrument, order, instruments)
        return _question(urls.REALTIME, encode_orders.asked(instrument, order), parse, lane=Lane.QUERY)

    def fetch_past_order(
        self, instrument: Instrument, order: OrderState, instruments: Instruments
    ) -> RestCall[OrderFact]:
        """Return the call for an order in the history: the exchange forgets closed ones elsewhere (Bybit: 4.12)."""
        parse = partial(parse_orders.parse_queried, instrument, order, instruments)
        return _question(urls.HISTORY, encode_orders.asked(instrument, order), parse, lane=Lane.QUERY)

    def fetch_open_orders(self, instrument: Instrument | None, instruments: Instruments) -> RestCall[list[OrderFact]]:
        """Return the call for the open orders of one symbol or of all, of every class."""
        chosen = _category() if instrument is None else _of_symbol(instrument)
        params = (*chosen, ("openOnly", "0"), ("limit", str(_ORDERS_A_PAGE)))
        parse = parse_orders.orders_reader(instrument, instruments, FactSource.RECONCILIATION)
        lane = None if instrument is None else Lane.QUERY
        return _question(urls.REALTIME, params, parse, lane=lane, pages=_pages(params))

    def fetch_fills(
        self,
        instrument: Instrument,
        exchange_order_id: str | None,
        instruments: Instruments,
        *,
        after: TradeId | None = None,
    ) -> RestCall[list[Fill]]:
        """Return the call for the newest 100 fills of a symbol, or for all of one order, whatever comes before them."""
        parse = parse_account.fills_reader(instrument, instruments)
        params = (*_of_symbol(instrument), ("limit", str(_FILLS_A_PAGE)))
        if exchange_order_id is None:
            return _question(urls.EXECUTIONS, params, parse)
        params = (*params, ("orderId", exchange_order_id))
        return _question(urls.EXECUTIONS, params, parse, pages=_pages(params))

    def fetch_order_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan | None, limit: int
    ) -> RestCall[list[OrderFact]]:
        """Return the call for the newest orders of a symbol that have ended, or for those of a time span."""
        parse = parse_orders.orders_reader(instrument, instruments, FactSource.QUERY)
        a_page = min(limit, _ORDERS_A_PAGE)
        params = (*_of_symbol(instrument), *_of_span(span), ("limit", str(a_page)))
        most = -(-limit // a_page) if span is None else None
        return _question(urls.HISTORY, params, parse, pages=_pages(params, most=most, newest=limit))

    def fetch_fill_history(
        self, instrument: Instrument, instruments: Instruments, *, span: TimeSpan, limit: int
    ) -> RestCall[list[Fill]]:
        """Return the call for the fills of a symbol in a time span."""
        parse = parse_account.fills_reader(instrument, instruments)
        params = (*_of_symbol(instrument), *_of_span(span), ("limit", str(_FILLS_A_PAGE)))
        return _question(urls.EXECUTIONS, params, parse, pages=_pages(params))


def _command(
    path: str, words: Mapping[str, str], parse: Callable[[HttpResponse], Sequence[Fact]]
) -> RestCall[Sequence[Fact]]:
    return RestCall(
        "POST", path, parse, is_signed=True, is_command=True, costs=limits.costs_of(path),
        lane=limits.lane_of("POST", path), body=encode.json_body({**encode_orders.SPOT, **words}), is_receipt=True,
    )  # fmt: skip


def _question(
    path: str,
    params: Params,
    parse: Callable[[HttpResponse], Row],
    *,
    lane: Lane | None = None,
    pages: Pages[Row] | None = None,
) -> RestCall[Row]:
    costs = limits.costs_of(path)
    return RestCall("GET", path, parse, params, is_signed=True, costs=costs, lane=lane, pages=pages)


def _pages(params: Params, *, most: int | None = None, newest: int | None = None) -> Pages[list[Row]]:
    """Return how lists go on: each page is older than the one before (Bybit: 4.11, 4.12, 4.16)."""

    def join(pages: Sequence[list[Row]]) -> list[Row]:
        rows = [row for page in reversed(pages) for row in page]
        return rows if most is None or newest is None else rows[-newest:]

    return Pages(next_page(params), join, most)


def _category() -> Params:
    return (("category", urls.CATEGORY),)


def _of_symbol(instrument: Instrument) -> Params:
    return (("category", urls.CATEGORY), ("symbol", instrument.exchange_symbol))


def _of_span(span: TimeSpan | None) -> Params:
    return () if span is None else (("startTime", str(span.first_ms)), ("endTime", str(span.last_ms)))
