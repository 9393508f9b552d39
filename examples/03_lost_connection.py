"""What a program sees when the market connection breaks: an event, a book that refuses to be read, and its return."""

from __future__ import annotations

import threading

from exconn_sync import ConnectionEvent, Connector, StaleBook
from exconn_sync.simulator import Simulator

lost, back = threading.Event(), threading.Event()


def show(event: ConnectionEvent) -> None:
    word = "up" if event.is_up else f"down ({event.reason}), next attempt in {event.retry_in:.2f} s"
    print(f"  {event.connection}: {word}", flush=True)
    if event.connection == "market" and not event.is_up:
        lost.set()
    elif event.connection == "market" and lost.is_set():
        back.set()


def main() -> None:
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        connector.on_connection(show)
        books = connector.stream_order_book("BTC-USDT")
        connector.wait_ready(timeout=10)
        print(f"book: {books.get(timeout=5)}")

        with exchange.faults.refuse_connections():
            exchange.faults.drop_connections("stream")
            lost.wait(timeout=5)
            try:
                print(connector.order_book("BTC-USDT").best_bid)
            except StaleBook as error:
                print(f"refused: {error}")

        # The connector has been trying to come back all the time, with growing pauses.
        connector.wait_ready(timeout=60)
        while not connector.order_book("BTC-USDT").is_valid:
            books.get(timeout=30)
        print(f"book: {connector.order_book('BTC-USDT')}")
        back.wait(timeout=30)  # told once the connection has lasted for a while, so that one which flaps is told once


if __name__ == "__main__":
    main()
