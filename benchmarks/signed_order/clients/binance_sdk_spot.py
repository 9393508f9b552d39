"""binance-sdk-spot, the exchange's own library, as its README shows it; the answer is read into its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from binance_common.configuration import ConfigurationRestAPI
from binance_sdk_spot.spot import Spot


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""
    client = Spot(ConfigurationRestAPI(api_key="key", api_secret="secret", base_path=url)).rest_api

    def place(number: int) -> object:
        return client.new_order(
            symbol="BTCUSDT", side="BUY", type="LIMIT", time_in_force="GTC", quantity=0.01, price=50000.01,
            new_client_order_id=f"bench-{number}",
        ).data()  # fmt: skip

    yield place, lambda: client.time().data()
