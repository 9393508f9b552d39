"""The calls of Bybit for public data, joined from questions and answers (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from exconn_sync.exchanges.bybit import encode_market, limits, parse_market, symbols
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import HttpResponse, Pages, Params, RestCall

T = TypeVar("T")


class MarketCalls:
    """See ``ports.market_calls`` for what each method promises."""

    def ping(self) -> RestCall[None]:
        """Return the call for the clock, whose answer proves as much as any."""
        return _get(urls.TIME, parse_market.parse_ping)

    def server_time(self) -> RestCall[int]:
        """Return the call for the exchange's clock."""
        return _get(urls.TIME, parse_market.parse_time)

    def fetch_instruments(self) -> RestCall[Instruments]:
        """Return the call for instruments-info, with all its pages."""
        params = encode_market.INSTRUMENTS
        pages = Pages(parse_market.next_page(params), symbols.joined)
        return _get(urls.INSTRUMENTS, symbols.parse_instruments, params, pages)

    def fetch_order_book(self, instrument: Instrument, limit: int) -> RestCall[BookSnapshot]:
        """Return the call for a snapshot. Raises ValidationError for more than 1,000 levels a side."""
        params = encode_market.book_params(instrument, limit)
        return _get(urls.ORDER_BOOK, partial(parse_market.parse_order_book, instrument), params)

    def fetch_trades(
        self, instrument: Instrument, limit: int, *, from_id: TradeId | None = None
    ) -> RestCall[list[Trade]]:
        """Return the call for the newest public trades, 60 at most. Raises ValidationError for those from an id on."""
        if from_id is not None:
            raise encode_market.not_offered("from_id", from_id, "is not offered; only the newest trades are")
        params = encode_market.trades_params(instrument, limit)
        return _get(urls.RECENT_TRADES, partial(parse_market.parse_trades, instrument), params)

    def fetch_aggregate_trades(
        self,
        instrument: Instrument,
        limit: int,
        *,
        from_id: TradeId | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> RestCall[list[AggregateTrade]]:
        """Raise ValidationError: Bybit has no aggregate trades."""
        raise encode_market.not_offered("symbol", instrument.symbol, "has no aggregate trades; use fetch_trades")

    def fetch_klines(
        self,
        instrument: Instrument,
        interval: str,
        limit: int,
        *,
        start: int | None = None,
        end: int | None = None,
        now: int,
    ) -> RestCall[list[Kline]]:
        """Return the call for candles; Bybit gives at most 1000. Raises ValidationError."""
        params = encode_market.kline_params(instrument, interval, limit, start, end)
        return _get(urls.KLINE, partial(parse_market.parse_klines, instrument, interval, now), params)

    def fetch_tickers(
        self, chosen: Sequence[Instrument] | None, window: str, instruments: Instruments
    ) -> RestCall[list[Ticker]]:
        """Return the call for the tickers of 24 hours. Raises ValidationError for any other window."""
        encode_market.check_window(window)
        parse = partial(parse_market.parse_tickers, chosen, instruments)
        return _get(urls.TICKERS, parse, encode_market.tickers_params(chosen))

    def fetch_book_tickers(
        self, chosen: Sequence[Instrument] | None, instruments: Instruments
    ) -> RestCall[list[BookTicker]]:
        """Return the call for best bids and asks. Raises ValidationError."""
        parse = partial(parse_market.parse_book_tickers, chosen, instruments)
        return _get(urls.TICKERS, parse, encode_market.tickers_params(chosen))

    def fetch_average_price(self, instrument: Instrument) -> RestCall[AveragePrice]:
        """Raise ValidationError: Bybit tells no average price."""
        raise encode_market.not_offered("symbol", instrument.symbol, "has no average price")


def _get(
    path: str, parse: Callable[[HttpResponse], T], params: Params = (), pages: Pages[T] | None = None
) -> RestCall[T]:
    return RestCall(
        "GET", path, parse, params, costs=limits.costs_of(path), lane=limits.lane_of("GET", path), pages=pages
    )
