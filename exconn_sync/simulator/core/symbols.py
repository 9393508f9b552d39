"""What a symbol is: its assets, its grid of prices and quantities, its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum

from exconn_sync.simulator.core.order_words import OrderType, PreventionMode

ZERO = Decimal(0)
ASSET_DECIMALS = 8
"""Every amount in the simulator is exact at this many decimals."""


class SymbolStatus(Enum):
    """Whether a symbol trades. Of those that do not, some still show market data or let orders be cancelled."""

    TRADING = "trading"
    END_OF_DAY = "end_of_day"
    HALT = "halt"
    BREAK = "break"
    CANCEL_ONLY = "cancel_only"


@dataclass(frozen=True, slots=True)
class PriceRange:
    """How far from the reference price a taker may trade, as factors; None switches a bound off."""

    bid_up: Decimal | None = None
    bid_down: Decimal | None = None
    ask_up: Decimal | None = None
    ask_down: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExchangeRules:
    """What counts over all symbols. None switches a rule off."""

    max_open_orders: int | None = None
    max_algo_orders: int | None = None
    max_iceberg_orders: int | None = None
    max_order_lists: int | None = None
    asset_limits: Mapping[str, Decimal] = field(default_factory=dict)
    """The largest amount of an asset that one order may be about."""


@dataclass(frozen=True, slots=True)
class SymbolSpec:
    """One tradable pair and the rules its orders must obey."""

    name: str
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_price: Decimal
    max_price: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    max_market_quantity: Decimal
    min_notional: Decimal
    max_notional: Decimal
    start_price: Decimal
    price_multiplier_up: Decimal = Decimal(5)
    price_multiplier_down: Decimal = Decimal("0.2")
    ask_multiplier_up: Decimal = Decimal(5)
    ask_multiplier_down: Decimal = Decimal("0.2")
    percent_price_by_side: bool = True
    """Without it the first two multipliers hold for both sides (``PERCENT_PRICE``)."""
    percent_price_of_stops: bool = False
    """Whether the price of a stop order is compared with its own stop price instead of the market's."""
    average_minutes: int = 0
    """Over how long the price is averaged to which prices are compared; zero is the last price."""
    has_max_notional: bool = True
    """Without it there is only a smallest notional (``MIN_NOTIONAL``)."""
    min_notional_to_market: bool = True
    max_notional_to_market: bool = True
    min_market_quantity: Decimal = ZERO
    market_step: Decimal = ZERO
    max_position: Decimal | None = None
    max_open_orders: int = 200
    max_algo_orders: int = 5
    max_amendments: int = 10
    max_order_lists: int = 20
    max_iceberg_orders: int | None = None
    max_iceberg_parts: int = 100
    min_trailing_above: int = 10
    max_trailing_above: int = 2000
    min_trailing_below: int = 10
    max_trailing_below: int = 2000
    order_types: frozenset[OrderType] = frozenset(OrderType)
    quote_market_allowed: bool = True
    iceberg_allowed: bool = True
    trailing_allowed: bool = True
    pegs_allowed: bool = True
    discount_allowed: bool = True
    """Whether commissions may be paid in the discount asset."""
    replace_allowed: bool = True
    amend_allowed: bool = True
    oco_allowed: bool = True
    oto_allowed: bool = True
    opo_allowed: bool = True
    prevention_modes: frozenset[PreventionMode] = frozenset(PreventionMode)
    default_prevention: PreventionMode = PreventionMode.NONE
    price_range: PriceRange | None = None
    base_decimals: int = ASSET_DECIMALS
    quote_decimals: int = ASSET_DECIMALS
    status: SymbolStatus = SymbolStatus.TRADING
    permission_sets: tuple[tuple[str, ...], ...] = (("SPOT",),)


def spec_of(base: str, quote: str, *, tick: str, step: str, min_notional: str, start_price: str) -> SymbolSpec:
    """A spec whose remaining limits follow from its grid."""
    return SymbolSpec(
        name=base + quote,
        base=base,
        quote=quote,
        tick=Decimal(tick),
        step=Decimal(step),
        min_price=Decimal(tick),
        max_price=Decimal(1000000),
        min_quantity=Decimal(step),
        max_quantity=Decimal(9000),
        max_market_quantity=Decimal(120),
        min_notional=Decimal(min_notional),
        max_notional=Decimal(9000000),
        start_price=Decimal(start_price),
    )


# Tick times step never has more than eight decimals, so every amount that is ever owed can be printed exactly.
DEFAULT_SYMBOLS: tuple[SymbolSpec, ...] = (
    spec_of("BTC", "USDT", tick="0.01", step="0.00001", min_notional="5", start_price="60000"),
    spec_of("ETH", "USDT", tick="0.01", step="0.0001", min_notional="5", start_price="3000"),
    spec_of("BNB", "BTC", tick="0.000001", step="0.01", min_notional="0.0001", start_price="0.0095"),
)
"""The pairs that a simulator trades unless it is given others."""

UNICODE_SYMBOL = spec_of("测试币", "USDT", tick="0.0001", step="0.1", min_notional="5", start_price="1.25")
"""A symbol with a name beyond ASCII, as exist since December 2025; not among those that are there by default."""
