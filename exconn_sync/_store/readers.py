"""The nouns of the connector: what the store knows, as the user reads it. Instant, no I/O, from any thread."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync._store.account_store import AccountStore
from exconn_sync.errors import ValidationError
from exconn_sync.model.orders import Fill, OrderState


class OrdersReader:
    """Orders of the account as far as they are known; every result is immutable."""

    def __init__(self, store: AccountStore, understood: Callable[[str], str]) -> None:
        self._store = store
        self._understood = understood

    def get(self, order_id: str) -> OrderState | None:
        """Return the order with this client or exchange order id; None where no such order is known."""
        return self._store.order(order_id)

    def open(self, symbol: str | None = None) -> list[OrderState]:
        """Return orders that may still trade, unknown ones included; of one symbol in any spelling or of all.

        Raises:
            ValidationError: the symbol is no text.
        """
        return self._chosen(self._store.open_orders(), symbol)

    def history(self, symbol: str | None = None) -> list[OrderState]:
        """Return all known orders of one symbol in any spelling or of all, oldest knowledge first.

        Raises:
            ValidationError: the symbol is no text.
        """
        return self._chosen(self._store.orders(), symbol)

    def __len__(self) -> int:
        return len(self._store.orders())

    def _chosen(self, orders: list[OrderState], symbol: str | None) -> list[OrderState]:
        wanted = _wanted(symbol, self._understood)
        return [item for item in orders if wanted is None or item.symbol == wanted]


class FillsReader:
    """Fills of the account as far as they are known. Call it, or iterate."""

    def __init__(self, store: AccountStore, understood: Callable[[str], str]) -> None:
        self._store = store
        self._understood = understood

    def __call__(self, symbol: str | None = None) -> list[Fill]:
        """Return the known fills of one symbol in any spelling or of all, in order of arrival.

        Raises:
            ValidationError: the symbol is no text.
        """
        wanted = _wanted(symbol, self._understood)
        return [item for item in self._store.fills() if wanted is None or item.symbol == wanted]

    def __len__(self) -> int:
        return len(self._store.fills())


def _wanted(symbol: str | None, understood: Callable[[str], str]) -> str | None:
    """Return the canonical form of the symbol that is meant, None for all."""
    if symbol is not None and not isinstance(symbol, str):
        raise ValidationError("symbol", symbol, "must be a symbol such as BTC-USDT, or None for all")
    return None if symbol is None else understood(symbol)
