"""Frames of the public stream, with the keys in the order in which spot sends them (Bybit: 6.3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

Level = tuple[str, str]
AT_MS = 1_700_000_000_000

BIDS: Sequence[Level] = (("100.5", "1"), ("100", "2.50"))
ASKS: Sequence[Level] = (("101", "3"), ("102", "0.1"))


def data_frame(topic: str, kind: str | None, data: Any, **more: Any) -> bytes:
    """Return a data frame."""
    body = {"topic": topic, "ts": AT_MS + 2, "type": kind, "data": data} | more
    return json.dumps(
        {name: value for name, value in body.items() if value is not None}, separators=(",", ":")
    ).encode()


def book(
    update_id: int,
    bids: Sequence[Level] = BIDS,
    asks: Sequence[Level] = ASKS,
    *,
    kind: str = "snapshot",
    levels: int = 200,
    symbol: str = "BTCUSDT",
) -> bytes:
    """Return a snapshot of a book, or a change of it."""
    data = {"s": symbol, "b": bids, "a": asks, "u": update_id, "seq": 10 * update_id}
    return data_frame(f"orderbook.{levels}.{symbol}", kind, data, cts=AT_MS)


def delta(update_id: int, bids: Sequence[Level] = (), asks: Sequence[Level] = (), *, levels: int = 200) -> bytes:
    """Return a change of a book."""
    return book(update_id, bids, asks, kind="delta", levels=levels)


def trade(number: int, **changes: Any) -> dict[str, Any]:
    """Return one trade of a frame of trades."""
    return {
        "i": str(2290000000000000000 + number), "T": AT_MS, "p": "100.50", "v": "0.001", "S": "Buy", "s": "BTCUSDT",
        "BT": False, "RPI": False, "seq": 7,
    } | changes  # fmt: skip


def trades(*items: dict[str, Any]) -> bytes:
    """Return a frame of trades."""
    return data_frame("publicTrade.BTCUSDT", "snapshot", items)


TICKER: dict[str, Any] = {
    "symbol": "BTCUSDT", "lastPrice": "21109.77", "highPrice24h": "21426.99", "lowPrice24h": "20575",
    "prevPrice24h": "20704.93", "volume24h": "6780.866843", "turnover24h": "141946527.22907118",
    "price24hPcnt": "0.0196", "usdIndexPrice": "",
}  # fmt: skip
CANDLE: dict[str, Any] = {
    "start": 1672324800000, "end": 1672325099999, "interval": "5", "open": "16649.5", "close": "16677",
    "high": "16677", "low": "16608", "volume": "2.081", "turnover": "34666.4005", "confirm": False,
    "timestamp": 1672324988882,
}  # fmt: skip


def ticker(**changes: Any) -> bytes:
    """Return a frame of a ticker."""
    return data_frame("tickers.BTCUSDT", "snapshot", TICKER | changes, cs=1)


def kline(*changes: dict[str, Any]) -> bytes:
    """Return a frame of candles."""
    return data_frame("kline.5.BTCUSDT", "snapshot", [CANDLE | change for change in changes])


def reply(request_id: int | None, *, operation: str = "subscribe", error: str = "") -> bytes:
    """Return the answer to a request of ours (Bybit: 6.1)."""
    body = {"success": not error, "ret_msg": error or operation, "conn_id": "c", "op": operation}
    return json.dumps(body if request_id is None else body | {"req_id": str(request_id)}).encode()


PONG = b'{"success":true,"ret_msg":"pong","conn_id":"c","op":"ping"}'
