"""What our orders have won or lost since a moment, in one quote asset, as far as that can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from exconn_sync._machines.exposure import Exposure
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.profit import Tops, profit_of


class Result(NamedTuple):
    """``profit`` is negative for a loss, and None where the prices of the symbols in ``missing`` are not known."""

    profit: Decimal | None
    missing: tuple[str, ...]


def result_since(exposure: Exposure, quote: str, at_ns: int, tops: Tops) -> Result:
    """Return the profit since a moment: realized since then, plus what the open positions would bring now."""
    total = ZERO
    missing: list[str] = []
    for symbol in exposure.symbols():
        if symbol.partition("-")[2] != quote:
            continue
        realized, fees = exposure.since(symbol, at_ns)
        profit = profit_of(symbol, exposure.position(symbol), exposure.entry_price(symbol), realized, fees, tops)
        if profit.total is not None:
            total = EXACT.add(total, profit.total)
        missing += profit.missing
    return Result(None if missing else total, tuple(dict.fromkeys(missing)))


def symbols_to_price(exposure: Exposure, quote: str, at_ns: int) -> tuple[str, ...]:
    """Return the symbols whose prices such a result needs."""
    return result_since(exposure, quote, at_ns, {}).missing


def quotes(exposure: Exposure) -> list[str]:
    """Return the quote assets of what our orders have traded."""
    return sorted({symbol.partition("-")[2] for symbol in exposure.symbols()})
