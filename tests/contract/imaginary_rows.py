"""How the imaginary exchange of the template writes orders, fills, trades, books and balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from exconn_sync.exchanges._template.words import POST_ONLY, RULES
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.events import Level
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import Fill, NewOrder, OrderStatus, OrderType, Side, SimOrder, TimeInForce
from exconn_sync.simulator.core.refusals import Reason

Json: TypeAlias = Any

_STATES = {
    OrderStatus.NEW: "open", OrderStatus.PARTIALLY_FILLED: "partly_filled", OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "cancelled", OrderStatus.EXPIRED: "expired", OrderStatus.REJECTED: "rejected",
}  # fmt: skip
CODES = {
    Reason.INSUFFICIENT_BALANCE: "NO_FUNDS", Reason.DUPLICATE_CLIENT_ID: "DUPLICATE_ID", Reason.FILTER: "BAD_STEP",
    Reason.UNKNOWN_ORDER: "NO_SUCH_ORDER", Reason.MARKET_CLOSED: "MARKET_CLOSED", Reason.WOULD_TAKE: "WOULD_TAKE",
}  # fmt: skip
_RULES = {word: TimeInForce[rule.value] for rule, word in RULES.items()} | {POST_ONLY: TimeInForce.GTC}
_RULE_WORDS = {time: word for word, time in _RULES.items() if word != POST_ONLY}


def spelt(exchange: Exchange, symbol: str) -> str:
    """Return the spelling of a symbol of the core."""
    spec = exchange.markets[symbol].spec
    return f"{spec.base}_{spec.quote}"


def symbol_row(exchange: Exchange, symbol: str) -> Json:
    spec = exchange.markets[symbol].spec
    return {
        "symbol": spelt(exchange, symbol), "base": spec.base, "quote": spec.quote, "state": "open",
        "price_step": f"{spec.tick:f}", "quantity_step": f"{spec.step:f}", "least_quantity": f"{spec.min_quantity:f}",
        "least_worth": f"{spec.min_notional:f}",
    }  # fmt: skip


def order_row(exchange: Exchange, order: SimOrder) -> Json:
    kind = "limit" if order.type.has_limit else "market"
    rule = POST_ONLY if order.type is OrderType.LIMIT_MAKER else _RULE_WORDS[order.time_in_force]
    return {
        "id": str(order.order_id), "client_id": order.original_client_order_id or order.client_order_id,
        "symbol": spelt(exchange, order.symbol), "side": order.side.value, "kind": kind, "rule": rule,
        "price": f"{order.price:f}", "quantity": f"{order.quantity:f}", "filled": f"{order.filled_quantity:f}",
        "spent": f"{order.filled_quote:f}", "state": _STATES[order.status], "time_ms": order.updated_at,
        "reason": "" if order.expiry_reason is None else order.expiry_reason.value, "created_ms": order.created_at,
    }  # fmt: skip


def fill_row(exchange: Exchange, fill: Fill) -> Json:
    order = exchange.registry.get(fill.symbol, fill.order_id)
    return {
        "id": str(fill.trade_id), "order_id": str(fill.order_id), "symbol": spelt(exchange, fill.symbol),
        "side": fill.side.value, "price": f"{fill.price:f}", "quantity": f"{fill.quantity:f}",
        "fee": f"{fill.commission:f}", "fee_asset": fill.commission_asset, "maker": fill.is_maker,
        "time_ms": fill.time, "client_id": None if order is None else order.client_order_id,
    }  # fmt: skip


def trade_row(trade_id: int, price: Decimal, quantity: Decimal, time: int, *, buyer_is_maker: bool) -> Json:
    taker = "sell" if buyer_is_maker else "buy"
    return {"id": str(trade_id), "price": f"{price:f}", "quantity": f"{quantity:f}", "taker": taker, "time_ms": time}


def levels(found: Iterable[Level]) -> list[list[str]]:
    return [[f"{price:f}", f"{quantity:f}"] for price, quantity in found]


def balance_rows(balances: Mapping[str, Balance]) -> Json:
    return [
        {"asset": asset, "free": f"{each.free:f}", "locked": f"{each.locked:f}"} for asset, each in balances.items()
    ]


def new_order(words: Mapping[str, str], symbol: str) -> NewOrder:
    """Return the order that a body asks for."""
    if words["kind"] == "market":
        kind = OrderType.MARKET
    else:
        kind = OrderType.LIMIT_MAKER if words["rule"] == POST_ONLY else OrderType.LIMIT
    return NewOrder(
        symbol=symbol,
        side=Side(words["side"]),
        type=kind,
        client_order_id=words["client_id"],
        time_in_force=_RULES[words.get("rule", RULES_DEFAULT)],
        quantity=Decimal(words["quantity"]),
        price=Decimal(words["price"]) if "price" in words else None,
    )


RULES_DEFAULT = next(iter(RULES.values()))
