"""The sequence rules of the streams.

Look up: how updates of a book are numbered, whether numbers are gapless, and what a restart does to them.
"""

from __future__ import annotations

from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, BookSnapshot, BookTicker, Trade
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Span


def judge_diff(book_update_id: int, diff: BookDiff) -> str:
    """Return what a book at ``book_update_id`` does with an update: numbers go up by one."""
    if diff.last_update_id <= book_update_id:
        return "ignore"
    return "apply" if diff.first_update_id == book_update_id + 1 else "gap"


def span_of(topic: Topic) -> Span | None:
    """Return how the events of a topic are numbered, None where they carry no numbers that only grow."""
    return _SPANS.get(topic.channel)


def _of_trade(trade: Trade) -> tuple[int, int]:
    # Ids here are numbers; one that is none must not end the stream: its time has an order too.
    number = int(trade.trade_id) if trade.trade_id.isdecimal() else trade.exchange_time or 0
    return number, number


def _of_best(best: BookTicker) -> tuple[int, int]:
    return best.update_id, best.update_id


def _of_book(event: BookDiff | BookSnapshot) -> tuple[int, int]:
    # A snapshot joins up with whatever was before it.
    return (0, event.update_id) if isinstance(event, BookSnapshot) else (event.first_update_id, event.last_update_id)


_SPANS: dict[Channel, Span] = {
    Channel.TRADE: _of_trade,
    Channel.BOOK_TICKER: _of_best,
    Channel.ORDER_BOOK: _of_book,
}
