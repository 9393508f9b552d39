"""Questions about public data: blocking REST calls on the caller's own thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from exconn_sync.connector.core import Core
from exconn_sync.connector.spans import check_span
from exconn_sync.errors import ValidationError
from exconn_sync.model.book_view import BookView
from exconn_sync.model.enums import BookState
from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade, BookTicker, Trade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.numbers import decimal_of
from exconn_sync.model.wire import RestCall

T = TypeVar("T")

_MOST_ROWS = 1000
_MOST_LEVELS = 5000


class MarketQuestions:
    """The ``fetch_...`` calls for public data; they need no key.

    Times are integer nanoseconds since the Unix epoch, UTC. Lists are oldest first and hold at most 1,000 rows.
    """

    _core: Core

    def ping(self, *, timeout: float | None = None) -> float:
        """Ask the exchange for a sign of life; return the seconds until it came, waiting for a budget included."""
        clock = self._core.clock
        started = clock.monotonic_ns()
        self._fetch(self._core.driver.ping(), timeout)
        return (clock.monotonic_ns() - started) / 1e9

    def fetch_server_time(self, *, timeout: float | None = None) -> int:
        """Return the exchange's clock in integer nanoseconds since the Unix epoch (Binance: 5.2, ``time``)."""
        return self._fetch(self._core.driver.server_time(), timeout)

    def fetch_instruments(self, *, timeout: float | None = None) -> Instruments:
        """Return all symbols and their rules, freshly loaded (Binance: 5.3)."""
        instruments = self._fetch(self._core.driver.fetch_instruments(), timeout)
        self._core.assembly.catalogue.replace(instruments)
        return instruments

    def fetch_order_book(self, symbol: str, depth: int = 100, *, timeout: float | None = None) -> BookView:
        """Return a snapshot of ``depth`` levels a side; ``order_book`` is the local book and costs nothing."""
        levels = _whole("depth", depth, _MOST_LEVELS)
        snapshot = self._fetch(self._core.driver.fetch_order_book(self._instrument(symbol), levels), timeout)
        return BookView(
            exchange=snapshot.exchange,
            symbol=snapshot.symbol,
            state=BookState.LIVE,
            bids=[(decimal_of("price", price), quantity) for price, quantity in snapshot.bids],
            asks=[(decimal_of("price", price), quantity) for price, quantity in snapshot.asks],
            update_id=snapshot.update_id,
            received_at=snapshot.received_at,
            has_all_bids=len(snapshot.bids) < levels,
            has_all_asks=len(snapshot.asks) < levels,
        )

    def fetch_trades(
        self, symbol: str, limit: int = 500, *, from_id: str | int | None = None, timeout: float | None = None
    ) -> list[Trade]:
        """Return the newest public trades, or those from a trade id on (Binance: 5.2, ``historicalTrades``)."""
        rows, first = _whole("limit", limit, _MOST_ROWS), _trade_id(from_id)
        return self._fetch(self._core.driver.fetch_trades(self._instrument(symbol), rows, from_id=first), timeout)

    def fetch_aggregate_trades(
        self,
        symbol: str,
        limit: int = 500,
        *,
        from_id: str | int | None = None,
        start: int | None = None,
        end: int | None = None,
        timeout: float | None = None,
    ) -> list[AggregateTrade]:
        """Return aggregate trades: the newest, those from an aggregate's id on, or those between two times.

        With ``start`` the oldest ones from there come, with ``end`` alone the newest ones up to there; both bounds are
        included. Ids that the exchange has voided are left out (Binance: 5.2, ``aggTrades``).
        """
        rows, first = _whole("limit", limit, _MOST_ROWS), _trade_id(from_id)
        check_span(start, end)
        call = self._core.driver.fetch_aggregate_trades(
            self._instrument(symbol), rows, from_id=first, start=start, end=end
        )
        return self._fetch(call, timeout)

    def fetch_klines(
        self,
        symbol: str,
        interval: str,
        limit: int = 500,
        *,
        start: int | None = None,
        end: int | None = None,
        timeout: float | None = None,
    ) -> list[Kline]:
        """Return candles, for example of ``1m``, ``1h``, ``1d``, ``1w`` or ``1M`` (Binance: 5.2, ``klines``).

        ``start`` and ``end`` bound the time at which candles open, both included: with ``start`` the oldest ones from
        there come, otherwise the newest ones. The last one is usually not over: its ``is_closed`` is False until the
        exchange's clock has certainly passed its end.
        """
        rows = _whole("limit", limit, _MOST_ROWS)
        check_span(start, end)
        instrument = self._instrument(symbol)
        clock = self._core.assembly.server_clock
        call = self._core.driver.fetch_klines(
            instrument, interval, rows, start=start, end=end, now=clock.now_ns() - clock.bound_ns
        )
        return self._fetch(call, timeout)

    def fetch_ticker(self, symbol: str, *, window: str = "24h", timeout: float | None = None) -> Ticker:
        """Return prices and volumes of a symbol over a window that ends now.

        ``window`` is ``24h``, ``day`` for the trading day (UTC), or a rolling window such as ``15m``, ``4h`` or ``7d``
        where the exchange has it (Binance: 5.2, ``ticker/24hr``, ``ticker/tradingDay``, ``ticker``).
        """
        (ticker,) = self._tickers([self._instrument(symbol)], window, timeout)
        return ticker

    def fetch_tickers(
        self, symbols: Iterable[str] | None = None, *, window: str = "24h", timeout: float | None = None
    ) -> dict[str, Ticker]:
        """Return the tickers of several symbols, by canonical symbol; of all symbols where none is named.

        On Binance only ``24h`` can be asked for all symbols, other windows for at most 100.
        """
        found = self._tickers(self._chosen(symbols), window, timeout)
        return {ticker.symbol: ticker for ticker in found}

    def fetch_book_ticker(self, symbol: str, *, timeout: float | None = None) -> BookTicker:
        """Return best bid and ask of a symbol as they are now (Binance: 5.2, ``ticker/bookTicker``)."""
        (ticker,) = self._book_tickers([self._instrument(symbol)], timeout)
        return ticker

    def fetch_book_tickers(
        self, symbols: Iterable[str] | None = None, *, timeout: float | None = None
    ) -> dict[str, BookTicker]:
        """Return best bids and asks of several symbols, by canonical symbol; of all where none is named."""
        found = self._book_tickers(self._chosen(symbols), timeout)
        return {ticker.symbol: ticker for ticker in found}

    def fetch_average_price(self, symbol: str, *, timeout: float | None = None) -> AveragePrice:
        """Return the average price of the last minutes, weighted by volume (Binance: 5.2, ``avgPrice``).

        The exchange judges far-off prices and the notional of market orders by it: see ``Instrument.check``.
        """
        return self._fetch(self._core.driver.fetch_average_price(self._instrument(symbol)), timeout)

    def _tickers(self, chosen: list[Instrument] | None, window: str, timeout: float | None) -> list[Ticker]:
        if not isinstance(window, str):
            raise ValidationError("window", window, "must be a text such as 24h")
        instruments = self._core.assembly.catalogue.instruments
        return self._fetch(self._core.driver.fetch_tickers(chosen, window, instruments), timeout)

    def _book_tickers(self, chosen: list[Instrument] | None, timeout: float | None) -> list[BookTicker]:
        instruments = self._core.assembly.catalogue.instruments
        return self._fetch(self._core.driver.fetch_book_tickers(chosen, instruments), timeout)

    def _chosen(self, symbols: Iterable[str] | None) -> list[Instrument] | None:
        if symbols is None:
            # Without the table the exchange's spellings could not be told apart.
            self._core.assembly.catalogue.require()
            return None
        if isinstance(symbols, str):
            raise ValidationError("symbols", symbols, "must be a list of symbols, not one text")
        return [self._instrument(symbol) for symbol in symbols]

    def _instrument(self, symbol: str) -> Instrument:
        return self._core.assembly.catalogue.get(symbol)

    def _fetch(self, call: RestCall[T], timeout: float | None) -> T:
        config = self._core.config
        offered = self._core.driver.public_paths(config.environment)
        if offered is not None and call.path not in offered:
            text = f"does not offer {call.path}: it has public data only"
            raise ValidationError("environment", config.environment, text, exchange=config.exchange)
        limit = config.timeouts.request if timeout is None else timeout
        return self._core.assembly.rest.call(call, limit)


def _whole(field: str, value: object, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValidationError(field, value, f"must be a whole number from 1 to {most}")
    return value


def _trade_id(value: object) -> TradeId | None:
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() < 64 else value
    if not isinstance(text, str) or not text.isascii() or not text.isalnum():
        raise ValidationError("from_id", value, "must be the id of a trade")
    return TradeId(text)
