"""exconn_sync, through everything: limits of risk, store, journal, budget, breaker, signature, HTTP and the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.order_path.desk import order_desk
from exconn_sync import OrderRequest


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""
    with order_desk(with_limits=True, url=url) as desk:
        gateway, rest, driver = desk.gateway, desk.core.rest, desk.desk.driver

        def place(number: int) -> object:
            request = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000.01", client_order_id=f"bench-{number}")
            return gateway.place(request, gateway.deadline(None))

        yield place, lambda: rest.call(driver.server_time(), 10.0)
