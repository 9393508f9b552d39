"""binance-sdk-spot: the exchange's own library, with its typed messages."""

import asyncio
import sys
import threading
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
from binance_common.configuration import ConfigurationRestAPI, ConfigurationWebSocketAPI, ConfigurationWebSocketStreams
from binance_sdk_spot.spot import Spot


async def run(options: meter.argparse.Namespace, measured: meter.Meter) -> None:
    """Read until the process ends."""
    tick, note = measured.counter(), measured.clock()
    socket = f"ws://127.0.0.1:{options.port}"
    spot = Spot(
        ConfigurationRestAPI(api_key="", api_secret="", base_path=f"http://127.0.0.1:{options.port}"),
        ConfigurationWebSocketAPI(api_key="", api_secret="", stream_url=socket),
        ConfigurationWebSocketStreams(stream_url=socket),
    )
    connection = await spot.websocket_streams.create_connection()
    stream = await connection.trade(symbol="btcusdt")

    def on_trade(trade: Any) -> None:
        note(int(trade.t)) if options.paced else tick()

    stream.on("message", on_trade)
    await asyncio.Event().wait()


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    threading.Thread(target=lambda: asyncio.run(run(options, measured)), daemon=True).start()
    measured.finish()


if __name__ == "__main__":
    main()
