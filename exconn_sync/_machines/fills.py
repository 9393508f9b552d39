"""Which of several reports of one trade counts, and in which order trades happened (faults F096, F113)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import TypeAlias

from exconn_sync.model.enums import FactSource, Side
from exconn_sync.model.ids import ExchangeOrderId
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.orders import Fill

Content: TypeAlias = tuple[ExchangeOrderId, Side, Decimal, Decimal, bool, Decimal, "str | None"]

_NS_PER_MS = 1_000_000

SOURCE_RANK = {
    FactSource.LOCAL: 0,
    FactSource.ANSWER: 1,
    FactSource.STREAM: 2,
    FactSource.QUERY: 3,
    FactSource.RECONCILIATION: 4,
}
"""Which source is preferred where several say something and nothing else decides."""


def fill_order(fill: Fill) -> tuple[int, int, str, str]:
    """Return the sort key that puts fills in the order in which they happened, however they arrived.

    Trade ids grow, and a longer one is a later one; they are text because they pass 2**53. They decide within a
    millisecond, because not every source tells time more finely. The order's id decides between the two fills of a
    trade between orders of one account.
    """
    return (fill.exchange_time or 0) // _NS_PER_MS, len(fill.trade_id), fill.trade_id, fill.exchange_order_id


class TradeReports:
    """All that was reported of one trade; any order and number of reports gives the same ``chosen``."""

    __slots__ = ("_by_content", "chosen")

    def __init__(self, fill: Fill) -> None:
        self._by_content: dict[Content, Fill] = {_content(fill): fill}
        self.chosen = fill

    def add(self, fill: Fill) -> bool:
        """Take another report; return whether it says something else than the earlier ones."""
        content = _content(fill)
        known = self._by_content.get(content)
        self._by_content[content] = fill if known is None else _joined(known, fill)
        self.chosen = max(self._by_content.values(), key=_preference)
        return known is None

    @property
    def reports(self) -> Iterable[Fill]:
        """The reports that differ in content."""
        return self._by_content.values()

    @property
    def is_contradictory(self) -> bool:
        """True where two reports exclude each other; a fee that one source leaves out excludes nothing (F113)."""
        trades = {content[:5] for content in self._by_content}
        fees = {content[5:] for content in self._by_content if content[6] is not None}
        return len(trades) > 1 or len(fees) > 1


def _content(fill: Fill) -> Content:
    return (
        fill.exchange_order_id, fill.side, fill.price, fill.quantity, fill.is_maker, fill.fee, fill.fee_asset,
    )  # fmt: skip


def _joined(one: Fill, other: Fill) -> Fill:
    """Return two reports of the same content as one; each field is chosen by itself, so that order cannot matter."""
    times = [fill.exchange_time for fill in (one, other) if fill.exchange_time is not None]
    client_ids = [fill.client_order_id for fill in (one, other) if fill.client_order_id is not None]
    return replace(
        one,
        exchange_time=min(times, key=_early_and_fine, default=None),
        client_order_id=min(client_ids, default=None),
        received_at=min(one.received_at, other.received_at),
        source=min(one.source, other.source, key=SOURCE_RANK.__getitem__),
    )


def _early_and_fine(time_ns: int) -> tuple[int, bool, int]:
    """Return the sort key of a time: the earliest counts, of one millisecond that with a fraction of it."""
    return time_ns // _NS_PER_MS, time_ns % _NS_PER_MS == 0, time_ns


def _preference(fill: Fill) -> tuple[Decimal, bool, Decimal, str]:
    # The largest quantity first: what is counted as filled must not shrink when a contradiction arrives (I5).
    rest = (
        fill.exchange_order_id, fill.side.value, plain_text(fill.price), str(fill.is_maker), fill.fee_asset or "",
    )  # fmt: skip
    return fill.quantity, fill.fee_asset is not None, fill.fee, "|".join(rest)
