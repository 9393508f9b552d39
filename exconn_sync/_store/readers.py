"""The nouns of the connector: what the store knows, as the user reads it. Instant, no I/O, from any thread."""

from __future__ import annotations

from exconn_sync._store.account_store import AccountStore
from exconn_sync.model.orders import Fill, OrderState


class OrdersReader:
    """Orders of the account as far as they are known; every result is immutable."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def get(self, order_id: str) -> OrderState | None:
        """Return the order with this client or exchange order id; None where no such order is known."""
        return self._store.order(order_id)

    def open(self, symbol: str | None = None) -> list[OrderState]:
        """Return orders that may still trade, those of unknown state included; of one canonical symbol or of all."""
        return [item for item in self._all(symbol) if not item.is_terminal]

    def history(self, symbol: str | None = None) -> list[OrderState]:
        """Return all known orders of one canonical symbol or of all, oldest knowledge first."""
        return self._all(symbol)

    def __len__(self) -> int:
        return len(self._store.orders())

    def _all(self, symbol: str | None) -> list[OrderState]:
        return [item for item in self._store.orders() if symbol is None or item.symbol == symbol]


class FillsReader:
    """Fills of the account as far as they are known. Call it, or iterate."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store

    def __call__(self, symbol: str | None = None) -> list[Fill]:
        """Return the known fills of one canonical symbol or of all, in order of arrival."""
        return [item for item in self._store.fills() if symbol is None or item.symbol == symbol]

    def __len__(self) -> int:
        return len(self._store.fills())
