"""Commands about orders: acknowledged at once, matched right then or later (Bybit: 4.7, 4.8)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.new_order import OrderCommand
from exconn_sync.simulator.bybit.notes import Exits
from exconn_sync.simulator.bybit.venue import Venue
from exconn_sync.simulator.core.orders import Change, NewOrder, OrderStatus, Side, SimOrder
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.registry import OrderRegistry

_NOT_REFUSED = (Reason.WOULD_TAKE, Reason.NO_LIQUIDITY)
"""What the matching engine finds out: the order was taken in and ends at once."""


class OrderDesk:
    """Takes commands. What is wrong with one at first sight is refused, everything else shows later."""

    def __init__(self, venue: Venue, lost_cancel: Callable[[SimOrder], None]) -> None:
        self._venue = venue
        self._switches = venue.switches
        self._lost_cancel = lost_cancel
        self._pending: dict[tuple[str, int], tuple[str, NewOrder]] = {}
        self._withdrawn: set[tuple[str, int]] = set()

    # --- new orders -------------------------------------------------------------------------------------------------

    def create(self, account: str, command: OrderCommand) -> tuple[str, int, str]:
        """Acknowledge an order: its symbol, its id and its client id."""
        venue, request = self._venue, command.order
        is_late = bool(self._switches.match_delay_s or self._switches.refuses_late)
        if not self._switches.refuses_late:
            self._check(account, request)
        order_id = venue.exchange.registry.new_id(request.symbol)
        if not request.client_order_id:
            request = replace(request, client_order_id=venue.ids.link(request.symbol, order_id))
        venue.notes.write(request.symbol, order_id, command.notes)
        self._pending[request.symbol, order_id] = (account, request)
        reason = self._switches.rejections.pop(0) if self._switches.rejections else None
        self._later(lambda: self._match(account, request, order_id, reason, is_late=is_late))
        return request.symbol, order_id, request.client_order_id

    def _check(self, account: str, request: NewOrder) -> None:
        exchange = self._venue.exchange
        if request.client_order_id and self._is_used(account, request.client_order_id):
            raise errors.duplicate_link_id()
        try:
            exchange.check(account, request, self._venue.clock.now_ms())
        except Refusal as refusal:
            raise errors.of_refusal(refusal, request.side) from refusal
        if request.price is not None and request.quantity is not None and request.holds_funds:
            spec = exchange.market(request.symbol).spec
            is_buy = request.side is Side.BUY
            asset = spec.quote if is_buy else spec.base
            needed = request.price * request.quantity if is_buy else request.quantity
            if exchange.accounts[account].balance(asset).free < needed:
                raise errors.of_refusal(Refusal(Reason.INSUFFICIENT_BALANCE), request.side)

    def _is_used(self, account: str, link_id: str) -> bool:
        if any(owner == account and order.client_order_id == link_id for owner, order in self._pending.values()):
            return True
        venue = self._venue
        return any(venue.exchange.registry.find(account, symbol, link_id) for symbol in venue.exchange.markets)

    def _match(self, account: str, request: NewOrder, order_id: int, reason: str | None, *, is_late: bool) -> None:
        del self._pending[request.symbol, order_id]
        if (request.symbol, order_id) in self._withdrawn:
            self._withdrawn.discard((request.symbol, order_id))
            self._end(account, request, order_id, OrderStatus.CANCELED, "EC_PerCancelRequest")
            return
        if reason is not None:
            self._end(account, request, order_id, OrderStatus.REJECTED, reason)
            return
        now = self._venue.clock.now_ms()
        try:
            if is_late and self._is_used(account, request.client_order_id):
                raise Refusal(Reason.DUPLICATE_CLIENT_ID)
            self._venue.exchange.place(account, request, now, order_id)
        except Refusal as refusal:
            if refusal.reason not in _NOT_REFUSED and not is_late:
                raise errors.of_refusal(refusal, request.side) from refusal
            is_cancel = refusal.reason in _NOT_REFUSED
            if refusal.reason is Reason.WOULD_TAKE and self._switches.rejects_post_only:
                is_cancel = False
            status = OrderStatus.EXPIRED if is_cancel else OrderStatus.REJECTED
            self._end(account, request, order_id, status, errors.reject_reason(refusal))

    def _end(self, account: str, request: NewOrder, order_id: int, status: OrderStatus, reason: str) -> None:
        venue = self._venue
        venue.notes.at(request.symbol, order_id).reject_reason = reason
        venue.exchange.conclude(account, request, status, venue.clock.now_ms(), order_id)

    # --- changes and cancels ----------------------------------------------------------------------------------------

    def amend(self, order: SimOrder, change: Change, exits: Exits) -> None:
        """Acknowledge new terms for an order, and what it has attached from now on."""
        self._later(lambda: self._change(order, change, exits, is_late=self._switches.match_delay_s > 0))

    def _change(self, order: SimOrder, change: Change, exits: Exits, *, is_late: bool) -> None:
        venue, now = self._venue, self._venue.clock.now_ms()
        present = venue.exchange.registry.get(order.symbol, order.order_id) or order
        notes = venue.notes.of(present)
        before, notes.exits = notes.exits, exits
        try:
            if change == Change():
                venue.exchange.touch(present, now)
            else:
                venue.exchange.change(present, change, now)
        except Refusal as refusal:
            notes.exits = before
            if refusal.reason is Reason.WOULD_TAKE:
                venue.notes.of(present).reject_reason = "EC_PostOnlyWillTakeLiquidity"
                venue.notes.of(present).cancel_type = "UNKNOWN"
                venue.exchange.cancel(present, now)
            elif not is_late:
                raise errors.of_refusal(refusal, order.side) from refusal

    def cancel(self, order: SimOrder, cancel_type: str = "CancelByUser") -> None:
        """Acknowledge the cancel of an open order."""
        self._later(lambda: self._cancel(order, cancel_type))

    def _cancel(self, order: SimOrder, cancel_type: str) -> None:
        venue = self._venue
        present = venue.exchange.registry.get(order.symbol, order.order_id) or order
        if not present.is_open:
            # The other order of its pair has taken it along.
            if present.status is not OrderStatus.CANCELED:
                self._lost_cancel(present)
            return
        venue.notes.of(present).cancel_type = cancel_type
        venue.exchange.cancel(present, venue.clock.now_ms())

    def withdraw(self, key: tuple[str, int]) -> None:
        """Acknowledge the cancel of an order that has not reached the book."""
        self._withdrawn.add(key)

    def cancel_all(self, account: str, cancel_type: str = "CancelByUser") -> None:
        """Cancel everything that an account has open."""
        for order in self._venue.exchange.registry.open_orders(account):
            self._cancel(order, cancel_type)

    # --- finding ----------------------------------------------------------------------------------------------------

    def find(
        self, account: str, symbol: str, order_id: str, link_id: str, registry: OrderRegistry | None = None
    ) -> SimOrder | None:
        """The account's order with an id, or else with a client id; in ``registry``, or where commands find it."""
        registry = registry or self._venue.exchange.registry
        if not order_id:
            return registry.find(account, symbol, link_id)
        key = self._venue.ids.read_order(order_id)
        order = None if key is None else registry.get(*key)
        return order if order is not None and order.account == account and order.symbol == symbol else None

    def find_pending(self, account: str, order_id: str, link_id: str) -> tuple[str, int] | None:
        """The key of an order that was acknowledged and has not reached the book."""
        wanted = self._venue.ids.read_order(order_id) if order_id else None
        for key, (owner, request) in self._pending.items():
            is_named = key == wanted if order_id else request.client_order_id == link_id
            if owner == account and is_named and key not in self._withdrawn:
                return key
        return None

    def _later(self, job: Callable[[], None]) -> None:
        if self._switches.match_delay_s > 0:
            asyncio.get_running_loop().call_later(self._switches.match_delay_s, job)
        else:
            job()
