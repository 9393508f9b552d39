"""Orders that depend on each other: lists as the user asks for them, and what is known of them (Binance: 5.9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import FactSource, OrderListKind, OrderListStatus, OrderType, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, client_order_id_of
from exconn_sync.model.orders import OrderRequest

_STOPS = frozenset({OrderType.STOP_LIMIT, OrderType.STOP_MARKET})
_PROFITS = frozenset({OrderType.TAKE_PROFIT_LIMIT, OrderType.TAKE_PROFIT_MARKET})
_LEGS = {
    OrderListKind.OCO: 2, OrderListKind.OTO: 2, OrderListKind.OPO: 2, OrderListKind.OTOCO: 3, OrderListKind.OPOCO: 3,
}  # fmt: skip
_WITH_PAIR = frozenset({OrderListKind.OCO, OrderListKind.OTOCO, OrderListKind.OPOCO})
_WITH_WORKING = frozenset(OrderListKind) - {OrderListKind.OCO}
_OF_PROCEEDS = frozenset({OrderListKind.OPO, OrderListKind.OPOCO})


@dataclass(frozen=True)
class OrderListRequest:
    """Two or three orders of one symbol that depend on each other; checked when it is made.

    Use the named constructors. ``legs`` are in the order working, pending; of a pair the upper one stands first.
    ``list_id`` is your id of the list; like those of the legs it is made by the library where it is None.

    Raises:
        ValidationError: the orders do not fit together; ``field`` names which and what.
    """

    kind: OrderListKind
    legs: tuple[OrderRequest, ...]
    list_id: ClientOrderId | None = None

    def __post_init__(self) -> None:
        kind, legs = OrderListKind.of("kind", self.kind), tuple(self.legs)
        object.__setattr__(self, "kind", kind)
        if not all(isinstance(leg, OrderRequest) for leg in legs) or len(legs) != _LEGS[kind]:
            raise ValidationError("legs", len(legs), f"an {kind} list has {_LEGS[kind]} orders")
        if self.list_id is not None:
            object.__setattr__(self, "list_id", client_order_id_of(self.list_id))
        _check_common(legs)
        if kind in _WITH_PAIR:
            object.__setattr__(self, "legs", (*legs[:-2], *_pair(legs[-2], legs[-1])))
        else:
            object.__setattr__(self, "legs", legs)
        if kind in _WITH_WORKING:
            _check_working(legs[0])
        _check_proceeds(kind, legs)

    @property
    def symbol(self) -> str:
        """The symbol of all legs, as it was spelt."""
        return self.legs[0].symbol

    @classmethod
    def oco(cls, one: OrderRequest, other: OrderRequest, *, list_id: str | None = None) -> OrderListRequest:
        """Return a pair of which one cancels the other: a stop, and a post-only limit or take-profit order.

        Both have the same side and quantity; for a sell the stop lies below, for a buy above. Any order will do.
        """
        return cls(OrderListKind.OCO, (one, other), _id(list_id))

    @classmethod
    def oto(cls, working: OrderRequest, pending: OrderRequest, *, list_id: str | None = None) -> OrderListRequest:
        """Return a limit order, and another order that is placed once the first is filled completely."""
        return cls(OrderListKind.OTO, (working, pending), _id(list_id))

    @classmethod
    def otoco(
        cls, working: OrderRequest, one: OrderRequest, other: OrderRequest, *, list_id: str | None = None
    ) -> OrderListRequest:
        """Return a limit order, and a pair as in ``oco`` that is placed once it is filled completely."""
        return cls(OrderListKind.OTOCO, (working, one, other), _id(list_id))

    @classmethod
    def opo(cls, working: OrderRequest, pending: OrderRequest, *, list_id: str | None = None) -> OrderListRequest:
        """Return a limit order that buys, and one that sells what was received; its quantity is ``received``."""
        return cls(OrderListKind.OPO, (working, pending), _id(list_id))

    @classmethod
    def opoco(
        cls, working: OrderRequest, one: OrderRequest, other: OrderRequest, *, list_id: str | None = None
    ) -> OrderListRequest:
        """Return a limit order that buys, and a pair as in ``oco`` that sells what was received."""
        return cls(OrderListKind.OPOCO, (working, one, other), _id(list_id))


def _id(value: str | None) -> ClientOrderId | None:
    return None if value is None else client_order_id_of(value)


def _check_common(legs: Sequence[OrderRequest]) -> None:
    first = legs[0]
    for leg in legs:
        if leg.symbol != first.symbol:
            raise ValidationError("symbol", leg.symbol, f"all orders of a list have one symbol, here {first.symbol}")
        if leg.self_trade_prevention is not first.self_trade_prevention:
            text = "all orders of a list have one mode"
            raise ValidationError("self_trade_prevention", leg.self_trade_prevention, text)
        if leg.smart_routing:
            raise ValidationError("smart_routing", leg.smart_routing, "is not for orders of a list")
    named = [leg.client_order_id for leg in legs if leg.client_order_id is not None]
    if len(set(named)) < len(named):
        raise ValidationError("client_order_id", named[0], "each order of a list needs an id of its own")


def _check_working(working: OrderRequest) -> None:
    if working.type is not OrderType.LIMIT:
        raise ValidationError("type", working.type, "the working order of a list is a limit order")


def _check_proceeds(kind: OrderListKind, legs: Sequence[OrderRequest]) -> None:
    pending = legs if kind is OrderListKind.OCO else legs[1:]
    is_of_proceeds = kind in _OF_PROCEEDS
    for leg in legs:
        if leg.sells_received and not (is_of_proceeds and leg is not legs[0]):
            raise ValidationError("quantity", "received", "is for the pending orders of opo and opoco lists")
    for leg in pending:
        if is_of_proceeds and not leg.sells_received:
            raise ValidationError("quantity", leg.quantity, f"of a pending order of an {kind} list must be 'received'")
        if leg.quote_quantity is not None:
            raise ValidationError("quote_quantity", leg.quote_quantity, "is not for pending orders of a list")
        if is_of_proceeds and leg.side is not Side.SELL:
            raise ValidationError("side", leg.side, f"a pending order of an {kind} list sells")
    if is_of_proceeds and legs[0].side is not Side.BUY:
        raise ValidationError("side", legs[0].side, f"the working order of an {kind} list buys")


def _pair(one: OrderRequest, other: OrderRequest) -> tuple[OrderRequest, OrderRequest]:
    """Return the upper and the lower order of a pair of which one cancels the other."""
    stops = [leg for leg in (one, other) if leg.type in _STOPS]
    if len(stops) != 1:
        raise ValidationError("type", other.type, "exactly one order of the pair is a stop order")
    stop, goal = stops[0], other if stops[0] is one else one
    if goal.type not in _PROFITS and not (goal.type is OrderType.LIMIT and goal.post_only):
        text = "the order beside the stop is a take-profit or a post-only limit order"
        raise ValidationError("type", goal.type, text)
    if goal.side is not stop.side:
        raise ValidationError("side", goal.side, "both orders of the pair have one side")
    if goal.quantity != stop.quantity or goal.sells_received is not stop.sells_received:
        raise ValidationError("quantity", goal.quantity, "both orders of the pair have one quantity")
    upper, lower = (goal, stop) if stop.side is Side.SELL else (stop, goal)
    above, below = _level(upper), _level(lower)
    if above is not None and below is not None and above <= below:
        text = "the stop of a sell lies below the other order, that of a buy above it"
        raise ValidationError("stop_price", stop.stop_price, text)
    return upper, lower


def _level(leg: OrderRequest) -> Decimal | None:
    """Return the price at which an order of a pair begins to act; None where it follows the market."""
    return leg.price if leg.type is OrderType.LIMIT else leg.stop_price


@dataclass(frozen=True)
class OrderListFact:
    """One statement about an order list from one source; None and empty mean that the source does not say.

    ``list_client_id`` is our id of the list, ``list_id`` the exchange's. ``legs`` are the client ids of its orders,
    ``leg_ids`` the exchange's ids of the same ones. Times are nanoseconds since the Unix epoch.
    """

    exchange: str
    symbol: str
    list_client_id: ClientOrderId
    source: FactSource
    received_at: int
    list_id: str | None = None
    status: OrderListStatus | None = None
    kind: OrderListKind | None = None
    legs: tuple[ClientOrderId, ...] = ()
    leg_ids: tuple[ExchangeOrderId, ...] = ()
    exchange_time: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class OrderListState:
    """Everything known about one order list at one moment; immutable.

    The orders themselves say more: ``legs`` are their client ids, for ``Connector.orders.get``. ``kind`` is None for a
    list that was placed elsewhere and says no more than that its orders depend on each other.
    """

    exchange: str
    symbol: str
    list_client_id: ClientOrderId
    list_id: str | None = None
    status: OrderListStatus = OrderListStatus.PENDING
    kind: OrderListKind | None = None
    legs: tuple[ClientOrderId, ...] = ()
    reason: str = ""
    updated_at: int = 0


def own_list_statement(state: OrderListState, status: OrderListStatus, reason: str, received_at: int) -> OrderListFact:
    """Return the fact by which the library itself says what became of an order list, and why."""
    return OrderListFact(
        exchange=state.exchange,
        symbol=state.symbol,
        list_client_id=state.list_client_id,
        source=FactSource.LOCAL,
        received_at=received_at,
        status=status,
        reason=reason,
    )
