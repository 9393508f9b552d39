"""websocket-client, read plainly, with json.loads: what most hand-written clients do."""

import json
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import meter
import websocket


def main() -> None:
    """Read until all has come."""
    options = meter.arguments()
    measured = meter.Meter(options)
    tick, note = measured.counter(), measured.clock()
    client = websocket.create_connection(f"ws://127.0.0.1:{options.port}/stream?streams=btcusdt@trade")

    def read() -> None:
        while True:
            trade = json.loads(client.recv())["data"]
            note(trade["t"]) if options.paced else tick()

    threading.Thread(target=read, daemon=True).start()
    measured.finish()


if __name__ == "__main__":
    main()
