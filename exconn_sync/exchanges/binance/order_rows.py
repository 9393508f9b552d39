"""An order as it stands in answers, in any of the shapes of section 5.5, and the facts it states."""

from __future__ import annotations

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
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
    unusual_status,
)
from exconn_sync.exchanges.wire_numbers import (
    ns_of_ms_unless_negative,
    number,
    number_unless_negative,
    number_unless_zero,
    optional_ns_of_ms,
    optional_number,
    signed_number,
)
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.orders import Fill, OrderFact

_ALLOCATION = "allocation-"


class FillRow(msgspec.Struct, rename="camel"):
    """One line of ``fills``; the parts that the exchange itself gave a routed order have no trade (5.10, SOR)."""

    price: str
    qty: str
    commission: str
    commission_asset: str | None
    trade_id: int
    alloc_id: int | None = None


class PreventedRow(msgspec.Struct, rename="camel"):
    """One trade from which self-trade prevention kept a new order."""

    prevented_match_id: int


class OrderRow(msgspec.Struct, rename="camel"):
    """One order in any shape; None is a field that the shape does not have."""

    symbol: str
    order_id: int
    client_order_id: str
    orig_client_order_id: str | None = None
    order_list_id: int | None = None
    transact_time: int | None = None
    time: int | None = None
    update_time: int | None = None
    price: str | None = None
    orig_qty: str | None = None
    executed_qty: str | None = None
    orig_quote_order_qty: str | None = None
    cummulative_quote_qty: str | None = None
    status: str | None = None
    time_in_force: str | None = None
    type: str | None = None
    side: str | None = None
    stop_price: str | None = None
    iceberg_qty: str | None = None
    trailing_delta: int | None = None
    self_trade_prevention_mode: str | None = None
    prevented_quantity: str | None = None
    peg_price_type: str | None = None
    pegged_price: str | None = None
    is_working: bool | None = None
    working_time: int | None = None
    expiry_reason: str | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    trailing_time: int | None = None
    peg_offset_value: int | None = None
    used_sor: bool | None = None
    working_floor: str | None = None
    prevented_match_id: int | None = None
    prevented_matches: list[PreventedRow] = []
    fills: list[FillRow] = []


class QueriedOrderRow(OrderRow, kw_only=True, rename="camel"):
    """A queried order always states what became of it."""

    status: str
    executed_qty: str


class AmendedOrderRow(msgspec.Struct, rename="camel"):
    """An amended order, which spells several fields in its own way (Binance: 5.5, trap 8)."""

    symbol: str
    order_id: int
    client_order_id: str
    orig_client_order_id: str
    qty: str
    executed_qty: str
    status: str
    side: str | None = None
    type: str | None = None
    time_in_force: str | None = None
    price: str | None = None
    order_list_id: int | None = None
    prevented_qty: str | None = None
    quote_order_qty: str | None = None
    cumulative_quote_qty: str | None = None
    stop_price: str | None = None
    iceberg_qty: str | None = None
    trailing_delta: int | None = None
    self_trade_prevention_mode: str | None = None
    peg_price_type: str | None = None
    pegged_price: str | None = None
    working_time: int | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    trailing_time: int | None = None
    peg_offset_value: int | None = None
    prevented_match_id: int | None = None

    def usual(self, transact_time: int) -> OrderRow:
        """Return the order in the shape of all other answers."""
        return OrderRow(
            symbol=self.symbol,
            order_id=self.order_id,
            client_order_id=self.client_order_id,
            orig_client_order_id=self.orig_client_order_id,
            order_list_id=self.order_list_id,
            transact_time=transact_time,
            price=self.price,
            orig_qty=self.qty,
            executed_qty=self.executed_qty,
            orig_quote_order_qty=self.quote_order_qty,
            cummulative_quote_qty=self.cumulative_quote_qty,
            status=self.status,
            time_in_force=self.time_in_force,
            type=self.type,
            side=self.side,
            stop_price=self.stop_price,
            iceberg_qty=self.iceberg_qty,
            trailing_delta=self.trailing_delta,
            self_trade_prevention_mode=self.self_trade_prevention_mode,
            prevented_quantity=self.prevented_qty,
            peg_price_type=self.peg_price_type,
            pegged_price=self.pegged_price,
            working_time=self.working_time,
            strategy_id=self.strategy_id,
            strategy_type=self.strategy_type,
            trailing_time=self.trailing_time,
            peg_offset_value=self.peg_offset_value,
            prevented_match_id=self.prevented_match_id,
        )


def order_fact(
    row: OrderRow,
    client_order_id: ClientOrderId,
    symbol: str,
    source: FactSource,
    received_at: int,
    renamed_to: ClientOrderId | None = None,
    is_placed: bool = False,
) -> OrderFact:
    """Return what a row states about the order that is known under ``client_order_id``.

    With ``is_placed`` it is the answer to a placement, and the order was taken when it was answered: the account stream
    says the same of it, so that this is no news then.

    Raises:
        ValueError: a number is malformed.
    """
    return OrderFact(
        exchange=EXCHANGE,
        symbol=symbol,
        client_order_id=client_order_id,
        source=source,
        received_at=received_at,
        status=status_of(row.status),
        exchange_order_id=ExchangeOrderId(str(row.order_id)),
        side=side_of(row.side),
        type=order_type_of(row.type),
        time_in_force=time_in_force_of(row.time_in_force),
        quantity=number_unless_zero(row.orig_qty),
        price=number_unless_zero(row.price),
        stop_price=number_unless_zero(row.stop_price),
        quote_quantity=number_unless_zero(row.orig_quote_order_qty),
        filled_quantity=optional_number(row.executed_qty),
        cumulative_quote=number_unless_negative(row.cummulative_quote_qty),
        exchange_time=optional_ns_of_ms(row.transact_time if row.transact_time is not None else row.update_time),
        reason=reason_of(row.expiry_reason, unusual_status(row.status)),
        trailing_delta=row.trailing_delta,
        iceberg_quantity=number_unless_zero(row.iceberg_qty),
        self_trade_prevention=prevention_of(row.self_trade_prevention_mode),
        prevented_quantity=optional_number(row.prevented_quantity),
        peg=peg_of(row.peg_price_type),
        pegged_price=number_unless_zero(row.pegged_price),
        is_working=_is_working(row),
        list_id=list_id_of(row.order_list_id),
        renamed_to=renamed_to,
        post_only=post_only_of(row.type),
        strategy_id=row.strategy_id,
        strategy_type=row.strategy_type,
        working_at=ns_of_ms_unless_negative(row.working_time),
        trailing_since=ns_of_ms_unless_negative(row.trailing_time),
        peg_offset=row.peg_offset_value,
        smart_routing=row.used_sor,
        prevented_matches=_prevented_matches(row),
        created_at=optional_ns_of_ms(row.time),
        placed_at=optional_ns_of_ms(row.transact_time if is_placed else row.time),
        working_floor=floor_of(row.working_floor),
    )


def _prevented_matches(row: OrderRow) -> tuple[str, ...]:
    ids = {match.prevented_match_id for match in row.prevented_matches}
    return tuple(map(str, sorted(ids if row.prevented_match_id is None else ids | {row.prevented_match_id})))


def acknowledge(row: OrderRow) -> None:
    """Give an answer without a status the one of an acknowledgement, which says no more than that the order is there.

    Raises:
        ValueError: it has amounts; a report says what became of the order (Binance: 5.5; fault F038).
    """
    if row.status is None:
        if row.executed_qty is not None or row.fills:
            raise ValueError("a report without a status")
        # The exchange gives an order its id when it has it.
        row.status = "NEW"


def _is_working(row: OrderRow) -> bool | None:
    """Return whether the order is on the book; a time of -1 says that it is not (Binance: 5.5)."""
    if row.status == PENDING:
        return False
    if row.is_working is not None or row.working_time is None:
        return row.is_working
    return row.working_time >= 0


def answer_fills(row: OrderRow, order: OrderFact) -> list[Fill]:
    """Return the fills of the answer to a new order; all of those took liquidity.

    Raises:
        ValueError: a number is malformed, or the order has no known side.
    """
    return [
        Fill(
            exchange=EXCHANGE,
            symbol=order.symbol,
            trade_id=trade_id_of(fill.trade_id, fill.alloc_id),
            exchange_order_id=ExchangeOrderId(str(row.order_id)),
            price=number(fill.price),
            quantity=number(fill.qty),
            side=known_side_of(row.side),
            fee=signed_number(fill.commission),
            fee_asset=fill.commission_asset,
            is_maker=False,
            exchange_time=order.exchange_time,
            received_at=order.received_at,
            source=FactSource.ANSWER,
            client_order_id=order.client_order_id,
        )
        for fill in row.fills
    ]


def trade_id_of(trade_id: int, allocation_id: int | None) -> TradeId:
    """Return the id of an execution: that of its trade, or of its allocation where there was none (5.10, SOR).

    Both count from zero for themselves, so an allocation says what it is.

    Raises:
        ValueError: neither id is there.
    """
    if trade_id >= 0:
        return TradeId(str(trade_id))
    if allocation_id is None or allocation_id < 0:
        raise ValueError("an execution without an id")
    return TradeId(f"{_ALLOCATION}{allocation_id}")


def allocation_number(trade_id: TradeId) -> int:
    """Return the number of an allocation whose id ``trade_id_of`` made."""
    return int(trade_id.removeprefix(_ALLOCATION))
