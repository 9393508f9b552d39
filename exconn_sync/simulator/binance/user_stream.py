"""The user data stream: an account's own events, in their envelope."""

import json
from collections import defaultdict
from collections.abc import Callable

from exconn_sync.simulator.binance.list_reports import (
    LIST_STATUS_TYPES,
    contingency,
    list_order_status,
    own_client_id,
)
from exconn_sync.simulator.binance.order_reports import (
    ALLOCATED,
    EXPIRY_REASONS,
    NO_GROUP,
    PEG_OFFSET,
    list_id,
    since,
)
from exconn_sync.simulator.binance.wire import number, to_json
from exconn_sync.simulator.clock import VenueClock
from exconn_sync.simulator.core.events import (
    BalanceEvent,
    Deposited,
    Event,
    Execution,
    ListEvent,
    LockedOutside,
    OrderEvent,
)
from exconn_sync.simulator.core.exchange import Exchange
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.core.symbols import ZERO
from exconn_sync.simulator.fault_board import FaultBoard

USER_STREAM = "userDataStream"
"""The name by which faults know the frames of all user data streams."""

# A stop order that fires is told as new once more, now at work, and so is an order of a list that is placed by another
# one; the documentation leaves these events open.
_EXECUTION_WORDS = {Execution.TRIGGERED: "NEW", Execution.ACTIVATED: "NEW"}

Send = Callable[[str], None]
Subscriber = tuple[Send, int, int]
"""How to send, the subscription id, the time unit."""


class UserStreams:
    """Sends each account's events to everybody who subscribed to them."""

    def __init__(self, exchange: Exchange, clock: VenueClock, faults: FaultBoard) -> None:
        self._clock = clock
        self._faults = faults
        self._subscribers: defaultdict[str, list[Subscriber]] = defaultdict(list)
        exchange.listeners.append(self.hear)

    def subscribe(self, account: str, subscriber: Subscriber) -> None:
        """Send an account's events from now on."""
        self._subscribers[account].append(subscriber)
        send, subscription_id, _ = subscriber
        self._faults.private.subscribed(account, USER_STREAM, send, lambda text: renamed(text, subscription_id))

    def unsubscribe(self, account: str, subscriber: Subscriber) -> None:
        """Stop that."""
        self._subscribers[account].remove(subscriber)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, OrderEvent):
            self._send(event.order.account, lambda now, unit: execution_report(event, now, unit))
        elif isinstance(event, ListEvent):
            self._send(event.order_list.account, lambda now, unit: list_status(event, now, unit))
        elif isinstance(event, BalanceEvent):
            self._send(event.account, lambda now, unit: account_position(event, now, unit))
        elif isinstance(event, Deposited):
            self._send(event.account, lambda now, unit: balance_update(event, now, unit))
        elif isinstance(event, LockedOutside):
            self._send(event.account, lambda now, unit: external_lock_update(event, now, unit))

    def _send(self, account: str, build: Callable[[int, int], dict[str, object]]) -> None:
        subscribers = self._subscribers.get(account)
        if not subscribers:
            return
        frames, kind = [], ""
        for send, subscription_id, unit in subscribers:
            event = build(self._clock.now_ms() if unit == 1 else self._clock.now_us(), unit)
            kind = str(event["e"])
            frames.append((send, envelope(subscription_id, event)))
        self._faults.private.send(account, (kind, USER_STREAM), frames)


def envelope(subscription_id: int, event: dict[str, object]) -> str:
    """An event as it goes over the wire."""
    return to_json({"subscriptionId": subscription_id, "event": event})


def renamed(text: str, subscription_id: int) -> str:
    """An event that was sent before, for another subscription."""
    return to_json({**json.loads(text), "subscriptionId": subscription_id})


def execution_report(event: OrderEvent, now: int, unit: int) -> dict[str, object]:
    """What happened to an order."""
    order, fill = event.order, event.fill
    begins = event.execution in (Execution.NEW, Execution.ACTIVATED, Execution.TRIGGERED)
    is_working = order.working_at is not None and (begins or (order.is_open and order.type.has_limit))
    is_renamed = event.execution in (Execution.CANCELED, Execution.REPLACED)
    report: dict[str, object] = {
        "e": "executionReport",
        "E": now,
        "s": order.symbol,
        "c": order.client_order_id,
        "S": order.side.name,
        "o": order.type.name,
        "f": order.time_in_force.name,
        "q": number(order.quantity),
        "p": number(order.price),
        "P": number(order.stop_price),
        "F": number(order.iceberg_quantity),
        "g": list_id(order),
        "C": order.original_client_order_id if is_renamed else "",
        "x": _EXECUTION_WORDS.get(event.execution, event.execution.name),
        "X": order.status.name,
        "r": "NONE",
        "i": order.order_id,
        "l": number(fill.quantity if fill else ZERO),
        "z": number(order.filled_quantity),
        "L": number(fill.price if fill else ZERO),
        "n": number(fill.commission) if fill else "0",
        "N": fill.commission_asset if fill else None,
        "T": event.time * unit,
        "t": fill.trade_id if fill else -1,
        "I": event.execution_id,
        "w": is_working,
        "m": fill.is_maker if fill else False,
        "M": fill is not None,
        "O": order.created_at * unit,
        "Z": number(order.filled_quote),
        "Y": number(fill.quote if fill else ZERO),
        "Q": number(order.quote_quantity),
    }
    if is_working:
        report["W"] = since(order.working_at, unit)
    report["V"] = order.prevention.name
    return report | _conditional(order, unit) | _prevented(event) | _routed(event)


def _conditional(order: SimOrder, unit: int) -> dict[str, object]:
    """The fields that only some orders have."""
    fields: dict[str, object] = {}
    if order.trailing_delta is not None:
        fields["d"] = order.trailing_delta
        fields["D"] = since(order.trailing_since, unit)
    if order.strategy_id is not None:
        fields["j"] = order.strategy_id
    if order.strategy_type is not None:
        fields["J"] = order.strategy_type
    if order.peg is not None:
        fields["gP"] = order.peg.price.name
        if order.peg.levels is not None:
            fields["gOT"], fields["gOV"] = PEG_OFFSET, order.peg.levels
        if order.pegged_price is not None:
            fields["gp"] = number(order.pegged_price)
    if order.expiry_reason is not None:
        fields["eR"] = EXPIRY_REASONS[order.expiry_reason]
    return fields


def _prevented(event: OrderEvent) -> dict[str, object]:
    """What an order has lost because trades were prevented, and what it was this time."""
    order, match = event.order, event.prevented
    if order.prevented_match_id is None:
        return {}
    so_far: dict[str, object] = {"v": order.prevented_match_id, "A": number(order.prevented_quantity)}
    if match is None:
        return so_far
    is_taker = order.order_id == match.taker_order_id
    return so_far | {
        "B": number(match.taker_prevented if is_taker else match.maker_prevented),
        "u": NO_GROUP if match.trade_group is None else match.trade_group,
        "U": match.maker_order_id if is_taker else match.taker_order_id,
        "Cs": match.maker_symbol if is_taker else match.symbol,
        "pl": number(match.quantity),
        "pL": number(match.price),
        "pY": number(match.price * match.quantity),
    }


def _routed(event: OrderEvent) -> dict[str, object]:
    """Where a routed order is at work, and which allocation it got."""
    floor, fill = event.order.floor, event.fill
    if floor is None:
        return {}
    fields: dict[str, object] = {"k": floor.name, "uS": True}
    if fill is not None and fill.allocation_id is not None:
        fields |= {"b": ALLOCATED, "a": fill.allocation_id}
    return fields


def list_status(event: ListEvent, now: int, unit: int) -> dict[str, object]:
    """What happened to an order list; its orders report for themselves."""
    order_list = event.order_list
    return {
        "e": "listStatus",
        "E": now,
        "s": order_list.symbol,
        "g": order_list.list_id,
        "c": contingency(order_list.kind),
        "l": LIST_STATUS_TYPES[event.change],
        "L": list_order_status(order_list),
        "r": "NONE",
        "C": order_list.client_list_id,
        "T": event.time * unit,
        "O": [{"s": order.symbol, "i": order.order_id, "c": own_client_id(order)} for order in event.orders],
    }


def account_position(event: BalanceEvent, now: int, unit: int) -> dict[str, object]:
    """The new balances of the touched assets."""
    return {
        "e": "outboundAccountPosition",
        "E": now,
        "u": event.time * unit,
        "B": [
            {"a": asset, "f": number(balance.free), "l": number(balance.locked)}
            for asset, balance in event.balances.items()
        ],
    }


def balance_update(event: Deposited, now: int, unit: int) -> dict[str, object]:
    """A deposit."""
    return {"e": "balanceUpdate", "E": now, "a": event.asset, "d": number(event.amount), "T": event.time * unit}


def external_lock_update(event: LockedOutside, now: int, unit: int) -> dict[str, object]:
    """A lock from outside the markets, or its end."""
    return {"e": "externalLockUpdate", "E": now, "a": event.asset, "d": number(event.amount), "T": event.time * unit}


def stream_terminated(now: int) -> dict[str, object]:
    """The last event of a subscription that was ended."""
    return {"e": "eventStreamTerminated", "E": now}
