"""What is known of the account's orders, and the facts it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from exconn_sync.model.enums import (
    FactSource,
    OrderStatus,
    OrderType,
    PegPrice,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WorkingFloor,
)
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.order_request import OrderRequest

CONTESTED = "open at the exchange although rejected"
"""The contradiction of an order that we hold as rejected and that the exchange has shown as open."""


@dataclass(frozen=True)
class PreventedTrade:
    """A trade of an order with another one of the account, or of its group, that did not happen (fault F111).

    ``quantity`` at ``price`` would have traded, in base and quote per base; ``lost_quantity`` is what it took off this
    order. ``other_order_id`` and ``other_symbol`` name the other order, ``group_id`` the group of accounts, where there
    is one. The account stream tells of it.
    """

    match_id: str
    quantity: Decimal
    price: Decimal
    lost_quantity: Decimal
    other_order_id: ExchangeOrderId
    other_symbol: str
    group_id: str | None = None


@dataclass(frozen=True)
class OrderFact:
    """One statement about an order from one source; None means that the source does not say.

    Facts are never corrected, only joined by others; see ``_machines.order_fold``. Times are nanoseconds since the
    Unix epoch. ``cumulative_quote`` is the quote amount of all fills so far, ``prevented_quantity`` what was not traded
    with orders of the same account (fault F111). ``list_id`` is the exchange's id of the order list that the order is
    a leg of. ``renamed_to`` is the client id under which the exchange knows the order from now on (fault F103).
    ``order_class`` is the exchange's own word for a class of orders that has to be named to address them. With
    ``may_grow`` orders can be made larger there, so that only the exchange can say that all is filled.
    ``cumulative_fees`` are pairs of asset and amount: what was paid for all that is filled, where the exchange says it.
    ``is_own`` is True where this library made the intent. What else is meant by a field, ``OrderState`` says.

    ``created_at`` is when the order came to be, by the exchange's clock; of an intent the earliest moment at which it
    can have. An order that is older has the same client id and is another one (fault F102). With ``voids_intent`` the
    exchange has refused what was asked for because an open order has the id already: the id means that one (F101).
    A ``take_profit`` of zero, and its kin, says that the order has none (any more).
    """

    exchange: str
    symbol: str
    client_order_id: ClientOrderId
    source: FactSource
    received_at: int
    status: OrderStatus | None = None
    exchange_order_id: ExchangeOrderId | None = None
    side: Side | None = None
    type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quote_quantity: Decimal | None = None
    filled_quantity: Decimal | None = None
    cumulative_quote: Decimal | None = None
    exchange_time: int | None = None
    reason: str = ""
    is_own: bool = False
    trailing_delta: int | None = None
    iceberg_quantity: Decimal | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    prevented_quantity: Decimal | None = None
    peg: PegPrice | None = None
    pegged_price: Decimal | None = None
    is_working: bool | None = None
    list_id: str | None = None
    renamed_to: ClientOrderId | None = None
    order_class: str | None = None
    may_grow: bool = False
    cumulative_fees: tuple[tuple[str, Decimal], ...] | None = None
    post_only: bool | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    working_at: int | None = None
    trailing_since: int | None = None
    peg_offset: int | None = None
    smart_routing: bool | None = None
    prevented_matches: tuple[str, ...] = ()
    created_at: int | None = None
    voids_intent: bool = False
    correlation_id: str | None = None
    placed_at: int | None = None
    working_floor: WorkingFloor | None = None
    prevented_trades: tuple[PreventedTrade, ...] = ()
    take_profit: Decimal | None = None
    take_profit_limit_price: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit_price: Decimal | None = None


@dataclass(frozen=True)
class Fill:
    """One execution of an order of the account.

    ``fee`` is in ``fee_asset``, which may be base, quote or a third asset. Times are nanoseconds since the Unix epoch.
    ``client_order_id`` is None where the source names the order by the exchange's id only. ``correlation_id`` is that
    of the command that placed the order; see ``correlation``. ``sequence`` counts the events of one symbol from 1; it
    is 0 elsewhere, and no part of the value.
    """

    exchange: str
    symbol: str
    trade_id: TradeId
    exchange_order_id: ExchangeOrderId
    price: Decimal
    quantity: Decimal
    side: Side
    fee: Decimal
    fee_asset: str | None
    is_maker: bool
    exchange_time: int | None
    received_at: int
    source: FactSource
    client_order_id: ClientOrderId | None = None
    correlation_id: str | None = None
    sequence: int = field(default=0, compare=False)


@dataclass(frozen=True)
class HistoryEntry:
    """One line of an order's history: what was learnt, when (ns since the epoch), and from where."""

    received_at: int
    source: FactSource
    status: OrderStatus | None
    filled_quantity: Decimal | None
    text: str = ""


@dataclass(frozen=True)
class OrderState:
    """Everything known about one order at one moment; immutable.

    ``filled_quantity`` is in the base asset, ``average_price`` in quote per base (None before the first fill),
    ``fees`` maps asset to amount paid so far. ``sequence`` grows by one with each change of this order,
    and by one or more where another process goes on with the journal.
    ``contradictions`` names facts that exclude each other; they are reported, never silently resolved.

    ``quantity`` is what the exchange last stated where that differs from what was asked for: orders can be amended.
    ``is_working`` is False for an order that waits for its trigger or for another order, None where nobody said.
    ``pegged_price`` is the price that the exchange gave a pegged order, ``list_id`` its id of the order list.
    ``order_class`` is the exchange's own word for a class of orders, where it has several (Bybit: 4.15).

    ``working_at`` is when the order came on the book, ``trailing_since`` when a trailing stop began to follow the
    market, both None as long as it has not. ``peg_offset``, ``smart_routing``, ``strategy_id`` and ``strategy_type``
    are those of the request. ``prevented_matches`` are the exchange's ids of the trades with orders of the same account
    that did not happen; ``prevented_trades`` has those of which the account stream told more, in the same order, and
    ``Connector.fetch_prevented_matches`` tells of all. ``placed_at`` is when the exchange took the order,
    ``working_floor`` where a routed one is at work. ``correlation_id`` is that of the command that placed the order,
    None for one placed elsewhere; see ``correlation``.
    ``take_profit``, ``stop_loss`` and their limits are prices of what the exchange places once the order is filled
    (Bybit: 4.7), None without any.
    """

    exchange: str
    symbol: str
    client_order_id: ClientOrderId
    exchange_order_id: ExchangeOrderId | None = None
    status: OrderStatus = OrderStatus.PENDING_NEW
    side: Side | None = None
    type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quote_quantity: Decimal | None = None
    filled_quantity: Decimal = ZERO
    average_price: Decimal | None = None
    fees: Mapping[str, Decimal] = field(default_factory=lambda: MappingProxyType({}))
    reason: str = ""
    is_own: bool = False
    sequence: int = 0
    updated_at: int = 0
    contradictions: tuple[str, ...] = ()
    trailing_delta: int | None = None
    iceberg_quantity: Decimal | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    prevented_quantity: Decimal = ZERO
    peg: PegPrice | None = None
    pegged_price: Decimal | None = None
    is_working: bool | None = None
    list_id: str | None = None
    order_class: str | None = None
    post_only: bool | None = None
    strategy_id: int | None = None
    strategy_type: int | None = None
    working_at: int | None = None
    trailing_since: int | None = None
    peg_offset: int | None = None
    smart_routing: bool | None = None
    prevented_matches: tuple[str, ...] = ()
    correlation_id: str | None = None
    placed_at: int | None = None
    working_floor: WorkingFloor | None = None
    prevented_trades: tuple[PreventedTrade, ...] = ()
    take_profit: Decimal | None = None
    take_profit_limit_price: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit_price: Decimal | None = None

    @property
    def is_terminal(self) -> bool:
        """True where the order can no longer trade."""
        return self.status.is_terminal

    @property
    def is_contested(self) -> bool:
        """True where the order is held as rejected and the exchange says that it is, or was, open."""
        return CONTESTED in self.contradictions

    @property
    def may_trade(self) -> bool:
        """True where the order is not terminal, or contested: it may be open at the exchange."""
        return not self.is_terminal or self.is_contested

    @property
    def open_quantity(self) -> Decimal | None:
        """What can still trade, in the base asset; None where the ordered quantity is not known."""
        if self.is_terminal:
            return ZERO
        if self.quantity is None:
            return None
        gone = EXACT.add(self.filled_quantity, self.prevented_quantity)
        return max(ZERO, EXACT.subtract(self.quantity, gone))


def own_statement(state: OrderState, status: OrderStatus, reason: str, received_at: int) -> OrderFact:
    """Return the fact by which the library itself says what became of an order of ours, and why."""
    return OrderFact(
        exchange=state.exchange,
        symbol=state.symbol,
        client_order_id=state.client_order_id,
        source=FactSource.LOCAL,
        received_at=received_at,
        status=status,
        reason=reason,
        is_own=True,
    )


__all__ = ["Fill", "HistoryEntry", "OrderFact", "OrderRequest", "OrderState", "PreventedTrade", "own_statement"]
