"""Events of the account: order changes, fills, balances (Binance: 10.3)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.order_rows import trade_id_of
from exconn_sync.exchanges.binance.words import (
    PENDING,
    floor_of,
    known_side_of,
    list_id_of,
    order_type_of,
    peg_of,
    post_only_of,
    prevention_of,
    reason_of,
    side_of,
    status_of,
    time_in_force_of,
    unknown_word,
    unusual_status,
)
from exconn_sync.exchanges.decoding import clean_text
from exconn_sync.exchanges.wire_numbers import (
    ns_of_time,
    number,
    number_unless_negative,
    number_unless_zero,
    optional_number,
    signed_number,
)
from exconn_sync.model.account import Balance, BalanceChange, Fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import Fill, OrderFact, PreventedTrade
from exconn_sync.ports.driver import PartlyKnown

_TRADE, _REPLACED = "TRADE", "REPLACED"
_EXECUTIONS = frozenset({"NEW", "CANCELED", _REPLACED, "REJECTED", _TRADE, "EXPIRED", "TRADE_PREVENTION"})

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
    "is_working": "w",
    "list_id": "g",
    "iceberg_quantity": "F",
    "trailing_delta": "d",
    "prevention": "V",
    "prevented_quantity": "A",
    "allocation_id": "a",
    "peg": "gP",
    "pegged_price": "gp",
    "peg_offset": "gOV",
    "working_time": "W",
    "trailing_time": "D",
    "strategy_id": "j",
    "strategy_type": "J",
    "prevented_match": "v",
    "used_sor": "uS",
    "placed_at": "O",
    "working_floor": "k",
    "lost_quantity": "B",
    "trade_group": "u",
    "other_order": "U",
    "other_symbol": "Cs",
    "prevented_size": "pl",
    "prevented_price": "pL",
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
    trade_id: int | None = None
    last_quantity: str = ""
    last_price: str = ""
    fee: str | None = None
    fee_asset: str | None = None
    is_maker: bool = False
    is_working: bool | None = None
    list_id: int | None = None
    iceberg_quantity: str | None = None
    trailing_delta: int | None = None
    prevention: str | None = None
    prevented_quantity: str | None = None
    allocation_id: int | None = None
    peg: str | None = None
    pegged_price: str | None = None
    peg_offset: int | None = None
    working_time: int | None = None
    trailing_time: int | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    prevented_match: int | None = None
    used_sor: bool | None = None
    placed_at: int | None = None
    working_floor: str | None = None
    lost_quantity: str | None = None
    trade_group: int | None = None
    other_order: int | None = None
    other_symbol: str | None = None
    prevented_size: str | None = None
    prevented_price: str | None = None


class _Asset(msgspec.Struct, rename={"asset": "a", "free": "f", "locked": "l"}):
    asset: str
    free: str
    locked: str


class _Position(msgspec.Struct, rename={"updated_at": "u", "assets": "B"}):
    updated_at: int
    assets: list[_Asset]


class _Change(msgspec.Struct, rename={"asset": "a", "amount": "d", "time": "T"}):
    asset: str
    amount: str
    time: int


_EXECUTION = msgspec.json.Decoder(_Execution)
_CHANGE = msgspec.json.Decoder(_Change)
_POSITION = msgspec.json.Decoder(_Position)


def execution_facts(event: msgspec.Raw, received_at: int, instruments: Instruments) -> Sequence[Fact] | PartlyKnown:
    """Read an executionReport: the order, and the fill where it traded; a new kind of execution is no error.

    Raises:
        ValueError: not of the documented form.
    """
    wire = _EXECUTION.decode(event)
    order = _order_fact(wire, received_at, instruments)
    facts: list[Fact] = [order]
    if wire.execution == _TRADE:
        if wire.trade_id is None:
            raise ValueError("a trade without an id")  # fault F038: its fill would be lost without a word
        # With neither a trade nor an allocation it is no execution, whatever it is called; the order says the rest.
        if max(wire.trade_id, -1 if wire.allocation_id is None else wire.allocation_id) >= 0:
            facts.append(_fill(wire, wire.trade_id, order))
    if wire.execution not in _EXECUTIONS:
        return PartlyKnown(facts, clean_text(f"executionReport {wire.execution}"))
    if order.status is None:
        # A state of the future may be the end of the order: the exchange is asked (fault F040).
        return PartlyKnown(facts, clean_text(f"executionReport status {wire.status}"))
    new = unknown_word(
        side=wire.side, type=wire.type, time_in_force=wire.time_in_force, prevention=wire.prevention, peg=wire.peg,
        floor=wire.working_floor,
    )  # fmt: skip
    return PartlyKnown(facts, clean_text(f"executionReport {new}")) if new else facts


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
            ns_of_time(wire.updated_at),
            received_at,
            FactSource.STREAM,
        )
        for row in wire.assets
    ]


def change_facts(event: msgspec.Raw, received_at: int, *, is_lock: bool) -> Sequence[Fact]:
    """Read a balanceUpdate, or an externalLockUpdate: an amount that came or went without a trade.

    Raises:
        ValueError: not of the documented form.
    """
    wire = _CHANGE.decode(event)
    amount, at = signed_number(wire.amount), ns_of_time(wire.time)
    return [BalanceChange(EXCHANGE, wire.asset, amount, at, received_at, is_lock=is_lock)]


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
        # What an order sells that another one has yet to buy is told as zero (Binance: 5.9, OPO).
        quantity=number_unless_zero(wire.quantity),
        price=number_unless_zero(wire.price),
        stop_price=number_unless_zero(wire.stop_price),
        quote_quantity=number_unless_zero(wire.quote_quantity),
        filled_quantity=number(wire.filled_quantity),
        cumulative_quote=number_unless_negative(wire.cumulative_quote),
        exchange_time=ns_of_time(wire.transaction_time),
        reason=reason_of(wire.expiry_reason, wire.reject_reason, unusual_status(wire.status)),
        trailing_delta=wire.trailing_delta,
        iceberg_quantity=number_unless_zero(wire.iceberg_quantity),
        self_trade_prevention=prevention_of(wire.prevention),
        prevented_quantity=optional_number(wire.prevented_quantity),
        peg=peg_of(wire.peg),
        pegged_price=number_unless_zero(wire.pegged_price),
        is_working=False if wire.status == PENDING else wire.is_working,
        list_id=list_id_of(wire.list_id),
        # An amend leaves the order alive under another client id; a cancel's id matters to nobody (fault F103).
        renamed_to=ClientOrderId(wire.client_id) if wire.execution == _REPLACED else None,
        post_only=post_only_of(wire.type),
        strategy_id=wire.strategy_id,
        strategy_type=wire.strategy_type,
        working_at=_time_of(wire.working_time),
        trailing_since=_time_of(wire.trailing_time),
        peg_offset=wire.peg_offset,
        smart_routing=wire.used_sor,
        prevented_matches=() if wire.prevented_match is None else (str(wire.prevented_match),),
        placed_at=_time_of(wire.placed_at),
        working_floor=floor_of(wire.working_floor),
        prevented_trades=_prevented_trades(wire, instruments),
    )


def _prevented_trades(wire: _Execution, instruments: Instruments) -> tuple[PreventedTrade, ...]:
    """Return the trade that an event says did not happen; one that leaves out a part of it says too little."""
    match, lost, size, price = wire.prevented_match, wire.lost_quantity, wire.prevented_size, wire.prevented_price
    other, symbol, group = wire.other_order, wire.other_symbol, wire.trade_group
    if match is None or lost is None or size is None or price is None or other is None or symbol is None:
        return ()
    return (
        PreventedTrade(
            match_id=str(match),
            quantity=number(size),
            price=number(price),
            lost_quantity=number(lost),
            other_order_id=ExchangeOrderId(str(other)),
            other_symbol=instruments.canonical(symbol),
            group_id=None if group is None or group < 0 else str(group),
        ),
    )


def _time_of(stamp: int | None) -> int | None:
    """Return a time, or None for an absent one and for -1, which says that it has not come."""
    return None if stamp is None or stamp < 0 else ns_of_time(stamp)


def _fill(wire: _Execution, trade_id: int, order: OrderFact) -> Fill:
    return Fill(
        exchange=EXCHANGE,
        symbol=order.symbol,
        trade_id=trade_id_of(trade_id, wire.allocation_id),
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
