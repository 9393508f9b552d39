"""``python -m exconn_sync.simulator``: serve an exchange until SIGTERM or Ctrl-C."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Sequence

from exconn_sync.simulator.facade import Simulator
from exconn_sync.simulator.faces import KNOWN_EXCHANGES


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m exconn_sync.simulator", description="Serve a simulated exchange.")
    parser.add_argument("--exchange", default="binance", choices=KNOWN_EXCHANGES)
    parser.add_argument("--demo", action="store_true", help="lack what the demo environment of Bybit lacks")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_port, default=0, help="0 chooses a free one")
    parser.add_argument("--seed", type=int, default=1, help="of the generated market and the demo key")
    parser.add_argument("--json", action="store_true", help="print the addresses as one line of JSON")
    parser.add_argument("--replay", metavar="PATH", help="serve this recording instead of a generated market")
    parser.add_argument("--pace", type=_pace, help="1.0 is the recorded pace; default: as fast as the client reads")
    parser.add_argument("--tls-cert", metavar="PATH", help="serve https and wss with this certificate chain (PEM)")
    parser.add_argument("--tls-key", metavar="PATH", help="the private key of --tls-cert (PEM)")
    chosen = parser.parse_args(arguments)
    if chosen.pace is not None and chosen.replay is None:
        parser.error("--pace needs --replay")
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        parser.error("--tls-cert and --tls-key need each other")
    return chosen


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number between 0 and 65535")
    return int(text)


def _pace(text: str) -> float:
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0 < pace < float("inf"):
        raise argparse.ArgumentTypeError("the pace is a number above zero")
    return pace


def _chosen(chosen: argparse.Namespace) -> Simulator:
    tls = None if chosen.tls_cert is None else (chosen.tls_cert, chosen.tls_key)
    if chosen.replay is not None:
        return Simulator.replay(
            chosen.replay, exchange=chosen.exchange, pace=chosen.pace, host=chosen.host, port=chosen.port, tls=tls
        )
    return Simulator(chosen.exchange, seed=chosen.seed, host=chosen.host, port=chosen.port, tls=tls, demo=chosen.demo)


def _describe(simulator: Simulator) -> dict[str, str]:
    return {
        "exchange": simulator.exchange,
        **simulator.addresses(),
        "admin": simulator.admin,
        "api_key": simulator.api_key,
        "api_secret": simulator.api_secret,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    chosen = _parse(arguments)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    try:
        simulator = _chosen(chosen).start()
    except (OSError, ValueError) as error:
        print(f"cannot serve: {error}", file=sys.stderr)
        return 2
    with simulator:
        facts = _describe(simulator)
        if chosen.json:
            print(json.dumps(facts), flush=True)
        else:
            print("\n".join(f"{name:<11}{value}" for name, value in facts.items()), flush=True)
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
