"""Who signs requests."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """Signs for one API key; the secret never leaves it."""

    @property
    def api_key(self) -> str:
        """The public half of the credentials."""
        ...

    @property
    def key_type(self) -> str:
        """``hmac``, ``rsa`` or ``ed25519``."""
        ...

    def sign(self, payload: bytes) -> str:
        """Return the signature text the exchange expects for these bytes."""
        ...
