"""Every field that Bybit documents for spot, and the words of this version: what is not here is news (Bybit: 4, 6, 7).

Tests compare the tables with the documentation's own examples.
"""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit import words
from exconn_sync.exchanges.known_parts import KnownParts, known, read_json, unknown_parts

_ENVELOPE = "retCode retMsg result retExtInfo time "
_ROWS = _ENVELOPE + "category symbol list nextPageCursor "

_ORDER_WORDS = {
    "side": words.SIDES.values(),
    "orderStatus": words.STATUS_WORDS,
    "timeInForce": words.TIME_WORDS,
    "orderType": words.ORDER_TYPE_WORDS,
    "smpType": words.PREVENTIONS.values(),
    "marketUnit": ("baseCoin", "quoteCoin"),
}
_ORDER = (
    "category orderId orderLinkId symbol side price qty marketUnit isLeverage orderStatus cancelType rejectReason "
    "avgPrice leavesQty leavesValue cumExecQty cumExecValue cumExecFee cumFeeDetail feeCurrency timeInForce orderType "
    "stopOrderType triggerPrice takeProfit stopLoss tpLimitPrice slLimitPrice tpTriggerBy slTriggerBy triggerBy "
    "triggerDirection ocoTriggerBy slippageToleranceType slippageTolerance basePrice lastPriceOnCreated smpType "
    "smpGroup smpOrderId positionIdx reduceOnly closeOnTrigger placeType orderIv blockTradeId rpiTakerAccess "
    "rpiMatchedQty extraFees closedPnl brokerOrderPrice createdTime updatedTime createType tpslMode parentOrderLinkId "
)
_EXECUTION = (
    "category symbol orderId orderLinkId side orderType orderPrice orderQty leavesQty execId execPrice execQty "
    "execValue execType execTime execFee feeRate feeCurrency isMaker stopOrderType seq marketUnit markPrice indexPrice "
    "underlyingPrice tradeIv markIv blockTradeId closedSize extraFees isLeverage execPnl createType "
)
_WALLET = (
    "accountIMRate accountIMRateByMp accountLTV accountMMRate accountMMRateByMp accountType accruedInterest "
    "availableToBorrow availableToWithdraw bonus borrowAmount coin collateralSwitch cumRealisedPnl equity locked "
    "marginCollateral spotBorrow spotHedgingQty totalAvailableBalance totalEquity totalInitialMargin "
    "totalInitialMarginByMp totalMaintenanceMargin totalMaintenanceMarginByMp totalMarginBalance totalOrderIM "
    "totalPerpUPL totalPositionIM totalPositionMM totalWalletBalance unrealisedPnl usdValue walletBalance free colRes "
)
_MAPS = "cumFeeDetail extraFees retExtInfo"
_RECEIPT = known(_ROWS + "orderId orderLinkId code msg createAt success")
_ORDERS = known(_ROWS + _ORDER, _ORDER_WORDS, _MAPS)

_ANSWERS: Mapping[str, KnownParts] = {
    urls.TIME: known(_ENVELOPE + "timeSecond timeNano"),
    urls.INSTRUMENTS: known(
        _ROWS + "symbolId symbol baseCoin quoteCoin status marginTrading stTag symbolType xstockMultiplier innovation "
        "lotSizeFilter basePrecision quotePrecision minOrderQty maxOrderQty minOrderAmt maxOrderAmt maxLimitOrderQty "
        "maxMarketOrderQty postOnlyMaxLimitOrderSize priceFilter tickSize riskParameters priceLimitRatioX "
        "priceLimitRatioY isPublicRpi myRpiPermission",
        {"status": ("Trading",)},
    ),
    urls.ORDER_BOOK: known(_ENVELOPE + "s b a ts u seq cts"),
    urls.TICKERS: known(
        _ROWS + "symbol bid1Price bid1Size ask1Price ask1Size lastPrice prevPrice24h price24hPcnt highPrice24h "
        "lowPrice24h turnover24h volume24h usdIndexPrice"
    ),
    urls.RECENT_TRADES: known(
        _ROWS + "execId symbol price size side isBlockTrade isRPITrade seq", {"side": words.SIDES.values()}
    ),
    urls.KLINE: known(_ROWS),
    **dict.fromkeys(
        (
            urls.CREATE, urls.AMEND, urls.CANCEL, urls.CANCEL_ALL, urls.CREATE_BATCH, urls.AMEND_BATCH,
            urls.CANCEL_BATCH,
        ),
        _RECEIPT,
    ),
    urls.REALTIME: _ORDERS,
    urls.HISTORY: _ORDERS,
    urls.EXECUTIONS: known(_ROWS + _EXECUTION, {"side": words.SIDES.values()}, _MAPS),
    urls.WALLET_BALANCE: known(_ROWS + _WALLET),
    urls.FEE_RATE: known(_ROWS + "makerFeeRate takerFeeRate baseCoin"),
}  # fmt: skip

_BOOK = known("topic type ts data s b a u seq cts")
_EVENT = "id topic creationTime data "
_EVENTS: Mapping[str, KnownParts] = {
    "orderbook": _BOOK,
    "publicTrade": known("topic type ts data T s S v p i BT RPI seq L id", {"S": words.SIDES.values()}),
    "tickers": known(
        "topic type ts cs data symbol lastPrice highPrice24h lowPrice24h prevPrice24h volume24h turnover24h "
        "price24hPcnt usdIndexPrice"
    ),
    "kline": known("topic type ts data start end interval open close high low volume turnover confirm timestamp"),
    # The words of orders and executions are told by the parser, with each event.
    "order": known(_EVENT + _ORDER, maps=_MAPS),
    "execution": known(_EVENT + _EXECUTION, maps=_MAPS),
    "wallet": known(_EVENT + _WALLET),
}


def unknown_in_answer(path: str, body: bytes) -> tuple[str, ...]:
    """Return what is new in the answer of a path; nothing for a path whose fields are not known here."""
    parts = _ANSWERS.get(path)
    return () if parts is None else unknown_parts(path, parts, read_json(body))


def unknown_in_frame(frame: bytes) -> tuple[str, ...]:
    """Return what is new in an event of a stream; nothing for an answer, or for an event that is new as a whole."""
    wire = read_json(frame)
    topic = wire.get("topic") if isinstance(wire, dict) else None
    if not isinstance(topic, str):
        return ()
    kind = topic.partition(".")[0]
    parts = _EVENTS.get(kind)
    return () if parts is None else unknown_parts(kind, parts, wire)
