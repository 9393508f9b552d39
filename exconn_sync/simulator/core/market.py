"""A seeded market: makers quote both sides around a slowly drifting middle, takers hit the best prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from exconn_sync.simulator.core.exchange import HOUSE, Exchange, Market
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side, SimOrder, TimeInForce
from exconn_sync.simulator.core.symbols import SymbolSpec, SymbolStatus

LEVELS = 30
"""Quotes a side."""

_HOUSE_WEALTH = Decimal(10) ** 12
_MAX_CATCH_UP_MS = 250


@dataclass(frozen=True, slots=True)
class Liveliness:
    """How one symbol behaves. Prices are counted in ticks and sizes in steps, so no fraction ever enters."""

    half_spread: int
    level_gap: int
    drift: int
    pull_divisor: int
    taker_steps: tuple[int, int]
    quote_steps: tuple[int, int]
    ms_between_trades: int
    ms_between_quotes: int


_DEFAULT_LIVELINESS: Mapping[str, Liveliness] = {
    "BTCUSDT": Liveliness(10, 15, 3, 200, (100, 5000), (1000, 8000), 200, 60),
    "ETHUSDT": Liveliness(4, 5, 2, 100, (100, 3000), (500, 5000), 330, 80),
    "BNBBTC": Liveliness(2, 1, 1, 20, (5, 200), (20, 400), 500, 120),
}
_OTHERWISE = Liveliness(3, 3, 1, 50, (10, 200), (20, 400), 500, 120)


class _SymbolMarket:
    """The generated market of one symbol."""

    def __init__(self, exchange: Exchange, market: Market, random: Random) -> None:
        self._exchange = exchange
        self._market = market
        self._random = random
        self._spec: SymbolSpec = market.spec
        self._live = _DEFAULT_LIVELINESS.get(self._spec.name, _OTHERWISE)
        self._anchor = int(self._spec.start_price / self._spec.tick)
        self._middle = self._anchor
        self._quotes: dict[tuple[Side, int], int] = {}
        self._next_trade = 0
        self._next_quote = 0

    def lay_out(self, now: int) -> None:
        """Make the ladder complete on both sides."""
        for index in range(LEVELS):
            for side in Side:
                self._requote(side, index, now)

    def schedule(self, now: int) -> None:
        """Plan the next actions from now on."""
        self._next_trade = now + self._random.randint(1, 2 * self._live.ms_between_trades)
        self._next_quote = now + self._random.randint(1, 2 * self._live.ms_between_quotes)

    def step(self, now: int) -> None:
        """Do what is due, as long as the symbol trades."""
        if self._market.spec.status is not SymbolStatus.TRADING:
            self.schedule(now)
            return
        while self._next_quote <= now:
            self._next_quote += self._random.randint(1, 2 * self._live.ms_between_quotes)
            self._drift()
            # Squared, so that the quotes near the middle move more often than the far ones.
            index = self._random.randrange(LEVELS) * self._random.randrange(LEVELS) // LEVELS
            self._requote(self._random.choice((Side.BUY, Side.SELL)), index, now)
        while self._next_trade <= now:
            self._next_trade += self._random.randint(1, 2 * self._live.ms_between_trades)
            self._refill(now)
            steps = self._random.randint(*self._live.taker_steps)
            self._take(self._random.choice((Side.BUY, Side.SELL)), steps * self._spec.step, now)

    def _drift(self) -> None:
        pull = (self._anchor - self._middle) // self._live.pull_divisor
        self._middle += pull + self._random.randint(-self._live.drift, self._live.drift)

    def _refill(self, now: int) -> None:
        """Replace quotes that were eaten when a side gets thin, so that there is always a market."""
        for side in Side:
            standing = sum(1 for index in range(LEVELS) if self._standing(side, index) is not None)
            if standing < LEVELS * 2 // 3:
                for index in range(LEVELS):
                    if self._standing(side, index) is None:
                        self._requote(side, index, now)

    def _standing(self, side: Side, index: int) -> SimOrder | None:
        order_id = self._quotes.get((side, index))
        return None if order_id is None else self._exchange.registry.get(self._spec.name, order_id)

    def _requote(self, side: Side, index: int, now: int) -> None:
        old = self._standing(side, index)
        if old is not None:
            self._exchange.cancel(old, now)
        price = self._price(side, index)
        steps = self._random.randint(*self._live.quote_steps) * (1 + index // 3)
        order = NewOrder(
            self._spec.name, side, OrderType.LIMIT_MAKER, "", quantity=steps * self._spec.step, price=price
        )
        self._quotes[side, index] = self._exchange.place(HOUSE, order, now).order_id

    def _price(self, side: Side, index: int) -> Decimal:
        away = self._live.half_spread + index * self._live.level_gap + self._random.randrange(self._live.level_gap)
        ticks = self._middle - away if side is Side.BUY else self._middle + away
        price = ticks * self._spec.tick
        other = self._market.book.best(side.opposite)
        if other is None:
            return price
        # A maker never takes: it stops one tick short of whoever stands there.
        if side is Side.BUY:
            return min(price, other[0] - self._spec.tick)
        return max(price, other[0] + self._spec.tick)

    def _take(self, side: Side, quantity: Decimal, now: int) -> None:
        best = self._market.book.best(side.opposite)
        if best is None:
            return
        # Bounded by the best price: a small taker does not walk through the book.
        order = NewOrder(self._spec.name, side, OrderType.LIMIT, "", TimeInForce.IOC, quantity=quantity, price=best[0])
        self._exchange.place(HOUSE, order, now)


class MarketGenerator:
    """Keeps every symbol of an exchange alive; the same seed and the same steps give the same market."""

    def __init__(self, exchange: Exchange, seed: int) -> None:
        self._exchange = exchange
        self._last_step: int | None = None
        self.running = True
        random = Random(seed)
        self._symbols = [
            _SymbolMarket(exchange, market, Random(random.getrandbits(64))) for market in exchange.markets.values()
        ]

    def open(self, now: int) -> None:
        """Give the house its wealth and lay out the first quotes."""
        assets = {
            asset for market in self._exchange.markets.values() for asset in (market.spec.base, market.spec.quote)
        }
        for asset in sorted(assets):
            self._exchange.deposit(HOUSE, asset, _HOUSE_WEALTH, now)
        for symbol in self._symbols:
            symbol.lay_out(now)

    def pause(self) -> None:
        """Stop moving; the book stays as it is."""
        self.running = False

    def resume(self) -> None:
        """Go on from now."""
        self.running = True
        self._last_step = None

    def step(self, now: int) -> None:
        """Let happen what is due. After a long gap the market goes on from now instead of catching up."""
        if not self.running:
            return
        if self._last_step is None or not 0 <= now - self._last_step <= _MAX_CATCH_UP_MS:
            for symbol in self._symbols:
                symbol.schedule(now)
        self._last_step = now
        for symbol in self._symbols:
            symbol.step(now)

    def trade(self, symbol: str, side: Side, quantity: Decimal, now: int) -> SimOrder:
        """A market order of the house."""
        return self._exchange.place(HOUSE, NewOrder(symbol, side, OrderType.MARKET, "", quantity=quantity), now)

    def quote(self, symbol: str, side: Side, price: Decimal, quantity: Decimal, now: int) -> SimOrder:
        """A limit order of the house."""
        order = NewOrder(symbol, side, OrderType.LIMIT, "", quantity=quantity, price=price)
        return self._exchange.place(HOUSE, order, now)

    def clear(self, symbol: str, now: int) -> None:
        """Take every order of the house off the book of a symbol."""
        for order in self._exchange.registry.open_orders(HOUSE, symbol):
            self._exchange.cancel(order, now)
