"""The sequence rule of Binance's order book updates (Binance: 9)."""

from __future__ import annotations

from exconn_sync.model.market import BookDiff


def judge_diff(book_update_id: int, diff: BookDiff) -> str:
    """Return what a book at ``book_update_id`` does with an update.

    ``ignore`` what it already contains, ``gap`` where changes in between are missing, otherwise ``apply``. The same
    rule covers the first update after a snapshot, which must straddle the id after it (Binance: 9, step 4).
    """
    if diff.last_update_id <= book_update_id:
        return "ignore"
    if diff.first_update_id > book_update_id + 1:
        return "gap"
    return "apply"
