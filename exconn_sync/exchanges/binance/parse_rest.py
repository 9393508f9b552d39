"""Answers of REST calls that are not about single orders: clock, market data, balances, own trades (Binance: 5)."""

from __future__ import annotations

from typing import Any

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.words import taker_side
from exconn_sync.exchanges.decoding import Reader, read_any
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, signed_number
from exconn_sync.model.account import Balance
from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.ids import ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.market import BookSnapshot, Row, Trade
from exconn_sync.model.orders import Fill
from exconn_sync.model.wire import HttpResponse


class _Time(msgspec.Struct, rename="camel"):
    server_time: int


class _Book(msgspec.Struct, rename="camel"):
    last_update_id: int
    bids: list[Row]
    asks: list[Row]


class _Trade(msgspec.Struct, rename="camel"):
    id: int
    price: str
    qty: str
    time: int
    is_buyer_maker: bool


class _Balance(msgspec.Struct):
    asset: str
    free: str
    locked: str


class _Account(msgspec.Struct, rename="camel"):
    update_time: int
    balances: list[_Balance]


class _OwnTrade(msgspec.Struct, rename="camel"):
    symbol: str
    id: int
    order_id: int
    price: str
    qty: str
    commission: str
    commission_asset: str | None
    time: int
    is_buyer: bool
    is_maker: bool


_TIME = Reader(EXCHANGE, _Time)
_BOOK = Reader(EXCHANGE, _Book)
_TRADES = Reader(EXCHANGE, list[_Trade])
_ACCOUNT = Reader(EXCHANGE, _Account, refuse_repeated_keys=True)
_OWN_TRADES = Reader(EXCHANGE, list[_OwnTrade], refuse_repeated_keys=True)


def parse_time(response: HttpResponse) -> int:
    """Read the exchange's clock, in nanoseconds. Raises ProtocolError."""
    return _TIME.read(response.body, lambda wire: ns_of_ms(wire.server_time))


def parse_order_book(instrument: Instrument, response: HttpResponse) -> BookSnapshot:
    """Read a snapshot; it names neither symbol nor time. Raises ProtocolError."""
    return _BOOK.read(
        response.body,
        lambda wire: BookSnapshot(
            EXCHANGE, instrument.symbol, wire.last_update_id, wire.bids, wire.asks, response.received_at
        ),
    )


def parse_trades(instrument: Instrument, response: HttpResponse) -> list[Trade]:
    """Read public trades, oldest first. Raises ProtocolError."""
    return _TRADES.read(
        response.body, lambda rows: [_public_trade(instrument.symbol, row, response.received_at) for row in rows]
    )


def parse_balances(response: HttpResponse) -> list[Balance]:
    """Read the balances of the account, also those of zero: a zero is news too. Raises ProtocolError."""
    return _ACCOUNT.read(
        response.body,
        lambda wire: [
            Balance(
                EXCHANGE,
                row.asset,
                signed_number(row.free),
                signed_number(row.locked),
                ns_of_ms(wire.update_time),
                response.received_at,
                FactSource.QUERY,
            )
            for row in wire.balances
        ],
    )


def parse_fills(instrument: Instrument, response: HttpResponse) -> list[Fill]:
    """Read the account's own trades of one symbol, oldest first; they do not name client ids. Raises ProtocolError."""
    return _OWN_TRADES.read(
        response.body, lambda rows: [_own_fill(instrument, row, response.received_at) for row in rows]
    )


def parse_raw(response: HttpResponse) -> Any:
    """Read any answer as plain values without floats. Raises ProtocolError."""
    return read_any(EXCHANGE, response.body)


def _public_trade(symbol: str, row: _Trade, received_at: int) -> Trade:
    return Trade(
        EXCHANGE,
        symbol,
        TradeId(str(row.id)),
        number(row.price),
        number(row.qty),
        taker_side(buyer_is_maker=row.is_buyer_maker),
        ns_of_ms(row.time),
        received_at,
    )


def _own_fill(instrument: Instrument, row: _OwnTrade, received_at: int) -> Fill:
    if row.symbol != instrument.exchange_symbol:
        raise ValueError("the answer is about another symbol")  # fault F084
    return Fill(
        exchange=EXCHANGE,
        symbol=instrument.symbol,
        trade_id=TradeId(str(row.id)),
        exchange_order_id=ExchangeOrderId(str(row.order_id)),
        price=number(row.price),
        quantity=number(row.qty),
        side=Side.BUY if row.is_buyer else Side.SELL,
        fee=signed_number(row.commission),
        fee_asset=row.commission_asset,
        is_maker=row.is_maker,
        exchange_time=ns_of_ms(row.time),
        received_at=received_at,
        source=FactSource.RECONCILIATION,
    )
