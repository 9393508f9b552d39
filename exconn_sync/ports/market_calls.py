"""What a driver must know of public data: the questions, and how to read their answers.

The methods speak of what every exchange has; where one has less, it raises ValidationError for what it lacks. What
only one exchange offers goes through ``Connector.request``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from exconn_sync.model.ids import TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import AggregateTrade, BookSnapshot, BookTicker, Trade
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker
from exconn_sync.model.wire import RestCall


class MarketDataCalls(Protocol):
    """Calls for public data, all unsigned. Times are integer nanoseconds since the Unix epoch; lists are oldest first.

    ``limit`` is a number of rows from 1 to 1000. ``chosen`` names the symbols that are asked for, None all of them.

    Raises (all with arguments): ValidationError for what the exchange does not offer; nothing is sent then.
    """

    def ping(self) -> RestCall[None]:
        """Return the cheapest call that proves that the exchange answers."""
        ...

    def server_time(self) -> RestCall[int]:
        """Return the call for the exchange's clock; its answer is integer nanoseconds since the Unix epoch."""
        ...

    def fetch_instruments(self) -> RestCall[Instruments]:
        """Return the call for all symbols and their rules."""
        ...

    def fetch_order_book(self, instrument: Instrument, limit: int) -> RestCall[BookSnapshot]:
        """Return the call for a snapshot of ``limit`` levels a side."""
        ...

    def fetch_trades(
        self, instrument: Instrument, limit: int, *, from_id: TradeId | None = None
    ) -> RestCall[list[Trade]]:
        """Return the call for the newest public trades, or for those from an id on."""
        ...

    def fetch_aggregate_trades(
        self,
        instrument: Instrument,
        limit: int,
        *,
        from_id: TradeId | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> RestCall[list[AggregateTrade]]:
        """Return the call for aggregate trades: the newest, those from an id on, or those between two times."""
        ...

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
        """Return the call for candles that open between ``start`` and ``end``, both included.

        Without bounds or with ``end`` alone it asks for the newest ones, otherwise for the oldest ones from ``start``.
        ``now`` is a time that the exchange's clock has certainly passed: what ended before it is closed.
        """
        ...

    def fetch_tickers(
        self, chosen: Sequence[Instrument] | None, window: str, instruments: Instruments
    ) -> RestCall[list[Ticker]]:
        """Return the call for tickers over a window: ``24h``, ``day`` (the UTC day), ``1h``, ``7d`` ..."""
        ...

    def fetch_book_tickers(
        self, chosen: Sequence[Instrument] | None, instruments: Instruments
    ) -> RestCall[list[BookTicker]]:
        """Return the call for best bids and asks; ``instruments`` turns the exchange's spellings into ours."""
        ...

    def fetch_average_price(self, instrument: Instrument) -> RestCall[AveragePrice]:
        """Return the call for the average price of the last minutes, weighted by volume."""
        ...
