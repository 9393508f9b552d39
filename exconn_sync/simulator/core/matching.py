"""An order meets the book: it trades, then rests or ends."""

from decimal import Decimal

from exconn_sync.simulator.core.book import Match
from exconn_sync.simulator.core.events import Execution, PublicTrade
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.orders import ExpiryReason, Side, SimOrder, TimeInForce
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.settlement import MatchTerms, lock_amount, settle
from exconn_sync.simulator.core.symbols import ZERO


class Matcher:
    """Works in two steps: what would trade is planned first, so that an order can be refused without any effect."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def plan(self, market: Market, order: SimOrder) -> list[Match]:
        """What the order would trade now."""
        return market.book.plan(order.side, order.limit, order.remaining)

    def lock(self, market: Market, order: SimOrder, plan: list[Match]) -> SimOrder:
        """Set aside what the order may need: up to its limit, or what the planned matches cost; or refuse."""
        if order.limit is not None or order.side is Side.SELL:
            amount = lock_amount(order, order.price)
        else:
            amount = sum((match.price * match.quantity for match in plan), ZERO)
        return self._records.lock(market, order, amount)

    def execute(self, market: Market, order: SimOrder, plan: list[Match], now: int) -> SimOrder:
        """Do what was planned, then let the order rest or end."""
        if order.time_in_force is TimeInForce.FOK and _quantity(plan) < order.remaining:
            return self._records.expire(market, order, ExpiryReason.UNFILLED_FOK, now)
        market.book.apply(order.side, plan)
        for match in plan:
            order = self._trade(market, order, match, now)
        return self._rest_or_expire(market, order, now)

    def _trade(self, market: Market, taker: SimOrder, match: Match, now: int) -> SimOrder:
        maker = self._records.order(taker.symbol, match.order_id)
        trade_id = market.next_trade_id
        market.next_trade_id += 1
        market.last_price = match.price
        trade = PublicTrade(
            taker.symbol, trade_id, match.price, match.quantity, now, buyer_is_maker=taker.side is Side.SELL
        )
        market.trades.append(trade)
        self._records.emit(trade)
        self._fill(market, maker, MatchTerms(trade_id, match.price, match.quantity, now, is_maker=True))
        return self._fill(market, taker, MatchTerms(trade_id, match.price, match.quantity, now, is_maker=False))

    def _fill(self, market: Market, order: SimOrder, terms: MatchTerms) -> SimOrder:
        records = self._records
        order, fill = settle(market.spec, records.account(order.account), order, records.fees, terms)
        records.registry.add_fill(fill)
        records.record(Execution.TRADE, order, terms.time, fill)
        return order

    def _rest_or_expire(self, market: Market, order: SimOrder, now: int) -> SimOrder:
        if not order.is_open:
            return order
        if order.limit is None:
            return self._records.expire(market, order, ExpiryReason.NO_LIQUIDITY, now)
        if order.time_in_force is TimeInForce.IOC:
            return self._records.expire(market, order, ExpiryReason.UNFILLED_IOC, now)
        market.book.add(order.order_id, order.side, order.price, order.remaining)
        return order


def _quantity(plan: list[Match]) -> Decimal:
    return sum((match.quantity for match in plan), ZERO)
