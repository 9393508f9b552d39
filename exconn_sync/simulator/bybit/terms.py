"""What an exchange of this kind alone has other than the core's defaults (Bybit: 4.7, 4.10, 4.17, 12)."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.commission import FeePot
from exconn_sync.simulator.core.symbols import SymbolSpec

_BAND = Decimal("0.05")
_MOST_ORDERS, _MOST_STOPS = 500, 30
_NO_BOUND = Decimal(10) ** 6
CONNECTIONS_PER_5M = 500


def specs(symbols: Iterable[SymbolSpec]) -> list[SymbolSpec]:
    """The pairs under this exchange's rules: orders far below or above the market rest, those beyond the band fail."""
    return [
        replace(
            symbol,
            price_multiplier_up=1 + _BAND,
            price_multiplier_down=Decimal(0),
            ask_multiplier_up=_NO_BOUND,
            ask_multiplier_down=1 - _BAND,
            percent_price_of_stops=True,
            has_max_notional=False,
            max_open_orders=_MOST_ORDERS,
            max_algo_orders=_MOST_STOPS,
        )
        for symbol in symbols
    ]


def set_fees(fees: FeePot) -> None:
    """Fees are exact products, and a maker's rebate is paid in the other coin."""
    fees.is_rounded = False
    fees.rebates_cross = True
