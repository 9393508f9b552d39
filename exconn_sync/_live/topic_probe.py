"""Asks the exchange over REST whether a topic that has gone quiet has news that did not come (fault F060)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync.errors import ExconnError
from exconn_sync.model.book_view import Level
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookSnapshot, BookTicker, PartialBook, Trade
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import ExchangeDriver, Span

Verdict = Literal["quiet", "silent", "unverified"]

LEVELS = 5
"""So many levels a side are compared where nothing else tells how far a book is."""

BookMark: TypeAlias = int | tuple[Sequence[Level], Sequence[Level]] | None
"""How far a local book is: the number of its last change, or its best levels where numbers cannot be compared."""

_MS = 1_000_000
_SECOND = 1_000_000_000

_TRADES = 10
_SHOWN_WITHIN = 3 * _SECOND
"""How long the exchange may take until what it counts shows a trade: candles are told every two seconds."""

_COUNTS_TRADES = frozenset(
    {Channel.AGGREGATE_TRADE, Channel.KLINE, Channel.TICKER, Channel.MINI_TICKER, Channel.AVERAGE_PRICE}
)


class TopicProbe:
    """Compares what a topic delivered last with what the exchange has. Blocking; runs on a pool thread."""

    def __init__(
        self, driver: ExchangeDriver, rest: RestClient, catalogue: Catalogue, server_clock: ServerClock, timeout: float
    ) -> None:
        self._driver = driver
        self._rest = rest
        self._catalogue = catalogue
        self._server_clock = server_clock
        self._timeout = timeout
        # The best prices that were seen when a topic had not brought any yet, and when that was.
        self._first_best: dict[Topic, tuple[int, tuple[str, ...]]] = {}

    def ask(self, topic: Topic, last: Any, book: BookMark, quiet_for: float) -> Verdict:
        """Return whether the exchange is ``quiet`` too or this topic ``silent``; ``unverified`` where nobody knows.

        ``last`` is the last event of the topic, None for none; ``book`` is how far its book is, None where it has none.
        """
        try:
            if topic.channel is Channel.TRADE:
                return self._ask_trades(topic, last, quiet_for)
            if topic.channel in _COUNTS_TRADES:
                return self._ask_counted(topic, last, quiet_for)
            return self._ask_book(topic, last, book, quiet_for)
        except ExconnError:
            # The topic is asked about again later; that REST fails is told by those whose work it is.
            return "unverified"

    def _ask_trades(self, topic: Topic, last: Trade | None, quiet_for: float) -> Verdict:
        call = self._driver.fetch_trades(self._catalogue.get(topic.symbol), 1)
        trades = self._rest.call(call, self._timeout, is_background=True)
        if not trades:
            return "quiet"
        newest = trades[-1]
        span = self._driver.span(topic)
        if last is not None:
            return _verdict(_number(span, newest) > _number(span, last) if span else newest.trade_id != last.trade_id)
        if newest.exchange_time is None:
            return "unverified"
        age_ns = self._server_clock.now_ns() - newest.exchange_time
        return _verdict(age_ns < int(quiet_for * 1e9) - self._server_clock.bound_ns - _MS)

    def _ask_counted(self, topic: Topic, last: Any, quiet_for: float) -> Verdict:
        """Judge a topic that counts trades, or sums them up: it owes a word when there were any since its last one."""
        call = self._driver.fetch_trades(self._catalogue.get(topic.symbol), _TRADES)
        trades = self._rest.call(call, self._timeout, is_background=True)
        now_ns = self._server_clock.now_ns()
        since_ns = None if last is None else last.exchange_time
        if since_ns is None:
            since_ns = now_ns - int(quiet_for * 1e9) + self._server_clock.bound_ns + _MS
        newer = [trade for trade in trades if trade.exchange_time is not None and trade.exchange_time > since_ns]
        if not newer:
            return "quiet"
        # Where all are newer, there were more before them.
        is_owed = len(newer) == _TRADES or (newer[0].exchange_time or 0) < now_ns - _SHOWN_WITHIN
        return "silent" if is_owed else "unverified"

    def _ask_book(self, topic: Topic, last: Any, book: BookMark, quiet_for: float) -> Verdict:
        call = self._driver.fetch_order_book(self._catalogue.get(topic.symbol), LEVELS)
        snapshot = self._rest.call(call, self._timeout, is_background=True)
        if topic.channel is Channel.BOOK_TICKER:
            # Its update id moves with deeper levels too, of which this topic does not tell.
            if last is None:
                return self._compare_with_first(topic, _best_of(snapshot), quiet_for)
            return _verdict(_best_of(snapshot) != _best_of_ticker(last))
        if topic.channel is Channel.PARTIAL_BOOK:
            # Its update id moves with deeper levels too.
            if last is None:
                return self._compare_with_first(topic, _levels_of(snapshot, LEVELS, LEVELS), quiet_for)
            return _verdict(_levels_of(snapshot, len(last.bids), len(last.asks)) != _levels_of_partial(last))
        if isinstance(book, tuple):
            bids, asks = book
            return _verdict(_levels_of(snapshot, len(bids), len(asks)) != _levels_of_both(bids, asks))
        return _verdict(book is None or snapshot.update_id > book)

    def _compare_with_first(self, topic: Topic, best: tuple[str, ...], quiet_for: float) -> Verdict:
        """Judge a topic that tells changes only, and has told none: whether there was one since the first question."""
        now_ns = self._server_clock.now_ns()
        first_ns, first = self._first_best.get(topic, (0, ()))
        if first_ns <= now_ns - int(quiet_for * 1e9):
            # None yet, or of an earlier subscription.
            self._first_best[topic] = (now_ns, best)
            return "quiet"
        return _verdict(best != first)


def _verdict(is_silent: bool) -> Verdict:
    return "silent" if is_silent else "quiet"


def _number(span: Span, event: Trade) -> int:
    return span(event)[1]


def _best_of(snapshot: BookSnapshot) -> tuple[str, ...]:
    return tuple(text for rows in (snapshot.bids, snapshot.asks) for row in rows[:1] for text in map(_plain, row))


def _best_of_ticker(ticker: BookTicker) -> tuple[str, ...]:
    values = (ticker.bid_price, ticker.bid_quantity, ticker.ask_price, ticker.ask_quantity)
    return tuple(_plain(str(value)) for value in values if value is not None)


def _levels_of(snapshot: BookSnapshot, bids: int, asks: int) -> tuple[str, ...]:
    rows = snapshot.bids[: min(bids, LEVELS)] + snapshot.asks[: min(asks, LEVELS)]
    return tuple(_plain(text) for row in rows for text in row)


def _levels_of_partial(book: PartialBook) -> tuple[str, ...]:
    return _levels_of_both(book.bids[:LEVELS], book.asks[:LEVELS])


def _levels_of_both(bids: Sequence[Level], asks: Sequence[Level]) -> tuple[str, ...]:
    return tuple(_plain(plain_text(number)) for row in (*bids, *asks) for number in row)


def _plain(number: str) -> str:
    """Return a number without the zeros at its end, in which two sources may differ."""
    return number.rstrip("0").rstrip(".") if "." in number else number
