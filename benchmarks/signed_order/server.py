"""``python -m benchmarks.signed_order.server``: accepts every order, of Binance and of Bybit, as fast as it can.

It reads requests without parsing more than it must, and answers with as many headers as the exchanges do. It tells its
address on standard output and ends with standard input.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import threading
import time
from itertools import count

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CLIENT_ID = re.compile(rb"newClientOrderId=([^&\s]+)")
_LINK_ID = re.compile(rb'"orderLinkId": ?"([^"]*)"')
_HEADERS = (
    "Content-Type: application/json;charset=UTF-8", "Connection: keep-alive", "Server: nginx",
    "x-mbx-uuid: 2d1f7f0a-0f1e-4b53-8c0f-0e1b7a3c5d42", "x-mbx-used-weight: 10", "x-mbx-used-weight-1m: 10",
    "x-mbx-order-count-10s: 3", "x-mbx-order-count-1d: 40",
    "Strict-Transport-Security: max-age=31536000; includeSubdomains", "X-Frame-Options: SAMEORIGIN",
    "X-Xss-Protection: 1; mode=block", "X-Content-Type-Options: nosniff",
    "Content-Security-Policy: default-src 'self'", "X-Content-Security-Policy: default-src 'self'",
    "X-WebKit-CSP: default-src 'self'", "Cache-Control: no-cache, no-store, must-revalidate", "Pragma: no-cache",
    "Expires: 0", "Access-Control-Allow-Origin: *", "Access-Control-Allow-Methods: GET, HEAD, OPTIONS",
    "X-Cache: Miss from cloudfront", "Via: 1.1 0123456789abcdef.cloudfront.net (CloudFront)",
    "X-Amz-Cf-Pop: NRT57-P2", "X-Amz-Cf-Id: q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c2v3b4n5m6==",
)  # fmt: skip
_numbers = count(1)


def binance_order(client_id: str, now_ms: int) -> object:
    """Return the full answer to an order that rests in the book (Binance: 5.5)."""
    return {
        "symbol": "BTCUSDT", "orderId": next(_numbers), "orderListId": -1, "clientOrderId": client_id,
        "transactTime": now_ms, "price": "50000.01000000", "origQty": "0.01000000", "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000", "cummulativeQuoteQty": "0.00000000", "status": "NEW", "timeInForce": "GTC",
        "type": "LIMIT", "side": "BUY", "workingTime": now_ms, "fills": [], "selfTradePreventionMode": "EXPIRE_MAKER",
    }  # fmt: skip


def bybit(result: object, now_ms: int) -> object:
    """Return an answer of Bybit (Bybit: 4.2)."""
    return {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now_ms}


def answer(target: bytes, request: bytes) -> object:
    """Return the body of the answer to a request."""
    now_ms = time.time_ns() // 1_000_000
    if target.startswith(b"/v5/order/create"):
        found = _LINK_ID.search(request)
        order_id = f"1523347543495541{next(_numbers):03}"
        return bybit({"orderId": order_id, "orderLinkId": found.group(1).decode() if found else ""}, now_ms)
    if target.startswith(b"/v5/market/time"):
        return bybit({"timeSecond": str(now_ms // 1000), "timeNano": str(now_ms * 1_000_000)}, now_ms)
    if target.startswith(b"/api/v3/order"):
        found = _CLIENT_ID.search(request)
        return binance_order(found.group(1).decode() if found else f"x-{next(_numbers)}", now_ms)
    if target.startswith(b"/api/v3/time"):
        return {"serverTime": now_ms}
    # What some clients ask for when they begin.
    return {}


def serve(connection: socket.socket) -> None:
    """Answer one connection until its end."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in held:
                read = connection.recv(1 << 16)
                if not read:
                    return
                held += read
            head, _, held = held.partition(b"\r\n\r\n")
            found = _LENGTH.search(head)
            size = int(found.group(1)) if found else 0
            while len(held) < size:
                held += connection.recv(1 << 16)
            body, held = held[:size], held[size:]
            text = json.dumps(answer(head.split(b" ", 2)[1], head + b"\n" + body)).encode()
            date = time.strftime("Date: %a, %d %b %Y %H:%M:%S GMT", time.gmtime())
            lines = ["HTTP/1.1 200 OK", date, f"Content-Length: {len(text)}", *_HEADERS, "", ""]
            connection.sendall("\r\n".join(lines).encode() + text)


def main() -> None:
    """Serve on the machine's last processor until standard input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
