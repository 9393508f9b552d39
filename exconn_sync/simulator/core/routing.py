"""Smart order routing: one order takes the best prices of several books of one base asset (Binance: 5.10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from exconn_sync.simulator.core.book import Match, Step
from exconn_sync.simulator.core.events import Execution
from exconn_sync.simulator.core.markets import HOUSE, Market
from exconn_sync.simulator.core.matching import Matcher, cost, price_bounds
from exconn_sync.simulator.core.orders import ExpiryReason, Floor, Side, SimOrder, TimeInForce
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.reference import ReferencePrices
from exconn_sync.simulator.core.settlement import MatchTerms, lock_amount
from exconn_sync.simulator.core.symbols import ZERO, SymbolStatus


@dataclass(frozen=True, slots=True)
class Leg:
    """What is taken of one level of one book."""

    source: Market
    price: Decimal
    steps: list[Step]


@dataclass(frozen=True, slots=True)
class Route:
    """What an order would do, level by level, and whether it would then trade outside of the allowed prices."""

    legs: list[Leg]
    leaves_range: bool = False

    @property
    def traded(self) -> Decimal:
        """The quantity that would trade."""
        steps = (step for leg in self.legs for step in leg.steps)
        return sum((step.quantity for step in steps if isinstance(step, Match)), ZERO)


class Router:
    """Takes from several books for one order.

    On each book the venue itself is the taker. It hands over what it got as an allocation, one a level, in the quote
    asset of the order's own symbol, at the price it paid: the quote assets of a pool count as equal. So the venue's own
    account gains one of them and owes another, and no money is made or lost.
    """

    def __init__(
        self, records: Records, matcher: Matcher, references: ReferencePrices, markets: Mapping[str, Market]
    ) -> None:
        self._records = records
        self._matcher = matcher
        self._references = references
        self._markets = markets
        self._pools: dict[str, tuple[str, ...]] = {}

    @property
    def pools(self) -> Mapping[str, tuple[str, ...]]:
        """The symbols that are routed together, by base asset; none in the beginning."""
        return self._pools

    def open(self, symbols: Iterable[str]) -> None:
        """Route these symbols together; ValueError where they do not fit. What there was for their asset is replaced.

        They share base asset, tick and step, so that every amount stays exact whichever book it comes from.
        """
        names = tuple(dict.fromkeys(symbols))
        unknown = [name for name in names if name not in self._markets]
        if unknown or not names:
            raise ValueError(f"a pool is of known symbols, not of {unknown or 'none'}")
        specs = [self._markets[name].spec for name in names]
        if len({(spec.base, spec.tick, spec.step) for spec in specs}) > 1:
            raise ValueError(f"{', '.join(names)} do not share base asset, tick and step")
        self._pools[specs[0].base] = names

    def close(self) -> None:
        """Route nothing any more."""
        self._pools.clear()

    def serves(self, symbol: str) -> bool:
        """Whether orders of a symbol can be routed."""
        return any(symbol in names for names in self._pools.values())

    def places(self, market: Market) -> list[Market]:
        """The books that an order of a market may take from, its own first; one that does not trade is left out."""
        others = [self._markets[name] for name in self._pools.get(market.spec.base, ()) if name != market.spec.name]
        return [market, *(other for other in others if other.spec.status is SymbolStatus.TRADING)]

    def work(self, market: Market, order: SimOrder, now: int) -> SimOrder:
        """Accept an order, take what the books have for it, and let the rest of it rest or end; or refuse it."""
        route = self._plan(market, order)
        if order.limit is not None or order.side is Side.SELL:
            amount = lock_amount(order, order.limit or ZERO)
        else:
            amount = sum((cost(leg.steps) for leg in route.legs), ZERO)
        order = self._records.lock(market, order, amount)
        rests_at_once = not route.legs and order.limit is not None and order.time_in_force is TimeInForce.GTC
        floor = Floor.EXCHANGE if rests_at_once else Floor.SOR
        order = replace(order, order_id=self._records.registry.new_id(order.symbol), working_at=now, floor=floor)
        self._records.record(Execution.NEW, order, now)
        return self._execute(market, order, route, now)

    def _plan(self, market: Market, order: SimOrder) -> Route:
        bounds = price_bounds(market.spec.price_range, order.side, self._references.price(order.symbol))
        legs: list[Leg] = []
        left = order.remaining
        for price, source in self._levels(market, order):
            if left == ZERO:
                break
            if not bounds.allows(price):
                return Route(legs, leaves_range=True)
            judge = self._matcher.judge_of(source, order)
            steps, left = source.book.plan_at(order.side, price, left, judge)
            legs.append(Leg(source, price, steps))
        return Route(legs)

    def _levels(self, market: Market, order: SimOrder) -> list[tuple[Decimal, Market]]:
        """Every level that the order accepts, best first, at the same price that of its own book first."""
        is_buy, limit = order.side is Side.BUY, order.limit
        levels = [
            (price, source)
            for source in self.places(market)
            for price, _ in source.book.levels(order.side.opposite)
            if limit is None or (price <= limit if is_buy else price >= limit)
        ]
        return sorted(levels, key=lambda level: level[0] if is_buy else -level[0])

    def _execute(self, market: Market, order: SimOrder, route: Route, now: int) -> SimOrder:
        if order.time_in_force is TimeInForce.FOK and route.traded < order.remaining:
            reason = ExpiryReason.PRICE_RANGE if route.leaves_range else ExpiryReason.UNFILLED_FOK
            return self._records.expire(market, order, reason, now)
        for leg in route.legs:
            leg.source.book.apply(order.side, leg.steps)
            order = self._take(market, order, leg, now)
        if route.leaves_range or order.limit is None or order.time_in_force is not TimeInForce.GTC:
            return self._matcher.rest_or_expire(market, order, now, leaves_range=route.leaves_range)
        if order.is_open:
            order = replace(order, floor=Floor.EXCHANGE)
            self._records.registry.put(order)
        return self._matcher.rest_or_expire(market, order, now)

    def _take(self, market: Market, order: SimOrder, leg: Leg, now: int) -> SimOrder:
        taken = ZERO
        for step in leg.steps:
            if isinstance(step, Match):
                self._matcher.meet(leg.source, order.side, step, now)
                taken += step.quantity
                continue
            # What was taken before belongs to the order before it loses what comes next.
            order = self._allocate(market, order, leg, taken, now)
            order = self._matcher.prevent(market, order, step, now, leg.source)
            taken = ZERO
        return self._allocate(market, order, leg, taken, now)

    def _allocate(self, market: Market, order: SimOrder, leg: Leg, quantity: Decimal, now: int) -> SimOrder:
        if quantity == ZERO:
            return order
        # The base asset only passes through; what the venue's account keeps is the difference of the quotes.
        house, amount = self._records.account(HOUSE), leg.price * quantity
        paid, got = leg.source.spec.quote, market.spec.quote
        if order.side is Side.SELL:
            paid, got = got, paid
        house.spend(paid, amount)
        house.deposit(got, amount)
        allocation = market.next_allocation_id
        market.next_allocation_id += 1
        terms = MatchTerms(-1, leg.price, quantity, now, is_maker=False, allocation_id=allocation)
        return self._matcher.fill(market, order, terms)
