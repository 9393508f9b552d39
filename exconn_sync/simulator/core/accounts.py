"""Balances with a free and a locked part; every amount is exact."""

from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.simulator.core.symbols import ZERO


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
        self.wants_discount = False
        """Whether commissions are paid in the discount asset where that is possible."""
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

    def spend(self, asset: str, amount: Decimal) -> None:
        """Hand over an amount of the free part."""
        self._change(asset, free=-amount)

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
