"""Commissions: how much of what a trade brings is kept, of which asset, and where it goes (Binance: 5.10)."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from exconn_sync.simulator.core.accounts import Account
from exconn_sync.simulator.core.order_words import Side
from exconn_sync.simulator.core.symbols import ASSET_DECIMALS, ZERO

_SMALLEST_AMOUNT = Decimal(1).scaleb(-ASSET_DECIMALS)

Convert = Callable[[str, str], Decimal | None]
"""How much of the second asset one of the first is worth at the last prices; None where no market says it."""


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Commission as a share of the received amount: that of the role and that of the side are added."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")
    buyer: Decimal = ZERO
    seller: Decimal = ZERO

    def for_side(self, side: Side) -> tuple[Decimal, Decimal]:
        """What a maker and what a taker of that side pays."""
        extra = self.buyer if side is Side.BUY else self.seller
        return self.maker + extra, self.taker + extra


NO_RATES = FeeRates(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class Discount:
    """What those save who pay in another asset, as a share of the standard commission."""

    asset: str = "BNB"
    share: Decimal = Decimal("0.25")


@dataclass(frozen=True, slots=True)
class Charge:
    """A commission to be paid."""

    asset: str
    amount: Decimal


class FeePot:
    """Counts and collects the commissions, so that nothing ever disappears from the venue."""

    def __init__(self, rates: FeeRates, convert: Convert = lambda *_: None) -> None:
        self.rates = rates
        self.special = NO_RATES
        self.tax = NO_RATES
        self.discount = Discount()
        self.is_rounded = True
        """Whether fractions too small to print are left uncharged."""
        self.rebates_cross = False
        """Whether a maker who pays nothing, or is paid, has his commission in what he gave instead of what he got."""
        self.collected: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._convert = convert

    def take(
        self,
        account: Account,
        asset: str,
        received: Decimal,
        side: Side,
        *,
        is_maker: bool,
        discounted: bool,
        given: Charge | None = None,
    ) -> Charge:
        """Take the commission on an amount that the account has just received, and say how much it was.

        ``given`` is what the account paid for it.

        It is paid in the discount asset where the account wants that, the symbol allows it (``discounted``) and enough
        is there; otherwise out of what was received. Fractions too small to print are not charged.
        """
        standard, others = self._shares(side, is_maker=is_maker)
        share = standard + others
        if self.rebates_cross and is_maker and share <= ZERO and given is not None:
            asset, received = given.asset, given.amount
        charge = Charge(asset, self._exact(received * share))
        if account.wants_discount and discounted:
            worth = self._convert(asset, self.discount.asset)
            reduced = standard * (1 - self.discount.share) + others
            if worth is not None:
                cheaper = self._exact(received * reduced * worth)
                if account.balance(self.discount.asset).free >= cheaper:
                    charge = Charge(self.discount.asset, cheaper)
        account.spend(charge.asset, charge.amount)
        self.collected[charge.asset] += charge.amount
        return charge

    def _exact(self, amount: Decimal) -> Decimal:
        return _printable(amount) if self.is_rounded else amount

    def _shares(self, side: Side, *, is_maker: bool) -> tuple[Decimal, Decimal]:
        role = 0 if is_maker else 1
        return self.rates.for_side(side)[role], self.special.for_side(side)[role] + self.tax.for_side(side)[role]


def _printable(amount: Decimal) -> Decimal:
    return amount.quantize(_SMALLEST_AMOUNT, ROUND_DOWN)
