"""Questions about the account itself and about its key."""

from __future__ import annotations

from exconn_sync.connector.core import Core
from exconn_sync.model.account_info import AccountInfo, KeyInfo


class AccountFace:
    """The ``fetch_...`` calls about what the account is. Each is limited, guarded and signed.

    ``timeout`` seconds bound a call whole. An answer is as it was told; nothing of it is kept here.

    Raises (all): as the other ``fetch_...`` calls.
    """

    _core: Core

    def fetch_account(self, *, timeout: float | None = None) -> AccountInfo:
        """Return what the account is and may do (Binance: 5.10, ``account``; Bybit: 4.18, ``account/info``)."""
        assembly = self._core.assembly
        limit = assembly.gateway.deadline(timeout)
        return assembly.rest.call(self._core.driver.fetch_account(), limit.remaining(self._core.clock.monotonic_ns()))

    def fetch_key(self, *, timeout: float | None = None) -> KeyInfo:
        """Return what the key may do, from where, and until when (Bybit: 4.18, ``user/query-api``).

        Any key may ask, also one that may only look.

        Raises:
            ValidationError: the exchange does not tell: on Binance another interface than that of spot does.
        """
        assembly = self._core.assembly
        limit = assembly.gateway.deadline(timeout)
        return assembly.rest.call(self._core.driver.fetch_key(), limit.remaining(self._core.clock.monotonic_ns()))
