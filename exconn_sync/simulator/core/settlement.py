"""Who pays what to whom: what an open order sets aside, and the exchange of money in a trade."""

from dataclasses import dataclass, replace
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account
from exconn_sync.simulator.core.commission import Charge, FeePot
from exconn_sync.simulator.core.orders import Fill, OrderStatus, Side, SimOrder
from exconn_sync.simulator.core.symbols import ZERO, SymbolSpec


@dataclass(frozen=True, slots=True)
class MatchTerms:
    """One trade as one of its two sides sees it."""

    trade_id: int
    price: Decimal
    quantity: Decimal
    time: int
    is_maker: bool
    allocation_id: int | None = None


def lock_asset(spec: SymbolSpec, order: SimOrder) -> str:
    """What an order sets aside: a buyer its money, a seller its goods."""
    return spec.base if order.side is Side.SELL else spec.quote


def lock_amount(order: SimOrder, price: Decimal) -> Decimal:
    """How much of it the open part of an order needs when it trades at a price."""
    return order.remaining if order.side is Side.SELL else price * order.remaining


def still_needed(order: SimOrder) -> Decimal:
    """What an order needs of what it has set aside: nothing once it is over, and a market buyer knows no limit."""
    if not order.is_open:
        return ZERO
    if order.side is Side.SELL:
        return order.remaining
    return order.locked if order.limit is None else lock_amount(order, order.limit)


def settle(
    spec: SymbolSpec, account: Account, order: SimOrder, fees: FeePot, match: MatchTerms
) -> tuple[SimOrder, Fill]:
    """Pay one side of a trade out of its lock, book what it receives less commission; the order after it, its fill."""
    quote = match.price * match.quantity
    is_buy = order.side is Side.BUY
    paid = quote if is_buy else match.quantity
    asset, received = (spec.base, match.quantity) if is_buy else (spec.quote, quote)
    account.pay_from_lock(lock_asset(spec, order), paid)
    account.deposit(asset, received)
    charge = fees.take(
        account,
        asset,
        received,
        order.side,
        is_maker=match.is_maker,
        discounted=spec.discount_allowed,
        given=Charge(lock_asset(spec, order), paid),
    )
    order = replace(
        order,
        filled_quantity=order.filled_quantity + match.quantity,
        filled_quote=order.filled_quote + quote,
        status=OrderStatus.FILLED if order.remaining == match.quantity else OrderStatus.PARTIALLY_FILLED,
        updated_at=match.time,
        locked=order.locked - paid,
    )
    if order.keeps_received:
        order = _keep_received(account, order, asset, received, charge)
    # The lock was made at the limit; a better price leaves a rest.
    order = free(spec, account, order)
    fill = Fill(
        trade_id=match.trade_id,
        order_id=order.order_id,
        account=order.account,
        symbol=order.symbol,
        side=order.side,
        price=match.price,
        quantity=match.quantity,
        commission=charge.amount,
        commission_asset=charge.asset,
        is_maker=match.is_maker,
        time=match.time,
        allocation_id=match.allocation_id,
        list_id=order.list_id,
    )
    return order, fill


def _keep_received(account: Account, order: SimOrder, asset: str, received: Decimal, charge: Charge) -> SimOrder:
    """Lock what was bought; the commission comes out of it where nothing else can pay it (Binance: 5.9, OPO)."""
    is_paid_otherwise = charge.asset != asset or account.balance(asset).free >= received
    kept = received if is_paid_otherwise else received - charge.amount
    account.lock(asset, kept)
    return replace(order, received=order.received + kept)


def release_received(spec: SymbolSpec, account: Account, order: SimOrder) -> SimOrder:
    """Give back what an order keeps locked for others; the order after it."""
    account.release(spec.base, order.received)
    return replace(order, received=ZERO)


def free(spec: SymbolSpec, account: Account, order: SimOrder) -> SimOrder:
    """Give back what an order has set aside beyond what it still needs."""
    needed = still_needed(order)
    if order.locked == needed:
        return order
    account.release(lock_asset(spec, order), order.locked - needed)
    return replace(order, locked=needed)


def move(
    spec: SymbolSpec, payer: Account, receiver: Account, order: SimOrder, price: Decimal, quantity: Decimal
) -> SimOrder:
    """Hand over what one side of a prevented trade would have given, without a commission; the order after it."""
    amount = quantity if order.side is Side.SELL else price * quantity
    asset = lock_asset(spec, order)
    payer.pay_from_lock(asset, amount)
    receiver.deposit(asset, amount)
    return replace(order, locked=order.locked - amount)
