"""Which fills were archived, at eight bytes each: enough to recognize them, and to count none of them twice.

That two of ten million have one digest by chance happens once in two hundred thousand accounts.
"""

from __future__ import annotations

import sys
from array import array
from base64 import b64decode, b64encode
from bisect import bisect_left
from collections.abc import Iterable
from hashlib import blake2b

from exconn_sync.model.ids import ExchangeOrderId, TradeId

Key = tuple[str, TradeId, ExchangeOrderId]
"""Symbol, trade and order, as ``_store.told.fill_key`` gives them."""


class FillDigests:
    """A set of fills that only answers whether one is in it. Immutable, so any thread may ask."""

    __slots__ = ("_sorted",)

    def __init__(self, text: str = "", more: Iterable[Key] = ()) -> None:
        self._sorted = array("Q", b64decode(text, validate=True))
        if sys.byteorder == "big":
            self._sorted.byteswap()
        fresh = {digest for key in more if not self._has(digest := _digest(key))}
        if fresh:
            self._sorted = array("Q", sorted({*self._sorted, *fresh}))

    def __contains__(self, key: Key) -> bool:
        return bool(self._sorted) and self._has(_digest(key))

    def __len__(self) -> int:
        return len(self._sorted)

    @property
    def text(self) -> str:
        """The set as text, equal for equal sets on all machines."""
        numbers = array("Q", self._sorted)
        if sys.byteorder == "big":
            numbers.byteswap()
        return b64encode(numbers.tobytes()).decode("ascii")

    def _has(self, digest: int) -> bool:
        place = bisect_left(self._sorted, digest)
        return place < len(self._sorted) and self._sorted[place] == digest


def _digest(key: Key) -> int:
    return int.from_bytes(blake2b("\n".join(key).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
