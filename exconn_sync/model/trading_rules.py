"""The rules of a symbol as values: grids, limits, offers. A limit of zero means that there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from exconn_sync.model.enums import OrderType, TextEnum
from exconn_sync.model.numbers import EXACT, ZERO, ceil_to, floor_to, is_multiple


class SymbolPhase(TextEnum):
    """What can be done with a symbol at the moment.

    ``trading``: everything. ``cancel_only``: open orders can be cancelled or made smaller. ``halted``: no trading, but
    market data goes on. ``closed``: neither. ``unknown``: the exchange uses a word that this version does not know.
    """

    TRADING = "trading"
    CANCEL_ONLY = "cancel_only"
    HALTED = "halted"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class Feature(TextEnum):
    """What a symbol offers beyond plain orders."""

    POST_ONLY = "post_only"
    ICEBERG = "iceberg"
    TRAILING_STOP = "trailing_stop"
    PEGGED = "pegged"
    CANCEL_REPLACE = "cancel_replace"
    AMEND = "amend"
    OCO = "oco"
    OTO = "oto"
    OPO = "opo"
    MARGIN = "margin"
    SMART_ROUTING = "smart_routing"
    EXITS = "exits"
    """Take-profit and stop-loss attached to a limit order."""


@dataclass(frozen=True)
class Grid:
    """The values that a rule lets through: from ``low`` to ``high`` in whole multiples of ``step``."""

    low: Decimal = ZERO
    high: Decimal = ZERO
    step: Decimal = ZERO

    def holds(self, value: Decimal) -> bool:
        """Return whether the value is one of them."""
        return self.low <= value and (self.high == ZERO or value <= self.high) and is_multiple(value, self.step)

    def nearest(self, value: Decimal) -> Decimal | None:
        """Return the largest one that is not above the value, else the smallest one above it; None for an empty grid.

        Down first, because a rounded order must not become larger than what was meant.
        """
        below = value if self.high == ZERO else min(value, self.high)
        for candidate in (floor_to(below, self.step), ceil_to(max(value, self.low), self.step)):
            if candidate > ZERO and self.holds(candidate):
                return candidate
        return None

    def joined(self, other: Grid) -> Grid:
        """Return the values that both let through."""
        highs = [high for high in (self.high, other.high) if high != ZERO]
        return Grid(max(self.low, other.low), min(highs, default=ZERO), _common_multiple(self.step, other.step))


@dataclass(frozen=True)
class PriceBand:
    """How far from the average price the price of an order may lie, as factors of it, by the side of the order.

    A buy may cost from ``buy_down`` to ``buy_up`` times the average price, a sell likewise; a factor of zero is none.
    """

    buy_up: Decimal = ZERO
    buy_down: Decimal = ZERO
    sell_up: Decimal = ZERO
    sell_down: Decimal = ZERO


@dataclass(frozen=True)
class TrailingRange:
    """How far a trailing stop may follow the market, in basis points.

    ``above`` is for orders that wait above the market (a stop that buys, a take-profit that sells), ``below`` for the
    others.
    """

    min_above: int = 0
    max_above: int = 0
    min_below: int = 0
    max_below: int = 0


@dataclass(frozen=True)
class Allowances:
    """How much an account may have open at the same time, on one symbol or on the whole exchange; zero is no limit.

    ``position`` is a quantity of the base asset, open buy orders included; ``amends`` counts the changes of one order.
    The exchange judges these: they depend on what is open there.
    """

    orders: int = 0
    algo_orders: int = 0
    iceberg_orders: int = 0
    order_lists: int = 0
    amends: int = 0
    position: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class TradingRules:
    """The rules of one symbol; see ``Instrument``."""

    is_trading: bool = True
    status: str = "TRADING"
    phase: SymbolPhase = SymbolPhase.TRADING
    tick_size: Decimal = ZERO
    min_price: Decimal = ZERO
    max_price: Decimal = ZERO
    price_band: PriceBand | None = None
    lot_step: Decimal = ZERO
    min_quantity: Decimal = ZERO
    max_quantity: Decimal = ZERO
    market_lot_step: Decimal = ZERO
    market_min_quantity: Decimal = ZERO
    market_max_quantity: Decimal = ZERO
    post_only_max_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    max_notional: Decimal = ZERO
    market_min_notional: Decimal = ZERO
    market_max_notional: Decimal = ZERO
    average_price_minutes: int | None = None
    iceberg_parts: int = 0
    trailing_range: TrailingRange | None = None
    allowances: Allowances = field(default_factory=Allowances)
    base_precision: int | None = None
    quote_precision: int | None = None
    base_fee_precision: int | None = None
    quote_fee_precision: int | None = None
    order_types: frozenset[OrderType] = frozenset()
    quote_quantity_allowed: bool = True
    features: frozenset[Feature] | None = None
    permission_sets: tuple[frozenset[str], ...] = ()
    self_trade_preventions: frozenset[str] = frozenset()
    default_self_trade_prevention: str = ""
    unknown_filters: tuple[str, ...] = ()

    # Kept once made: every order is checked against them.
    @cached_property
    def price_grid(self) -> Grid:
        """The prices that orders may have."""
        return Grid(self.min_price, self.max_price, self.tick_size)

    @cached_property
    def quantity_grid(self) -> Grid:
        """The quantities that orders may have."""
        return Grid(self.min_quantity, self.max_quantity, self.lot_step)

    @cached_property
    def post_only_quantity_grid(self) -> Grid:
        """The quantities that post-only orders may have: of some exchanges a larger one than others."""
        return Grid(self.min_quantity, self.post_only_max_quantity or self.max_quantity, self.lot_step)

    @cached_property
    def market_quantity_grid(self) -> Grid:
        """The further rule that quantities of market orders obey."""
        return Grid(self.market_min_quantity, self.market_max_quantity, self.market_lot_step)

    def offers(self, feature: Feature | str) -> bool:
        """Return whether the symbol offers something; True too where the exchange does not say.

        Raises:
            ValidationError: no such feature.
        """
        wanted = Feature.of("feature", feature)
        return self.features is None or wanted in self.features

    def is_permitted(self, permissions: frozenset[str] | set[str]) -> bool:
        """Return whether an account with these permissions may trade the symbol: it needs one out of each set."""
        return all(names & permissions for names in self.permission_sets)


def _common_multiple(one: Decimal, other: Decimal) -> Decimal:
    """Return the smallest step that is a whole multiple of both; a step of zero restricts nothing."""
    if one == ZERO or other == ZERO:
        return one or other
    places = max(0, *(-int(step.as_tuple().exponent) for step in (one, other)))
    scaled = [int(EXACT.scaleb(step, places)) for step in (one, other)]
    return EXACT.scaleb(Decimal(math.lcm(*scaled)), -places)
