"""Making an open order smaller without losing its place in the line (Binance: 5.7)."""

from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.events import Execution
from exconn_sync.simulator.core.filters import failed_quantity_filter
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.orders import Amendment, OrderStatus, SimOrder
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.settlement import lock_amount
from exconn_sync.simulator.core.symbols import ZERO


class Amender:
    """Checks and executes amendments; a refused one changes nothing."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def amend(
        self,
        market: Market,
        order: SimOrder,
        quantity: Decimal,
        client_order_id: str,
        now: int,
        partner: SimOrder | None = None,
    ) -> SimOrder:
        """Reduce the quantity. An order of which nothing is left open then expires.

        ``partner`` is the other order of a pair: if it is open it becomes as small, and keeps its client id.
        """
        orders = [order] if partner is None or not partner.is_open else [order, partner]
        for each in orders:
            _refuse(market, each, quantity)
        amended = [
            self._reduce(market, each, quantity, client_order_id if each is order else each.client_order_id, now)
            for each in orders
        ]
        return amended[0]

    def _reduce(self, market: Market, order: SimOrder, quantity: Decimal, client_order_id: str, now: int) -> SimOrder:
        taken_off = order.quantity - quantity
        left = order.remaining - taken_off
        amended = replace(order, quantity=quantity)
        if order.working_at is not None:
            market.book.reduce(order.order_id, order.side, order.resting_price, taken_off)
            amended = self._records.lock(market, amended, lock_amount(amended, order.resting_price))
        else:
            # What waits has set aside an estimate, its part of a pair's, or nothing yet: so much for each unit.
            amended = self._records.lock(market, amended, order.locked / order.remaining * left)
        amended = replace(
            amended,
            amendments=order.amendments + 1,
            client_order_id=client_order_id or order.client_order_id,
            original_client_order_id=order.client_order_id,
            updated_at=now,
        )
        self._records.record(Execution.REPLACED, amended, now)
        self._records.registry.add_amendment(
            Amendment(
                symbol=order.symbol,
                order_id=order.order_id,
                execution_id=self._records.execution_id,
                old_client_order_id=order.client_order_id,
                new_client_order_id=amended.client_order_id,
                old_quantity=order.quantity,
                new_quantity=quantity,
                time=now,
            )
        )
        if left == ZERO:
            amended = replace(amended, status=OrderStatus.EXPIRED)
            self._records.record(Execution.EXPIRED, amended, now)
        return amended


def _refuse(market: Market, order: SimOrder, quantity: Decimal) -> None:
    if not order.is_open:
        raise Refusal(Reason.UNKNOWN_ORDER)
    if quantity == order.quantity:
        raise Refusal(Reason.NO_CHANGE)
    if quantity > order.quantity:
        raise Refusal(Reason.QUANTITY_INCREASE)
    if quantity < order.quantity - order.remaining:
        raise Refusal(Reason.NOTHING_LEFT)
    if order.amendments >= market.spec.max_amendments:
        raise Refusal(Reason.TOO_MANY_AMENDMENTS)
    failed = failed_quantity_filter(market.spec, order.type, quantity, order.limit or market.last_price)
    if failed is not None:
        raise Refusal(Reason.FILTER, failed)
