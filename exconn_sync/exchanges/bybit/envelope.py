"""What all answers of Bybit have around them (Bybit: 2.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from exconn_sync.exchanges.bybit.endpoints import CATEGORY, EXCHANGE
from exconn_sync.exchanges.decoding import Reader

Wire = TypeVar("Wire")
Value = TypeVar("Value")


class Item(msgspec.Struct, rename="camel"):
    """What the exchange says about one command of a batch."""

    code: int
    msg: str = ""


class Extra(msgspec.Struct, rename={"items": "list"}):
    """What stands beside the result of a batch; empty elsewhere."""

    items: list[Item] = []


class Envelope(msgspec.Struct, Generic[Wire], rename="camel"):
    """An answer. All but code and result are missing in one place or another; errors are told apart before."""

    ret_code: int
    result: Wire
    ret_msg: str = ""
    ret_ext_info: Extra | None = None
    time: int | None = None


class Rows(msgspec.Struct, Generic[Wire], rename={"rows": "list", "next_page_cursor": "nextPageCursor"}):
    """A result that is a list, perhaps one page of several."""

    rows: list[Wire]
    category: str = CATEGORY
    next_page_cursor: str = ""


class EnvelopeReader(Generic[Wire]):
    """Reads answers whose result has one documented form; see ``Reader``."""

    def __init__(self, result: type[Wire], *, refuse_repeated_keys: bool = False) -> None:
        kind = Envelope[result]  # type: ignore[valid-type]
        self._reader: Reader[Envelope[Wire]] = Reader(EXCHANGE, kind, refuse_repeated_keys=refuse_repeated_keys)

    def read(self, payload: bytes, build: Callable[[Envelope[Wire]], Value]) -> Value:
        """Return what ``build`` makes of the envelope. Raises ProtocolError."""
        return self._reader.read(payload, build)
