"""Take-profit and stop-loss attached to a limit order: orders that come to be once it is filled (Bybit: 4.7, 4.8).

What becomes of them is not documented in all parts. Here they come when the order is over and something of it has
traded, for what it got after fees; of both, one cancels the other, and each is an order of its own.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.notes import NOTHING, OCO, TPSL, Exit, Exits, Notes
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.core.events import Event, OrderEvent
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.order_lists import ListKind, NewOrderList
from exconn_sync.simulator.core.orders import NewOrder, OrderStatus, OrderType, Side, SimOrder
from exconn_sync.simulator.core.refusals import Refusal
from exconn_sync.simulator.core.symbols import ZERO

_MARKET, _LIMIT = "Market", "Limit"
_NONE = "0"
_NAMES = (("takeProfit", "tpOrderType", "tpLimitPrice"), ("stopLoss", "slOrderType", "slLimitPrice"))
_GOALS = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
_STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)


def read_exits(params: Params, market: Market, *, is_plain_limit: bool) -> Exits:
    """Read what a new order has attached."""
    found = [_read(params, market, *names) for names in _NAMES]
    exits = Exits(*found)
    if exits != NOTHING and not is_plain_limit:
        raise errors.ApiError(170227, "takeProfit and stopLoss go with limit orders.")
    return exits


def read_changed_exits(params: Params, market: Market, exits: Exits) -> Exits:
    """Read what an order has attached after an amend: a zero takes it away, what is not named stays."""
    return Exits(
        *(_changed(params, market, known, name, limit) for known, (name, _, limit) in zip(exits, _NAMES, strict=True))
    )


def _read(params: Params, market: Market, name: str, kind_name: str, limit_name: str) -> Exit | None:
    trigger, limit = _price(params, market, name), _price(params, market, limit_name)
    kind = params.one_of(kind_name, (_MARKET, _LIMIT), _MARKET)
    if (kind == _LIMIT) != (limit is not None) or (limit is not None and trigger is None):
        raise errors.ApiError(170202, "TP/SL price is missing.")
    return None if trigger is None else Exit(trigger, limit)


def _changed(params: Params, market: Market, known: Exit | None, name: str, limit_name: str) -> Exit | None:
    if params.decimal(name) == ZERO:
        return None
    trigger, limit = _price(params, market, name), _price(params, market, limit_name)
    if known is None:
        if limit is not None and trigger is None:
            raise errors.ApiError(170202, "TP/SL price is missing.")
        return None if trigger is None else Exit(trigger, limit)
    changed = replace(known, trigger=trigger or known.trigger)
    if params.decimal(limit_name) == ZERO:
        return replace(changed, limit=None)
    return replace(changed, limit=limit or known.limit)


def _price(params: Params, market: Market, name: str) -> Decimal | None:
    if params.text(name) in ("", _NONE):
        return None
    price = params.decimal(name)
    if price is not None and price % market.spec.tick:
        raise errors.ApiError(170134, "Order price has too many decimals.")
    return price or None


@dataclass(frozen=True, slots=True)
class _Leg:
    """One of the orders that are placed, and its id."""

    order: NewOrder
    order_id: int


class ExitOrders:
    """Places what orders have attached when they are over."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        venue.exchange.listeners.append(self.hear)

    def hear(self, event: Event) -> None:
        """Take an event of the core, which is in the midst of a command: what is to be placed comes after it."""
        if not isinstance(event, OrderEvent) or event.order.is_open or not event.order.filled_quantity:
            return
        notes = self._venue.notes.known(event.order)
        if notes is not None and notes.exits != NOTHING:
            asyncio.get_running_loop().call_soon(self._place, event.order, notes.exits)

    def _place(self, order: SimOrder, exits: Exits) -> None:
        venue = self._venue
        market = venue.exchange.market(order.symbol)
        quantity = self._got(order) // market.spec.step * market.spec.step
        wanted = [
            (kinds, found)
            for kinds, found in ((_STOPS, exits.stop_loss), (_GOALS, exits.take_profit))
            if found is not None
        ]
        legs: list[_Leg] = []
        for kinds, found in wanted:
            order_id = venue.exchange.registry.new_id(order.symbol)
            legs.append(_Leg(self._leg(order, kinds, found, quantity, order_id), order_id))
            venue.notes.write(order.symbol, order_id, self._notes(market, found, is_pair=len(wanted) > 1))
        try:
            self._work(order.account, legs)
        except Refusal as refusal:
            self._reject(order.account, legs, errors.reject_reason(refusal))

    def _work(self, account: str, legs: Sequence[_Leg]) -> None:
        exchange, now = self._venue.exchange, self._venue.clock.now_ms()
        if len(legs) == 1:
            exchange.place(account, legs[0].order, now, legs[0].order_id)
            return
        orders = tuple(leg.order for leg in legs)
        pair = NewOrderList(ListKind.OCO, f"oco-{orders[0].client_order_id}", orders)
        exchange.place_list(account, pair, now, tuple(leg.order_id for leg in legs))

    def _reject(self, account: str, legs: Sequence[_Leg], reason: str) -> None:
        for leg in legs:
            self._venue.notes.at(leg.order.symbol, leg.order_id).reject_reason = reason
            now = self._venue.clock.now_ms()
            self._venue.exchange.conclude(account, leg.order, OrderStatus.REJECTED, now, leg.order_id)

    def _got(self, order: SimOrder) -> Decimal:
        """What an order has brought of the base coin, or sold of it."""
        base = self._venue.exchange.market(order.symbol).spec.base
        if order.side is Side.SELL:
            return order.filled_quantity
        fills = self._venue.exchange.registry.fills_of(order)
        return order.filled_quantity - sum((fill.commission for fill in fills if fill.commission_asset == base), ZERO)

    def _leg(
        self, order: SimOrder, kinds: tuple[OrderType, OrderType], found: Exit, quantity: Decimal, order_id: int
    ) -> NewOrder:
        at_market, at_limit = kinds
        return NewOrder(
            symbol=order.symbol,
            side=order.side.opposite,
            type=at_market if found.limit is None else at_limit,
            client_order_id=self._venue.ids.link(order.symbol, order_id),
            quantity=quantity,
            price=found.limit,
            stop_price=found.trigger,
        )

    def _notes(self, market: Market, found: Exit, *, is_pair: bool) -> Notes:
        is_market = found.limit is None
        return Notes(
            order_filter=OCO if is_pair else TPSL,
            market_unit="baseCoin" if is_market else "",
            time_in_force="IOC" if is_market else "GTC",
            last_price=market.last_price,
        )
