"""The venue: several books, several accounts, and the commands that change them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account, InsufficientFunds
from exconn_sync.simulator.core.amending import Amender
from exconn_sync.simulator.core.census import (
    Census,
    exceeds_asset_limit,
    exceeds_position,
    failed_count,
    failed_exchange_count,
)
from exconn_sync.simulator.core.changing import Changer
from exconn_sync.simulator.core.commission import FeePot, FeeRates
from exconn_sync.simulator.core.contingencies import Contingencies
from exconn_sync.simulator.core.conversion import worth
from exconn_sync.simulator.core.events import (
    Deposited,
    Execution,
    ListChange,
    LockedOutside,
    PublicTrade,
    TradeBurst,
)
from exconn_sync.simulator.core.filters import failed_filter
from exconn_sync.simulator.core.list_placing import ListPlacing, PlacedList
from exconn_sync.simulator.core.markets import HOUSE, REMEMBERED_TRADES, Market
from exconn_sync.simulator.core.matching import Matcher
from exconn_sync.simulator.core.order_lists import NewOrderList, SimOrderList
from exconn_sync.simulator.core.orders import Change, ExpiryReason, NewOrder, OrderStatus, SimOrder
from exconn_sync.simulator.core.pairs import Pairs
from exconn_sync.simulator.core.pegs import pegged_price
from exconn_sync.simulator.core.read_side import ReadSide
from exconn_sync.simulator.core.records import Records
from exconn_sync.simulator.core.reference import ReferencePrices
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.routing import Router
from exconn_sync.simulator.core.stops import Stops
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, ZERO, ExchangeRules, SymbolSpec, SymbolStatus

__all__ = ["HOUSE", "Exchange", "Market"]


class Exchange:
    """Matches orders and keeps balances. It is told the time; listeners hear every event in order."""

    def __init__(self, symbols: Iterable[SymbolSpec] = DEFAULT_SYMBOLS, rates: FeeRates | None = None) -> None:
        self._records = Records(FeePot(rates or FeeRates(), self._worth))
        self.listeners = self._records.listeners
        self.accounts = self._records.accounts
        self.fees = self._records.fees
        self.registry = self._records.registry
        self.reads = ReadSide(self.registry)
        self.lists = self._records.lists
        self.markets = {spec.name: Market(spec, self._records.emit) for spec in symbols}
        self.references = ReferencePrices()
        self.rules = ExchangeRules()
        self._matcher = Matcher(self._records, self.references)
        self.router = Router(self._records, self._matcher, self.references, self.markets)
        self._amender = Amender(self._records)
        self._changer = Changer(self._records, self._matcher)
        self._stops = Stops(self._records, self._matcher, self.markets, self.average_price)
        pairs = Pairs(self._records, self._matcher)
        self._contingencies = Contingencies(
            self._records, self._matcher, self._stops, pairs, self.markets, self.average_price
        )
        self._list_placing = ListPlacing(self._records, self._matcher, pairs, self._contingencies, self._draft)
        self._locked_outside: defaultdict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)

    def add_account(self, name: str) -> Account:
        """Open an empty account."""
        return self.accounts.setdefault(name, Account(name))

    def deposit(self, account: str, asset: str, amount: Decimal, now: int) -> None:
        """Give an account an amount from outside the venue."""
        self.accounts[account].deposit(asset, amount)
        self._records.emit(Deposited(account, asset, amount, now))
        self._records.tell_balances([account], now)

    def lock_outside(self, account: str, asset: str, amount: Decimal, now: int) -> None:
        """Lock an amount for something outside the markets, such as a collateral; a negative one is released."""
        locked = self._locked_outside[account, asset]
        if amount > 0:
            self.accounts[account].lock(asset, amount)
        elif -amount <= locked:
            self.accounts[account].release(asset, -amount)
        else:
            raise InsufficientFunds(f"only {locked} {asset} of {account} are locked from outside")
        self._locked_outside[account, asset] = locked + amount
        self._records.emit(LockedOutside(account, asset, amount, now))
        self._records.tell_balances([account], now)

    def total(self, asset: str) -> Decimal:
        """Everything the venue holds of an asset: all balances and all collected fees."""
        held = sum((account.balance(asset).total for account in self.accounts.values()), ZERO)
        return held + self.fees.collected[asset]

    def market(self, symbol: str) -> Market:
        """The market of a symbol, or a refusal."""
        found = self.markets.get(symbol)
        if found is None:
            raise Refusal(Reason.UNKNOWN_SYMBOL, symbol)
        return found

    def average_price(self, market: Market, now: int) -> Decimal:
        """The price to which filters compare others: the reference price where there is one."""
        reference = self.references.price(market.spec.name)
        return market.average_price(now) if reference is None else reference

    def check(self, account: str, order: NewOrder, now: int) -> None:
        """Refuse an order which does not pass the filters, or any while the symbol does not trade."""
        market = self.market(order.symbol)
        self._refuse_closed(market)
        if order.is_routed and not self.router.serves(order.symbol):
            raise Refusal(Reason.NOT_ROUTED, order.symbol)
        self._refuse_unfit(market, account, (order,), Census.of_new(order), now)
        if order.peg is None or order.type.is_stop:
            return
        if pegged_price(market.book, order.side, order.peg) is None:
            raise Refusal(Reason.NO_PEG)

    def check_list(self, account: str, request: NewOrderList, now: int) -> None:
        """Refuse an order list of which an order does not pass the filters, or any while the symbol does not trade."""
        market = self.market(request.symbol)
        self._refuse_closed(market)
        self._refuse_unfit(market, account, request.legs, Census.of_list(request.legs), now)

    def place(self, account: str, request: NewOrder, now: int, order_id: int = 0) -> SimOrder:
        """Accept an order, match it, and return it as it stands afterwards; or refuse it without any effect.

        ``order_id`` is one that the registry has given away for this order before; without it the order gets the next.
        """
        market = self.market(request.symbol)
        self._refuse_closed(market)
        if account != HOUSE:
            self.check(account, request, now)
            self._refuse_duplicate(account, request)
        order = replace(self._draft(market, account, request, now), order_id=order_id)
        if request.type.is_stop:
            order = self._wait(market, order, now)
        elif request.is_routed:
            order = self.router.work(market, order, now)
        else:
            order = self._work(market, order, now)
        self._run(now)
        for touched in self.router.places(market) if request.is_routed else [market]:
            self._records.end_command(touched, now)
        # What it fired may have changed it once more.
        return self.registry.get(order.symbol, order.order_id) or order

    def cancel(self, order: SimOrder, now: int, client_order_id: str = "") -> SimOrder:
        """End an open order; a client id given for the cancel replaces the order's own."""
        if not order.is_open:
            raise Refusal(Reason.UNKNOWN_ORDER)
        if order.list_id is not None:
            self.cancel_list(self._contingencies.list_of(order), now, client_order_id)
            return self._records.order(order.symbol, order.order_id)
        market = self.market(order.symbol)
        canceled = self._records.cancel(market, order, client_order_id, now)
        self._records.end_command(market, now)
        return canceled

    def expire(self, order: SimOrder, now: int) -> SimOrder:
        """End an open order on the venue's own account, with what follows from that for its list."""
        if not order.is_open:
            raise Refusal(Reason.UNKNOWN_ORDER)
        market = self.market(order.symbol)
        market.withdraw(order)
        expired = self._records.expire(market, order, ExpiryReason.BY_VENUE, now)
        self._run(now)
        self._records.end_command(market, now)
        return expired

    def place_list(self, account: str, request: NewOrderList, now: int, order_ids: Sequence[int] = ()) -> PlacedList:
        """Accept an order list and let its orders do what they do at once; or refuse it without any effect.

        ``order_ids`` are some that the registry has given away for its orders before.
        """
        self.check_list(account, request, now)
        market = self.market(request.symbol)
        placed = self._list_placing.place(market, account, request, now, order_ids)
        self._run(now)
        self._records.end_command(market, now)
        return placed

    def cancel_list(
        self, order_list: SimOrderList, now: int, client_order_id: str = "", client_list_id: str = ""
    ) -> SimOrderList:
        """End an order list with all of its orders that are open; the ids given for the cancel replace their own."""
        market = self.market(order_list.symbol)
        done = self._contingencies.cancel(order_list, now, client_order_id, client_list_id)
        self._records.end_command(market, now)
        return done

    def list_of(self, order: SimOrder) -> SimOrderList:
        """The list of which an order is a part; LookupError for one that stands alone."""
        return self._contingencies.list_of(order)

    def orders_of(self, order_list: SimOrderList) -> tuple[SimOrder, ...]:
        """The orders of a list as they stand."""
        return self._contingencies.orders(order_list)

    def conclude(self, account: str, request: NewOrder, status: OrderStatus, now: int, order_id: int) -> SimOrder:
        """Remember an order that was taken in and ends without having worked, with a status that is not open."""
        market = self.market(request.symbol)
        order = self._bare(account, request, now)
        order = replace(order, order_id=order_id, status=status)
        self._records.record(Execution[status.name], order, now)
        self._records.end_command(market, now)
        return order

    def change(self, order: SimOrder, change: Change, now: int) -> SimOrder:
        """Give an open order other terms; it keeps its id, and its place only where it becomes no more than smaller.

        Another price may let it trade at once. Raises Refusal without any effect.
        """
        market = self.market(order.symbol)
        changed = self._changer.change(market, order, change, self.average_price(market, now), now)
        self._run(now)
        self._records.end_command(market, now)
        return self.registry.get(order.symbol, order.order_id) or changed

    def touch(self, order: SimOrder, now: int) -> SimOrder:
        """Tell an open order once more: something of it has changed that matters to others only."""
        if not order.is_open:
            raise Refusal(Reason.UNKNOWN_ORDER)
        touched = replace(order, updated_at=now)
        self._records.record(Execution.REPLACED, touched, now)
        self._records.end_command(self.market(order.symbol), now)
        return touched

    def amend(self, order: SimOrder, quantity: Decimal, now: int, client_order_id: str = "") -> SimOrder:
        """Make an open order smaller; it keeps its place, and gets another client id when one is given.

        Both orders of a pair become smaller (Binance: 5.7).
        """
        market = self.market(order.symbol)
        if order.list_id is None:
            amended = self._amender.amend(market, order, quantity, client_order_id, now)
        else:
            order_list = self._contingencies.list_of(order)
            if order.is_pending and order_list.kind.sells_received:
                raise Refusal(Reason.PENDING_AMOUNT)
            partner = self._contingencies.legs(order_list).partner(order)
            amended = self._amender.amend(market, order, quantity, client_order_id, now, partner)
            if amended.client_order_id != order.client_order_id:
                self._contingencies.tell(ListChange.RENAMED, order_list, now)
            self._run(now)
        self._records.end_command(market, now)
        return amended

    def burst(self, symbol: str, count: int, now: int) -> TradeBurst:
        """Let the house trade with itself that many times, at the last price: the book and all balances stay."""
        market = self.market(symbol)
        burst = TradeBurst(symbol, market.next_trade_id, count, market.last_price, market.spec.min_quantity, now)
        market.next_trade_id += count
        for trade_id in range(market.next_trade_id - min(count, REMEMBERED_TRADES), market.next_trade_id):
            market.trades.append(PublicTrade(symbol, trade_id, burst.price, burst.quantity, now, buyer_is_maker=False))
        self._records.emit(burst)
        return burst

    def _worth(self, source: str, target: str) -> Decimal | None:
        return worth(self.markets.values(), source, target)

    def _run(self, now: int) -> None:
        """Do what follows from what has happened: for other orders of a list, and for stop orders that fired."""
        while True:
            self._contingencies.run(now)
            fired = self._stops.next_fired()
            if fired is None:
                return
            self._contingencies.make_way(fired, now)
            self._stops.activate(fired, now)

    def _refuse_unfit(self, market: Market, account: str, orders: Sequence[NewOrder], added: Census, now: int) -> None:
        spec, average = market.spec, self.average_price(market, now)
        everywhere = self.registry.open_orders(account)
        here = [other for other in everywhere if other.symbol == spec.name]
        held = self.accounts[account].balance(spec.base).total
        for order in orders:
            pegged = None if order.peg is None else pegged_price(market.book, order.side, order.peg)
            failed, price = failed_filter(spec, order, average, pegged), order.price or average
            if failed is None and exceeds_position(spec, order, price, held, here):
                failed = "MAX_POSITION"
            if failed is None and exceeds_asset_limit(self.rules, spec, order, price):
                failed = "MAX_ASSET"
            if failed is not None:
                raise Refusal(Reason.FILTER, failed)
        failed = failed_count(spec, added, Census.of(here)) or failed_exchange_count(
            self.rules, added, Census.of(everywhere)
        )
        if failed is not None:
            raise Refusal(Reason.FILTER, failed)
        for order in orders:
            if order.iceberg_quantity and order.quantity is not None and order.iceberg_quantity > order.quantity:
                raise Refusal(Reason.ICEBERG_TOO_LARGE)

    @staticmethod
    def _refuse_closed(market: Market) -> None:
        if market.spec.status is not SymbolStatus.TRADING:
            raise Refusal(Reason.MARKET_CLOSED, market.spec.status.value)

    def _refuse_duplicate(self, account: str, request: NewOrder) -> None:
        known = self.registry.find(account, request.symbol, request.client_order_id)
        if known is not None and known.is_open:
            raise Refusal(Reason.DUPLICATE_CLIENT_ID, request.client_order_id)

    @staticmethod
    def _bare(account: str, request: NewOrder, now: int) -> SimOrder:
        return SimOrder(
            order_id=0,
            account=account,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            client_order_id=request.client_order_id,
            quantity=request.quantity or ZERO,
            price=request.price or ZERO,
            quote_quantity=request.quote_quantity or ZERO,
            created_at=now,
            updated_at=now,
            stop_price=request.stop_price or ZERO,
            trailing_delta=request.trailing_delta,
            strategy_id=request.strategy_id,
            strategy_type=request.strategy_type,
            prevention=request.prevention,
            iceberg_quantity=request.iceberg_quantity or ZERO,
            peg=request.peg,
            holds_funds=request.holds_funds,
            worst_price=request.worst_price,
        )

    def _draft(self, market: Market, account: str, request: NewOrder, now: int) -> SimOrder:
        order = self._bare(account, request, now)
        if request.quote_quantity is None:
            return order
        quantity = self._matcher.quantity_for(market, order, order.quote_quantity)
        if quantity < market.spec.min_quantity:
            raise Refusal(Reason.NO_LIQUIDITY)
        return replace(order, quantity=quantity)

    def _work(self, market: Market, order: SimOrder, now: int) -> SimOrder:
        order, plan = self._matcher.prepare(market, order)
        order = replace(order, order_id=order.order_id or self.registry.new_id(order.symbol), working_at=now)
        self._records.record(Execution.NEW, order, now)
        return self._matcher.execute(market, order, plan, now)

    def _wait(self, market: Market, order: SimOrder, now: int) -> SimOrder:
        self._stops.refuse_triggered(market, order)
        order = self._stops.lock(market, order)
        order = replace(order, order_id=order.order_id or self.registry.new_id(order.symbol))
        market.triggers.add(order)
        self._records.record(Execution.NEW, order, now)
        return order
