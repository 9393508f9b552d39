"""The quantity of an order that sells what another one has yet to buy is unknown, not zero (Binance: 5.5, 5.9)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from exconn_sync.exchanges.binance.order_rows import OrderRow, order_fact
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId

ROW = {
    "symbol": "BTCUSDT", "orderId": 3, "clientOrderId": "sale", "price": "0.00000000", "executedQty": "0.00000000",
    "status": "PENDING_NEW", "type": "MARKET", "side": "SELL", "workingTime": -1,
}  # fmt: skip


@pytest.mark.parametrize("stated", [{}, {"origQty": "0.00000000"}], ids=["absent", "zero"])
def test_a_quantity_that_is_not_known_yet_is_none(stated: dict[str, Any]) -> None:
    row = msgspec.json.decode(json.dumps(ROW | stated), type=OrderRow)
    fact = order_fact(row, ClientOrderId("sale"), "BTC-USDT", FactSource.ANSWER, 1)
    assert (fact.quantity, fact.is_working) == (None, False)


def test_a_quantity_that_is_known_is_told() -> None:
    row = msgspec.json.decode(json.dumps(ROW | {"origQty": "0.00060000", "status": "NEW"}), type=OrderRow)
    fact = order_fact(row, ClientOrderId("sale"), "BTC-USDT", FactSource.ANSWER, 1)
    assert str(fact.quantity) == "0.00060000"
