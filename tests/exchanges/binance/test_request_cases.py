"""Our requests beside those that ccxt makes for the same calls; the signature is checked over what would be sent.

Parameters, method and path must be the same. Ours go into the query throughout, which the exchange takes for every
method (Binance: 2); what we say although it is usual is named in ``MORE``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall
from tests.data import read_json
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, order_state

Json = Any
ID = ClientOrderId("my-order-1")


def _order(arguments: list[Json]) -> RestCall[Any]:
    _, kind, side, quantity, price, _ = arguments
    if kind == "market":
        order = OrderRequest.market("BTC-USDT", side, quantity)
    else:
        order = OrderRequest.limit("BTC-USDT", side, quantity, price)
    return DRIVER.place_order(order, BTCUSDT, ID, INSTRUMENTS)


CALLS: dict[str, Callable[[list[Json]], RestCall[Any]]] = {
    "fetch_time": lambda arguments: DRIVER.server_time(),
    "fetch_order_book": lambda arguments: DRIVER.fetch_order_book(BTCUSDT, 100),
    "fetch_ticker": lambda arguments: DRIVER.fetch_tickers([BTCUSDT], "24h", INSTRUMENTS),
    "fetch_trades": lambda arguments: DRIVER.fetch_aggregate_trades(BTCUSDT, 500),
    "fetch_ohlcv": lambda arguments: DRIVER.fetch_klines(BTCUSDT, "1m", 500, now=0),
    "fetch_balance": lambda arguments: DRIVER.fetch_balances(),
    "create_order": _order,
    "cancel_order": lambda arguments: DRIVER.cancel_order(BTCUSDT, order_state("x", arguments[0]), INSTRUMENTS),
    "fetch_open_orders": lambda arguments: DRIVER.fetch_open_orders(BTCUSDT, INSTRUMENTS),
}
MORE = {"fetch_order_book": {"limit": "100"}, "fetch_trades": {"limit": "500"}}
ADDED = {"timestamp", "recvWindow", "signature"}


def cases() -> tuple[Json, list[Json]]:
    table = read_json("request_cases", "binance.json")
    return table, table["cases"]


def sent(call: RestCall[Any], table: Json) -> tuple[str, dict[str, str], Json]:
    """Return path, parameters and headers of a request, with its signature checked."""
    signer = HmacSha256Signer(table["api_key"], table["secret"].encode()) if call.is_signed else None
    request = DRIVER.to_http(call, signer, table["clock_ms"], 10_000)
    assert request.body is None
    target = urlsplit(request.target)
    params = dict(parse_qsl(target.query))
    if call.is_signed:
        payload, _, signature = target.query.partition("&signature=")
        assert signature == hmac.new(table["secret"].encode(), payload.encode(), hashlib.sha256).hexdigest()
        assert (params["timestamp"], params["recvWindow"]) == (str(table["clock_ms"]), "10000")
    else:
        assert not ADDED & set(params)
    return target.path, {name: value for name, value in params.items() if name not in ADDED}, request.headers


def test_each_case_has_its_call() -> None:
    _, found = cases()
    assert {case["method"] for case in found} == set(CALLS)
    assert len(found) >= 10


@pytest.mark.parametrize("number", range(10))
def test_our_request_is_the_same(number: int) -> None:
    table, found = cases()
    case = found[number]
    wanted = case["request"]
    call = CALLS[case["method"]](case["args"])
    path, params, headers = sent(call, table)
    assert (call.method, path) == (wanted["method"], wanted["path"])
    assert params == wanted["params"] | MORE.get(case["method"], {})
    assert call.is_signed == (wanted["security"] == "SIGNED")
    assert headers == ({"X-MBX-APIKEY": table["api_key"]} if call.is_signed else {})


@pytest.mark.parametrize("number", range(10))
def test_a_request_of_ones_own_making_is_the_same(number: int) -> None:
    """Whatever has no call of its own goes through ``Connector.request``."""
    table, found = cases()
    wanted = found[number]["request"]
    is_signed = wanted["security"] == "SIGNED"
    call = DRIVER.raw_call(wanted["method"], wanted["path"], tuple(wanted["params"].items()), is_signed=is_signed)
    path, params, _ = sent(call, table)
    assert (call.method, path, params) == (wanted["method"], wanted["path"], wanted["params"])


@pytest.mark.parametrize("number", range(10))
def test_their_signatures_are_ours_over_the_same_text(number: int) -> None:
    table, found = cases()
    wanted = found[number]["request"]
    if wanted["security"] == "SIGNED":
        signer = HmacSha256Signer(table["api_key"], table["secret"].encode())
        assert signer.sign(wanted["signed_payload"].encode()) == wanted["signature"]
