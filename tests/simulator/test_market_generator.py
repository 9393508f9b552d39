"""The generated market behaves like one."""

from decimal import Decimal

from exconn_sync.simulator.core.events import BookChange, Event, PublicTrade
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.market import MarketGenerator
from exconn_sync.simulator.core.orders import NewOrder, OrderType, Side

STEP_MS = 20


def opened(seed: int = 1) -> tuple[Exchange, MarketGenerator]:
    exchange = Exchange()
    generator = MarketGenerator(exchange, seed)
    generator.open(0)
    return exchange, generator


def run(generator: MarketGenerator, start_ms: int, end_ms: int) -> None:
    for now in range(start_ms, end_ms, STEP_MS):
        generator.step(now)


def test_two_minutes_of_trading() -> None:
    exchange, generator = opened()
    changes = trades = 0

    def count(event: Event) -> None:
        nonlocal changes, trades
        changes += isinstance(event, BookChange)
        trades += isinstance(event, PublicTrade)

    exchange.listeners.append(count)
    for now in range(0, 120_000, STEP_MS):
        generator.step(now)
        for market in exchange.markets.values():
            bid, ask = market.book.best(Side.BUY), market.book.best(Side.SELL)
            assert bid is not None
            assert ask is not None
            assert bid[0] < ask[0]
            assert abs(bid[0] / market.spec.start_price - 1) < Decimal("0.02")
    assert 7 < trades / 120 < 14
    assert 50 < changes / 120 < 120


def test_the_same_seed_gives_the_same_market() -> None:
    heard: list[list[Event]] = [[], []]
    for events in heard:
        exchange, generator = opened(seed=7)
        exchange.listeners.append(events.append)
        run(generator, 0, 3000)
    assert heard[0] == heard[1]
    assert len(heard[0]) > 100


def test_an_order_at_the_best_bid_is_filled_in_parts_within_seconds() -> None:
    exchange, generator = opened()
    run(generator, 0, 1000)
    exchange.add_account("client")
    exchange.deposit("client", "USDT", Decimal(100_000), 1000)
    best = exchange.markets["BTCUSDT"].book.best(Side.BUY)
    assert best is not None
    price = best[0] + Decimal("0.01")
    order = NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, "big", quantity=Decimal("0.1"), price=price)
    exchange.place("client", order, 1000)
    run(generator, 1000, 4000)
    assert len(exchange.registry.fills("client")) >= 2


def test_a_swept_book_recovers() -> None:
    exchange, generator = opened()
    run(generator, 0, 1000)
    generator.clear("BTCUSDT", 1000)
    run(generator, 1000, 4000)
    assert len(exchange.markets["BTCUSDT"].book.levels(Side.BUY)) > 10
    assert len(exchange.markets["BTCUSDT"].book.levels(Side.SELL)) > 10


def test_a_paused_market_stands_still() -> None:
    exchange, generator = opened()
    generator.pause()
    before = exchange.markets["BTCUSDT"].book.update_id
    run(generator, 0, 2000)
    assert exchange.markets["BTCUSDT"].book.update_id == before
    generator.resume()
    run(generator, 2000, 4000)
    assert exchange.markets["BTCUSDT"].book.update_id > before
