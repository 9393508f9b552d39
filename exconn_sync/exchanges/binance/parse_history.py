"""Answers about past orders, fees, limits, prevented trades and allocations (Binance: 5.6, 5.7, 5.10)."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.order_rows import QueriedOrderRow, order_fact, trade_id_of
from exconn_sync.exchanges.binance.words import prevention_of
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import ns_of_ms, number, optional_number, signed_number
from exconn_sync.model.account_reports import Commission, FeeRates, OrderAmendment, OrderCount, PreventedMatch
from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.model.wire import HttpResponse

_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}


class _Amendment(msgspec.Struct, rename="camel"):
    symbol: str
    order_id: int
    execution_id: int
    orig_client_order_id: str
    new_client_order_id: str
    orig_qty: str
    new_qty: str
    time: int


class _OrderRates(msgspec.Struct):
    maker: str
    taker: str
    buyer: str | None = None
    seller: str | None = None


class _AccountRates(msgspec.Struct):
    """All four are stated; a missing one would be a rate of zero to whoever adds them up (5.10)."""

    maker: str
    taker: str
    buyer: str
    seller: str


class _Discount(msgspec.Struct, rename="camel"):
    enabled_for_account: bool
    enabled_for_symbol: bool
    discount: str
    discount_asset: str | None = None


class _AccountCommission(msgspec.Struct, rename="camel"):
    symbol: str
    standard_commission: _AccountRates
    special_commission: _AccountRates
    tax_commission: _AccountRates
    discount: _Discount


class _OrderCommission(msgspec.Struct, rename="camel"):
    """The rates for one order; empty where they were not asked for. A routed order has no special ones (5.10)."""

    standard_commission_for_order: _OrderRates | None = None
    special_commission_for_order: _OrderRates | None = None
    tax_commission_for_order: _OrderRates | None = None
    discount: _Discount | None = None


class _Count(msgspec.Struct, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int
    count: int


class _Prevented(msgspec.Struct, rename="camel"):
    symbol: str
    prevented_match_id: int
    taker_order_id: int
    maker_order_id: int
    self_trade_prevention_mode: str
    price: str
    transact_time: int
    maker_symbol: str | None = None
    trade_group_id: int = -1
    taker_prevented_quantity: str | None = None
    maker_prevented_quantity: str | None = None


class _Allocation(msgspec.Struct, rename="camel"):
    symbol: str
    allocation_id: int
    order_id: int
    price: str
    qty: str
    commission: str
    commission_asset: str | None
    time: int
    is_buyer: bool
    is_maker: bool


_Rates: TypeAlias = _OrderRates | _AccountRates

_HISTORY = Reader(EXCHANGE, list[QueriedOrderRow], refuse_repeated_keys=True)
_AMENDMENTS = Reader(EXCHANGE, list[_Amendment], refuse_repeated_keys=True)
_ACCOUNT_COMMISSION = Reader(EXCHANGE, _AccountCommission, refuse_repeated_keys=True)
_ORDER_COMMISSION = Reader(EXCHANGE, _OrderCommission, refuse_repeated_keys=True)
_COUNTS = Reader(EXCHANGE, list[_Count], refuse_repeated_keys=True)
_PREVENTED = Reader(EXCHANGE, list[_Prevented], refuse_repeated_keys=True)
_ALLOCATIONS = Reader(EXCHANGE, list[_Allocation], refuse_repeated_keys=True)


def parse_order_history(instrument: Instrument, response: HttpResponse) -> list[OrderFact]:
    """Read past and present orders of a symbol. Raises ProtocolError."""

    def facts(rows: list[QueriedOrderRow]) -> list[OrderFact]:
        _require(all(row.symbol == instrument.exchange_symbol for row in rows))
        return [
            order_fact(
                row, ClientOrderId(row.client_order_id), instrument.symbol, FactSource.QUERY, response.received_at
            )
            for row in rows
        ]

    return _HISTORY.read(response.body, facts)


def parse_amendments(instrument: Instrument, order: OrderState, response: HttpResponse) -> list[OrderAmendment]:
    """Read the changes of an order's quantity, oldest first. Raises ProtocolError."""

    def amendments(rows: list[_Amendment]) -> list[OrderAmendment]:
        _require(all(str(row.order_id) == order.exchange_order_id for row in rows))
        return [
            OrderAmendment(
                exchange=EXCHANGE,
                symbol=instrument.symbol,
                exchange_order_id=ExchangeOrderId(str(row.order_id)),
                amendment_id=str(row.execution_id),
                old_client_order_id=ClientOrderId(row.orig_client_order_id),
                new_client_order_id=ClientOrderId(row.new_client_order_id),
                old_quantity=number(row.orig_qty),
                new_quantity=number(row.new_qty),
                exchange_time=ns_of_ms(row.time),
            )
            for row in rows
        ]

    return _AMENDMENTS.read(response.body, amendments)


def parse_commission(instrument: Instrument, response: HttpResponse) -> Commission:
    """Read what trading a symbol costs. Raises ProtocolError."""

    def commission(wire: _AccountCommission) -> Commission:
        _require(wire.symbol == instrument.exchange_symbol)
        return _commission(
            instrument, wire.standard_commission, wire.special_commission, wire.tax_commission, wire.discount
        )

    return _ACCOUNT_COMMISSION.read(response.body, commission)


def parse_tested(instrument: Instrument, response: HttpResponse) -> Commission | None:
    """Read what a tested order would cost, None where that was not asked for. Raises ProtocolError."""

    def commission(wire: _OrderCommission) -> Commission | None:
        standard = wire.standard_commission_for_order
        if standard is None:
            return None
        special, tax, discount = wire.special_commission_for_order, wire.tax_commission_for_order, wire.discount
        if tax is None or discount is None:
            raise ValueError("a commission that is not whole")
        return _commission(instrument, standard, special, tax, discount)

    return _ORDER_COMMISSION.read(response.body, commission)


def parse_order_counts(response: HttpResponse) -> list[OrderCount]:
    """Read how many orders were placed in each interval; one of an unknown length is left out. Raises ProtocolError."""
    return _COUNTS.read(
        response.body,
        lambda rows: [
            OrderCount(_SECONDS[row.interval] * row.interval_num, row.limit, row.count)
            for row in rows
            if row.interval in _SECONDS
        ],
    )


def parse_prevented(instrument: Instrument, response: HttpResponse) -> list[PreventedMatch]:
    """Read prevented trades, oldest first. Raises ProtocolError."""

    def matches(rows: list[_Prevented]) -> list[PreventedMatch]:
        _require(all(row.symbol == instrument.exchange_symbol for row in rows))
        return [
            PreventedMatch(
                exchange=EXCHANGE,
                symbol=instrument.symbol,
                match_id=str(row.prevented_match_id),
                taker_order_id=ExchangeOrderId(str(row.taker_order_id)),
                maker_order_id=ExchangeOrderId(str(row.maker_order_id)),
                maker_symbol=row.maker_symbol or row.symbol,
                mode=prevention_of(row.self_trade_prevention_mode),
                price=number(row.price),
                taker_quantity=optional_number(row.taker_prevented_quantity),
                maker_quantity=optional_number(row.maker_prevented_quantity),
                exchange_time=ns_of_ms(row.transact_time),
                group_id=None if row.trade_group_id < 0 else str(row.trade_group_id),
            )
            for row in rows
        ]

    return _PREVENTED.read(response.body, matches)


def parse_allocations(instrument: Instrument, response: HttpResponse) -> list[Fill]:
    """Read what the exchange itself gave to orders that it routed: executions without a trade. Raises ProtocolError."""

    def fills(rows: list[_Allocation]) -> list[Fill]:
        _require(all(row.symbol == instrument.exchange_symbol for row in rows))
        return [
            Fill(
                exchange=EXCHANGE,
                symbol=instrument.symbol,
                trade_id=trade_id_of(-1, row.allocation_id),
                exchange_order_id=ExchangeOrderId(str(row.order_id)),
                price=number(row.price),
                quantity=number(row.qty),
                side=Side.BUY if row.is_buyer else Side.SELL,
                fee=signed_number(row.commission),
                fee_asset=row.commission_asset,
                is_maker=row.is_maker,
                exchange_time=ns_of_ms(row.time),
                received_at=response.received_at,
                source=FactSource.QUERY,
            )
            for row in rows
        ]

    return _ALLOCATIONS.read(response.body, fills)


def _commission(
    instrument: Instrument, standard: _Rates, special: _Rates | None, tax: _Rates, discount: _Discount
) -> Commission:
    has_discount = discount.enabled_for_account and discount.enabled_for_symbol
    return Commission(
        instrument.symbol, _rates(standard), None if special is None else _rates(special), _rates(tax), has_discount,
        number(discount.discount), discount.discount_asset,
    )  # fmt: skip


def _rates(wire: _Rates) -> FeeRates:
    buyer, seller = (None if text is None else signed_number(text) for text in (wire.buyer, wire.seller))
    return FeeRates(signed_number(wire.maker), signed_number(wire.taker), buyer, seller)


def _require(is_match: object) -> None:
    if not is_match:
        raise ValueError("the answer is about something else")  # fault F084
