"""Events of the account: order changes, fills, balances (Binance: 10.3)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.words import (
    known_side_of,
    order_type_of,
    reason_of,
    side_of,
    status_of,
    time_in_force_of,
    unusual_status,
)
from exconn_sync.exchanges.wire_numbers import (
    ns_of_ms,
    number,
    number_unless_negative,
    number_unless_zero,
    optional_number,
    signed_number,
)
from exconn_sync.model.account import Balance, Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import Fill, OrderFact

_TRADE = "TRADE"

_EXECUTION_LETTERS = {
    "symbol": "s",
    "client_id": "c",
    "original_client_id": "C",
    "side": "S",
    "type": "o",
    "time_in_force": "f",
    "quantity": "q",
    "price": "p",
    "stop_price": "P",
    "quote_quantity": "Q",
    "execution": "x",
    "status": "X",
    "reject_reason": "r",
    "expiry_reason": "eR",
    "order_id": "i",
    "filled_quantity": "z",
    "cumulative_quote": "Z",
    "transaction_time": "T",
    "trade_id": "t",
    "last_quantity": "l",
    "last_price": "L",
    "fee": "n",
    "fee_asset": "N",
    "is_maker": "m",
}


class _Execution(msgspec.Struct, kw_only=True, rename=_EXECUTION_LETTERS):
    """An executionReport; mandatory is what names the order and says what became of it (fault F038)."""

    symbol: str
    client_id: str
    original_client_id: str = ""
    side: str
    type: str | None = None
    time_in_force: str | None = None
    quantity: str | None = None
    price: str | None = None
    stop_price: str | None = None
    quote_quantity: str | None = None
    execution: str
    status: str
    reject_reason: str | None = None
    expiry_reason: str | None = None
    order_id: int
    filled_quantity: str
    cumulative_quote: str | None = None
    transaction_time: int
    trade_id: int = -1
    last_quantity: str = ""
    last_price: str = ""
    fee: str | None = None
    fee_asset: str | None = None
    is_maker: bool = False


class _Asset(msgspec.Struct, rename={"asset": "a", "free": "f", "locked": "l"}):
    asset: str
    free: str
    locked: str


class _Position(msgspec.Struct, rename={"updated_at": "u", "assets": "B"}):
    updated_at: int
    assets: list[_Asset]


_EXECUTION = msgspec.json.Decoder(_Execution)
_POSITION = msgspec.json.Decoder(_Position)


def execution_facts(event: msgspec.Raw, received_at: int, instruments: Instruments) -> Sequence[Fact]:
    """Read an executionReport: the order, and the fill where it traded.

    Raises:
        ValueError: not of the documented form.
    """
    wire = _EXECUTION.decode(event)
    order = _order_fact(wire, received_at, instruments)
    # Without a trade id it is no execution of the book: an allocation (Binance: 10.3, SOR); the order says the rest.
    if wire.execution != _TRADE or wire.trade_id < 0:
        return [order]
    return [order, _fill(wire, order)]


def balance_facts(event: msgspec.Raw, received_at: int) -> Sequence[Fact]:
    """Read an outboundAccountPosition: absolute balances of the assets that may have changed.

    Raises:
        ValueError: not of the documented form.
    """
    wire = _POSITION.decode(event)
    return [
        Balance(
            EXCHANGE,
            row.asset,
            signed_number(row.free),
            signed_number(row.locked),
            ns_of_ms(wire.updated_at),
            received_at,
            FactSource.STREAM,
        )
        for row in wire.assets
    ]


def _order_fact(wire: _Execution, received_at: int, instruments: Instruments) -> OrderFact:
    return OrderFact(
        exchange=EXCHANGE,
        symbol=instruments.canonical(wire.symbol),
        # A cancel or amend reports its own id and keeps the order's in ``C`` (Binance: 13, trap 7; fault F103).
        client_order_id=ClientOrderId(wire.original_client_id or wire.client_id),
        source=FactSource.STREAM,
        received_at=received_at,
        status=status_of(wire.status),
        exchange_order_id=ExchangeOrderId(str(wire.order_id)),
        side=side_of(wire.side),
        type=order_type_of(wire.type),
        time_in_force=time_in_force_of(wire.time_in_force),
        quantity=optional_number(wire.quantity),
        price=number_unless_zero(wire.price),
        stop_price=number_unless_zero(wire.stop_price),
        quote_quantity=number_unless_zero(wire.quote_quantity),
        filled_quantity=number(wire.filled_quantity),
        cumulative_quote=number_unless_negative(wire.cumulative_quote),
        exchange_time=ns_of_ms(wire.transaction_time),
        reason=reason_of(wire.expiry_reason, wire.reject_reason, unusual_status(wire.status)),
    )


def _fill(wire: _Execution, order: OrderFact) -> Fill:
    return Fill(
        exchange=EXCHANGE,
        symbol=order.symbol,
        trade_id=TradeId(str(wire.trade_id)),
        exchange_order_id=ExchangeOrderId(str(wire.order_id)),
        price=number(wire.last_price),
        quantity=number(wire.last_quantity),
        side=known_side_of(wire.side),
        # A fill must not be lost for its fee: an unstated one is a zero of no asset (fault F113).
        fee=ZERO if wire.fee is None else signed_number(wire.fee),
        fee_asset=wire.fee_asset,
        is_maker=wire.is_maker,
        exchange_time=order.exchange_time,
        received_at=order.received_at,
        source=FactSource.STREAM,
        client_order_id=order.client_order_id,
    )
