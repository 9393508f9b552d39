"""Balances with a free and a locked part; every amount is exact."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from exconn_sync.simulator.core.symbols import ASSET_DECIMALS, ZERO

_SMALLEST_AMOUNT = Decimal(1).scaleb(-ASSET_DECIMALS)


@dataclass(frozen=True, slots=True)
class Balance:
    """How much of one asset an account has."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Free and locked together."""
        return self.free + self.locked


class InsufficientFunds(Exception):
    """An account cannot pay for what it asks."""


class Account:
    """The balances of one trader. What an open order may need is locked until it trades or ends."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.trade_group: int | None = None
        """Accounts of one group do not trade with each other when their orders ask for that."""
        self._balances: dict[str, Balance] = {}
        self._touched: dict[str, None] = {}

    def balance(self, asset: str) -> Balance:
        """The present balance; an asset never seen counts as zero."""
        return self._balances.get(asset, Balance())

    def balances(self) -> dict[str, Balance]:
        """A copy of all balances."""
        return dict(self._balances)

    def deposit(self, asset: str, amount: Decimal) -> None:
        """Add to the free part."""
        self._change(asset, free=amount)

    def lock(self, asset: str, amount: Decimal) -> None:
        """Set an amount aside for an order, or raise InsufficientFunds."""
        if self.balance(asset).free < amount:
            raise InsufficientFunds(f"{self.name} needs {amount} {asset}, has {self.balance(asset).free} free")
        self._change(asset, free=-amount, locked=amount)

    def release(self, asset: str, amount: Decimal) -> None:
        """Give back what an order no longer needs."""
        self._change(asset, free=amount, locked=-amount)

    def pay_from_lock(self, asset: str, amount: Decimal) -> None:
        """Hand over an amount that was set aside before."""
        self._change(asset, locked=-amount)

    def take_touched(self) -> dict[str, Balance]:
        """The balances changed since this was last asked, in order of first change."""
        touched = {asset: self.balance(asset) for asset in self._touched}
        self._touched.clear()
        return touched

    def _change(self, asset: str, *, free: Decimal = ZERO, locked: Decimal = ZERO) -> None:
        old = self.balance(asset)
        self._balances[asset] = Balance(old.free + free, old.locked + locked)
        self._touched[asset] = None


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Commission as a share of the received amount."""

    maker: Decimal = Decimal("0.001")
    taker: Decimal = Decimal("0.001")


class FeePot:
    """Collects the commissions, so that nothing ever disappears from the venue."""

    def __init__(self, rates: FeeRates) -> None:
        self.rates = rates
        self.collected: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)

    def charge(self, asset: str, received: Decimal, *, is_maker: bool) -> Decimal:
        """Take the commission on a received amount and return it; fractions too small to print are not charged."""
        rate = self.rates.maker if is_maker else self.rates.taker
        commission = (received * rate).quantize(_SMALLEST_AMOUNT, ROUND_DOWN)
        self.collected[asset] += commission
        return commission
