"""A small web application that owns a connector, as a program would be written. Served by the tests of gunicorn.

``MODE`` says who starts the connector: each worker with its first request (``worker``), or, by mistake, the module
itself (``import``), which with preload is the master process.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from exconn_sync import Config, Connector, ForkedProcess, Trade
from exconn_sync.config.settings import Reconnect

_exchange = json.loads(os.environ["EXCHANGE"])
_config = (
    Config.builder("binance")
    .endpoints(**{name: _exchange[name] for name in ("rest", "stream", "ws_api")})
    .credentials(_exchange["key"], _exchange["secret"])
    .build()
)
connector = Connector(replace(_config, reconnect=Reconnect(base=0.05, cap=0.2, settle=0.05)))
_newest: list[Trade] = []
_has_trade = threading.Event()


def _on_trade(trade: Trade) -> None:
    _newest[:] = [trade]
    _has_trade.set()


connector.on_trade("BTC-USDT", _on_trade)
if os.environ["MODE"] == "import":
    connector.start()


def _answer(path: str) -> dict[str, Any]:
    refused = ""
    if os.environ["MODE"] == "import":
        try:
            connector.health()
        except ForkedProcess as error:
            refused = error.message
    if path == "/live":
        # Twice is once, so every request may say it; in a forked worker it begins the worker's own life.
        connector.start()
        connector.wait_ready(10)
        _has_trade.wait(10)
    return {
        "pid": os.getpid(),
        "refused": refused,
        "state": str(connector.state) if path == "/live" else "",
        "symbol": _newest[0].symbol if _newest else "",
        "threads": sorted({thread.name for thread in threading.enumerate() if thread.name.startswith("exconn-")}),
    }


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]
) -> Iterable[bytes]:
    """Answer with what this worker knows."""
    body = json.dumps(_answer(environ["PATH_INFO"])).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
