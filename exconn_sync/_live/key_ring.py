"""The key that signs at the moment; it can be replaced while everything runs (fault F167)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from exconn_sync.errors import AuthenticationError, NotReady
from exconn_sync.ports.driver import Signer


def _ignore() -> None:
    """Have nobody to tell."""


class KeyRing:
    """Hands out one signer, which holds a key together with its secret, so that two keys are never mixed. Thread-safe.

    Whoever signs takes the signer once for each request, and says of the same one whether the exchange refused or took
    it: a late word about a former key is ignored. No lock is needed, because each statement reads or writes one field.

    Attributes:
        is_provided: somebody can be asked for another key.
        refusals: how often the present key, or one before it, was refused.
        on_refused: called, on the thread of whoever was refused, when the present key was; must not block.
    """

    def __init__(self, signer: Signer | None = None, *, is_provided: bool = False) -> None:
        self.is_provided = is_provided
        self.refusals = 0
        self.on_refused: Callable[[], None] = _ignore
        self._signer = signer
        self._refused: Signer | None = None
        self._accepted: Signer | None = None
        # A key, which is no secret, and what it is called.
        self._named = ("", "")

    def take(self, what: str) -> Signer:
        """Return the signer for a request; ``what`` names the request.

        Raises:
            AuthenticationError: no key was configured; outcome ``not_sent``.
            NotReady: the credentials provider has not given one yet.
        """
        signer = self._signer
        if signer is not None:
            return signer
        if self.is_provided:
            raise NotReady(f"{what} needs an API key, which the credentials provider has not given yet")
        raise AuthenticationError(f"{what} needs an API key", outcome="not_sent")

    @property
    def account(self) -> str:
        """What tells the account apart from others where budgets are kept; it leads to no key. Empty without a key."""
        signer = self._signer
        if signer is None:
            return ""
        # Asked for with each request. Both are read and written as one, so that they always belong together.
        key, name = self._named
        if key != signer.api_key:
            key = signer.api_key
            name = hashlib.sha256(key.encode()).hexdigest()[:16]
            self._named = key, name
        return name

    @property
    def is_wanting(self) -> bool:
        """True while there is no key, or the exchange has refused the present one."""
        signer = self._signer
        return signer is None or signer is self._refused

    @property
    def is_proven(self) -> bool:
        """True once the exchange has accepted the present key."""
        return self._signer is not None and self._signer is self._accepted

    @property
    def has_key(self) -> bool:
        """True once there is a key."""
        return self._signer is not None

    def replace(self, signer: Signer) -> None:
        """Sign with another key from now on; nothing is kept of the former one."""
        self._refused = self._accepted = None
        self._named = ("", "")
        self._signer = signer

    def refused(self, signer: Signer) -> None:
        """Take note that the exchange refused a key."""
        if signer is self._signer:
            self._refused = signer
            # Two that are refused at the same moment may count as one.
            self.refusals += 1
            self.on_refused()

    def accepted(self, signer: Signer) -> None:
        """Take note that the exchange accepted a key: a refusal before was about something else."""
        if signer is self._signer:
            self._accepted = signer
            if self._refused is signer:
                self._refused = None
