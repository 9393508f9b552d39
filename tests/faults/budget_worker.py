"""One of several processes that use one budget: started by a test with its orders as JSON, it tells what it did."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import Counter
from typing import Any

from exconn_sync import Config, Connector, ExconnError, OrderRequest, RateLimitError

REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000")


def config_of(orders: dict[str, Any]) -> Config:
    """Return the configuration of a worker."""
    builder = Config.builder("binance").endpoints(**orders["endpoints"])
    builder = builder.credentials(orders["api_key"], orders["api_secret"]).rate_limits(**orders["rate_limits"])
    return builder.reconnect(base=0.05, cap=0.5).timeouts(request=30.0).build()


class Crowd:
    """Threads that ask and trade without a pause until the time is over."""

    def __init__(self, connector: Connector, seconds: float) -> None:
        self._connector = connector
        self._until = time.monotonic() + seconds
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def run(self, threads: int) -> None:
        """Run so many threads, a quarter of which place orders and cancel them."""
        crowd = [threading.Thread(target=self._work, args=(index,)) for index in range(threads)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()

    def _work(self, index: int) -> None:
        step = self._trade if index % 4 == 0 else self._ask
        while time.monotonic() < self._until:
            try:
                done = step()
            except RateLimitError as error:
                done = "told in time" if error.outcome == "not_sent" else "refused by the exchange"
            except ExconnError as error:
                done = type(error).__name__
            with self._lock:
                self.counts[done] += 1

    def _ask(self) -> str:
        self._connector.fetch_trades("BTC-USDT", timeout=5)
        return "questions"

    def _trade(self) -> str:
        order = self._connector.place_order(REQUEST)
        order.cancel()
        return "orders"


def tell(what: object) -> None:
    """Say something to the test, as one line of JSON."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Work, and tell the counts as one line of JSON."""
    orders = json.loads(sys.argv[1])
    with Connector(config_of(orders)) as connector:
        connector.wait_ready(30)
        tell("ready")
        sys.stdin.readline()
        crowd = Crowd(connector, orders["seconds"])
        crowd.run(orders["threads"])
        tell(crowd.counts)


if __name__ == "__main__":
    main()
