"""An exchange on which nothing moves by itself, for scripted tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from exconn_sync.simulator import MarketControl, Simulator


def lay_out(market: MarketControl) -> None:
    """Give BTCUSDT one bid at 60000 and one ask at 60010, one BTC each."""
    market.clear("BTCUSDT")
    market.quote("BTCUSDT", "buy", 60000, 1)
    market.quote("BTCUSDT", "sell", 60010, 1)


@contextmanager
def quiet_exchange(exchange: str | tuple[str, ...] = "binance", **options: Any) -> Iterator[Simulator]:
    """Serve an exchange with that book and a market that stands still."""
    with Simulator(exchange, running_market=False, **options) as simulator:
        lay_out(simulator.market)
        yield simulator
