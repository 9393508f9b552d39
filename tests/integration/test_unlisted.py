"""Orders of a symbol that the exchange does not list any more can still be seen and cancelled."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import urlopen

import pytest

from exconn_sync import Connector, Order, OrderRequest, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import Connect
from tests.simulator.clients import eventually

INFO = "/api/v3/exchangeInfo"
limit = OrderRequest.limit


def unlist(simulator: Simulator, *, wholly: bool) -> None:
    """Let the next answers about symbols lack BTCUSDT, or the permission to trade it on spot."""
    with urlopen(simulator.rest + INFO) as answer:
        info: dict[str, Any] = json.loads(answer.read())
    for symbol in info["symbols"]:
        if symbol["symbol"] == "BTCUSDT":
            symbol["isSpotTradingAllowed"] = False
    if wholly:
        info["symbols"] = [symbol for symbol in info["symbols"] if symbol["symbol"] != "BTCUSDT"]
    simulator.faults.answer("GET", INFO, 200, json.dumps(info), count=100)


def two_orders(connector: Connector) -> list[Order]:
    return [connector.place_order(limit("BTC-USDT", "buy", "0.01", price)) for price in ("50000", "49000")]


@pytest.mark.parametrize("wholly", [False, True])
def test_orders_of_a_symbol_that_has_left_can_be_seen_and_cancelled(
    wholly: bool, quiet: Simulator, connect: Connect
) -> None:
    connector = connect(quiet)
    first, second = two_orders(connector)
    third = connector.place_order(limit("BTC-USDT", "buy", "0.01", "48000"))
    unlist(quiet, wholly=wholly)
    connector.fetch_instruments()
    assert "BTC-USDT" not in connector.instruments
    with pytest.raises(ValidationError, match="is not a spot symbol"):
        connector.place_order(limit("BTC-USDT", "buy", "0.01", "50000"))
    assert connector.fetch_order(first).status == "new"
    assert {state.symbol for state in connector.fetch_open_orders()} == {"BTC-USDT"}, "they keep their name"
    assert connector.amend_order(third, "0.005").quantity == third.quantity
    first.cancel()
    assert {order.client_order_id for order in connector.cancel_all("BTC-USDT")} == {
        second.client_order_id, third.client_order_id,
    }  # fmt: skip
    assert {order.status for order in (first, second, third)} == {"canceled"}
    with pytest.raises(ValidationError, match="is not a spot symbol"):
        connector.cancel_all("BTC-USDT")


def test_orders_of_a_symbol_that_left_before_the_start_have_the_exchanges_spelling(
    quiet: Simulator, connect: Connect
) -> None:
    two_orders(connect(quiet))
    unlist(quiet, wholly=True)
    connector = connect(quiet)
    eventually(lambda: len(connector.orders.open()) == 2)
    one, other = connector.orders.open()
    assert (one.symbol, connector.fetch_order(one.client_order_id).status) == ("BTCUSDT", "new")
    connector.cancel_order(one.client_order_id)
    assert [order.client_order_id for order in connector.cancel_all("BTCUSDT")] == [other.client_order_id]
    assert connector.orders.open() == []
