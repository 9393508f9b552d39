"""The calls of Binance for public data, joined from questions and answers (Binance: 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from exconn_sync.exchanges.binance import encode_market, limits, parse_market, parse_rest, symbols
from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import HttpResponse, Params, RestCall

T = TypeVar("T")


class MarketCalls:
    """See ``ports.market_calls`` for what each method promises."""

    def ping(self) -> RestCall[None]:
        """Return the call that only asks for an answer."""
        return _get(urls.PING, parse_market.parse_ping)

    def server_time(self) -> RestCall[int]:
        """Return the call for the exchange's clock."""
        return _get(urls.TIME, parse_rest.parse_time)

    def fetch_instruments(self) -> RestCall[Instruments]:
        """Return the call for exchangeInfo."""
        return _get(urls.EXCHANGE_INFO, symbols.parse_instruments)

    def fetch_order_book(self, instrument: Instrument, limit: int) -> RestCall[BookSnapshot]:
        """Return the call for a snapshot; Binance gives at most 5000 levels a side."""
        params = encode_market.rows_params(instrument, limit)
        return _get(urls.DEPTH, partial(parse_rest.parse_order_book, instrument), params)

    def fetch_trades(
        self, instrument: Instrument, limit: int, *, from_id: TradeId | None = None
    ) -> RestCall[list[Trade]]:
        """Return the call for the newest public trades, or for older ones from an id on; Binance gives at most 1000."""
        path = urls.TRADES if from_id is None else urls.HISTORICAL_TRADES
        params = (*encode_market.rows_params(instrument, limit), *encode_market.page_params(from_id, None, None))
        return _get(path, partial(parse_rest.parse_trades, instrument), params)

    def fetch_aggregate_trades(
        self,
        instrument: Instrument,
        limit: int,
        *,
        from_id: TradeId | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> RestCall[list[AggregateTrade]]:
        """Return the call for aggregate trades; Binance gives at most 1000. Raises ValidationError."""
        params = (*encode_market.rows_params(instrument, limit), *encode_market.page_params(from_id, start, end))
        return _get(urls.AGGREGATE_TRADES, partial(parse_market.parse_aggregate_trades, instrument), params)

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
        """Return the call for candles; Binance gives at most 1000. Raises ValidationError."""
        word = encode_market.checked_interval(interval)
        rows = encode_market.rows_params(instrument, limit)
        params = (*rows, ("interval", word), *encode_market.page_params(None, start, end))
        return _get(urls.KLINES, partial(parse_market.parse_klines, instrument, interval, now), params)

    def fetch_tickers(
        self, chosen: Sequence[Instrument] | None, window: str, instruments: Instruments
    ) -> RestCall[list[Ticker]]:
        """Return the call for tickers; windows other than 24h take 1 to 100 symbols. Raises ValidationError."""
        params = encode_market.ticker_params(window, chosen)
        parse = partial(parse_market.parse_tickers, window, chosen, instruments)
        return _get(encode_market.ticker_path(window), parse, params)

    def fetch_book_tickers(
        self, chosen: Sequence[Instrument] | None, instruments: Instruments
    ) -> RestCall[list[BookTicker]]:
        """Return the call for best bids and asks. Raises ValidationError."""
        parse = partial(parse_market.parse_book_tickers, chosen, instruments)
        return _get(urls.BOOK_TICKER, parse, encode_market.symbols_params(chosen))

    def fetch_average_price(self, instrument: Instrument) -> RestCall[AveragePrice]:
        """Return the call for the average price of the last minutes."""
        parse = partial(parse_market.parse_average_price, instrument)
        return _get(urls.AVERAGE_PRICE, parse, (("symbol", instrument.exchange_symbol),))


def _get(path: str, parse: Callable[[HttpResponse], T], params: Params = ()) -> RestCall[T]:
    return RestCall(
        "GET", path, parse, params, costs=limits.costs_of("GET", path, params), lane=limits.lane_of("GET", path)
    )
