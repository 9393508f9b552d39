"""Orders as the user asks for them, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import FactSource, OrderStatus, OrderType, Side, TimeInForce
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId, client_order_id_of
from exconn_sync.model.numbers import ZERO, positive_decimal_of


def _amount(field_name: str, value: object) -> Decimal | None:
    return None if value is None else positive_decimal_of(field_name, value)


@dataclass(frozen=True)
class OrderRequest:
    """What the user wants; checked when it is made, long before anything is sent.

    Use the named constructors. ``symbol`` is canonical (``BTC-USDT``) or the exchange's spelling; ``quantity`` is in
    the base asset, ``price`` in quote per base, ``quote_quantity`` in the quote asset. Numbers are ``Decimal``, ``int``
    or text; a float is refused. ``client_order_id`` is made by the library where it is None.

    Raises:
        ValidationError: any argument breaks its rule.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quote_quantity: Decimal | None = None
    time_in_force: TimeInForce | None = None
    post_only: bool = False
    client_order_id: ClientOrderId | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.symbol, str) or not self.symbol:
            raise ValidationError("symbol", self.symbol, "must be a symbol such as BTC-USDT")
        fixed: dict[str, object] = {
            "side": Side.of("side", self.side),
            "type": OrderType.of("type", self.type),
            "quantity": _amount("quantity", self.quantity),
            "price": _amount("price", self.price),
            "stop_price": _amount("stop_price", self.stop_price),
            "quote_quantity": _amount("quote_quantity", self.quote_quantity),
        }
        if self.time_in_force is not None:
            fixed["time_in_force"] = TimeInForce.of("time_in_force", self.time_in_force)
        if self.client_order_id is not None:
            fixed["client_order_id"] = client_order_id_of(self.client_order_id)
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        self._check_combination()

    def _check_combination(self) -> None:
        if self.type is OrderType.OTHER:
            raise ValidationError("type", self.type, "is only seen on orders placed elsewhere")
        if self.type is OrderType.MARKET:
            if (self.quantity is None) == (self.quote_quantity is None):
                raise ValidationError("quantity", self.quantity, "a market order needs quantity or quote_quantity")
        elif self.quantity is None:
            raise ValidationError("quantity", None, f"a {self.type} order needs a quantity")
        if self.type in (OrderType.LIMIT, OrderType.STOP_LIMIT) and self.price is None:
            raise ValidationError("price", None, f"a {self.type} order needs a price")
        if self.type in (OrderType.STOP_LIMIT, OrderType.STOP_MARKET) and self.stop_price is None:
            raise ValidationError("stop_price", None, f"a {self.type} order needs a stop_price")
        if not isinstance(self.post_only, bool):
            raise ValidationError("post_only", self.post_only, "must be True or False")
        if self.post_only and self.type is not OrderType.LIMIT:
            raise ValidationError("post_only", self.post_only, "is for limit orders only")
        if self.post_only and self.time_in_force not in (None, TimeInForce.GTC):
            raise ValidationError("time_in_force", self.time_in_force, "a post-only order stays until cancelled (GTC)")

    @classmethod
    def limit(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Decimal | int | str,
        price: Decimal | int | str,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        post_only: bool = False,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return a limit order: trade at ``price`` or better."""
        wanted: dict[str, Any] = {"quantity": quantity, "price": price, "time_in_force": time_in_force}
        return cls(symbol, Side.of("side", side), OrderType.LIMIT, post_only=post_only,
                   client_order_id=_id(client_order_id), **wanted)  # fmt: skip

    @classmethod
    def market(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Decimal | int | str | None = None,
        quote_quantity: Decimal | int | str | None = None,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return a market order for ``quantity`` of the base asset, or for ``quote_quantity`` of the quote asset."""
        wanted: dict[str, Any] = {"quantity": quantity, "quote_quantity": quote_quantity}
        return cls(symbol, Side.of("side", side), OrderType.MARKET, client_order_id=_id(client_order_id), **wanted)

    @classmethod
    def stop_limit(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Decimal | int | str,
        price: Decimal | int | str,
        stop_price: Decimal | int | str,
        time_in_force: TimeInForce | str = TimeInForce.GTC,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a limit order at ``price`` once the market trades at ``stop_price``."""
        wanted: dict[str, Any] = {
            "quantity": quantity, "price": price, "stop_price": stop_price, "time_in_force": time_in_force,
        }  # fmt: skip
        return cls(symbol, Side.of("side", side), OrderType.STOP_LIMIT, client_order_id=_id(client_order_id), **wanted)

    @classmethod
    def stop_market(
        cls,
        symbol: str,
        side: Side | str,
        quantity: Decimal | int | str,
        stop_price: Decimal | int | str,
        client_order_id: str | None = None,
    ) -> OrderRequest:
        """Return an order that becomes a market order once the market trades at ``stop_price``."""
        wanted: dict[str, Any] = {"quantity": quantity, "stop_price": stop_price}
        return cls(symbol, Side.of("side", side), OrderType.STOP_MARKET, client_order_id=_id(client_order_id), **wanted)


def _id(value: str | None) -> ClientOrderId | None:
    return None if value is None else client_order_id_of(value)


@dataclass(frozen=True)
class OrderFact:
    """One statement about an order from one source; None means that the source does not say.

    Facts are never corrected, only joined by others; see ``_machines.order_fold``. Times are nanoseconds since the
    Unix epoch. ``cumulative_quote`` is the quote amount of all fills so far. ``is_own`` is True where this library
    made the intent.
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


@dataclass(frozen=True)
class Fill:
    """One execution of an order of the account.

    ``fee`` is in ``fee_asset``, which may be base, quote or a third asset. Times are nanoseconds since the Unix epoch.
    ``client_order_id`` is None where the source names the order by the exchange's id only.
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
    ``fees`` maps asset to amount paid so far. ``sequence`` grows by one with each change of this order.
    ``contradictions`` names facts that exclude each other; they are reported, never silently resolved.
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

    @property
    def is_terminal(self) -> bool:
        """True where the order can no longer trade."""
        return self.status.is_terminal


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
