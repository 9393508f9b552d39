"""The venue: several books, several accounts, and the commands that change them."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from exconn_sync.simulator.core.accounts import Account, FeePot, FeeRates, InsufficientFunds
from exconn_sync.simulator.core.book import Match, OrderBook
from exconn_sync.simulator.core.events import (
    BalanceEvent,
    CommandEnded,
    Deposited,
    Event,
    Execution,
    Level,
    Listener,
    OrderEvent,
    PublicTrade,
    TradeBurst,
)
from exconn_sync.simulator.core.filters import failed_filter
from exconn_sync.simulator.core.orders import (
    ExpiryReason,
    Fill,
    NewOrder,
    OrderStatus,
    OrderType,
    Side,
    SimOrder,
    TimeInForce,
)
from exconn_sync.simulator.core.reference import ReferencePrices
from exconn_sync.simulator.core.refusals import Reason, Refusal
from exconn_sync.simulator.core.registry import OrderRegistry
from exconn_sync.simulator.core.settlement import MatchTerms, lock_for, remaining_lock, settle
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, ZERO, SymbolSpec, SymbolStatus

HOUSE = "house"
"""The account of the generated market: rich, unfiltered, and forgotten by the registry."""

_REMEMBERED_TRADES = 1000


class Market:
    """Everything the venue keeps about one symbol."""

    def __init__(self, spec: SymbolSpec, listener: Listener) -> None:
        self.spec = spec
        self.book = OrderBook(spec.name, listener)
        self.trades: deque[PublicTrade] = deque(maxlen=_REMEMBERED_TRADES)
        self.last_price = spec.start_price
        self.next_trade_id = 1
        self.top: tuple[Level | None, Level | None] = (None, None)


class Exchange:
    """Matches orders and keeps balances. It is told the time; listeners hear every event in order."""

    def __init__(self, symbols: Iterable[SymbolSpec] = DEFAULT_SYMBOLS, rates: FeeRates | None = None) -> None:
        self.listeners: list[Listener] = []
        self.markets = {spec.name: Market(spec, self._emit) for spec in symbols}
        self.accounts = {HOUSE: Account(HOUSE)}
        self.fees = FeePot(rates or FeeRates())
        self.registry = OrderRegistry(forgetful=frozenset({HOUSE}))
        self.references = ReferencePrices()
        self._execution_id = 0

    def add_account(self, name: str) -> Account:
        """Open an empty account."""
        return self.accounts.setdefault(name, Account(name))

    def deposit(self, account: str, asset: str, amount: Decimal, now: int) -> None:
        """Give an account an amount from outside the venue."""
        self.accounts[account].deposit(asset, amount)
        self._emit(Deposited(account, asset, amount, now))
        self._emit_balances([account], now)

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

    def check(self, account: str, order: NewOrder) -> None:
        """Refuse an order which does not pass the filters, or any while the symbol does not trade."""
        market = self.market(order.symbol)
        self._refuse_closed(market)
        open_orders = self.registry.count_open(account, order.symbol)
        failed = failed_filter(market.spec, order, market.last_price, open_orders)
        if failed is not None:
            raise Refusal(Reason.FILTER, failed)

    def place(self, account: str, request: NewOrder, now: int) -> SimOrder:
        """Accept an order, match it, and return it as it stands afterwards; or refuse it without any effect."""
        market = self.market(request.symbol)
        self._refuse_closed(market)
        if account != HOUSE:
            self.check(account, request)
            self._refuse_duplicate(account, request)
        order = self._draft(market, account, request, now)
        self._lock(market, order)
        order = replace(order, order_id=self.registry.new_id(order.symbol))
        self._record(Execution.NEW, order, None, now)
        touched = {account: None}
        if order.time_in_force is TimeInForce.FOK and not self._fillable(market, order):
            order = self._expire(market, order, ExpiryReason.UNFILLED_FOK, now)
        else:
            limit = None if order.type is OrderType.MARKET else order.price
            for match in market.book.take(order.side, limit, order.quantity):
                order, maker = self._trade(market, order, match, now)
                touched[maker] = None
            order = self._rest_or_expire(market, order, now)
        self._emit_balances(touched, now)
        self._end_command(market, now)
        return order

    def cancel(self, order: SimOrder, now: int, client_order_id: str = "") -> SimOrder:
        """End an open order; a client id given for the cancel replaces the order's own."""
        if not order.is_open:
            raise Refusal(Reason.UNKNOWN_ORDER)
        market = self.market(order.symbol)
        market.book.remove(order.order_id, order.side, order.price)
        self.accounts[order.account].release(*remaining_lock(market.spec, order))
        canceled = replace(
            order,
            status=OrderStatus.CANCELED,
            updated_at=now,
            client_order_id=client_order_id or order.client_order_id,
            original_client_order_id=order.client_order_id,
        )
        self._record(Execution.CANCELED, canceled, None, now)
        self._emit_balances([order.account], now)
        self._end_command(market, now)
        return canceled

    def burst(self, symbol: str, count: int, now: int) -> TradeBurst:
        """Let the house trade with itself that many times, at the last price: the book and all balances stay."""
        market = self.market(symbol)
        burst = TradeBurst(symbol, market.next_trade_id, count, market.last_price, market.spec.min_quantity, now)
        market.next_trade_id += count
        for trade_id in range(market.next_trade_id - min(count, _REMEMBERED_TRADES), market.next_trade_id):
            market.trades.append(PublicTrade(symbol, trade_id, burst.price, burst.quantity, now, buyer_is_maker=False))
        self._emit(burst)
        return burst

    @staticmethod
    def _refuse_closed(market: Market) -> None:
        if market.spec.status is not SymbolStatus.TRADING:
            raise Refusal(Reason.MARKET_CLOSED, market.spec.status.value)

    def _refuse_duplicate(self, account: str, request: NewOrder) -> None:
        known = self.registry.find(account, request.symbol, request.client_order_id)
        if known is not None and known.is_open:
            raise Refusal(Reason.DUPLICATE_CLIENT_ID, request.client_order_id)

    def _draft(self, market: Market, account: str, request: NewOrder, now: int) -> SimOrder:
        if request.type is OrderType.LIMIT_MAKER and self._would_take(market, request):
            raise Refusal(Reason.WOULD_TAKE)
        quantity = request.quantity
        if quantity is None:
            amount = request.quote_quantity or ZERO
            quantity = market.book.quantity_for_quote(request.side, amount, market.spec.step)
            if quantity < market.spec.min_quantity:
                raise Refusal(Reason.NO_LIQUIDITY)
        return SimOrder(
            order_id=0,
            account=account,
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            client_order_id=request.client_order_id,
            quantity=quantity,
            price=request.price or ZERO,
            quote_quantity=request.quote_quantity or ZERO,
            created_at=now,
            updated_at=now,
        )

    def _would_take(self, market: Market, request: NewOrder) -> bool:
        traded, _ = market.book.preview(request.side, request.price, market.spec.step)
        return traded > ZERO

    def _fillable(self, market: Market, order: SimOrder) -> bool:
        limit = None if order.type is OrderType.MARKET else order.price
        return market.book.preview(order.side, limit, order.quantity)[0] == order.quantity

    def _lock(self, market: Market, order: SimOrder) -> None:
        _, market_cost = market.book.preview(order.side, None, order.quantity)
        try:
            self.accounts[order.account].lock(*lock_for(market.spec, order, market_cost))
        except InsufficientFunds as error:
            raise Refusal(Reason.INSUFFICIENT_BALANCE, str(error)) from error

    def _trade(self, market: Market, taker: SimOrder, match: Match, now: int) -> tuple[SimOrder, str]:
        maker = self.registry.get(taker.symbol, match.order_id)
        if maker is None:
            raise LookupError(f"order {match.order_id} rests on the book of {taker.symbol} but is not registered")
        trade_id = market.next_trade_id
        market.next_trade_id += 1
        market.last_price = match.price
        trade = PublicTrade(
            taker.symbol, trade_id, match.price, match.quantity, now, buyer_is_maker=taker.side is Side.SELL
        )
        market.trades.append(trade)
        self._emit(trade)
        self._fill(market, maker, MatchTerms(trade_id, match.price, match.quantity, now, is_maker=True))
        taker = self._fill(market, taker, MatchTerms(trade_id, match.price, match.quantity, now, is_maker=False))
        return taker, maker.account

    def _fill(self, market: Market, order: SimOrder, terms: MatchTerms) -> SimOrder:
        fill = settle(market.spec, self.accounts[order.account], order, self.fees, terms)
        filled = order.filled_quantity + fill.quantity
        order = replace(
            order,
            filled_quantity=filled,
            filled_quote=order.filled_quote + fill.quote,
            status=OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED,
            updated_at=terms.time,
        )
        self.registry.add_fill(fill)
        self._record(Execution.TRADE, order, fill, terms.time)
        return order

    def _rest_or_expire(self, market: Market, order: SimOrder, now: int) -> SimOrder:
        if not order.is_open:
            return order
        if order.type is OrderType.MARKET:
            return self._expire(market, order, ExpiryReason.NO_LIQUIDITY, now)
        if order.time_in_force is TimeInForce.IOC:
            return self._expire(market, order, ExpiryReason.UNFILLED_IOC, now)
        market.book.add(order.order_id, order.side, order.price, order.remaining)
        return order

    def _expire(self, market: Market, order: SimOrder, reason: ExpiryReason, now: int) -> SimOrder:
        self.accounts[order.account].release(*remaining_lock(market.spec, order))
        order = replace(order, status=OrderStatus.EXPIRED, expiry_reason=reason, updated_at=now)
        self._record(Execution.EXPIRED, order, None, now)
        return order

    def _record(self, execution: Execution, order: SimOrder, fill: Fill | None, now: int) -> None:
        self.registry.put(order)
        self._execution_id += 1
        self._emit(OrderEvent(execution, self._execution_id, order, fill, now))

    def _emit_balances(self, names: Iterable[str], now: int) -> None:
        for name in names:
            touched = self.accounts[name].take_touched()
            if touched:
                self._emit(BalanceEvent(name, touched, now))

    def _end_command(self, market: Market, now: int) -> None:
        top = (market.book.best(Side.BUY), market.book.best(Side.SELL))
        changed = top != market.top
        market.top = top
        self._emit(CommandEnded(market.spec.name, market.book.update_id, top[0], top[1], changed, now))

    def _emit(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)
