"""What a driver must know of the account itself: the questions, and how to read their answers."""

from __future__ import annotations

from typing import Protocol

from exconn_sync.model.account_info import AccountInfo, KeyInfo
from exconn_sync.model.wire import RestCall


class AccountCalls(Protocol):
    """Signed calls about the account and its key.

    Raises (all): ValidationError where the exchange does not tell; nothing is sent then.
    """

    def fetch_account(self) -> RestCall[AccountInfo]:
        """Return the call for what the account is and may do."""
        ...

    def fetch_key(self) -> RestCall[KeyInfo]:
        """Return the call for what the key may do."""
        ...
