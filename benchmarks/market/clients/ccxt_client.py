"""ccxt.pro: the loop over watch_trades and watch_order_book that its manual shows."""

import asyncio
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import ccxt.pro
import meter


async def run(options: meter.argparse.Namespace, measured: meter.Meter) -> None:
    """Read until the process ends."""
    tick, note = measured.counter(), measured.clock()
    client = ccxt.pro.binance({"newUpdates": True, "options": {"fetchMarkets": ["spot"], "tradesLimit": 1000}})
    base, socket = f"http://127.0.0.1:{options.port}", f"ws://127.0.0.1:{options.port}/ws"
    api = {name: f"{base}/api/v3" for name in client.urls["api"] if name != "ws"}
    client.urls["api"] = api | {"ws": dict.fromkeys(client.urls["api"]["ws"], socket)}
    client.options["fetchCurrencies"] = False
    client.has["fetchCurrencies"] = False
    await client.load_markets()
    while options.kind == "book":
        book = await client.watch_order_book("BTC/USDT")
        if book["bids"][0] and book["asks"][0]:
            tick()
    while True:
        for trade in await client.watch_trades("BTC/USDT"):
            note(int(trade["id"])) if options.paced else tick()


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    threading.Thread(target=lambda: asyncio.run(run(options, measured)), daemon=True).start()
    measured.finish()


if __name__ == "__main__":
    main()
