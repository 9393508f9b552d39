"""How orders and fills look in answers and events (Bybit: 4.13, 4.16, 7.3, 7.4)."""

from decimal import Decimal

from exconn_sync.simulator.bybit.notes import OCO, PLAIN, STOP, Exit, Notes
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.bybit.wire import number
from exconn_sync.simulator.core.orders import ExpiryReason, Fill, OrderStatus, OrderType, Side, SimOrder
from exconn_sync.simulator.core.symbols import ZERO

SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
_OPEN = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    # Part of an order list of another exchange, which still waits for its time.
    OrderStatus.PENDING_NEW: "Untriggered",
}
_STOP_WORDS = {PLAIN: "", STOP: "Stop"}
_AVERAGE_STEP = Decimal("1e-8")
_EXPIRY = {
    ExpiryReason.UNFILLED_FOK: "EC_NoEnoughQtyToFill",
    ExpiryReason.PRICE_RANGE: "EC_ReachMarketPriceLimit",
    ExpiryReason.REJECTED: "EC_Others",
    ExpiryReason.BY_VENUE: "EC_Others",
}


def is_waiting(order: SimOrder) -> bool:
    """Whether an order waits, or waited until its end, for its trigger."""
    return order.type.is_stop and order.working_at is None


def has_leftover(order: SimOrder) -> bool:
    """Whether an order for an amount of the quote coin could not spend all of it."""
    return order.quote_quantity > ZERO and order.filled_quote < order.quote_quantity


def status_word(order: SimOrder) -> str:
    """The exchange's word for where an order stands."""
    if order.is_open:
        return "Untriggered" if is_waiting(order) else _OPEN[order.status]
    if order.status is OrderStatus.REJECTED:
        return "Rejected"
    if order.status is OrderStatus.FILLED and not has_leftover(order):
        return "Filled"
    if order.filled_quantity:
        return "PartiallyFilledCanceled"
    is_unused = order.status is OrderStatus.CANCELED or _is_displaced(order)
    return "Deactivated" if is_waiting(order) and is_unused else "Cancelled"


def _is_displaced(order: SimOrder) -> bool:
    """Whether an order ended because the other one of its pair came first."""
    return order.expiry_reason is ExpiryReason.OTHER_CAME_FIRST


def _is_goal(order: SimOrder) -> bool:
    return order.type in (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


def _oco_trigger(order: SimOrder, notes: Notes) -> str:
    if notes.order_filter != OCO or order.working_at is None:
        return "OcoTriggerByUnknown"
    return "OcoTriggerByTp" if _is_goal(order) else "OcoTriggerBySl"


def _exits(name: str, limit_name: str, found: Exit | None) -> dict[str, str]:
    if found is None:
        return {name: "", limit_name: ""}
    return {name: number(found.trigger), limit_name: "" if found.limit is None else number(found.limit)}


def _cancel_type(order: SimOrder, notes: Notes) -> str:
    if notes.cancel_type:
        return notes.cancel_type
    if order.status is OrderStatus.EXPIRED_IN_MATCH:
        return "CancelBySmp"
    if order.expiry_reason is ExpiryReason.BY_VENUE:
        return "CancelByAdmin"
    if _is_displaced(order) and notes.order_filter == OCO:
        return "CancelByOCOTpCanceledBySlTriggered" if _is_goal(order) else "CancelByOCOSlCanceledByTpTriggered"
    return "CancelByUser" if order.status is OrderStatus.CANCELED else "UNKNOWN"


def _reject_reason(order: SimOrder, notes: Notes) -> str:
    if order.is_open:
        return "EC_NoError"
    if notes.reject_reason:
        return notes.reject_reason
    if order.status is OrderStatus.CANCELED:
        return "EC_PerCancelRequest"
    if order.status is OrderStatus.EXPIRED_IN_MATCH:
        return "EC_BySelfMatch"
    if _is_displaced(order) and notes.order_filter == OCO:
        return "EC_NoError"
    if order.status is OrderStatus.EXPIRED:
        unfilled = "EC_CancelForNoFullFill" if order.filled_quantity else "EC_NoImmediateQtyToFill"
        return unfilled if order.expiry_reason is None else _EXPIRY.get(order.expiry_reason, unfilled)
    return "EC_CancelForNoFullFill" if has_leftover(order) else "EC_NoError"


def order_record(venue: Venue, order: SimOrder) -> dict[str, object]:
    """What REST and the stream tell of an order alike."""
    notes = venue.notes.of(order)
    return {
        **_names(venue, order),
        **_amounts(order),
        "blockTradeId": "",
        "isLeverage": notes.is_leverage,
        "positionIdx": 0,
        "orderStatus": status_word(order),
        "cancelType": _cancel_type(order, notes),
        "rejectReason": _reject_reason(order, notes),
        "cumExecFee": _fees_alone(venue, order),
        "cumFeeDetail": _fees(venue, order),
        "timeInForce": notes.time_in_force,
        "orderType": "Limit" if order.type.has_limit else "Market",
        "stopOrderType": _STOP_WORDS.get(notes.order_filter, notes.order_filter),
        "marketUnit": notes.market_unit,
        "orderIv": "",
        "triggerPrice": number(order.stop_price),
        **_exits("takeProfit", "tpLimitPrice", notes.exits.take_profit),
        **_exits("stopLoss", "slLimitPrice", notes.exits.stop_loss),
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "ocoTriggerBy": _oco_trigger(order, notes),
        "slippageToleranceType": notes.slippage[0],
        "slippageTolerance": notes.slippage[1],
        "lastPriceOnCreated": "" if notes.last_price is None else number(notes.last_price),
        "reduceOnly": False,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": notes.smp_type,
        "smpGroup": venue.exchange.accounts[order.account].trade_group or 0,
        "smpOrderId": "",
        "createdTime": str(order.created_at),
        "updatedTime": str(order.updated_at),
    }


def rest_record(venue: Venue, order: SimOrder) -> dict[str, object]:
    """An order in an answer of REST, where the category stands beside the list."""
    notes = venue.notes.of(order)
    record = order_record(venue, order)
    return {**record, "basePrice": record["lastPriceOnCreated"] if notes.last_price is not None else ""}


def history_record(venue: Venue, order: SimOrder) -> dict[str, object]:
    """An order in the history, which tells a little more."""
    return {**rest_record(venue, order), "extraFees": "", "rpiTakerAccess": False, "rpiMatchedQty": "0"}


def event_record(venue: Venue, order: SimOrder) -> dict[str, object]:
    """An order in a private event."""
    return {
        "category": "spot",
        **order_record(venue, order),
        "feeCurrency": "",
        "closedPnl": "0",
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def lost_cancel(venue: Venue, order: SimOrder) -> dict[str, object]:
    """The second event of an order that was filled before its cancel came: the cancel lost (Bybit: 7.3)."""
    words = {"cancelType": "CancelByUser", "rejectReason": "EC_OrigClOrdIDDoesNotExist"}
    return {**event_record(venue, order), **words}


def fill_record(venue: Venue, order: SimOrder, fill: Fill) -> dict[str, object]:
    """One execution; ``order`` is as it stood right after it, or as it stands now."""
    notes, rates = venue.notes.of(order), venue.exchange.fees.rates.for_side(fill.side)
    names = _names(venue, order)
    return {
        **names,
        "orderPrice": number(order.price),
        "orderQty": _quantity(order),
        "leavesQty": number(order.remaining if order.is_open else ZERO),
        "orderType": "Limit" if order.type.has_limit else "Market",
        "stopOrderType": _STOP_WORDS.get(notes.order_filter, notes.order_filter) or "UNKNOWN",
        "marketUnit": notes.market_unit,
        "isLeverage": notes.is_leverage,
        "execId": venue.ids.trade(fill.symbol, fill.trade_id),
        "execPrice": number(fill.price),
        "execQty": number(fill.quantity),
        "execValue": number(fill.quote),
        "execType": "Trade",
        "execTime": str(fill.time),
        "execFee": number(fill.commission),
        "feeRate": number(rates[0 if fill.is_maker else 1]),
        "feeCurrency": fill.commission_asset,
        "isMaker": fill.is_maker,
        "seq": fill.trade_id,
        "extraFees": "",
        **dict.fromkeys(("markPrice", "indexPrice", "underlyingPrice", "tradeIv", "markIv", "blockTradeId"), ""),
        "closedSize": "",
    }


def _names(venue: Venue, order: SimOrder) -> dict[str, object]:
    return {
        "symbol": order.symbol,
        "orderId": venue.ids.order(order.symbol, order.order_id),
        "orderLinkId": order.client_order_id,
        "side": SIDES[order.side],
    }


def _quantity(order: SimOrder) -> str:
    return number(order.quote_quantity or order.quantity)


def _amounts(order: SimOrder) -> dict[str, object]:
    average = ""
    if order.filled_quantity:
        average = number((order.filled_quote / order.filled_quantity).quantize(_AVERAGE_STEP))
    is_limited = order.type.has_limit
    left = ZERO if order.status is OrderStatus.FILLED or order.quote_quantity else order.remaining
    leftover = order.quote_quantity - order.filled_quote if order.quote_quantity else left * order.price
    return {
        "price": number(order.price) if is_limited else "0",
        "qty": _quantity(order),
        "avgPrice": average,
        "leavesQty": number(left),
        "leavesValue": number(leftover),
        "cumExecQty": number(order.filled_quantity),
        "cumExecValue": number(order.filled_quote),
    }


def _fees(venue: Venue, order: SimOrder) -> dict[str, str]:
    totals: dict[str, Decimal] = {}
    for fill in venue.exchange.registry.fills_of(order):
        totals[fill.commission_asset] = totals.get(fill.commission_asset, ZERO) + fill.commission
    return {asset: number(amount) for asset, amount in totals.items()}


def _fees_alone(venue: Venue, order: SimOrder) -> str:
    """The sum where it is of one coin, as the outdated field tells it."""
    totals = list(_fees(venue, order).values())
    return totals[0] if len(totals) == 1 else "0"
