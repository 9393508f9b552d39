"""What an exchange counts over a span of its trades: candles, tickers, average prices.

Like the events of ``model.market`` they are Structs without garbage-collector tracking, carry ``exchange`` and the
canonical ``symbol``, and tell times in integer nanoseconds since the Unix epoch, UTC. Prices are in quote per base,
volumes in the base asset where the name does not say quote. A field is None where the source does not tell it.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from exconn_sync.model.ids import TradeId


class Kline(Struct, frozen=True, gc=False):
    """One candle.

    ``interval`` is the exchange-neutral text (``1s``, ``1m``, ``1h``, ``1d``, ``1w``, ``1M`` ...). The candle covers
    ``open_time`` to ``close_time``, both included. ``is_closed`` is True once it cannot change any more. The prices
    of a candle without trades are those of the last trade before it. ``is_backfilled`` says that the stream missed it,
    and that it was asked for afterwards.
    """

    exchange: str
    symbol: str
    interval: str
    open_time: int
    close_time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trade_count: int | None
    taker_buy_volume: Decimal | None
    taker_buy_quote_volume: Decimal | None
    is_closed: bool
    exchange_time: int | None
    received_at: int
    first_trade_id: TradeId | None = None
    last_trade_id: TradeId | None = None
    is_backfilled: bool = False


class Ticker(Struct, frozen=True, gc=False):
    """Prices and volumes over a window of time that ends now.

    ``window`` is ``24h``, ``1h``, ``4h``, ``1d``, ``7d`` ... as it was asked for, or ``day`` for the trading day.
    ``price_change_percent`` is in per cent. Short forms of a ticker leave many fields None, and
    so are price and quantity of an empty side of the book.
    """

    exchange: str
    symbol: str
    window: str
    open: Decimal
    high: Decimal
    low: Decimal
    last: Decimal
    volume: Decimal
    quote_volume: Decimal
    exchange_time: int | None
    received_at: int
    last_quantity: Decimal | None = None
    price_change: Decimal | None = None
    price_change_percent: Decimal | None = None
    average_price: Decimal | None = None
    previous_close: Decimal | None = None
    bid_price: Decimal | None = None
    bid_quantity: Decimal | None = None
    ask_price: Decimal | None = None
    ask_quantity: Decimal | None = None
    open_time: int | None = None
    close_time: int | None = None
    first_trade_id: TradeId | None = None
    last_trade_id: TradeId | None = None
    trade_count: int | None = None


class AveragePrice(Struct, frozen=True, gc=False):
    """The mean price, weighted by volume, over the last ``minutes``.

    ``exchange_time`` is when the exchange told it; where only the time of the last trade is sent, it is that one.
    """

    exchange: str
    symbol: str
    price: Decimal
    minutes: int
    exchange_time: int | None
    received_at: int
    last_trade_time: int | None = None
