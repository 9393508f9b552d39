"""Public market events, as the user's callbacks get them.

They are msgspec Structs without garbage-collector tracking: thousands are made each second, and they hold only texts
and Decimals, so that no cycle can pass through them. Every event carries ``exchange``, the canonical ``symbol``,
``exchange_time`` (the exchange's clock) and ``received_at`` (ours), both in integer nanoseconds since the Unix epoch,
UTC. ``exchange_time`` is None where the exchange sends none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from exconn_sync.model.enums import Side
from exconn_sync.model.ids import TradeId
from exconn_sync.model.market_statistics import AveragePrice, Kline, Ticker

Row: TypeAlias = tuple[str, str]
"""One level as the exchange wrote it: price and quantity as text."""


class Trade(Struct, frozen=True, gc=False):
    """One public execution; ``side`` is the side of the taker.

    ``is_backfilled`` says that the stream missed it, and that it was asked for afterwards.
    """

    exchange: str
    symbol: str
    trade_id: TradeId
    price: Decimal
    quantity: Decimal
    side: Side
    exchange_time: int | None
    received_at: int
    is_backfilled: bool = False


class AggregateTrade(Struct, frozen=True, gc=False):
    """Executions of one taker order at one price, seen as one; ``side`` is the side of the taker.

    ``trade_id`` numbers the aggregates; ``first_trade_id`` to ``last_trade_id`` are the trades in it. ``is_backfilled``
    says that the stream missed it, and that it was asked for afterwards.
    """

    exchange: str
    symbol: str
    trade_id: TradeId
    first_trade_id: TradeId
    last_trade_id: TradeId
    price: Decimal
    quantity: Decimal
    side: Side
    exchange_time: int | None
    received_at: int
    is_backfilled: bool = False


class BookTicker(Struct, frozen=True, gc=False):
    """Best bid and ask with their quantities; all of an empty side is None.

    ``update_id`` numbers the changes of the book; it is 0 where the source does not tell it, as REST may not.
    """

    exchange: str
    symbol: str
    bid_price: Decimal | None
    bid_quantity: Decimal | None
    ask_price: Decimal | None
    ask_quantity: Decimal | None
    update_id: int
    exchange_time: int | None
    received_at: int


class BookDiff(Struct, frozen=True):
    """Changed levels of an order book; quantities are absolute, zero removes the level.

    ``first_update_id`` to ``last_update_id`` is the range of changes it covers. Rows keep the exchange's text: most
    levels are never read, so Decimals are made when they are.
    """

    exchange: str
    symbol: str
    first_update_id: int
    last_update_id: int
    bids: list[Row]
    asks: list[Row]
    exchange_time: int | None
    received_at: int


class BookSnapshot(Struct, frozen=True):
    """A whole order book at ``update_id``, best levels first, to the depth that was asked for.

    ``exchange_time`` is None where the exchange does not tell when it was so.
    """

    exchange: str
    symbol: str
    update_id: int
    bids: list[Row]
    asks: list[Row]
    received_at: int
    exchange_time: int | None = None


class PartialBook(Struct, frozen=True):
    """The best levels of an order book as the exchange states them, best first; nothing is kept or added up here.

    Each level is a price and a quantity. There may be fewer levels than were asked for. ``update_id`` counts the
    changes of the whole book.
    """

    exchange: str
    symbol: str
    update_id: int
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    exchange_time: int | None
    received_at: int

    @property
    def best_bid(self) -> tuple[Decimal, Decimal] | None:
        """Highest buy level, None where nobody buys."""
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> tuple[Decimal, Decimal] | None:
        """Lowest sell level, None where nobody sells."""
        return self.asks[0] if self.asks else None


MarketEvent: TypeAlias = (
    Trade | AggregateTrade | BookTicker | BookDiff | BookSnapshot | PartialBook | Kline | Ticker | AveragePrice
)
