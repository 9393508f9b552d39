"""A callback that cannot keep up harms nobody: it loses the oldest events, sees how many, and the stream lives."""

from __future__ import annotations

import threading

from exconn_sync import BookTicker, Connector
from exconn_sync.simulator import Simulator

release = threading.Event()


def slow(ticker: BookTicker) -> None:
    if release.wait(timeout=10):
        print(f"at last: {ticker.bid_price}")


def main() -> None:
    with Simulator() as exchange, Connector(exchange.config()) as connector:
        gaps: list[int] = []
        stuck = connector.on_book_ticker("BTC-USDT", slow, buffer=5, on_gap=gaps.append)
        quick = connector.stream_book_ticker("BTC-USDT")
        connector.wait_ready(timeout=10)

        while stuck.dropped < 20:
            quick.get(timeout=5)
        print(f"the slow one waits with {stuck.pending} events and has lost {stuck.dropped}")
        print(f"the quick one has lost {quick.dropped}")
        release.set()
        while not gaps:
            quick.get(timeout=5)
        print(f"the slow one was told of a gap of {gaps[0]} events")


if __name__ == "__main__":
    main()
