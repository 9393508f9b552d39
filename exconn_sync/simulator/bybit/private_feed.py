"""An account's own events: orders, executions, wallet (Bybit: 7.2 to 7.6)."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping

from exconn_sync.simulator.bybit.account_data import wallet
from exconn_sync.simulator.bybit.order_records import event_record, fill_record, lost_cancel
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.bybit.wire import to_json
from exconn_sync.simulator.core.accounts import Balance
from exconn_sync.simulator.core.events import BalanceEvent, CommandEnded, Event, Execution, OrderEvent
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.fault_board import FaultBoard

ORDER, EXECUTION, FAST, WALLET = "order", "execution", "execution.fast", "wallet"

Send = Callable[[str], None]
Subscriber = tuple[str, Send]
"""The topic by the name under which it was subscribed, and how to send."""


class _Gathered:
    """What happened to one account in one command."""

    def __init__(self) -> None:
        self.orders: list[tuple[OrderEvent, dict[str, object]]] = []
        self.fills: list[dict[str, object]] = []
        self.balances: dict[str, Balance] = {}


class PrivateFeed:
    """Gathers what a command did and tells it when the command is over."""

    def __init__(self, venue: Venue, faults: FaultBoard) -> None:
        self._venue = venue
        self._faults = faults
        self._subscribers: defaultdict[tuple[str, str], list[Subscriber]] = defaultdict(list)
        self._gathered: defaultdict[str, _Gathered] = defaultdict(_Gathered)
        self._ids = itertools.count(1)
        venue.exchange.listeners.append(self.hear)

    def subscribe(self, account: str, kind: str, subscriber: Subscriber) -> None:
        """Send events of a kind from now on."""
        self._subscribers[account, kind].append(subscriber)
        self._faults.private.subscribed(account, kind, subscriber[1], str)

    def unsubscribe(self, account: str, kind: str, subscriber: Subscriber) -> None:
        """Stop that."""
        self._subscribers[account, kind].remove(subscriber)

    def hear(self, event: Event) -> None:
        """Take an event of the core."""
        if isinstance(event, OrderEvent):
            self._gather(event)
        elif isinstance(event, BalanceEvent):
            self._gathered[event.account].balances.update(event.balances)
            if not self._gathered[event.account].orders:
                self._flush(event.account)
        elif isinstance(event, CommandEnded):
            for account in list(self._gathered):
                self._flush(account)

    def lost_cancel(self, order: SimOrder) -> None:
        """Tell an order that was over before its cancel came once more."""
        self._send(order.account, ORDER, [lost_cancel(self._venue, order)])

    def _gather(self, event: OrderEvent) -> None:
        order = event.order
        if not any(self._subscribers.get((order.account, kind)) for kind in (ORDER, EXECUTION, FAST, WALLET)):
            return
        gathered = self._gathered[order.account]
        gathered.orders.append((event, event_record(self._venue, order)))
        if event.fill is not None:
            gathered.fills.append({"category": "spot", **fill_record(self._venue, order, event.fill)})

    def _flush(self, account: str) -> None:
        gathered = self._gathered.pop(account)
        orders = self._told(gathered.orders)
        messages: list[tuple[str, list[dict[str, object]]]] = [(ORDER, [record]) for record in orders]
        messages += [(kind, rows) for kind, rows in self._fill_messages(gathered.fills)]
        if gathered.balances:
            messages.append((WALLET, [wallet(self._venue, account, gathered.balances)]))
        if self._venue.switches.shuffles:
            messages.reverse()
        for kind, rows in messages:
            self._send(account, kind, rows)

    def _told(self, events: list[tuple[OrderEvent, dict[str, object]]]) -> list[dict[str, object]]:
        """The records that are told: an order that does not rest is not told as new (Bybit: 12)."""
        last = {(event.order.symbol, event.order.order_id): index for index, (event, _) in enumerate(events)}
        return [
            record
            for index, (event, record) in enumerate(events)
            if event.execution is not Execution.NEW
            or self._venue.switches.tells_new
            or last[event.order.symbol, event.order.order_id] == index
        ]

    @staticmethod
    def _fill_messages(fills: list[dict[str, object]]) -> list[tuple[str, list[dict[str, object]]]]:
        if not fills:
            return []
        return [(EXECUTION, fills), (FAST, [_fast(fill) for fill in fills])]

    def _send(self, account: str, kind: str, rows: list[dict[str, object]]) -> None:
        subscribers = self._subscribers.get((account, kind))
        if not subscribers:
            return
        frames = [(send, to_json(self._envelope(kind, topic, rows))) for topic, send in subscribers]
        self._faults.private.send(account, (kind,), frames)

    def _envelope(self, kind: str, topic: str, rows: list[dict[str, object]]) -> Mapping[str, object]:
        now = self._venue.clock.now_ms()
        named = {} if kind == FAST else {"id": f"{next(self._ids):012x}{now:x}"}
        return {**named, "topic": topic, "creationTime": now, "data": rows}


def _fast(fill: Mapping[str, object]) -> dict[str, object]:
    names = ("category", "symbol", "orderId", "isMaker", "execId", "execPrice", "execQty", "side", "execTime", "seq")
    link_id = "" if fill["isMaker"] else fill["orderLinkId"]
    return {**{name: fill[name] for name in names}, "orderLinkId": link_id}
