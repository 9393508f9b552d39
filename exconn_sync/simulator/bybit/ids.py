"""Ids on this wire: texts of 19 digits, unique over all symbols (Bybit: 4.7)."""

from collections.abc import Iterable

_BASE = 1_700_000_000_000_000_000
_PER_SYMBOL = 10_000_000_000_000
_STEP = 2
"""The number behind an order's id is the client id of an order that came without one."""
_TRADES = 2_100_000_000_000_000_000


class WireIds:
    """Turns the core's ids, which rise for each symbol on its own, into those of the wire, and back."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self._symbols = list(symbols)
        self._index = {symbol: index for index, symbol in enumerate(self._symbols)}

    def order(self, symbol: str, order_id: int) -> str:
        """The id of an order."""
        return str(_BASE + self._index[symbol] * _PER_SYMBOL + order_id * _STEP)

    def link(self, symbol: str, order_id: int) -> str:
        """The client id that the exchange gives an order that came without one."""
        return str(int(self.order(symbol, order_id)) + 1)

    def read_order(self, text: str) -> tuple[str, int] | None:
        """Symbol and id in the core of an order's id, or None for a text that is none."""
        if not (text.isascii() and text.isdigit()) or len(text) != len(str(_BASE)):
            return None
        index, rest = divmod(int(text) - _BASE, _PER_SYMBOL)
        if not 0 <= index < len(self._symbols) or rest % _STEP:
            return None
        return self._symbols[index], rest // _STEP

    def trade(self, symbol: str, trade_id: int) -> str:
        """The id of a trade."""
        return str(_TRADES + self._index[symbol] * _PER_SYMBOL + trade_id)
