"""The sequence rules of Binance's streams: order book updates (Binance: 9), and what else has an order."""

from __future__ import annotations

from exconn_sync.model.enums import Channel
from exconn_sync.model.market import AggregateTrade, BookDiff, BookTicker, PartialBook, Trade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Span

_TIME_BITS = 64
"""More than a time in nanoseconds has."""


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
    """Return how the events of a topic are numbered: by ids where they have some, else by the exchange's time.

    Trades and aggregates are numbered without holes. Best prices and partial books have the update id of the book.
    Candles and tickers are counted up to a moment, and a later one replaces all before it.
    """
    return _SPANS.get(topic.channel)


def _of_trade(trade: Trade | AggregateTrade) -> tuple[int, int]:
    number = int(trade.trade_id)
    return number, number


def _of_book(event: BookTicker | PartialBook) -> tuple[int, int]:
    return event.update_id, event.update_id


def _of_diff(diff: BookDiff) -> tuple[int, int]:
    return diff.first_update_id, diff.last_update_id


def _of_candle(candle: Kline) -> tuple[int, int]:
    # The last word on a candle comes at the very moment of the first on the next one: the candle counts first.
    number = candle.open_time << _TIME_BITS | (candle.exchange_time or 0)
    return number, number


def _of_moment(event: Ticker | AveragePrice) -> tuple[int, int]:
    number = event.exchange_time or 0
    return number, number


_SPANS: dict[Channel, Span] = {
    Channel.TRADE: _of_trade,
    Channel.AGGREGATE_TRADE: _of_trade,
    Channel.BOOK_TICKER: _of_book,
    Channel.ORDER_BOOK: _of_diff,
    Channel.PARTIAL_BOOK: _of_book,
    Channel.KLINE: _of_candle,
    Channel.TICKER: _of_moment,
    Channel.MINI_TICKER: _of_moment,
    Channel.AVERAGE_PRICE: _of_moment,
}
