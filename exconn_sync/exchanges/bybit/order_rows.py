"""An order and an execution as they stand in answers and events, and the facts they state (Bybit: 4.13, 4.16)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.order_ends import Amounts, end_of, is_working
from exconn_sync.exchanges.bybit.words import (
    POST_ONLY,
    known_side_of,
    order_type_of,
    prevention_of,
    side_of,
    time_in_force_of,
)
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, signed_number
from exconn_sync.model.enums import FactSource, OrderType, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import Fill, OrderFact

TPSL = "tpslOrder"
FILTERS = ("Order", TPSL, "StopOrder", "OcoOrder", "BidirectionalTpslOrder")
"""Classes of orders, each of which has to be named to be cancelled (Bybit: 4.8)."""

TRADE = "Trade"

_CLASSES = {"Stop": "StopOrder", **{name: name for name in FILTERS[1:]}}
_QUOTE = "quoteCoin"
_BY_DEFAULT_IN_QUOTE = ("", Side.BUY)
_CONDITIONAL = {
    # By whether the kind is a limit order, and whether the order waits for the market to move against it.
    (True, True): OrderType.STOP_LIMIT,
    (True, False): OrderType.TAKE_PROFIT_LIMIT,
    (False, True): OrderType.STOP_MARKET,
    (False, False): OrderType.TAKE_PROFIT_MARKET,
}


class OrderRow(msgspec.Struct, rename="camel"):
    """An order; mandatory is what names it and says what became of it (fault F038). Empty texts are absent values."""

    symbol: str
    order_id: str
    order_status: str
    cum_exec_qty: str
    category: str | None = None
    order_link_id: str | None = None
    side: str | None = None
    order_type: str | None = None
    price: str | None = None
    qty: str | None = None
    market_unit: str | None = None
    cancel_type: str | None = None
    reject_reason: str | None = None
    cum_exec_value: str | None = None
    cum_fee_detail: dict[str, str] | str | None = None
    time_in_force: str | None = None
    stop_order_type: str | None = None
    trigger_price: str | None = None
    base_price: str | None = None
    last_price_on_created: str | None = None
    smp_type: str | None = None
    take_profit: str | None = None
    tp_limit_price: str | None = None
    stop_loss: str | None = None
    sl_limit_price: str | None = None
    created_time: str | None = None
    updated_time: str | None = None


class ExecutionRow(msgspec.Struct, rename="camel"):
    """An execution; a fill must not be lost for its fee (fault F113)."""

    symbol: str
    order_id: str
    exec_id: str
    exec_price: str
    exec_qty: str
    side: str
    exec_time: str
    category: str | None = None
    order_link_id: str | None = None
    exec_type: str | None = None
    exec_fee: str | None = None
    fee_currency: str | None = None
    is_maker: bool = False


def order_fact(
    row: OrderRow,
    instruments: Instruments,
    source: FactSource,
    received_at: int,
    client_order_id: ClientOrderId | None = None,
) -> OrderFact:
    """Return what a row states about the order that is known under ``client_order_id``, by default under its own.

    Raises:
        ValueError: a number is malformed, or the order has no id.
    """
    if not row.order_id:
        raise ValueError("an order without an id")
    symbol = instruments.canonical(row.symbol)
    side, plain = side_of(row.side), order_type_of(row.order_type)
    quantity, is_quote = _optional(row.qty), _is_in_quote(row, plain, side)
    traded, value = _optional(row.cum_exec_qty), _optional(row.cum_exec_value)
    amounts = Amounts(quantity if is_quote else None, value, traded)
    end = end_of(row.order_status, row.cancel_type, row.reject_reason, amounts, _lot_step(instruments, symbol))
    order_class = _CLASSES.get(row.stop_order_type or "")
    trigger = _nonzero(row.trigger_price)
    return OrderFact(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=client_order_id or ClientOrderId(row.order_link_id or row.order_id),
        source=source,
        received_at=received_at,
        status=end.status,
        exchange_order_id=ExchangeOrderId(row.order_id),
        side=side,
        type=plain if order_class is None else _conditional_type(row, plain, side, trigger),
        time_in_force=time_in_force_of(row.time_in_force) if plain is OrderType.LIMIT else None,
        quantity=None if is_quote else _nonzero(row.qty),
        # Of a market order it is a bound of the exchange's own making, never what was paid (Bybit: 4.13).
        price=_nonzero(row.price) if plain is OrderType.LIMIT else None,
        stop_price=trigger if order_class is not None else None,
        quote_quantity=quantity or None if is_quote else None,
        filled_quantity=traded,
        cumulative_quote=value,
        exchange_time=time_of(row.updated_time),
        reason=end.reason,
        self_trade_prevention=prevention_of(row.smp_type),
        is_working=is_working(row.order_status),
        order_class=order_class,
        may_grow=True,
        post_only=None if row.time_in_force is None else row.time_in_force == POST_ONLY,
        cumulative_fees=_fees(row),
        created_at=time_of(row.created_time),
        take_profit=_exit(row.take_profit),
        take_profit_limit_price=_exit(row.tp_limit_price),
        stop_loss=_exit(row.stop_loss),
        stop_loss_limit_price=_exit(row.sl_limit_price),
    )


def fill_of(row: ExecutionRow, instruments: Instruments, source: FactSource, received_at: int) -> Fill:
    """Return the fill that an execution is; its fee is in whatever coin the exchange says (Bybit: 4.17).

    Raises:
        ValueError: a number is malformed, or an id or the side is missing.
    """
    if not row.exec_id or not row.order_id:
        raise ValueError("an execution without an id")
    return Fill(
        exchange=EXCHANGE,
        symbol=instruments.canonical(row.symbol),
        trade_id=TradeId(row.exec_id),
        exchange_order_id=ExchangeOrderId(row.order_id),
        price=number(row.exec_price),
        quantity=number(row.exec_qty),
        side=known_side_of(row.side),
        fee=signed_number(row.exec_fee) if row.exec_fee else ZERO,
        fee_asset=row.fee_currency or None,
        is_maker=row.is_maker,
        exchange_time=time_of(row.exec_time),
        received_at=received_at,
        source=source,
        client_order_id=ClientOrderId(row.order_link_id) if row.order_link_id else None,
    )


def time_of(text: str | None) -> int | None:
    """Return nanoseconds since the Unix epoch of a text of milliseconds, None for an absent time.

    Raises:
        ValueError: not a whole number of milliseconds.
    """
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError("a time is not a number of milliseconds")
    return ns_of_ms(int(text))


_MOST_DIGITS = 15


def _fees(row: OrderRow) -> tuple[tuple[str, Decimal], ...] | None:
    """Return what was paid so far in each coin; None where that is not said (Bybit: 4.13)."""
    if not isinstance(row.cum_fee_detail, dict):
        return None
    return tuple(sorted((coin, signed_number(paid)) for coin, paid in row.cum_fee_detail.items() if paid)) or None


def _optional(text: str | None) -> Decimal | None:
    return number(text) if text else None


def _nonzero(text: str | None) -> Decimal | None:
    return _optional(text) or None


def _exit(text: str | None) -> Decimal | None:
    """Return a price of what is placed once the order is filled; empty or zero where nothing is (Bybit: 4.13)."""
    return None if text is None else number(text) if text else ZERO


def _is_in_quote(row: OrderRow, plain: OrderType | None, side: Side | None) -> bool:
    """Return whether the quantity is an amount of the quote asset: by default that of a market buy is (Bybit: 4.7)."""
    if plain is not OrderType.MARKET:
        return False
    return row.market_unit == _QUOTE or (row.market_unit or "", side) == _BY_DEFAULT_IN_QUOTE


def _lot_step(instruments: Instruments, symbol: str) -> Decimal:
    return instruments.get(symbol).lot_step if symbol in instruments else ZERO


def _conditional_type(
    row: OrderRow, plain: OrderType | None, side: Side | None, trigger: Decimal | None
) -> OrderType | None:
    """Return the kind of a conditional order: which way it waits is told by the price at its placement only."""
    base = _nonzero(row.base_price) or _nonzero(row.last_price_on_created)
    if trigger is None or base is None or side is None or plain not in (OrderType.LIMIT, OrderType.MARKET):
        return OrderType.OTHER
    return _CONDITIONAL[plain is OrderType.LIMIT, (trigger > base) == (side is Side.BUY)]
