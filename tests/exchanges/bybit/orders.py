"""Orders and executions as they come over the wire, for the tests of what reads them (Bybit: 4.13, 4.16, 7.3)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.orders import OrderState
from tests.exchanges.bybit.support import BTCUSDT, INSTRUMENTS

ORDER_ID = "1700000000000000001"
"""Beyond 2**53: as a number it would come out as another one."""
MINE = ClientOrderId("my-order-1")

STEPPED = Instruments("bybit", [replace(BTCUSDT, lot_step=Decimal("0.000001")), *list(INSTRUMENTS)[1:]])
"""Instruments with a rule that the end of an order for an amount of quote depends on."""

# The cancel of the sheet's section 7.3, with other names: zeros to the scale, empty texts.
CANCELED: dict[str, Any] = {
    "category": "spot", "symbol": "BTCUSDT", "orderId": ORDER_ID, "orderLinkId": "my-order-1", "blockTradeId": "",
    "side": "Sell", "positionIdx": 0, "orderStatus": "Cancelled", "cancelType": "CancelByUser",
    "rejectReason": "EC_PerCancelRequest", "timeInForce": "GTC", "isLeverage": "0", "price": "0.5000", "qty": "10.0",
    "avgPrice": "", "leavesQty": "10.0", "leavesValue": "5.00000", "cumExecQty": "0.0", "cumExecValue": "0.00000",
    "cumExecFee": "0", "orderType": "Limit", "stopOrderType": "", "orderIv": "", "triggerPrice": "0.0000",
    "takeProfit": "0.0000", "stopLoss": "0.0000", "triggerBy": "", "tpTriggerBy": "", "slTriggerBy": "",
    "triggerDirection": 0, "placeType": "", "lastPriceOnCreated": "0.4990", "closeOnTrigger": False,
    "reduceOnly": False, "smpGroup": 0, "smpType": "None", "smpOrderId": "", "marketUnit": "",
    "createdTime": "1700000000000", "updatedTime": "1700000001000", "feeCurrency": "",
}  # fmt: skip

OPEN: dict[str, Any] = {
    **CANCELED, "orderStatus": "New", "cancelType": "UNKNOWN", "rejectReason": "EC_NoError", "side": "Buy",
}  # fmt: skip

SPENT: dict[str, Any] = {
    **OPEN, "orderStatus": "PartiallyFilledCanceled", "rejectReason": "EC_CancelForNoFullFill", "orderType": "Market",
    "timeInForce": "IOC", "marketUnit": "quoteCoin", "qty": "200", "price": "0", "cumExecQty": "0.003333",
    "cumExecValue": "199.98",
}  # fmt: skip
"""A market buy for 200 of quote, of which 0.02 was left: less than the smallest step of 0.000001 costs at 60000."""

EXECUTION: dict[str, Any] = {
    "category": "spot", "symbol": "BTCUSDT", "isLeverage": "0", "orderId": ORDER_ID, "orderLinkId": "my-order-1",
    "side": "Buy", "orderPrice": "60010", "orderQty": "0.02", "leavesQty": "0.01", "orderType": "Limit",
    "stopOrderType": "", "execId": "2100000000007764263", "execPrice": "60005.5", "execQty": "0.01",
    "execValue": "600.055", "execType": "Trade", "execTime": "1700000001500", "execFee": "0.00001",
    "feeRate": "0.001", "feeCurrency": "BTC", "isMaker": False, "seq": 4688002127, "marketUnit": "", "extraFees": "",
}  # fmt: skip

COIN: dict[str, Any] = {
    "coin": "USDT", "equity": "1000", "usdValue": "1000", "walletBalance": "1000.5", "locked": "200.25",
    "availableToWithdraw": "", "availableToBorrow": "", "borrowAmount": "0", "spotBorrow": "0", "bonus": "0",
    "collateralSwitch": True, "marginCollateral": True, "totalOrderIM": "",
}  # fmt: skip
WALLET: dict[str, Any] = {"accountType": "UNIFIED", "totalEquity": "10262.91335023", "accountLTV": "0", "coin": [COIN]}

FEES: dict[str, Any] = {"symbol": "BTCUSDT", "takerFeeRate": "0.001", "makerFeeRate": "-0.0001"}


def order_state(exchange_order_id: str | None = ORDER_ID, client_order_id: str = MINE, **more: Any) -> OrderState:
    """Return an order of which only the ids are known."""
    known = None if exchange_order_id is None else ExchangeOrderId(exchange_order_id)
    return OrderState("bybit", "BTC-USDT", ClientOrderId(client_order_id), known, **more)


def rows(*items: dict[str, Any], cursor: str = "") -> dict[str, Any]:
    """Return a result that is a list."""
    return {"category": "spot", "nextPageCursor": cursor, "list": list(items)}
