"""urllib3 and the standard library, by hand: what is left where nothing is checked, counted or remembered."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import urllib3

_KEY = {"X-MBX-APIKEY": "key"}


@contextmanager
def prepared(url: str) -> Iterator[tuple[Callable[[int], object], Callable[[], object]]]:
    """Give what places an order, and what asks for the time."""
    pool = urllib3.connection_from_url(url)

    def place(number: int) -> object:
        query = (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000.01"
            f"&newClientOrderId=bench-{number}&timestamp={time.time_ns() // 1_000_000}"
        )
        signature = hmac.new(b"secret", query.encode(), hashlib.sha256).hexdigest()
        answer = pool.urlopen("POST", f"/api/v3/order?{query}&signature={signature}", headers=_KEY)
        return json.loads(answer.data)

    yield place, lambda: json.loads(pool.urlopen("GET", "/api/v3/time").data)
