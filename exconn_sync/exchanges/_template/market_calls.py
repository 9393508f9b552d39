"""The calls for public data, joined from questions and answers.

Look up: the most rows an answer has, and what is not there at all: that is refused with a ValidationError and stands in
``capabilities`` under the names of the connector's methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from exconn_sync.exchanges._template import endpoints as urls
from exconn_sync.exchanges._template import limits, parse_market, symbols
from exconn_sync.exchanges._template.not_offered import NoMarketData, refusal
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import BookSnapshot, BookTicker, Trade
from exconn_sync.model.wire import HttpResponse, Params, RestCall

T = TypeVar("T")

MOST_LEVELS = 500


class MarketCalls(NoMarketData):
    """See ``ports.market_calls`` for what each method promises."""

    def ping(self) -> RestCall[None]:
        """Return the call for the clock, whose answer proves as much as any."""
        return _get(urls.TIME, parse_market.parse_ping)

    def server_time(self) -> RestCall[int]:
        """Return the call for the exchange's clock."""
        return _get(urls.TIME, parse_market.parse_time)

    def fetch_instruments(self) -> RestCall[Instruments]:
        """Return the call for all symbols."""
        return _get(urls.SYMBOLS, symbols.parse_instruments)

    def fetch_order_book(self, instrument: Instrument, limit: int) -> RestCall[BookSnapshot]:
        """Return the call for a snapshot. Raises ValidationError for more levels than there are."""
        if limit > MOST_LEVELS:
            raise refusal("depth", limit, f"must be at most {MOST_LEVELS}")
        params = (*_symbol(instrument), ("levels", str(limit)))
        return _get(urls.BOOK, partial(parse_market.parse_order_book, instrument), params)

    def fetch_trades(
        self, instrument: Instrument, limit: int, *, from_id: TradeId | None = None
    ) -> RestCall[list[Trade]]:
        """Return the call for the newest public trades. Raises ValidationError for those from an id on."""
        if from_id is not None:
            raise refusal("from_id", from_id, "is not offered; only the newest trades are")
        params = (*_symbol(instrument), ("limit", str(limit)))
        return _get(urls.TRADES, partial(parse_market.parse_trades, instrument), params)

    def fetch_book_tickers(
        self, chosen: Sequence[Instrument] | None, instruments: Instruments
    ) -> RestCall[list[BookTicker]]:
        """Return the call for best prices, of one symbol or of all."""
        parse = partial(parse_market.parse_book_tickers, chosen, instruments)
        return _get(urls.BEST, parse, _symbol(chosen[0]) if chosen is not None and len(chosen) == 1 else ())


def _symbol(instrument: Instrument) -> Params:
    return (("symbol", instrument.exchange_symbol),)


def _get(path: str, parse: Callable[[HttpResponse], T], params: Params = ()) -> RestCall[T]:
    return RestCall(
        "GET", path, parse, params, costs=limits.costs_of("GET", path), lane=limits.lane_of("GET", path)
    )  # fmt: skip
