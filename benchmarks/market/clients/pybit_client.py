"""pybit on Bybit's messages: the exchange's own library."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
import pybit.unified_trading


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    tick, note = measured.counter(), measured.clock()
    pybit.unified_trading.PUBLIC_WSS = f"ws://127.0.0.1:{options.port}/v5/public/{{CHANNEL_TYPE}}"
    client = pybit.unified_trading.WebSocket(testnet=False, channel_type="spot")

    def on_trades(message: Any) -> None:
        for trade in message["data"]:
            note(int(trade["i"])) if options.paced else tick()

    def on_book(message: Any) -> None:
        book = message["data"]
        if book["b"][0][0] and book["a"][0][0]:
            tick()

    if options.kind == "book":
        client.orderbook_stream(50, "BTCUSDT", on_book)
    else:
        client.trade_stream("BTCUSDT", on_trades)
    measured.finish()


if __name__ == "__main__":
    main()
