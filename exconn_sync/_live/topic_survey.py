"""Asks the exchange about many topics at once: how far it is with each of them (faults F047, F060)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.rest_client import RestClient
from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.market import AggregateTrade, BookTicker
from exconn_sync.model.market_statistics import Ticker
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import ExchangeDriver

Mark: TypeAlias = tuple[str, ...]
"""How far an exchange is with a topic, or a program: the number of its newest trade, or the best prices."""

NOTHING: Mark = ()
"""Nothing has happened for a day."""

_OF_TRADES = frozenset({Channel.TRADE, Channel.AGGREGATE_TRADE})
_OF_BEST_PRICES = frozenset({Channel.BOOK_TICKER, Channel.ORDER_BOOK})

SURVEYED = _OF_TRADES | _OF_BEST_PRICES
"""Channels of which a survey tells something."""

MOST_NAMED = 100
"""With more symbols than this it is cheaper to ask for all that there are (Binance: 5.2)."""


class TopicSurvey:
    """Two questions at most, whatever the number of topics. Blocking; runs on a pool thread."""

    def __init__(self, driver: ExchangeDriver, rest: RestClient, catalogue: Catalogue, timeout: float) -> None:
        self._driver = driver
        self._rest = rest
        self._catalogue = catalogue
        self._timeout = timeout

    def ask(self, topics: Sequence[Topic]) -> dict[Topic, Mark]:
        """Return the mark of each topic of which the exchange says something.

        Raises:
            ExconnError: it could not be asked.
        """
        marks: dict[Topic, Mark] = {}
        trades = [topic for topic in topics if topic.channel in _OF_TRADES]
        tops = [topic for topic in topics if topic.channel in _OF_BEST_PRICES]
        instruments = self._catalogue.require()
        chosen = self._chosen({topic.symbol for topic in trades})
        if chosen is None or chosen:
            call = self._driver.fetch_tickers(chosen, "24h", instruments)
            day = {each.symbol: _mark_of_day(each) for each in self._rest.call(call, self._timeout, is_background=True)}
            marks.update((topic, mark) for topic in trades if (mark := day.get(topic.symbol)) is not None)
        chosen = self._chosen({topic.symbol for topic in tops})
        if chosen is None or chosen:
            best_call = self._driver.fetch_book_tickers(chosen, instruments)
            best = {each.symbol: each for each in self._rest.call(best_call, self._timeout, is_background=True)}
            marks.update((topic, mark_of(best[topic.symbol])) for topic in tops if topic.symbol in best)
        return marks

    def _chosen(self, symbols: Iterable[str]) -> Sequence[Instrument] | None:
        """Return the instruments to be named in a question, None for all that there are."""
        found = []
        for symbol in sorted(symbols):
            try:
                found.append(self._catalogue.get(symbol))
            except ValidationError:
                # It has left the catalogue: nothing can be asked about it, and the others must not suffer.
                continue
        return None if len(found) > MOST_NAMED else found


def _mark_of_day(ticker: Ticker) -> Mark | None:
    if ticker.last_trade_id is not None:
        return (str(ticker.last_trade_id),)
    return NOTHING if ticker.trade_count == 0 else None


def mark_of(event: Any) -> Mark:
    """Return how far a program is that was brought this trade, aggregate or these best prices last."""
    if isinstance(event, AggregateTrade):
        return (str(event.last_trade_id),)
    if isinstance(event, BookTicker):
        return tops_mark((event.bid_price, event.bid_quantity), (event.ask_price, event.ask_quantity))
    return (str(event.trade_id),)


def tops_mark(bid: tuple[Any, Any], ask: tuple[Any, Any]) -> Mark:
    """Return the mark of best prices with their quantities; None is what an empty side has."""
    return tuple("" if number is None else plain_text(number) for number in (*bid, *ask))
