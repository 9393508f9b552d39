"""Signing with the secret of one API key."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import NoReturn


class HmacSha256Signer:
    """Signs with HMAC-SHA256, as lower-case hex; any thread may sign.

    The secret itself is not kept, only the hash state prepared with it. The object shows nothing of either key and
    refuses to be pickled or copied (faults F169, F172).
    """

    __slots__ = ("_api_key", "_prepared")
    key_type = "hmac"

    def __init__(self, api_key: str, secret: bytes | bytearray | memoryview) -> None:
        self._api_key = api_key
        self._prepared = hmac.new(bytes(secret), digestmod=sha256)

    @property
    def api_key(self) -> str:
        """The public half of the credentials."""
        return self._api_key

    def sign(self, payload: bytes) -> str:
        """Return the signature of the payload in lower-case hex."""
        state = self._prepared.copy()
        state.update(payload)
        return state.hexdigest()

    def __repr__(self) -> str:
        return "<HmacSha256Signer>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a signer holds a secret and can be neither pickled nor copied")
