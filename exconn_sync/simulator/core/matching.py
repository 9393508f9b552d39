"""An order meets the book: it trades, then rests or ends."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.book import Bounds, Judge, Match, Plan, Prevented, Step
from exconn_sync.simulator.core.events import Execution, PublicTrade
from exconn_sync.simulator.core.markets import Market
from exconn_sync.simulator.core.orders import (
    ExpiryReason,
    OrderStatus,
    OrderType,
    PreventedMatch,
    PreventionMode,
    Side,
    SimOrder,
    TimeInForce,
)
from exconn_sync.simulator.core.pegs import pegged_price
from exconn_sync.simulator.core.prevention import Verdict, are_one, judge
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.reference import ReferencePrices
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.settlement import MatchTerms, lock_amount, move, settle
from exconn_sync.simulator.core.symbols import ZERO, PriceRange


class Matcher:
    """Works in two steps: what would happen is planned first, so that an order can be refused without any effect."""

    def __init__(self, records: Records, references: ReferencePrices) -> None:
        self._records = records
        self._references = references

    def plan(self, market: Market, order: SimOrder, quantity: Decimal | None = None) -> Plan:
        """What the order would do now, with its own or another quantity."""
        wanted = order.remaining if quantity is None else quantity
        bounds = price_bounds(market.spec.price_range, order.side, self._references.price(order.symbol))
        return market.book.plan(order.side, order.limit, wanted, self.judge_of(market, order), bounds)

    def judge_of(self, market: Market, order: SimOrder) -> Judge:
        """Who decides whether the order may trade with what rests on a book."""
        if order.prevention is PreventionMode.NONE:
            return lambda *_: None

        def verdict(maker_id: int, taker_left: Decimal) -> Verdict | None:
            maker = self._records.order(market.spec.name, maker_id)
            accounts = self._records.accounts
            if not are_one(accounts[maker.account], accounts[order.account]):
                return None
            found = judge(order.prevention, taker_left, maker)
            # Orders of two symbols give different quote assets, which cannot just change hands.
            return found if maker.symbol == order.symbol else replace(found, moves=False)

        return verdict

    def quantity_for(self, market: Market, order: SimOrder, amount: Decimal) -> Decimal:
        """How much a market order trades for an amount of the quote asset, in whole steps."""
        quantity = ZERO
        for step in self.plan(market, order, market.book.total(order.side.opposite)).steps:
            if isinstance(step, Prevented) and step.verdict.taker_loses == ZERO:
                continue
            available = step.quantity if isinstance(step, Match) else step.verdict.quantity
            if amount / step.price <= available:
                quantity += amount / step.price
                break
            quantity += available
            amount -= available * step.price
        return min(quantity, market.spec.max_market_quantity) // market.spec.step * market.spec.step

    def prepare(self, market: Market, order: SimOrder) -> tuple[SimOrder, Plan]:
        """Give an order its price and what it needs, and plan what it will do; or refuse it without any effect."""
        if order.peg is not None:
            order = replace(order, pegged_price=pegged_price(market.book, order.side, order.peg))
            if order.limit is None:
                raise Refusal(Reason.NO_PEG)
        plan = self.plan(market, order)
        if order.type is OrderType.LIMIT_MAKER and (plan.steps or plan.leaves_range):
            raise Refusal(Reason.WOULD_TAKE)
        return self.lock(market, order, plan), plan

    def lock(self, market: Market, order: SimOrder, plan: Plan) -> SimOrder:
        """Set aside what the order may need: up to its limit, or what the planned matches cost; or refuse."""
        if order.limit is not None or order.side is Side.SELL:
            amount = lock_amount(order, order.limit or ZERO)
        else:
            amount = cost(plan.steps)
        return self._records.lock(market, order, amount)

    def execute(self, market: Market, order: SimOrder, plan: Plan, now: int) -> SimOrder:
        """Do what was planned, then let the order rest or end."""
        if order.time_in_force is TimeInForce.FOK and plan.traded < order.remaining:
            reason = ExpiryReason.PRICE_RANGE if plan.leaves_range else ExpiryReason.UNFILLED_FOK
            return self._records.expire(market, order, reason, now)
        market.book.apply(order.side, plan.steps)
        for step in plan.steps:
            if isinstance(step, Match):
                order = self.fill(market, order, self.meet(market, order.side, step, now))
            else:
                order = self.prevent(market, order, step, now, market)
        return self.rest_or_expire(market, order, now, leaves_range=plan.leaves_range)

    def meet(self, market: Market, taker: Side, match: Match, now: int) -> MatchTerms:
        """Let a resting order trade and tell everybody; what the trade is to its taker."""
        maker = self._records.order(market.spec.name, match.order_id)
        trade_id = market.next_trade_id
        market.next_trade_id += 1
        market.last_price = match.price
        trade = PublicTrade(
            market.spec.name, trade_id, match.price, match.quantity, now, buyer_is_maker=taker is Side.SELL
        )
        market.trades.append(trade)
        self._records.emit(trade)
        self.fill(market, maker, MatchTerms(trade_id, match.price, match.quantity, now, is_maker=True))
        return MatchTerms(trade_id, match.price, match.quantity, now, is_maker=False)

    def fill(self, market: Market, order: SimOrder, terms: MatchTerms) -> SimOrder:
        """Settle one side of a trade and tell it; the order after it."""
        records = self._records
        order, fill = settle(market.spec, records.account(order.account), order, records.fees, terms)
        records.registry.add_fill(fill)
        records.record(Execution.TRADE, order, terms.time, fill)
        return order

    def prevent(self, market: Market, taker: SimOrder, step: Prevented, now: int, source: Market) -> SimOrder:
        """Do what happens instead of a trade with an order on the book of ``source``; the taker after it."""
        records, verdict = self._records, step.verdict
        maker = records.order(source.spec.name, step.order_id)
        taker_account, maker_account = records.account(taker.account), records.account(maker.account)
        match = PreventedMatch(
            match_id=market.next_prevented_id,
            symbol=taker.symbol,
            maker_symbol=maker.symbol,
            taker_order_id=taker.order_id,
            maker_order_id=maker.order_id,
            accounts=frozenset({taker.account, maker.account}),
            trade_group=taker_account.trade_group,
            mode=taker.prevention,
            price=step.price,
            quantity=verdict.quantity,
            taker_prevented=verdict.taker_loses,
            maker_prevented=verdict.maker_loses,
            time=now,
        )
        market.next_prevented_id += 1
        records.registry.add_prevented(match)
        if verdict.moves and taker_account is not maker_account:
            maker = move(market.spec, maker_account, taker_account, maker, step.price, verdict.quantity)
            taker = move(market.spec, taker_account, maker_account, taker, step.price, verdict.quantity)
        self._lose(source, maker, match, verdict.maker_loses)
        return self._lose(market, taker, match, verdict.taker_loses)

    def _lose(self, market: Market, order: SimOrder, match: PreventedMatch, quantity: Decimal) -> SimOrder:
        if quantity == ZERO:
            return order
        order = replace(
            order,
            prevented_quantity=order.prevented_quantity + quantity,
            prevented_match_id=match.match_id,
            status=OrderStatus.EXPIRED_IN_MATCH if order.remaining == quantity else order.status,
            updated_at=match.time,
        )
        order = self._records.free(market, order)
        self._records.record(Execution.TRADE_PREVENTION, order, match.time, prevented=match)
        return order

    def rest_or_expire(self, market: Market, order: SimOrder, now: int, *, leaves_range: bool = False) -> SimOrder:
        """Let what is left of an order rest on the book, or end it; the order after it."""
        if not order.is_open:
            return order
        if leaves_range:
            return self._records.expire(market, order, ExpiryReason.PRICE_RANGE, now)
        if not order.type.has_limit or order.limit is None:
            return self._records.expire(market, order, ExpiryReason.NO_LIQUIDITY, now)
        if order.time_in_force is TimeInForce.IOC:
            return self._records.expire(market, order, ExpiryReason.UNFILLED_IOC, now)
        market.book.add(order.order_id, order.side, order.limit, order.remaining, order.iceberg_quantity)
        return order


def price_bounds(rule: PriceRange | None, side: Side, reference: Decimal | None) -> Bounds:
    """Between which prices an order may trade now; without the rule or the reference price, anywhere."""
    if rule is None or reference is None:
        return Bounds()
    down, up = (rule.bid_down, rule.bid_up) if side is Side.BUY else (rule.ask_down, rule.ask_up)
    return Bounds(None if down is None else reference * down, None if up is None else reference * up)


def cost(steps: Iterable[Step]) -> Decimal:
    """What a buyer pays for these steps."""
    return sum((_cost(step) for step in steps), ZERO)


def _cost(step: Step) -> Decimal:
    if isinstance(step, Match):
        return step.price * step.quantity
    return step.price * step.verdict.quantity if step.verdict.moves else ZERO
