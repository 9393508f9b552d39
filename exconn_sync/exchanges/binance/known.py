"""Every field that Binance documents, and the words of this version: what is not here is news (Binance: 5, 8.3, 10.3).

Tests compare the tables with the documentation's own examples and with what the parsers read.
"""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.exchanges.binance import endpoints as urls
from exconn_sync.exchanges.binance.symbols import STATUS_WORDS
from exconn_sync.exchanges.binance.words import CONTINGENCIES, KNOWN, ORDER_STATUS_WORDS
from exconn_sync.exchanges.known_parts import KnownParts, known, read_json, unknown_parts

_RATE_WORDS = {
    "rateLimitType": ("REQUEST_WEIGHT", "RAW_REQUESTS", "ORDERS", "CONNECTIONS"),
    "interval": ("SECOND", "MINUTE", "HOUR", "DAY"),
}
_LIST_CHANGES = ("RESPONSE", "EXEC_STARTED", "UPDATED", "ALL_DONE")
_OFFSETS = ("PRICE_LEVEL",)
_ORDER_WORDS = {
    "side": KNOWN["side"],
    "type": KNOWN["type"],
    "timeInForce": KNOWN["time_in_force"],
    "status": ORDER_STATUS_WORDS,
    "selfTradePreventionMode": KNOWN["prevention"],
    "pegPriceType": KNOWN["peg"],
    "pegOffsetType": _OFFSETS,
    "contingencyType": CONTINGENCIES,
    "listOrderStatus": KNOWN["list_status"],
    "listStatusType": _LIST_CHANGES,
    "cancelResult": ("SUCCESS", "FAILURE"),
    "newOrderResult": ("SUCCESS", "FAILURE", "NOT_ATTEMPTED"),
    "workingFloor": KNOWN["floor"],
}
_PREVENTED = "preventedMatchId tradeGroupId makerSymbol makerOrderId takerPreventedQuantity makerPreventedQuantity"
_FILL = "price qty commission commissionAsset orderId orderListId symbol"

_ORDERS = known(
    "clientOrderId origClientOrderId transactTime origQty executedQty origQuoteOrderQty cummulativeQuoteQty status "
    "timeInForce type side workingTime selfTradePreventionMode fills tradeId matchType allocId time updateTime "
    "isWorking stopPrice icebergQty trailingDelta trailingTime strategyId strategyType preventedQuantity "
    "preventedMatches pegPriceType pegOffsetType pegOffsetValue peggedPrice usedSor workingFloor expiryReason "
    # Lists, replacements and amendments, which have fields of their own around and in the orders.
    "contingencyType listStatusType listOrderStatus listClientOrderId transactionTime orders orderReports cancelResult "
    "newOrderResult cancelResponse newOrderResponse data code msg executionId amendedOrder listStatus preventedQty "
    f"quoteOrderQty cumulativeQuoteQty {_PREVENTED} {_FILL}",
    _ORDER_WORDS,
)
_COMMISSION = known(
    "symbol standardCommission specialCommission taxCommission standardCommissionForOrder specialCommissionForOrder "
    "taxCommissionForOrder maker taker buyer seller discount enabledForAccount enabledForSymbol discountAsset"
)
# Their kinds are no words here: the instruments count those that are unknown.
_FILTERS = (
    "filterType minPrice maxPrice tickSize multiplierUp multiplierDown avgPriceMins bidMultiplierUp bidMultiplierDown "
    "askMultiplierUp askMultiplierDown minQty maxQty stepSize minNotional applyToMarket applyMinToMarket maxNotional "
    "applyMaxToMarket limit maxNumOrders maxNumAlgoOrders maxNumIcebergOrders maxPosition minTrailingAboveDelta "
    "maxTrailingAboveDelta minTrailingBelowDelta maxTrailingBelowDelta maxNumOrderAmends maxNumOrderLists"
)
_INFO = known(
    "timezone serverTime rateLimits rateLimitType interval intervalNum limit exchangeFilters symbols sors symbol "
    "status baseAsset baseAssetPrecision quoteAsset quotePrecision quoteAssetPrecision baseCommissionPrecision "
    "quoteCommissionPrecision orderTypes icebergAllowed ocoAllowed otoAllowed opoAllowed quoteOrderQtyMarketAllowed "
    "allowTrailingStop cancelReplaceAllowed amendAllowed pegInstructionsAllowed isSpotTradingAllowed "
    "isMarginTradingAllowed filters permissions permissionSets defaultSelfTradePreventionMode "
    f"allowedSelfTradePreventionModes {_FILTERS}",
    {
        **_RATE_WORDS,
        "status": STATUS_WORDS,
        "orderTypes": KNOWN["type"],
        "defaultSelfTradePreventionMode": KNOWN["prevention"],
        "allowedSelfTradePreventionModes": KNOWN["prevention"],
    },
)
_TRADES = known("id price qty quoteQty time isBuyerMaker isBestMatch")
_TICKERS = known(
    "symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice bidQty askPrice "
    "askQty openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count price"
)

_ANSWERS: Mapping[str, KnownParts] = {
    **dict.fromkeys(
        (
            urls.ORDER, urls.OPEN_ORDERS, urls.ALL_ORDERS, urls.CANCEL_REPLACE, urls.AMEND, urls.SOR_ORDER,
            urls.ORDER_LIST, urls.OPEN_ORDER_LISTS, "/api/v3/allOrderList", "/api/v3/orderList/oco",
            "/api/v3/orderList/oto", "/api/v3/orderList/otoco", "/api/v3/orderList/opo", "/api/v3/orderList/opoco",
        ),
        _ORDERS,
    ),
    **dict.fromkeys((urls.ORDER_TEST, urls.SOR_ORDER_TEST, urls.COMMISSION), _COMMISSION),
    **dict.fromkeys((urls.TRADES, urls.HISTORICAL_TRADES), _TRADES),
    **dict.fromkeys(
        (urls.DAY_TICKER, urls.TRADING_DAY_TICKER, urls.WINDOW_TICKER, urls.PRICE_TICKER, urls.BOOK_TICKER), _TICKERS
    ),
    urls.TIME: known("serverTime"),
    urls.EXCHANGE_INFO: _INFO,
    urls.EXECUTION_RULES: known(
        "symbolRules symbol rules ruleType bidLimitMultUp bidLimitMultDown askLimitMultUp askLimitMultDown",
        {"ruleType": ("PRICE_RANGE",)},
    ),
    urls.DEPTH: known("lastUpdateId bids asks"),
    urls.AGGREGATE_TRADES: known("a p q f l T m M"),
    urls.AVERAGE_PRICE: known("mins price closeTime"),
    urls.ACCOUNT: known(
        "makerCommission takerCommission buyerCommission sellerCommission commissionRates maker taker buyer seller "
        "canTrade canWithdraw canDeposit brokered requireSelfTradePrevention preventSor updateTime accountType "
        "balances asset free locked permissions uid"
    ),
    urls.MY_TRADES: known(f"id quoteQty time isBuyer isMaker isBestMatch {_FILL}"),
    urls.ALLOCATIONS: known(f"allocationId allocationType quoteQty time isBuyer isMaker isAllocator {_FILL}"),
    urls.AMENDMENTS: known("symbol orderId executionId origClientOrderId newClientOrderId origQty newQty time"),
    urls.PREVENTED_MATCHES: known(
        f"symbol takerOrderId selfTradePreventionMode price transactTime {_PREVENTED}",
        {"selfTradePreventionMode": KNOWN["prevention"]},
    ),
    urls.ORDER_COUNTS: known("rateLimitType interval intervalNum limit count", _RATE_WORDS),
}  # fmt: skip

_BOOK_TICKER, _PARTIAL_BOOK = "bookTicker", "partialBook"
_DAY = "e E s p P w x c Q b B a A o h l v q O C F L n"
_WINDOW = known("e E s p P o h l c w v q O C F L n")
_BALANCE_CHANGE = known("e E a d T")

_EVENTS: Mapping[str, KnownParts] = {
    "trade": known("e E s t p q T m M a b"),
    "aggTrade": known("e E s a p q f l T m M"),
    "kline": known("e E s k t T i f L o c h l v n x q V Q B"),
    "24hrMiniTicker": known("e E s c o h l v q"),
    "24hrTicker": known(_DAY),
    "1hTicker": _WINDOW,
    "4hTicker": _WINDOW,
    "1dTicker": _WINDOW,
    "avgPrice": known("e E s i w T"),
    "depthUpdate": known("e E s U u b a"),
    _BOOK_TICKER: known("u s b B a A"),
    _PARTIAL_BOOK: known("lastUpdateId bids asks"),
    "outboundAccountPosition": known("e E u B a f l"),
    "balanceUpdate": _BALANCE_CHANGE,
    "externalLockUpdate": _BALANCE_CHANGE,
    # Most words of these two are told by the parsers, with each event.
    "listStatus": known("e E s g c l L r C T O i", {"l": _LIST_CHANGES}),
    "executionReport": known(
        "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V W d D j J v A B u U Cs pl pL pY b a k uS gP "
        "gOT gOV gp eR",
        {"gOT": _OFFSETS, "b": ("ONE_PARTY_TRADE_REPORT",)},
    ),
}
_ENVELOPE = frozenset({"stream", "data", "subscriptionId", "event"})


def unknown_in_answer(path: str, body: bytes) -> tuple[str, ...]:
    """Return what is new in the answer of a path; nothing for a path whose fields are not known here."""
    parts = _ANSWERS.get(path)
    return () if parts is None else unknown_parts(path, parts, read_json(body))


def unknown_in_frame(frame: bytes) -> tuple[str, ...]:
    """Return what is new in an event of a stream; nothing for an answer, or for an event that is new as a whole."""
    wire = read_json(frame)
    if not isinstance(wire, dict):
        return ()
    event = wire.get("data", wire.get("event", wire))
    if not isinstance(event, dict):
        return ()
    kind = _kind_of(event)
    parts = _EVENTS.get(kind)
    if parts is None:
        return ()
    around = () if event is wire else unknown_parts(f"{kind} envelope", KnownParts(_ENVELOPE, maps=_ENVELOPE), wire)
    return (*around, *unknown_parts(kind, parts, event))


def _kind_of(event: dict[str, object]) -> str:
    """Return the name of an event; two kinds do not tell it (Binance: 8.3)."""
    name = event.get("e")
    if isinstance(name, str):
        return name
    return _PARTIAL_BOOK if "lastUpdateId" in event else _BOOK_TICKER if "u" in event else ""
