"""What a test may do to a running simulator's market. Every call returns after it happened."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, ParamSpec, Protocol, TypeVar

from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.events import Level
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.market import MarketGenerator
from exconn_sync.simulator.core.orders import Side, SimOrder
from exconn_sync.simulator.core.reference import External, MeanOfBuckets
from exconn_sync.simulator.core.symbols import ExchangeRules, PriceRange, SymbolStatus
from exconn_sync.simulator.symbol_rules import changed_spec, exact

P = ParamSpec("P")
R = TypeVar("R")
Number = Decimal | int | str


class CallOnLoop(Protocol):
    """Runs a function on the simulator's thread and returns its result."""

    def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run it."""


def side_of(text: str) -> Side:
    """``buy`` or ``sell`` in any case."""
    try:
        return Side(text.lower())
    except ValueError:
        raise ValueError(f"a side is 'buy' or 'sell', not {text!r}") from None


class MarketControl:
    """Scripts the market: stop it, trade in it, look at the truth."""

    def __init__(self, call: CallOnLoop, exchange: Exchange, generator: MarketGenerator, clock: VenueClock) -> None:
        self._call = call
        self._exchange = exchange
        self._generator = generator
        self._clock = clock

    def pause(self) -> None:
        """Stop the generated market; the book stays."""
        self._call(self._generator.pause)

    def resume(self) -> None:
        """Let it go on."""
        self._call(self._generator.resume)

    def trade(self, symbol: str, side: str, quantity: Number) -> SimOrder:
        """A market order of the house against the book."""
        amount, taker = exact(quantity), side_of(side)
        return self._call(lambda: self._generator.trade(symbol, taker, amount, self._clock.now_ms()))

    def burst(self, stream_name: str, count: int) -> int:
        """Send that many trades over a stream of trades, as fast as each reader takes them.

        The stream is ``"btcusdt@trade"`` or ``"publicTrade.BTCUSDT"``.

        The ids follow those of the stream; the first one is returned, at once. No fault applies, and a reader that lags
        behind is not cut off meanwhile. Books, balances, candles and other streams are left alone.
        """
        symbol, _, kind = stream_name.partition("@")
        if stream_name.startswith("publicTrade."):
            kind, _, symbol = stream_name.partition(".")
        if kind not in ("trade", "publicTrade"):
            raise ValueError(f"a burst goes over a trade stream such as 'btcusdt@trade', not {stream_name!r}")
        if count < 1:
            raise ValueError("a burst has at least one trade")
        name = symbol.upper()
        return self._call(lambda: self._exchange.burst(name, count, self._clock.now_ms()).first_trade_id)

    def quote(self, symbol: str, side: str, price: Number, quantity: Number) -> SimOrder:
        """A limit order of the house."""
        at, amount, maker = exact(price), exact(quantity), side_of(side)
        return self._call(lambda: self._generator.quote(symbol, maker, at, amount, self._clock.now_ms()))

    def clear(self, symbol: str) -> None:
        """Take all orders of the house off the book. A running market lays out new ones."""
        self._call(lambda: self._generator.clear(symbol, self._clock.now_ms()))

    def rules(self, symbol: str, **changes: object) -> None:
        """Change rules of a symbol: ``rules("BTCUSDT", max_algo_orders=1, prevention_modes=["none"])``.

        The names are those of ``SymbolSpec``; ValueError for another one. Numbers are Decimal, int or text, words are
        those of the enumerations. Open orders stay as they are.
        """

        def change() -> None:
            market = self._exchange.market(symbol)
            market.spec = changed_spec(market.spec, changes)

        self._call(change)

    def exchange_rules(
        self,
        *,
        max_open_orders: int | None = None,
        max_algo_orders: int | None = None,
        max_iceberg_orders: int | None = None,
        max_order_lists: int | None = None,
        asset_limits: Mapping[str, Number] | None = None,
    ) -> None:
        """Set what counts over all symbols; what is not named is switched off, as in the beginning."""
        limits = {asset: exact(amount) for asset, amount in (asset_limits or {}).items()}
        rules = ExchangeRules(max_open_orders, max_algo_orders, max_iceberg_orders, max_order_lists, limits)

        def change() -> None:
            self._exchange.rules = rules

        self._call(change)

    def route(self, *symbols: str) -> None:
        """Let orders that ask for it take from the books of these symbols together; without any, nothing is routed.

        They need one base asset, tick and step; ValueError otherwise. Their quote assets count as equal.
        """
        router = self._exchange.router
        self._call(lambda: router.open(symbols) if symbols else router.close())

    def set_status(self, symbol: str, status: str) -> None:
        """Let a symbol trade or not: ``TRADING``, ``HALT``, ``BREAK``, ``CANCEL_ONLY`` or ``END_OF_DAY``.

        Orders that rest on the book stay and can be cancelled.
        """
        wanted = SymbolStatus[status.upper()]
        self._call(lambda: self._change(symbol, status=wanted))

    def set_price_range(
        self,
        symbol: str,
        *,
        bid_up: Number | None = None,
        bid_down: Number | None = None,
        ask_up: Number | None = None,
        ask_down: Number | None = None,
    ) -> None:
        """Set how far from the reference price takers may trade, as factors of it; without any factor the rule ends."""
        bounds = [None if bound is None else exact(bound) for bound in (bid_up, bid_down, ask_up, ask_down)]
        rule = PriceRange(*bounds) if any(bound is not None for bound in bounds) else None
        self._call(lambda: self._change(symbol, price_range=rule))

    def set_reference_price(self, symbol: str, price: Number | None, calculation_id: int | None = None) -> None:
        """Set the reference price of a symbol, or that it has none at the moment.

        With ``calculation_id`` it comes from outside by that method, otherwise the exchange counts it itself.
        """
        amount = None if price is None else exact(price)
        source = MeanOfBuckets() if calculation_id is None else External(calculation_id)
        references = self._exchange.references
        self._call(lambda: references.set(symbol, amount, self._clock.now_ms(), source))

    def best(self, symbol: str) -> tuple[Decimal, Decimal] | None:
        """Best bid and ask, or None while a side is empty."""

        def look() -> tuple[Decimal, Decimal] | None:
            book = self._exchange.market(symbol).book
            bid, ask = book.best(Side.BUY), book.best(Side.SELL)
            return None if bid is None or ask is None else (bid[0], ask[0])

        return self._call(look)

    def order_book(self, symbol: str, limit: int | None = None) -> tuple[int, list[Level], list[Level]]:
        """The truth: update id, bids and asks, best first."""

        def look() -> tuple[int, list[Level], list[Level]]:
            book = self._exchange.market(symbol).book
            return book.update_id, book.levels(Side.BUY, limit), book.levels(Side.SELL, limit)

        return self._call(look)

    def _change(self, symbol: str, **rules: Any) -> None:
        market = self._exchange.market(symbol)
        market.spec = replace(market.spec, **rules)
