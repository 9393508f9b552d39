"""The sequence rules of Bybit's streams: order books (Bybit: 6.3), and what else has an order."""

from __future__ import annotations

from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import Kline, Ticker
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Span

_TIME_BITS = 64
"""More than a time in nanoseconds has."""


def judge_diff(book_update_id: int, diff: BookDiff) -> str:
    """Return what a book at ``book_update_id`` does with an update.

    Numbers go up by one (Bybit: 6.3, rule 6). One that was there already is repeated; every other one, also a lower
    one, which only a restart can bring, is a ``gap``: the topic is subscribed anew and begins with a snapshot.
    """
    if diff.last_update_id == book_update_id + 1:
        return "apply"
    return "ignore" if diff.last_update_id == book_update_id else "gap"


def span_of(topic: Topic) -> Span | None:
    """Return how the events of a topic are numbered: by ids where they have some, else by the exchange's time."""
    return _SPANS.get(topic.channel)


def _of_trade(trade: Trade) -> tuple[int, int]:
    # Ids of spot are numbers that grow, although nobody promises it; those of other markets are not (Bybit: 6.5).
    number = int(trade.trade_id) if trade.trade_id.isdecimal() else trade.exchange_time or 0
    return number, number


def _of_best(best: BookTicker) -> tuple[int, int]:
    return best.update_id, best.update_id


def _of_book(event: BookDiff | BookSnapshot) -> tuple[int, int]:
    # A snapshot joins up with whatever was before it.
    return (0, event.update_id) if isinstance(event, BookSnapshot) else (event.first_update_id, event.last_update_id)


def _of_candle(candle: Kline) -> tuple[int, int]:
    # The last word on a candle may come after the first on the next one: the candle counts first.
    number = candle.open_time << _TIME_BITS | (candle.exchange_time or 0)
    return number, number


def _of_moment(ticker: Ticker) -> tuple[int, int]:
    number = ticker.exchange_time or 0
    return number, number


_SPANS: dict[Channel, Span] = {
    Channel.TRADE: _of_trade,
    Channel.BOOK_TICKER: _of_best,
    Channel.ORDER_BOOK: _of_book,
    Channel.KLINE: _of_candle,
    Channel.TICKER: _of_moment,
}
