"""The limits on the user's own orders, checked when they are made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TypeAlias

from exconn_sync.errors import ValidationError
from exconn_sync.model.numbers import decimal_of, positive_decimal_of

Limit: TypeAlias = "Decimal | Mapping[str, Decimal] | None"
"""One number for everything, or a number a symbol (or asset), where ``*`` stands for all that are not named."""

ALL_OTHERS = "*"

_SYMBOL = re.compile(r"[^\W_]+-[^\W_]+")
_ASSET = re.compile(r"[^\W_]+")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_BY_SYMBOL = ("max_order_quantity", "max_order_notional", "max_position")


@dataclass(frozen=True)
class RiskLimits:
    """Limits on the user's own orders; None switches a limit off.

    The first three and ``max_daily_loss`` are one number, or a mapping from canonical symbols (from quote assets for
    the loss) to numbers, in which ``*`` stands for all others; what it does not name has no limit.

    Attributes:
        allowed_symbols: canonical symbols of which alone orders may be.
        max_order_quantity: the largest quantity of an order, in the base asset.
        max_order_notional: the largest worth of an order, in the quote asset.
        max_position: how far from zero our fills may bring the position of a symbol, in the base asset, if all our open
            orders of one side are filled.
        max_open_orders: how many of our orders may be open.
        max_open_orders_per_symbol: how many of one symbol.
        max_order_rate: how many orders may be placed within how many seconds, such as ``(10, 1.0)``.
        max_daily_loss: how much may be lost in a day, in each quote asset: what was realized since the day's start and
            what the open positions would lose now.
        day_starts_at: when the day starts, as UTC, such as ``"00:00"``.
        max_price_deviation: how far beyond the best opposite price of the live book an order may trade, as a share:
            ``"0.05"`` is five per cent.
        max_book_age: after how many seconds without a word of the exchange a book does not count as live for that.
        check_balance: whether an order must be covered by what is free and not reserved.
        alert_share: from which share of a limit on ``on_risk_alert`` tells.
        dead_man: after how many seconds without a whole connection the kill switch is thrown.

    Raises:
        ValidationError: any limit breaks its rule.
    """

    max_order_notional: Limit = None
    max_order_quantity: Limit = None
    max_position: Limit = None
    max_open_orders: int | None = None
    max_open_orders_per_symbol: int | None = None
    max_order_rate: tuple[int, float] | None = None
    max_daily_loss: Limit = None
    day_starts_at: str = "00:00"
    max_price_deviation: Decimal | None = None
    max_book_age: float | None = None
    check_balance: bool = False
    allowed_symbols: frozenset[str] | None = None
    alert_share: Decimal = Decimal("0.8")
    dead_man: float | None = None

    def __post_init__(self) -> None:
        fixed: dict[str, object] = {name: _limit(name, getattr(self, name), _symbol) for name in _BY_SYMBOL}
        fixed["max_daily_loss"] = _limit("max_daily_loss", self.max_daily_loss, _asset)
        fixed["allowed_symbols"] = _symbols(self.allowed_symbols)
        fixed["max_order_rate"] = _rate(self.max_order_rate)
        fixed["alert_share"] = _share(self.alert_share)
        if self.max_price_deviation is not None:
            fixed["max_price_deviation"] = positive_decimal_of("max_price_deviation", self.max_price_deviation)
        for name in ("max_open_orders", "max_open_orders_per_symbol"):
            if getattr(self, name) is not None and not _is_count(getattr(self, name)):
                raise ValidationError(name, getattr(self, name), "must be a whole number of at least 1, or None")
        for name in ("max_book_age", "dead_man"):
            if getattr(self, name) is not None and not _is_time(getattr(self, name)):
                raise ValidationError(name, getattr(self, name), "must be a positive number of seconds, or None")
        if not isinstance(self.day_starts_at, str) or not _TIME_OF_DAY.fullmatch(self.day_starts_at):
            raise ValidationError("day_starts_at", self.day_starts_at, 'must be a time of day in UTC, such as "00:00"')
        if not isinstance(self.check_balance, bool):
            raise ValidationError("check_balance", self.check_balance, "must be True or False")
        for name, value in fixed.items():
            object.__setattr__(self, name, value)

    @property
    def wants_depth(self) -> bool:
        """True where it matters how far a market order goes into the book."""
        sizes = (self.max_order_quantity, self.max_order_notional, self.max_position, self.max_price_deviation)
        return self.check_balance or any(limit is not None for limit in sizes)

    @property
    def needs_watch(self) -> bool:
        """True where a limit may be reached without any order."""
        return self.dead_man is not None or self.max_daily_loss is not None

    def day_start(self, at_ns: int) -> int:
        """Return when the day of a moment began; both in nanoseconds since the Unix epoch."""
        hours, minutes = self.day_starts_at.split(":")
        offset = (int(hours) * 60 + int(minutes)) * 60 * 10**9
        day = 86_400 * 10**9
        return (at_ns - offset) // day * day + offset


def limit_for(limit: Limit, name: str) -> Decimal | None:
    """Return the limit for one symbol or asset, None for none."""
    if isinstance(limit, Mapping):
        return limit.get(name, limit.get(ALL_OTHERS))
    return limit


def _limit(field: str, value: object, name_of: object) -> object:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return positive_decimal_of(field, value)
    assert callable(name_of)
    return MappingProxyType(
        {
            name if name == ALL_OTHERS else name_of(field, name): positive_decimal_of(field, number)
            for name, number in value.items()
        }
    )


def _symbol(field: str, value: object) -> str:
    """Return a canonical symbol; the exchange's own spelling is not known when a configuration is made."""
    if isinstance(value, str):
        plain = value.replace("/", "-").removesuffix("-SPOT")
        if _SYMBOL.fullmatch(plain):
            return plain
    raise ValidationError(field, value, "must name canonical symbols such as BTC-USDT")


def _asset(field: str, value: object) -> str:
    if isinstance(value, str) and _ASSET.fullmatch(value):
        return value
    raise ValidationError(field, value, "must name quote assets such as USDT")


def _symbols(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValidationError("allowed_symbols", value, 'must be several symbols, such as ["BTC-USDT"]')
    return frozenset(_symbol("allowed_symbols", each) for each in value)


def _rate(value: object) -> tuple[int, float] | None:
    if value is None:
        return None
    if isinstance(value, (tuple, list)) and len(value) == 2 and _is_count(value[0]) and _is_time(value[1]):
        return value[0], value[1]
    raise ValidationError("max_order_rate", value, "must be a number of orders and seconds, such as (10, 1.0)")


def _share(value: object) -> Decimal:
    share = decimal_of("alert_share", value)
    if not 0 < share <= 1:
        raise ValidationError("alert_share", value, 'must be above 0 and at most 1, such as "0.8"')
    return share


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e7
