"""The built-in limits, each a function of an order and of what our orders may do already.

Each yields how much of a limit would be used if the order passes, and raises RiskRejected where it must not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import NoReturn, TypeAlias

from exconn_sync._machines.exposure import Exposure
from exconn_sync.config.risk_limits import RiskLimits, limit_for
from exconn_sync.errors import RiskRejected
from exconn_sync.model.enums import Side
from exconn_sync.model.numbers import EXACT, ZERO, plain_text
from exconn_sync.risk.case import Case, Usage
from exconn_sync.risk.loss import result_since

Rule: TypeAlias = Callable[[RiskLimits, Case, Exposure], Iterator[Usage]]


def refuse(text: str, usage: Usage) -> NoReturn:
    """Raise RiskRejected with what was used of which limit."""
    value, limit = (None if number is None else plain_text(number) for number in (usage.value, usage.limit))
    raise RiskRejected(text, rule=usage.rule, details={"scope": usage.scope, "value": value, "limit": limit})


def allowed_symbols(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """Only some symbols may be traded."""
    del exposure
    usage = Usage("allowed_symbols", case.symbol, None, None)
    if limits.allowed_symbols is None:
        return
    if case.symbol not in limits.allowed_symbols:
        refuse(f"{case.symbol} is not among the allowed symbols", usage)
    yield usage


def order_quantity(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """One order is not larger than this."""
    del exposure
    limit = limit_for(limits.max_order_quantity, case.symbol)
    yield from _of_order("max_order_quantity", "quantity", "size", case, case.quantity, limit)


def order_notional(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """One order is not worth more than this."""
    del exposure
    limit = limit_for(limits.max_order_notional, case.symbol)
    yield from _of_order("max_order_notional", "notional", "worth", case, case.notional, limit)


def _of_order(
    rule: str, noun: str, unknown: str, case: Case, value: Decimal | None, limit: Decimal | None
) -> Iterator[Usage]:
    if limit is None:
        return
    usage = Usage(rule, case.symbol, value, limit)
    if value is None:
        refuse(f"the {unknown} of this {case.symbol} order cannot be told", usage)
    if value > limit:
        refuse(f"a {noun} of {plain_text(value)} is above the limit of {plain_text(limit)}", usage)
    yield usage


def price_collar(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """No order trades far from the market."""
    del exposure
    if limits.max_price_deviation is None:
        return
    usage = Usage("max_price_deviation", case.symbol, None, limits.max_price_deviation)
    if case.collar != (limits.max_price_deviation, limits.max_book_age):
        refuse("the limits were changed while its price was judged", usage)
    if case.objection:
        refuse(case.objection, usage)
    yield usage


def open_orders(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """Not more orders than this are open, in all and of one symbol."""
    if not case.is_new:
        return
    for rule, scope, limit, before in (
        ("max_open_orders", "", limits.max_open_orders, case.before),
        ("max_open_orders_per_symbol", case.symbol, limits.max_open_orders_per_symbol, case.along),
    ):
        if limit is None:
            continue
        count = exposure.open_orders(scope or None, case.replaces) + len(before) + 1
        usage = Usage(rule, scope, Decimal(count), Decimal(limit))
        if count > limit:
            refuse(f"{count - 1} orders{f' of {scope}' if scope else ''} are open, and {limit} may be", usage)
        yield usage


def position(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """The position stays within this, also where all our orders of this side are filled and none of the other."""
    limit = limit_for(limits.max_position, case.symbol)
    adds = case.adds_in_all
    if limit is None or adds == ZERO:
        return
    pending = exposure.pending(case.symbol, case.side, case.replaces)
    if pending is None or adds is None:
        text = f"it cannot be told how far the {case.symbol} position would go"
        refuse(text, Usage("max_position", case.symbol, None, limit))
    held = exposure.position(case.symbol)
    held = held if case.side is Side.BUY else held.copy_negate()
    reach = EXACT.add(EXACT.add(held, pending), adds)
    usage = Usage("max_position", case.symbol, reach, limit)
    if reach > limit:
        text = f"the {case.symbol} position could come to {plain_text(reach)}, beyond the limit of {plain_text(limit)}"
        refuse(text, usage)
    yield usage


def daily_loss(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """No order makes a position larger once this much was lost in a day."""
    limit = limit_for(limits.max_daily_loss, case.quote)
    if limit is None or case.adds == ZERO or _only_reduces(case, exposure):
        return
    result = result_since(exposure, case.quote, limits.day_start(case.time_ns), case.tops)
    if result.profit is None:
        text = f"the day's profit in {case.quote} cannot be told without a price of {', '.join(result.missing)}"
        refuse(text, Usage("max_daily_loss", case.quote, None, limit))
    usage = loss_usage(case.quote, result.profit, limit)
    if result.profit <= limit.copy_negate():
        lost = plain_text(result.profit.copy_negate())
        refuse(f"{lost} {case.quote} were lost today, the limit is {plain_text(limit)}", usage)
    yield usage


def loss_usage(quote: str, profit: Decimal, limit: Decimal) -> Usage:
    """Return how much of the daily loss is used up: nothing where there is a profit."""
    return Usage("max_daily_loss", quote, max(ZERO, profit.copy_negate()), limit)


def _only_reduces(case: Case, exposure: Exposure) -> bool:
    """Return whether an order can do nothing but close a position, whatever else of its side is filled."""
    held = exposure.position(case.symbol)
    pending = exposure.pending(case.symbol, case.side, case.replaces)
    adds = case.adds_in_all
    if pending is None or adds is None:
        return False
    closable = held if case.side is Side.SELL else held.copy_negate()
    return EXACT.add(pending, adds) <= closable


def balance(limits: RiskLimits, case: Case, exposure: Exposure) -> Iterator[Usage]:
    """An order takes no more than what is free and not yet promised to another one."""
    if not limits.check_balance or case.asset is None:
        return
    asset, amount = case.asset, case.amount_in_all
    available = exposure.available(asset, case.replaces)
    usage = Usage("check_balance", asset, None, None)
    if available is None:
        refuse(f"no balance of {asset} is known", usage)
    if amount is None:
        refuse(f"it cannot be told how much {asset} this {case.symbol} order takes", usage)
    if amount > available:
        refuse(f"it takes {plain_text(amount)} {asset}, and {plain_text(available)} are free and not reserved", usage)
    yield usage


RULES: tuple[Rule, ...] = (
    allowed_symbols, order_quantity, order_notional, price_collar, open_orders, position, daily_loss, balance,
)  # fmt: skip
"""All of them in the order in which they are asked; the kill switch comes before, the order rate after."""
