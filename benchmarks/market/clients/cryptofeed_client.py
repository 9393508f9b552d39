"""cryptofeed: its FeedHandler with callbacks; trades come to it as ``aggTrade``, which the feed makes of the others."""

import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cryptofeed.connection
import meter
from cryptofeed import FeedHandler
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import L2_BOOK, TRADES
from cryptofeed.exchanges import Binance


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    tick, note = measured.counter(), measured.clock()
    connect = cryptofeed.connection.connect
    # It refuses addresses without TLS, and the feed has none.
    cryptofeed.connection.connect = lambda address, **more: connect(address.replace("wss:", "ws:"), **more)
    Binance.websocket_endpoints = [WebsocketEndpoint(f"wss://127.0.0.1:{options.port}")]
    routes = Routes("/api/v3/exchangeInfo", l2book="/api/v3/depth?symbol={}&limit={}")
    Binance.rest_endpoints = [RestEndpoint(f"http://127.0.0.1:{options.port}", routes=routes)]

    async def on_trade(trade: Any, receipt_timestamp: float) -> None:
        note(int(trade.id)) if options.paced else tick()

    async def on_book(book: Any, receipt_timestamp: float) -> None:
        if book.book.bids.index(0) and book.book.asks.index(0):
            tick()

    handler = FeedHandler({"log": {"disabled": True}})
    if options.kind == "book":
        handler.add_feed(
            Binance(symbols=["BTC-USDT"], channels=[L2_BOOK], callbacks={L2_BOOK: on_book}, max_depth=1000)
        )
    else:
        handler.add_feed(Binance(symbols=["BTC-USDT"], channels=[TRADES], callbacks={TRADES: on_trade}))
    threading.Thread(target=measured.finish, daemon=True).start()
    handler.run()


if __name__ == "__main__":
    main()
