"""How each of Bybit's example payloads of orders and the account is read, and what is left out, and why.

Many examples show symbols of derivatives; their form is that of spot. A reading is made for the payload's own symbol
and ids, and changed copies of the payload are then given to the same parser.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exconn_sync.exchanges.bybit.batch import BybitBatches
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.trade_socket import TradeSocket
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.batch import ChangedOrder, NewOrder
from exconn_sync.ports.command_wire import CommandReply
from tests.exchanges.bybit.documented_market import NOT_TOLD, Read
from tests.exchanges.bybit.orders import order_state
from tests.exchanges.bybit.support import RECEIVED_AT, response

DERIVATIVES = "is for derivatives, and empty or fixed for spot (Bybit: 4.13, 4.16)"
DOLLARS = "worth in dollars and margin: no part of a spot balance (Bybit: 4.18)"
DEAD = "deprecated (Bybit: 4.13, 4.18)"
FOLLOWS = "follows from what is read, or is not to be relied on (Bybit: 10)"
UNSTABLE = "the code alone says what happened (Bybit: 2.1)"
REQUEST = "the request has it"
ENVELOPE = {"retCode": "errors are told apart before", "retMsg": UNSTABLE, "time": "the answer's own time"}


@dataclass(frozen=True)
class Reading:
    """How one payload is read; ``ignored`` are fields whose content is not in the value, with the reason."""

    reader: Callable[[Any], Read]
    ignored: Mapping[str, str] = field(default_factory=dict)


def _instrument(name: str) -> Instrument:
    return Instrument("bybit", f"{name[:3]}-{name[3:]}", name, name[:3], name[3:])


def _known(payload: Any) -> tuple[Instrument, Instruments]:
    rows = payload.get("data") or payload["result"]["list"]
    instruments = [_instrument(name) for name in dict.fromkeys(row["symbol"] for row in rows)]
    return instruments[0], Instruments("bybit", instruments)


def of_call(call: RestCall[Any]) -> Read:
    """Return the parser of a call."""
    return lambda body: call.parse(response(body))


def _queried(payload: Any) -> Read:
    instrument, instruments = _known(payload)
    row = payload["result"]["list"][0]
    return of_call(
        DRIVER.fetch_order(instrument, order_state(row["orderId"], row["orderLinkId"] or row["orderId"]), instruments)
    )


def _history(payload: Any) -> Read:
    """The example is one of derivatives, which an answer for spot must not be; it is taken for one of spot."""
    payload["result"]["category"] = "spot"
    return of_call(DRIVER.fetch_open_orders(None, _known(payload)[1]))


def _fills(payload: Any) -> Read:
    instrument, instruments = _known(payload)
    return of_call(DRIVER.fetch_fills(instrument, None, instruments))


def _fees(payload: Any) -> Read:
    return of_call(DRIVER.fetch_commission(_known(payload)[0]))


def _stream(payload: Any) -> Read:
    """Rows of derivatives are left out of what is read: the example is taken for one of spot."""
    for row in payload["data"]:
        if "category" in row:
            row["category"] = "spot"
    instruments = _known(payload)[1] if "symbol" in payload["data"][0] else Instruments("bybit")
    return lambda frame: DRIVER.parse_account(frame, RECEIVED_AT, instruments)


BTC = _instrument("BTCUSDT")
ONE = Instruments("bybit", [BTC])
BUY = OrderRequest.limit("BTC-USDT", "buy", 1, 2)


def _placed(payload: Any) -> Read:
    own = ClientOrderId(payload["result"]["orderLinkId"])
    return of_call(DRIVER.place_order(BUY, BTC, own, ONE))


def _cancelled(payload: Any) -> Read:
    named = order_state(payload["result"]["orderId"], payload["result"]["orderLinkId"])
    return of_call(DRIVER.cancel_order(BTC, named, ONE))


def _cancelled_all(payload: Any) -> Read:
    return of_call(DRIVER.cancel_all(BTC, ONE)[0])


def _placed_together(payload: Any) -> Read:
    rows = payload["result"]["list"]
    return of_call(BybitBatches().place([NewOrder(BUY, BTC, ClientOrderId(row["orderLinkId"])) for row in rows]))


def _changed_together(payload: Any) -> Read:
    rows = payload["result"]["list"]
    orders = [order_state(row["orderId"] or None, row["orderLinkId"] or "unnamed") for row in rows]
    return of_call(BybitBatches().cancel([ChangedOrder(BTC, order) for order in orders]))


def _command(payload: Any) -> Read:
    """Read an answer of the trade socket, and in it what REST would have answered; ids of ours are numbers."""

    def read(frame: bytes) -> Any:
        named = json.dumps(json.loads(frame) | {"reqId": "5"}).encode()
        reply = TradeSocket().parse(named, RECEIVED_AT)
        if not isinstance(reply, CommandReply):
            return reply
        return reply.request_id, reply.is_declined, reply.response

    return read


def _socket(payload: Any) -> Read:
    return lambda frame: TradeSocket().parse(frame, RECEIVED_AT)


def left_out(at: str, reasons: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of a row that are left out: names, divided by blanks, and why."""
    return {f"{at}.{name}": why for names, why in reasons.items() for name in names.split()}


_RESULT, _EVENT = "result.list[]", "data[]"
_PAGE = {"result.category": REQUEST, "result.nextPageCursor": "leads to the next page"}
_ORDER_ROW = {
    "blockTradeId closeOnTrigger orderIv placeType positionIdx reduceOnly slTriggerBy tpTriggerBy tpslMode triggerBy "
    "triggerDirection createType closedPnl bboSideType bboLevel brokerOrderPrice parentOrderLinkId": DERIVATIVES,
    "avgPrice leavesQty leavesValue": FOLLOWS,
    "cumExecFee feeCurrency": DEAD,
    "isLeverage lastPriceOnCreated basePrice smpGroup smpOrderId slippageToleranceType slippageTolerance "
    "ocoTriggerBy extraFees rpiTakerAccess rpiMatchedQty cxlRejReason": NOT_TOLD,
    "orderLinkId": REQUEST,
    "cancelType rejectReason": "say something of orders that the exchange has ended only",
    "stopOrderType triggerPrice": "say something of orders that wait for a price only",
}
_EXECUTION_ROW = {
    "blockTradeId closedSize indexPrice markIv markPrice tradeIv underlyingPrice createType execPnl": DERIVATIVES,
    "execValue feeRate": FOLLOWS,
    "orderPrice orderQty orderType leavesQty stopOrderType marketUnit isLeverage": "the order has it",
    "extraFees seq": NOT_TOLD,
}
_WALLET_ROW = {
    "accountType": REQUEST,
    "accountLTV": DEAD,
    "accountIMRate accountIMRateByMp accountMMRate accountMMRateByMp totalAvailableBalance totalEquity "
    "totalInitialMargin totalInitialMarginByMp totalMaintenanceMargin totalMaintenanceMarginByMp totalMarginBalance "
    "totalPerpUPL totalWalletBalance": DOLLARS,
}
_COIN_ROW = {
    "availableToBorrow availableToWithdraw": DEAD,
    "equity usdValue totalOrderIM totalPositionIM totalPositionMM unrealisedPnl cumRealisedPnl": DOLLARS,
    "accruedInterest bonus borrowAmount collateralSwitch marginCollateral spotBorrow spotHedgingQty colRes": NOT_TOLD,
}
_TOGETHER = left_out(_RESULT, {"category symbol createAt orderLinkId": REQUEST}) | {"retExtInfo.list[].msg": UNSTABLE}
_ID = {"id": "of the message", "creationTime": "the rows have their own"}

READINGS: dict[str, Reading] = {
    "rest/GET_order_realtime__response": Reading(_queried, ENVELOPE | _PAGE | left_out(_RESULT, _ORDER_ROW)),
    "rest/GET_order_history__response": Reading(_history, ENVELOPE | _PAGE | left_out(_RESULT, _ORDER_ROW)),
    "rest/GET_execution_list__response": Reading(_fills, ENVELOPE | _PAGE | left_out(_RESULT, _EXECUTION_ROW)),
    "rest/GET_account_fee_rate__response": Reading(_fees, ENVELOPE),
    "rest/GET_account_wallet_balance__response": Reading(
        lambda payload: of_call(DRIVER.fetch_balances()),
        {name: why for name, why in ENVELOPE.items() if name != "time"}
        | left_out(_RESULT, _WALLET_ROW)
        | left_out(f"{_RESULT}.coin[]", _COIN_ROW),
    ),
    "rest/GET_account_info__response": Reading(
        lambda payload: of_call(DRIVER.fetch_account()),
        ENVELOPE | left_out("result", {"dcpStatus timeWindow": DEAD, "isMasterTrader spotHedgingStatus": NOT_TOLD}),
    ),
    "rest/GET_user_query_api__response": Reading(
        lambda payload: of_call(DRIVER.fetch_key()),
        ENVELOPE
        | left_out(
            "result",
            {
                "apiKey secret rsaPublicKey id": "the key is no part of what is told",
                "affiliateID affiliateIDInt64 inviterID inviterIDInt64 kycLevel mktMakerLevel type": NOT_TOLD,
                "unified uta": "fetch_account tells the kind of account",
                "userIDInt64": "userID has it",
                "deadlineDay": "expiredAt has it",
                "readOnly": "any number but zero is read-only",
            },
        ),
    ),
    "rest/POST_order_create__response": Reading(_placed, ENVELOPE),
    "rest/POST_order_amend__response": Reading(_cancelled, ENVELOPE | {"result.orderLinkId": REQUEST}),
    "rest/POST_order_cancel__response": Reading(_cancelled, ENVELOPE | {"result.orderLinkId": REQUEST}),
    "rest/POST_order_cancel_all__response": Reading(_cancelled_all, ENVELOPE),
    "rest/POST_order_create_batch__response": Reading(_placed_together, ENVELOPE | _TOGETHER),
    "rest/POST_order_amend_batch__response": Reading(_changed_together, ENVELOPE | _TOGETHER),
    "rest/POST_order_cancel_batch__response": Reading(_changed_together, ENVELOPE | _TOGETHER),
    "rest/order_dcp__response": Reading(
        lambda payload: of_call(DRIVER.set_cancel_on_disconnect(10)), {**ENVELOPE, "retCode": "told apart before"}
    ),
    "ws/private_order__stream_example": Reading(
        _stream,
        _ID | left_out(_EVENT, _ORDER_ROW) | left_out(_EVENT, {"price timeInForce": "say nothing of a market order"}),
    ),
    "ws/private_execution__stream_example": Reading(
        _stream,
        _ID
        | left_out(_EVENT, _EXECUTION_ROW)
        | left_out(f"{_EVENT}.extraFees[]", {"fee feeCoin feeRate feeType subFeeType": NOT_TOLD}),
    ),
    "ws/private_wallet__stream_example": Reading(
        _stream, {"id": _ID["id"]} | left_out(_EVENT, _WALLET_ROW) | left_out(f"{_EVENT}.coin[]", _COIN_ROW)
    ),
    "ws/trade_guideline__response": Reading(_socket, {"retMsg": UNSTABLE, "connId": NOT_TOLD}),
    "ws/trade_guideline__response__2": Reading(_command, {"connId": NOT_TOLD, "reqId": "ours is put there"}),
    "ws/trade_guideline__response__3": Reading(_command, {"connId": NOT_TOLD}),
    "ws/trade_guideline__response__4": Reading(
        _socket, dict.fromkeys(("retCode", "retMsg", "data[0]", "connId"), "a sign of life says no more")
    ),
}

LEFT_OUT: dict[str, str] = {
    "ws/private_fast_execution__stream_example": "not subscribed: it has no fees (Bybit: 7.4)",
    "ws/private_strategy__stream_example": "strategies are not spot orders",
    "rest/POST_order_pre_check__response": "not for spot (Bybit: 12)",
    "rest/GET_order_spot_borrow_check__response": NOT_TOLD,
    "rest/guide__response": "an answer to no call of ours",
}
"""Answers about orders that nothing of the library asks for; Connector.request has them."""
