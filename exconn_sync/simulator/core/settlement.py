"""Who pays what to whom: locks for open orders and the exchange of money in a trade."""

from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account, FeePot
from exconn_sync.simulator.core.orders import Fill, OrderType, Side, SimOrder
from exconn_sync.simulator.core.symbols import SymbolSpec


@dataclass(frozen=True, slots=True)
class MatchTerms:
    """One trade as one of its two sides sees it."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    time: int
    is_maker: bool


def lock_for(spec: SymbolSpec, order: SimOrder, market_cost: Decimal) -> tuple[str, Decimal]:
    """The asset and amount an order must set aside: a buyer its money, a seller its goods.

    ``market_cost`` is what a market order would pay for what it can get at this moment.
    """
    if order.side is Side.SELL:
        return spec.base, order.quantity
    return spec.quote, market_cost if order.type is OrderType.MARKET else order.price * order.quantity


def remaining_lock(spec: SymbolSpec, order: SimOrder) -> tuple[str, Decimal]:
    """What is still set aside for the part of an order that did not trade."""
    if order.side is Side.SELL:
        return spec.base, order.remaining
    # A market buyer set aside exactly what its fills cost, so nothing is left.
    return spec.quote, order.price * order.remaining


def settle(spec: SymbolSpec, account: Account, order: SimOrder, fees: FeePot, match: MatchTerms) -> Fill:
    """Pay one side of a trade out of its lock, book what it receives less commission, and return its fill."""
    quote = match.price * match.quantity
    if order.side is Side.BUY:
        account.pay_from_lock(spec.quote, quote)
        if order.type is not OrderType.MARKET:
            # The lock was made at the limit; a better price leaves a rest.
            account.release(spec.quote, (order.price - match.price) * match.quantity)
        asset, received = spec.base, match.quantity
    else:
        account.pay_from_lock(spec.base, match.quantity)
        asset, received = spec.quote, quote
    commission = fees.charge(asset, received, is_maker=match.is_maker)
    account.deposit(asset, received - commission)
    return Fill(
        trade_id=match.trade_id,
        order_id=order.order_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        price=match.price,
        quantity=match.quantity,
        commission=commission,
        commission_asset=asset,
        is_maker=match.is_maker,
        time=match.time,
    )
