"""python-binance: its socket manager, and its depth cache."""

import asyncio
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager


async def run(options: meter.argparse.Namespace, measured: meter.Meter) -> None:
    """Read until the process ends."""
    base, sockets = f"http://127.0.0.1:{options.port}", f"ws://127.0.0.1:{options.port}/"

    class Client(AsyncClient):
        API_URL = base + "/api"

    class Sockets(BinanceSocketManager):
        STREAM_URL = sockets

    tick, note = measured.counter(), measured.clock()
    client = await Client.create()
    manager = Sockets(client, max_queue_size=10_000_000)
    if options.kind == "book":
        cache = DepthCacheManager(client, "BTCUSDT", bm=manager, limit=1000, ws_interval=100)
        async with cache as socket:
            while True:
                book = await socket.recv()
                if book is not None and book.get_bids()[0] and book.get_asks()[0]:
                    tick()
    async with manager.trade_socket("BTCUSDT") as socket:
        while True:
            trade = await socket.recv()
            note(trade["t"]) if options.paced else tick()


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    threading.Thread(target=lambda: asyncio.run(run(options, measured)), daemon=True).start()
    measured.finish()


if __name__ == "__main__":
    main()
