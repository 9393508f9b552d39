"""Mistakes get a clear error before anything is sent."""

from __future__ import annotations

from collections.abc import Callable

from exconn_sync import Config, Connector, ExconnError, OrderRequest
from exconn_sync.simulator import Simulator


def attempt(what: str, action: Callable[[], object]) -> None:
    try:
        action()
    except ExconnError as error:
        print(f"{what}:\n    {type(error).__name__}: {error}")


def main() -> None:
    attempt("an exchange that does not exist", lambda: Config.builder("binanec"))
    attempt("a float as price", lambda: OrderRequest.limit("BTC-USDT", "buy", "0.01", 58000.1))  # type: ignore[arg-type]
    attempt("a side that does not exist", lambda: OrderRequest.market("BTC-USDT", "long", "0.01"))

    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.wait_ready(timeout=10)
        place = connector.place_order
        attempt("a symbol that does not exist", lambda: place(OrderRequest.limit("BTC-EURO", "buy", "0.01", "58000")))
        attempt(
            "a quantity off the lot step", lambda: place(OrderRequest.limit("BTC-USDT", "buy", "0.0100001", "58000"))
        )
        attempt("a price off the tick", lambda: place(OrderRequest.limit("BTC-USDT", "buy", "0.01", "58000.001")))
        attempt("an order too small", lambda: place(OrderRequest.limit("BTC-USDT", "buy", "0.00001", "58000")))

    with Simulator() as exchange:
        public = Config("binance", endpoints=exchange.config().endpoints)
        with Connector(public) as connector:
            connector.wait_ready(timeout=10)
            attempt(
                "an order without a key", lambda: connector.place_order(OrderRequest.market("BTC-USDT", "buy", "1"))
            )


if __name__ == "__main__":
    main()
