"""How orders and fills look in answers."""

from collections.abc import Sequence

from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.orders import Amendment, ExpiryReason, Fill, PreventedMatch, Side, SimOrder

NOT_IN_A_LIST = -1
NO_GROUP = -1
PEG_OFFSET = "PRICE_LEVEL"
ALLOCATED = "ONE_PARTY_TRADE_REPORT"

EXPIRY_REASONS = {
    ExpiryReason.UNFILLED_IOC: "UNFILLED_IOC_QUANTITY_EXPIRED",
    ExpiryReason.UNFILLED_FOK: "UNFILLED_FOK_ORDER_EXPIRED",
    ExpiryReason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    ExpiryReason.REJECTED: "REJECTED",
    ExpiryReason.PRICE_RANGE: "EXECUTION_RULE_PRICE_RANGE_EXCEEDED",
    ExpiryReason.OTHER_CAME_FIRST: "OCO_TRIGGER",
    ExpiryReason.NEVER_PLACED: "OTO_PHASE_ONE_EXPIRED",
    ExpiryReason.BY_VENUE: "EXCHANGE_CANCELED",
}


def list_id(item: SimOrder | Fill) -> int:
    """The list of which an order is a part."""
    return NOT_IN_A_LIST if item.list_id is None else item.list_id


def acknowledgement(order: SimOrder, unit: int) -> dict[str, object]:
    """The ACK answer."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at * unit,
    }


def _quantity(order: SimOrder) -> dict[str, object]:
    # How much is received for an order to sell is not known before it is (Binance: 5.5).
    return {"origQty": number(order.quantity)} if order.quantity else {}


def _amounts(order: SimOrder) -> dict[str, object]:
    return {
        "price": number(order.price),
        **_quantity(order),
        "executedQty": number(order.filled_quantity),
        "origQuoteOrderQty": number(order.quote_quantity),
        "cummulativeQuoteQty": number(order.filled_quote),
        "status": order.status.name,
        "timeInForce": order.time_in_force.name,
        "type": order.type.name,
        "side": order.side.name,
    }


def _conditional(order: SimOrder, unit: int) -> dict[str, object]:
    """The fields that only some orders have (Binance: 5.5)."""
    fields: dict[str, object] = {}
    if order.stop_price:
        fields["stopPrice"] = number(order.stop_price)
    if order.iceberg_quantity:
        fields["icebergQty"] = number(order.iceberg_quantity)
    if order.trailing_delta is not None:
        fields["trailingDelta"] = order.trailing_delta
        fields["trailingTime"] = since(order.trailing_since, unit)
    if order.strategy_id is not None:
        fields["strategyId"] = order.strategy_id
    if order.strategy_type is not None:
        fields["strategyType"] = order.strategy_type
    fields.update(_peg(order))
    if order.prevented_match_id is not None:
        fields["preventedMatchId"] = order.prevented_match_id
        fields["preventedQuantity"] = number(order.prevented_quantity)
    if order.expiry_reason is not None:
        fields["expiryReason"] = EXPIRY_REASONS[order.expiry_reason]
    if order.floor is not None:
        fields["usedSor"] = True
        fields["workingFloor"] = order.floor.name
    return fields


def _peg(order: SimOrder) -> dict[str, object]:
    if order.peg is None:
        return {}
    fields: dict[str, object] = {"pegPriceType": order.peg.price.name}
    if order.peg.levels is not None:
        fields["pegOffsetType"] = PEG_OFFSET
        fields["pegOffsetValue"] = order.peg.levels
    if order.pegged_price is not None:
        fields["peggedPrice"] = number(order.pegged_price)
    return fields


def since(time: int | None, unit: int) -> int:
    """A time, or -1 for one that has not come."""
    return -1 if time is None else time * unit


def result(order: SimOrder, unit: int, prevented: Sequence[PreventedMatch] = ()) -> dict[str, object]:
    """The RESULT answer; ``prevented`` are the trades the order was kept from when it came."""
    return {
        **acknowledgement(order, unit),
        **_amounts(order),
        "workingTime": since(order.working_at, unit),
        "selfTradePreventionMode": order.prevention.name,
        **_conditional(order, unit),
        **_kept_from(prevented),
    }


def full(order: SimOrder, fills: list[Fill], unit: int, prevented: Sequence[PreventedMatch] = ()) -> dict[str, object]:
    """The FULL answer."""
    return {**result(order, unit, prevented), "fills": [_fill(fill) for fill in fills]}


def _kept_from(prevented: Sequence[PreventedMatch]) -> dict[str, object]:
    if not prevented:
        return {}
    group = prevented[-1].trade_group
    return {
        "preventedMatches": [
            {
                "preventedMatchId": match.match_id,
                "makerSymbol": match.maker_symbol,
                "makerOrderId": match.maker_order_id,
                "price": number(match.price),
                **_losses(match),
            }
            for match in prevented
        ],
        **({} if group is None else {"tradeGroupId": group}),
    }


def _losses(match: PreventedMatch) -> dict[str, object]:
    losses: dict[str, object] = {}
    if match.taker_prevented:
        losses["takerPreventedQuantity"] = number(match.taker_prevented)
    if match.maker_prevented:
        losses["makerPreventedQuantity"] = number(match.maker_prevented)
    return losses


def prevented_match(match: PreventedMatch, unit: int) -> dict[str, object]:
    """A row in the answer to myPreventedMatches."""
    return {
        "symbol": match.symbol,
        "preventedMatchId": match.match_id,
        "takerOrderId": match.taker_order_id,
        "makerSymbol": match.maker_symbol,
        "makerOrderId": match.maker_order_id,
        "tradeGroupId": NO_GROUP if match.trade_group is None else match.trade_group,
        "selfTradePreventionMode": match.mode.name,
        "price": number(match.price),
        **_losses(match),
        "transactTime": match.time * unit,
    }


def _fill(fill: Fill) -> dict[str, object]:
    return {
        **({} if fill.allocation_id is None else {"matchType": ALLOCATED, "allocId": fill.allocation_id}),
        "price": number(fill.price),
        "qty": number(fill.quantity),
        "commission": number(fill.commission),
        "commissionAsset": fill.commission_asset,
        "tradeId": fill.trade_id,
    }


def canceled(order: SimOrder, unit: int) -> dict[str, object]:
    """The answer to a cancel: its own client id first, the order's beside it."""
    return {
        "symbol": order.symbol,
        "origClientOrderId": order.original_client_order_id,
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_at * unit,
        **_amounts(order),
        "selfTradePreventionMode": order.prevention.name,
        **_conditional(order, unit),
    }


def amended(order: SimOrder, unit: int) -> dict[str, object]:
    """An order in the answer to an amendment, which has names of its own for some fields."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "origClientOrderId": order.original_client_order_id,
        "clientOrderId": order.client_order_id,
        "price": number(order.price),
        "qty": number(order.quantity),
        "executedQty": number(order.filled_quantity),
        "preventedQty": number(order.prevented_quantity),
        "quoteOrderQty": number(order.quote_quantity),
        "cumulativeQuoteQty": number(order.filled_quote),
        "status": order.status.name,
        "timeInForce": order.time_in_force.name,
        "type": order.type.name,
        "side": order.side.name,
        **({} if order.working_at is None else {"workingTime": order.working_at * unit}),
        "selfTradePreventionMode": order.prevention.name,
        **{name: value for name, value in _conditional(order, unit).items() if name != "preventedQuantity"},
    }


def amendment(row: Amendment, unit: int) -> dict[str, object]:
    """A row in the answer to order/amendments."""
    return {
        "symbol": row.symbol,
        "orderId": row.order_id,
        "executionId": row.execution_id,
        "origClientOrderId": row.old_client_order_id,
        "newClientOrderId": row.new_client_order_id,
        "origQty": number(row.old_quantity),
        "newQty": number(row.new_quantity),
        "time": row.time * unit,
    }


def queried(order: SimOrder, unit: int) -> dict[str, object]:
    """An order in the answer to a query."""
    return {
        "symbol": order.symbol,
        "orderId": order.order_id,
        "orderListId": list_id(order),
        "clientOrderId": order.client_order_id,
        "price": number(order.price),
        **_quantity(order),
        "executedQty": number(order.filled_quantity),
        "cummulativeQuoteQty": number(order.filled_quote),
        "status": order.status.name,
        "timeInForce": order.time_in_force.name,
        "type": order.type.name,
        "side": order.side.name,
        "stopPrice": number(order.stop_price),
        "icebergQty": number(order.iceberg_quantity),
        "time": order.created_at * unit,
        "updateTime": order.updated_at * unit,
        "isWorking": order.working_at is not None,
        "origQuoteOrderQty": number(order.quote_quantity),
        "workingTime": since(order.working_at, unit),
        "selfTradePreventionMode": order.prevention.name,
        **_conditional(order, unit),
    }


def own_trade(fill: Fill, unit: int) -> dict[str, object]:
    """A fill in the answer to myTrades."""
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": list_id(fill),
        "price": number(fill.price),
        "qty": number(fill.quantity),
        "quoteQty": number(fill.quote),
        "commission": number(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time * unit,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isBestMatch": True,
    }


def allocation(fill: Fill, unit: int) -> dict[str, object]:
    """A fill in the answer to myAllocations."""
    return {
        "symbol": fill.symbol,
        "allocationId": fill.allocation_id,
        "allocationType": "SOR",
        "orderId": fill.order_id,
        "orderListId": NOT_IN_A_LIST,
        "price": number(fill.price),
        "qty": number(fill.quantity),
        "quoteQty": number(fill.quote),
        "commission": number(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time * unit,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.is_maker,
        "isAllocator": False,
    }
