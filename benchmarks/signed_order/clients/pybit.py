"""pybit, as its README shows it; it talks to Bybit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pybit.unified_trading import HTTP


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""
    client = HTTP(api_key="key", api_secret="secret")
    client.endpoint = url

    def place(number: int) -> object:
        return client.place_order(
            category="spot", symbol="BTCUSDT", side="Buy", orderType="Limit", qty="0.01", price="50000.01",
            orderLinkId=f"bench-{number}",
        )  # fmt: skip

    yield place, client.get_server_time
