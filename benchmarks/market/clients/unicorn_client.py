"""unicorn-binance-websocket-api on picows, with a callback that gets dictionaries."""

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
from unicorn_binance_websocket_api import BinanceWebSocketApiManager


def main() -> None:
    """Subscribe, count, tell."""
    options = meter.arguments()
    measured = meter.Meter(options)
    tick, note = measured.counter(), measured.clock()

    def on_message(message: Any, **_: Any) -> None:
        data = message.get("data")
        if data is not None:
            note(data["t"]) if options.paced else tick()

    manager = BinanceWebSocketApiManager(
        exchange="binance.com", output_default="dict", websocket_library=options.library or "picows",
        restful_base_uri=f"http://127.0.0.1:{options.port}/", websocket_base_uri=f"ws://127.0.0.1:{options.port}/",
        warn_on_update=False, disable_colorama=True,
    )  # fmt: skip
    manager.create_stream(channels="trade", markets="btcusdt", process_stream_data=on_message)
    time.sleep(0.1)
    measured.finish()


if __name__ == "__main__":
    main()
