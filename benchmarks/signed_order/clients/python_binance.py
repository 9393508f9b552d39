"""python-binance, as its README shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from binance.client import Client


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""

    class Pointed(Client):  # type: ignore[misc]
        API_URL = url + "/api"

    client = Pointed("key", "secret", ping=False)

    def place(number: int) -> object:
        return client.create_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.01", price="50000.01",
            newClientOrderId=f"bench-{number}",
        )  # fmt: skip

    yield place, client.get_server_time
