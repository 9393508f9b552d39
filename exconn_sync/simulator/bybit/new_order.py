"""From the parameters of a new order to what the core understands (Bybit: 4.7)."""

import re
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.exits import read_exits
from exconn_sync.simulator.bybit.market_data import known_market
from exconn_sync.simulator.bybit.notes import PLAIN, STOP, TPSL, Notes
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.venue import Call
from exconn_sync.simulator.core.exchange import Market
from exconn_sync.simulator.core.filters import decimals
from exconn_sync.simulator.core.orders import NewOrder, OrderType, PreventionMode, Side, TimeInForce
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec

LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_FORCES = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.GTC,
}
_PREVENTION = {
    "None": PreventionMode.NONE,
    "CancelMaker": PreventionMode.EXPIRE_MAKER,
    "CancelTaker": PreventionMode.EXPIRE_TAKER,
    "CancelBoth": PreventionMode.EXPIRE_BOTH,
}
_BASE, _QUOTE = "baseCoin", "quoteCoin"
_TICKS, _PERCENT = "TickSize", "Percent"
_MOST_TICKS = 10_000
_LEAST_PERCENT, _MOST_PERCENT = Decimal("0.01"), Decimal(10)


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """A new order and what this face remembers of it."""

    order: NewOrder
    notes: Notes


def read_new_order(call: Call, params: Params) -> OrderCommand:
    """Read, then check what the exchange checks before it acknowledges."""
    market = known_market(call, params.required("symbol"))
    side = _SIDES.get(params.required("side"))
    if side is None:
        raise errors.ApiError(170117, "Invalid side.")
    order_type = params.required("orderType")
    if order_type not in ("Limit", "Market"):
        raise errors.ApiError(170116, "Invalid orderType.")
    notes = _notes(params, market, side, is_limit=order_type == "Limit")
    order = _order(params, market, side, notes, is_limit=order_type == "Limit")
    _check_precision(market.spec, order)
    return OrderCommand(order, notes)


def read_link_id(params: Params) -> str:
    """A client id, or nothing."""
    link_id = params.text("orderLinkId")
    if link_id and not LINK_ID.fullmatch(link_id):
        raise errors.bad_parameter("orderLinkId is invalid")
    return link_id


def _notes(params: Params, market: Market, side: Side, *, is_limit: bool) -> Notes:
    force = params.text("timeInForce", "GTC")
    if force == "RPI":
        raise errors.ApiError(170355, "RPI orders are for approved makers only.")
    if force not in _FORCES:
        raise errors.ApiError(170115, "Invalid timeInForce.")
    order_filter = params.text("orderFilter", PLAIN)
    if order_filter not in (PLAIN, STOP, TPSL):
        raise errors.ApiError(170201, "Invalid orderFilter.")
    leverage = params.integer("isLeverage", 0)
    if leverage not in (0, 1):
        raise errors.bad_parameter("isLeverage is invalid")
    if leverage == 1:
        raise errors.ApiError(170036, "Spot margin trading is not enabled.")
    unit = ""
    if not is_limit:
        unit = params.one_of("marketUnit", (_BASE, _QUOTE), _QUOTE if side is Side.BUY else _BASE)
    return Notes(
        order_filter=order_filter,
        market_unit=unit,
        smp_type=params.one_of("smpType", _PREVENTION, "None"),
        time_in_force=force if is_limit else "IOC",
        last_price=market.last_price,
        slippage=_slippage(params, is_plain_market=not is_limit and order_filter == PLAIN),
        exits=read_exits(params, market, is_plain_limit=is_limit and order_filter == PLAIN),
    )


def _slippage(params: Params, *, is_plain_market: bool) -> tuple[str, str]:
    kind = params.one_of("slippageToleranceType", (_TICKS, _PERCENT))
    if not kind:
        return "UNKNOWN", ""
    if not is_plain_market:
        raise errors.bad_parameter("slippageToleranceType is for plain market orders")
    params.required("slippageTolerance")
    amount = params.decimal("slippageTolerance") or ZERO
    if kind == _TICKS and not (amount % 1 == 0 and 1 <= amount <= _MOST_TICKS):
        raise errors.ApiError(110108, "Slippage tolerance must be 1 to 10000 ticks.")
    if kind == _PERCENT and not (_LEAST_PERCENT <= amount <= _MOST_PERCENT and amount % _LEAST_PERCENT == 0):
        raise errors.ApiError(110109, "Slippage tolerance must be 0.01 to 10 per cent.")
    return kind, params.text("slippageTolerance")


def _worst_price(market: Market, side: Side, slippage: tuple[str, str]) -> Decimal | None:
    """How far from the best price on the other side an order may go."""
    best = market.book.best(side.opposite)
    kind, amount = slippage
    if best is None or not amount:
        return None
    away = Decimal(amount) * market.spec.tick if kind == _TICKS else best[0] * Decimal(amount) / 100
    return best[0] + away if side is Side.BUY else best[0] - away


def _order(params: Params, market: Market, side: Side, notes: Notes, *, is_limit: bool) -> NewOrder:
    quantity = _above_zero(params, "qty")
    price = _above_zero(params, "price") if is_limit else None
    trigger = None if notes.order_filter == PLAIN else _above_zero(params, "triggerPrice")
    in_quote = notes.market_unit == _QUOTE
    return NewOrder(
        symbol=market.spec.name,
        side=side,
        type=_type(market, side, trigger, is_limit=is_limit, post_only=notes.time_in_force == "PostOnly"),
        client_order_id=read_link_id(params),
        time_in_force=_FORCES[notes.time_in_force] if is_limit else TimeInForce.GTC,
        # What waits for a trigger is sized when it is placed; the core knows no amount for it.
        quantity=None if in_quote and trigger is None else _in_base(market, quantity, in_quote=in_quote),
        price=price,
        quote_quantity=quantity if in_quote and trigger is None else None,
        stop_price=trigger,
        prevention=_PREVENTION[notes.smp_type],
        holds_funds=notes.order_filter != STOP,
        worst_price=_worst_price(market, side, notes.slippage),
    )


def _above_zero(params: Params, name: str) -> Decimal:
    params.required(name)
    value = params.decimal(name)
    if not value:
        raise errors.bad_value(name)
    return value


def _in_base(market: Market, quantity: Decimal, *, in_quote: bool) -> Decimal:
    if not in_quote:
        return quantity
    return quantity / market.last_price // market.spec.step * market.spec.step


def _type(market: Market, side: Side, trigger: Decimal | None, *, is_limit: bool, post_only: bool) -> OrderType:
    if trigger is None:
        return OrderType.MARKET if not is_limit else OrderType.LIMIT_MAKER if post_only else OrderType.LIMIT
    # Which way the price must go follows from where it is now (Bybit: 12).
    is_stop_loss = (trigger > market.last_price) == (side is Side.BUY)
    if is_stop_loss:
        return OrderType.STOP_LOSS_LIMIT if is_limit else OrderType.STOP_LOSS
    return OrderType.TAKE_PROFIT_LIMIT if is_limit else OrderType.TAKE_PROFIT


def _check_precision(spec: SymbolSpec, order: NewOrder) -> None:
    for price in (order.price, order.stop_price):
        if price is not None and price % spec.tick:
            raise errors.ApiError(170134, "Order price has too many decimals.")
    if order.quote_quantity is not None:
        if decimals(order.quote_quantity.normalize()) > spec.quote_decimals:
            raise errors.ApiError(170148, "Market order amount decimal too long.")
        if order.quote_quantity < spec.min_notional:
            raise errors.ApiError(170140, "Order value exceeded lower limit.")
        return
    quantity = order.quantity or ZERO
    check_quantity(spec, quantity, is_market=not order.type.has_limit)


def check_quantity(spec: SymbolSpec, quantity: Decimal, *, is_market: bool) -> None:
    """Whether a quantity of the base coin is on the grid and not too large."""
    if quantity % spec.step:
        raise errors.ApiError(170137, "Order volume decimal too long.")
    if quantity < spec.min_quantity:
        raise errors.ApiError(170136, "Order quantity lower than the minimum.")
    if is_market and quantity > min(spec.max_quantity, spec.max_market_quantity):
        raise errors.ApiError(170382, "Market order quantity too large.")
    if quantity > spec.max_quantity:
        raise errors.ApiError(170381, "Limit order quantity too large.")
