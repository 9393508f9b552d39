"""An order and a fill as they stand in answers and events, and the facts they state.

Look up: which fields are always there. Mandatory is only what names an order and says what became of it: everything
else may be absent, because the exchange will leave it out one day (fault F038).
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.words import kind_of, known_side_of, side_of, status_of, time_in_force_of
from exconn_sync.exchanges.decoding import clean_text
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, optional_ns_of_ms, optional_number, signed_number
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import Fill, OrderFact


class OrderRow(msgspec.Struct):
    """An order; ``filled`` is in base, ``spent`` the same in quote."""

    id: str
    symbol: str
    state: str
    filled: str
    client_id: str | None = None
    side: str | None = None
    kind: str | None = None
    rule: str | None = None
    price: str | None = None
    quantity: str | None = None
    spent: str | None = None
    reason: str = ""
    time_ms: int | None = None
    created_ms: int | None = None


class FillRow(msgspec.Struct):
    """A fill; it must not be lost for its fee (fault F113)."""

    id: str
    order_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    client_id: str | None = None
    fee: str | None = None
    fee_asset: str | None = None
    maker: bool = False
    time_ms: int | None = None


class BalanceRow(msgspec.Struct):
    """What there is of an asset; ``locked`` is held by open orders."""

    asset: str
    free: str
    locked: str


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
    if not row.id:
        raise ValueError("an order without an id")
    return OrderFact(
        exchange=EXCHANGE,
        symbol=instruments.canonical(row.symbol),
        # Orders that were placed without an id of the client's are known by the exchange's.
        client_order_id=client_order_id or ClientOrderId(row.client_id or row.id),
        source=source,
        received_at=received_at,
        status=status_of(row.state),
        exchange_order_id=ExchangeOrderId(row.id),
        side=side_of(row.side),
        type=kind_of(row.kind),
        time_in_force=time_in_force_of(row.rule),
        quantity=optional_number(row.quantity),
        price=_price(row.price),
        filled_quantity=number(row.filled),
        cumulative_quote=optional_number(row.spent),
        exchange_time=optional_ns_of_ms(row.time_ms),
        reason=clean_text(row.reason),
        created_at=optional_ns_of_ms(row.created_ms),
    )


def fill_of(row: FillRow, instruments: Instruments, source: FactSource, received_at: int) -> Fill:
    """Return the fill that a row is.

    Raises:
        ValueError: a number is malformed, or an id or the side is missing.
    """
    if not row.id or not row.order_id:
        raise ValueError("a fill without an id")
    return Fill(
        exchange=EXCHANGE,
        symbol=instruments.canonical(row.symbol),
        trade_id=TradeId(row.id),
        exchange_order_id=ExchangeOrderId(row.order_id),
        price=number(row.price),
        quantity=number(row.quantity),
        side=known_side_of(row.side),
        # Negative where it is a rebate.
        fee=ZERO if row.fee is None else signed_number(row.fee),
        fee_asset=row.fee_asset,
        is_maker=row.maker,
        exchange_time=optional_ns_of_ms(row.time_ms),
        received_at=received_at,
        source=source,
        client_order_id=ClientOrderId(row.client_id) if row.client_id else None,
    )


def balance_of(row: BalanceRow, time_ms: int, source: FactSource, received_at: int) -> Balance:
    """Return the balance that a row states.

    Raises:
        ValueError: a number is malformed.
    """
    return Balance(
        EXCHANGE, row.asset, signed_number(row.free), signed_number(row.locked), ns_of_ms(time_ms), received_at, source
    )


def _price(text: str | None) -> Decimal | None:
    # A market order has none, or a zero.
    return optional_number(text) or None
