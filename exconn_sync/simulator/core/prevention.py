"""Self-trade prevention: what happens instead of a trade between two orders of one trader (Binance: 5.11)."""

from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account
from exconn_sync.simulator.core.orders import PreventionMode, SimOrder
from exconn_sync.simulator.core.symbols import ZERO


@dataclass(frozen=True, slots=True)
class Verdict:
    """How much each order loses without a trade, and whether that ends it. Amounts change hands by ``moves``."""

    quantity: Decimal
    """What would have traded."""
    maker_loses: Decimal
    taker_loses: Decimal
    moves: bool = False


def are_one(one: Account, other: Account) -> bool:
    """Whether two accounts must not trade with each other: the same one, or two of a group."""
    return one is other or (one.trade_group is not None and one.trade_group == other.trade_group)


def judge(mode: PreventionMode, taker_left: Decimal, maker: SimOrder) -> Verdict:
    """Only the taker's mode counts, except that a transfer takes both to want it."""
    maker_left = maker.remaining
    quantity = min(taker_left, maker_left)
    if mode is PreventionMode.EXPIRE_MAKER:
        return Verdict(quantity, maker_left, ZERO)
    if mode is PreventionMode.EXPIRE_TAKER:
        return Verdict(quantity, ZERO, taker_left)
    if mode is PreventionMode.EXPIRE_BOTH:
        return Verdict(quantity, maker_left, taker_left)
    wants_transfer = mode is PreventionMode.TRANSFER and maker.prevention is PreventionMode.TRANSFER
    return Verdict(quantity, quantity, quantity, moves=wants_transfer)
