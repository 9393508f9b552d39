"""The sequence rules of Binance's streams: order book updates (Binance: 9), trades, best prices."""

from __future__ import annotations

from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, BookTicker, Trade
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Span


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


def span_of(topic: Topic) -> Span | None:
    """Return how the events of a topic are numbered: trades without holes, best prices by the book's update id."""
    return _SPANS.get(topic.channel)


def _of_trade(trade: Trade) -> tuple[int, int]:
    number = int(trade.trade_id)
    return number, number


def _of_best_price(ticker: BookTicker) -> tuple[int, int]:
    return ticker.update_id, ticker.update_id


def _of_diff(diff: BookDiff) -> tuple[int, int]:
    return diff.first_update_id, diff.last_update_id


_SPANS: dict[Channel, Span] = {
    Channel.TRADE: _of_trade,
    Channel.BOOK_TICKER: _of_best_price,
    Channel.ORDER_BOOK: _of_diff,
}
