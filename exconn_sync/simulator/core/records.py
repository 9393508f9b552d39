"""What all commands share: accounts, fees, the registry, and the telling of what happened."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account
from exconn_sync.simulator.core.commission import FeePot
from exconn_sync.simulator.core.events import BalanceEvent, CommandEnded, Event, Execution, Listener, OrderEvent
from exconn_sync.simulator.core.list_registry import ListRegistry
from exconn_sync.simulator.core.markets import HOUSE, Market
from exconn_sync.simulator.core.orders import ExpiryReason, Fill, OrderStatus, PreventedMatch, Side, SimOrder
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.registry import OrderRegistry
from exconn_sync.simulator.core.settlement import free, lock_asset


class Records:
    """Keeps orders and money in step: whatever ends an order also gives back what it had set aside."""

    def __init__(self, fees: FeePot) -> None:
        self.listeners: list[Listener] = []
        self.accounts = {HOUSE: Account(HOUSE)}
        self.fees = fees
        self.registry = OrderRegistry(forgetful=frozenset({HOUSE}))
        self.lists = ListRegistry()
        self.execution_id = 0
        self._touched: dict[str, None] = {}

    def account(self, name: str) -> Account:
        """An account that a command is about to change; ``end_command`` tells its balances."""
        self._touched[name] = None
        return self.accounts[name]

    def order(self, symbol: str, order_id: int) -> SimOrder:
        """An order that must be known, because it rests or waits somewhere."""
        found = self.registry.get(symbol, order_id)
        if found is None:
            raise LookupError(f"order {order_id} rests on the book of {symbol} but is not registered")
        return found

    def record(
        self,
        execution: Execution,
        order: SimOrder,
        now: int,
        fill: Fill | None = None,
        prevented: PreventedMatch | None = None,
    ) -> None:
        """Remember the newest state of an order and tell it."""
        self.registry.put(order)
        self.execution_id += 1
        self.emit(OrderEvent(execution, self.execution_id, order, fill, now, prevented))

    def lock(self, market: Market, order: SimOrder, amount: Decimal) -> SimOrder:
        """Set aside what an order may need, in place of what it had set aside; or refuse."""
        account, asset = self.account(order.account), lock_asset(market.spec, order)
        if account.balance(asset).free + order.locked < amount:
            raise Refusal(Reason.INSUFFICIENT_BALANCE, f"{order.account} needs {amount} {asset}")
        account.release(asset, order.locked)
        account.lock(asset, amount)
        return replace(order, locked=amount)

    def expire(self, market: Market, order: SimOrder, reason: ExpiryReason, now: int) -> SimOrder:
        """End an order on the venue's own account."""
        order = replace(order, status=OrderStatus.EXPIRED, expiry_reason=reason, updated_at=now)
        order = self.free(market, order)
        self.record(Execution.EXPIRED, order, now)
        return order

    def cancel(self, market: Market, order: SimOrder, client_order_id: str, now: int) -> SimOrder:
        """End an open order for its owner; a client id given for the cancel replaces the order's own."""
        market.withdraw(order)
        canceled = replace(
            order,
            status=OrderStatus.CANCELED,
            updated_at=now,
            client_order_id=client_order_id or order.client_order_id,
            original_client_order_id=order.client_order_id,
        )
        canceled = self.free(market, canceled)
        self.record(Execution.CANCELED, canceled, now)
        return canceled

    def free(self, market: Market, order: SimOrder) -> SimOrder:
        """Give back what an order has set aside and does not need."""
        return free(market.spec, self.account(order.account), order)

    def end_command(self, market: Market, now: int) -> None:
        """Tell the changed balances, and that the book is consistent again."""
        self.tell_balances(list(self._touched), now)
        top = (market.book.best(Side.BUY), market.book.best(Side.SELL))
        changed = top != market.top
        market.top = top
        self.emit(CommandEnded(market.spec.name, market.book.update_id, top[0], top[1], changed, now))

    def tell_balances(self, names: Iterable[str], now: int) -> None:
        """Tell the balances of these accounts as far as they changed."""
        for name in names:
            self._touched.pop(name, None)
            touched = self.accounts[name].take_touched()
            if touched:
                self.emit(BalanceEvent(name, touched, now))

    def emit(self, event: Event) -> None:
        """Tell the listeners."""
        for listener in self.listeners:
            listener(event)
