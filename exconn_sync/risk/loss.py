"""What our orders have won or lost since a moment, in one quote asset, as far as that can be told."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from exconn_sync._machines.exposure import Exposure
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.risk.case import Tops


class Result(NamedTuple):
    """``profit`` is negative for a loss, and None where the prices of the symbols in ``missing`` are not known."""

    profit: Decimal | None
    missing: tuple[str, ...]


def result_since(exposure: Exposure, quote: str, at_ns: int, tops: Tops) -> Result:
    """Return the profit since a moment: realized since then, plus what the open positions would bring now.

    A position is worth what closing it would bring: at the best bid, or at the best ask where it is short. A fee in
    another asset costs what that asset sells for.
    """
    total, missing = ZERO, []
    for symbol in _symbols(exposure, quote):
        realized, fees = exposure.since(symbol, at_ns)
        total = EXACT.add(total, realized)
        held, entry = exposure.position(symbol), exposure.entry_price(symbol)
        if held != ZERO and entry is not None:
            price = _price(tops, symbol, bid=held > ZERO)
            if price is None:
                missing.append(symbol)
            else:
                total = EXACT.add(total, EXACT.multiply(EXACT.subtract(price, entry), held))
        for asset, fee in fees.items():
            pair = f"{asset}-{quote}"
            price = _price(tops, pair, bid=fee < ZERO)
            if price is None:
                missing.append(pair)
            else:
                total = EXACT.subtract(total, EXACT.multiply(fee, price))
    return Result(None if missing else total, tuple(dict.fromkeys(missing)))


def symbols_to_price(exposure: Exposure, quote: str, at_ns: int) -> tuple[str, ...]:
    """Return the symbols whose prices such a result needs."""
    return result_since(exposure, quote, at_ns, {}).missing


def quotes(exposure: Exposure) -> list[str]:
    """Return the quote assets of what our orders have traded."""
    return sorted({symbol.partition("-")[2] for symbol in exposure.symbols()})


def _symbols(exposure: Exposure, quote: str) -> list[str]:
    return [symbol for symbol in exposure.symbols() if symbol.partition("-")[2] == quote]


def _price(tops: Tops, symbol: str, *, bid: bool) -> Decimal | None:
    best_bid, best_ask = tops.get(symbol, (None, None))
    level = best_bid if bid else best_ask
    return None if level is None else level[0]
