"""What the orders of this library may still do to the account, and what they have done: what risk limits are about.

Orders placed elsewhere do not count (fault F100). Everything follows from the orders, fills and balances that the store
knows, and nothing is given back by hand: a fill turns what was reserved into position, an order that ends gives back
what it did not use, and one whose fate is unknown keeps all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from exconn_sync._machines.position import Period, PositionBook
from exconn_sync._machines.reservations import Need, Reservations, Reserved
from exconn_sync.model.account import Balance
from exconn_sync.model.carried import Carried
from exconn_sync.model.enums import OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.numbers import EXACT, ZERO
from exconn_sync.model.orders import Fill, OrderState

_UNSETTLED = (OrderStatus.PENDING_NEW, OrderStatus.UNKNOWN)


class _Share(NamedTuple):
    """What one order counts for: ``pending`` is what may still enter the position, None where nobody can tell."""

    symbol: str
    side: Side
    pending: Decimal | None
    is_open: bool


class Exposure:
    """Sums over our own orders, kept up to date. Not thread-safe: the store's lock guards it."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._shares: dict[ClientOrderId, _Share] = {}
        self._pending: dict[tuple[str, Side], Decimal] = {}
        self._unsized: Counter[tuple[str, Side]] = Counter()
        self._open: Counter[str] = Counter()
        # Of orders that have not ended: what was last heard of them.
        self._heard: dict[ClientOrderId, tuple[OrderState, tuple[Fill, ...]]] = {}
        # What was added to the positions, by order. It is kept, so that an id means the same object.
        self._counted: dict[ClientOrderId, tuple[Fill, ...]] = {}
        self._sizes: dict[ClientOrderId, Decimal] = {}
        self._wishes: dict[ClientOrderId, list[Decimal]] = {}
        self._reserved = Reservations()
        self._books: dict[str, PositionBook] = {}
        self._carried: dict[str, tuple[Carried, Callable[[Fill], bool]]] = {}
        self._balances: dict[str, Balance] = {}

    # --- what happens -----------------------------------------------------------------------------------------------

    def expect(self, client_order_id: ClientOrderId, size: Decimal | None, need: Need | None) -> None:
        """Note what a new order will take, right before its intent is noted: its size in base, and what it costs."""
        if size is not None:
            self._sizes[client_order_id] = size
        if need is not None:
            self._reserved.put(client_order_id, Reserved(need, None))

    def note_order(self, state: OrderState, fills: Sequence[Fill], taken_at: int | None) -> None:
        """Take an order as it is now, with its known fills; ``taken_at`` is since when the exchange has it (ns)."""
        key = state.client_order_id
        if not state.is_own:
            self._disown(key, state.symbol)
        if not state.is_own or state.side is None:
            return
        known = tuple(fills)
        self._count(state, known)
        if _is_over(state):
            for table in (self._heard, self._wishes):
                table.pop(key, None)
        else:
            self._heard[key] = state, known
            self._wishes[key] = [wish for wish in self._wishes.get(key, ()) if wish != state.quantity]
        self._enter(key, self._share(state, known))
        self._note_taking(state, taken_at)
        if _is_over(state):
            self._sizes.pop(key, None)

    def take_up(self) -> None:
        """Reserve what orders out of a journal take that are not known to have arrived: nothing was expected of them.

        What an order at market takes cannot be told.
        """
        for key, (state, _) in self._heard.items():
            base, _, quote = state.symbol.partition("-")
            price = state.price or state.stop_price
            if state.status not in _UNSETTLED or key in self._reserved:
                continue
            if state.side is Side.SELL and state.quantity is not None:
                self._reserved.put(key, Reserved(Need(base, state.quantity), None))
            elif state.side is Side.BUY and state.quote_quantity is not None:
                self._reserved.put(key, Reserved(Need(quote, state.quote_quantity), None))
            elif state.side is Side.BUY and price is not None and state.quantity is not None:
                self._reserved.put(key, Reserved(Need(quote, EXACT.multiply(price, state.quantity)), None))

    def carry(self, carried: Carried, is_gone: Callable[[Fill], bool]) -> None:
        """Begin the position of our own fills with what those add up to that are no longer here."""
        book = self._book(carried.symbol)
        self._carried[carried.symbol] = carried, is_gone
        book.take_up(carried, is_gone)

    def note_balance(self, balance: Balance) -> None:
        """Take the newest statement of a balance: what it covers need not be reserved any longer."""
        self._balances[balance.asset] = balance
        self._reserved.settle(balance.asset, balance.exchange_time)

    def wish(self, client_order_id: ClientOrderId, quantity: Decimal) -> None:
        """Count an open order as if it had this quantity, where that is more, until it has it, ends or is unwished."""
        if client_order_id in self._heard:
            self._wishes[client_order_id].append(quantity)
            self._share_again(client_order_id)

    def unwish(self, client_order_id: ClientOrderId, quantity: Decimal) -> None:
        """Take back a wish that certainly was not fulfilled."""
        wishes = self._wishes.get(client_order_id, [])
        if quantity in wishes:
            wishes.remove(quantity)
            self._share_again(client_order_id)

    # --- what may be asked ------------------------------------------------------------------------------------------

    def position(self, symbol: str) -> Decimal:
        """Return what our fills of a symbol add up to, in the base asset."""
        book = self._books.get(symbol)
        return ZERO if book is None else book.position.quantity

    def entry_price(self, symbol: str) -> Decimal | None:
        """Return the mean entry price of our position, None for a flat one."""
        book = self._books.get(symbol)
        return None if book is None else book.position.average_price

    def pending(self, symbol: str, side: Side, but: ClientOrderId | None = None) -> Decimal | None:
        """Return what our orders of a side may still trade, all ``but`` one; None where that cannot be told."""
        left_out = self._shares.get(but) if but is not None else None
        is_left_out = left_out is not None and (left_out.symbol, left_out.side) == (symbol, side)
        unsized = self._unsized[symbol, side]
        pending = self._pending.get((symbol, side), ZERO)
        if left_out is not None and is_left_out:
            if left_out.pending is None:
                unsized -= 1
            else:
                pending = EXACT.subtract(pending, left_out.pending)
        return None if unsized else pending

    def open_orders(self, symbol: str | None = None, but: ClientOrderId | None = None) -> int:
        """Return how many of our orders have not ended, of a symbol or all, not counting ``but``."""
        left_out = self._shares.get(but) if but is not None else None
        count = self._open.total() if symbol is None else self._open[symbol]
        return count - (left_out is not None and left_out.is_open and symbol in (None, left_out.symbol))

    def reserved(self, asset: str, but: ClientOrderId | None = None) -> Decimal:
        """Return what orders under way take of an asset beyond what the exchange has stated as locked."""
        return self._reserved.total(asset, but)

    def available(self, asset: str, but: ClientOrderId | None = None) -> Decimal | None:
        """Return what a new order may take of an asset, None where no balance is known.

        Where it replaces the order ``but``, what that one has locked is given back.
        """
        balance = self._balances.get(asset)
        if balance is None:
            return None
        free = EXACT.subtract(balance.free, self.reserved(asset, but))
        return free if but is None or but in self._reserved else EXACT.add(free, self._locked_by(but, asset))

    def shown(self, balance: Balance) -> Balance:
        """Return a balance with what is reserved of it."""
        reserved = self.reserved(balance.asset)
        return balance if reserved == balance.reserved else replace(balance, reserved=reserved)

    def symbols(self) -> list[str]:
        """Return the symbols that our orders have traded."""
        return list(self._books)

    def since(self, symbol: str, at_ns: int) -> Period:
        """Return what our fills of a traded symbol have realized from a moment on."""
        return self._books[symbol].since(at_ns)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _count(self, state: OrderState, fills: tuple[Fill, ...]) -> None:
        """Add to the position what is new; an order may have thousands of fills."""
        counted = set(map(id, self._counted.get(state.client_order_id, ())))
        news = [fill for fill in fills if id(fill) not in counted]
        if not news:
            return
        self._counted[state.client_order_id] = fills
        for fill in news:
            self._book(state.symbol).add(fill)

    def _book(self, symbol: str) -> PositionBook:
        book = self._books.get(symbol)
        if book is None:
            base, _, quote = symbol.partition("-")
            book = self._books[symbol] = PositionBook(self._exchange, symbol, base, quote)
            if symbol in self._carried:
                book.take_up(*self._carried[symbol])
        return book

    def _disown(self, client_order_id: ClientOrderId, symbol: str) -> None:
        """Forget an order whose id turned out to mean one that was placed elsewhere (fault F101)."""
        known = self._shares.pop(client_order_id, None)
        if known is not None:
            self._add(known, -1)
        for table in (self._heard, self._sizes, self._wishes):
            table.pop(client_order_id, None)
        self._reserved.drop(client_order_id)
        if self._counted.pop(client_order_id, ()):
            del self._books[symbol]
            for fills in self._counted.values():
                for fill in fills:
                    if fill.symbol == symbol:
                        self._book(symbol).add(fill)

    def _share(self, state: OrderState, fills: tuple[Fill, ...]) -> _Share:
        assert state.side is not None
        traded = ZERO
        for fill in fills:
            traded = EXACT.add(traded, fill.quantity)
        # What the exchange says is filled counts before the fills themselves are known (fault F106).
        whole: Decimal | None = state.filled_quantity
        if not _is_over(state):
            quantity = self._sizes.get(state.client_order_id) if state.quantity is None else state.quantity
            if quantity is None:
                whole = None
            else:
                wishes = self._wishes.get(state.client_order_id, ())
                asked = EXACT.subtract(max([quantity, *wishes]), state.prevented_quantity)
                whole = max(asked, state.filled_quantity)
        pending = None if whole is None else max(ZERO, EXACT.subtract(whole, traded))
        return _Share(state.symbol, state.side, pending, not _is_over(state))

    def _share_again(self, client_order_id: ClientOrderId) -> None:
        state, fills = self._heard[client_order_id]
        self._enter(client_order_id, self._share(state, fills))

    def _enter(self, client_order_id: ClientOrderId, share: _Share) -> None:
        known = self._shares.pop(client_order_id, None)
        if known is not None:
            self._add(known, -1)
        if share.is_open or share.pending != ZERO:
            self._shares[client_order_id] = share
            self._add(share, 1)

    def _add(self, share: _Share, sign: int) -> None:
        key = share.symbol, share.side
        if share.pending is None:
            self._unsized[key] += sign
        else:
            pending = share.pending if sign > 0 else share.pending.copy_negate()
            self._pending[key] = EXACT.add(self._pending.get(key, ZERO), pending)
        if share.is_open:
            self._open[share.symbol] += sign

    def _note_taking(self, state: OrderState, taken_at: int | None) -> None:
        """Let go of what is reserved for an order once it is sure that the exchange's figures say the same."""
        key = state.client_order_id
        reserved = self._reserved.get(key)
        if reserved is None or state.status in _UNSETTLED:
            return
        balance = self._balances.get(reserved.need.asset)
        stated_at = -1 if balance is None else balance.exchange_time
        if taken_at is None:
            # The exchange does not say when: the next statement will be newer than this.
            taken_at = stated_at + 1 if reserved.taken_at is None else reserved.taken_at
        if stated_at >= taken_at or (state.is_terminal and state.filled_quantity == ZERO):
            self._reserved.drop(key)
        elif taken_at != reserved.taken_at:
            self._reserved.put(key, reserved._replace(taken_at=taken_at))

    def _locked_by(self, client_order_id: ClientOrderId, asset: str) -> Decimal:
        share = self._shares.get(client_order_id)
        if share is None or share.pending is None or not share.is_open:
            return ZERO
        base, _, quote = share.symbol.partition("-")
        if share.side is Side.SELL:
            return share.pending if asset == base else ZERO
        price = self._heard[client_order_id][0].price
        return ZERO if price is None or asset != quote else EXACT.multiply(price, share.pending)


def _is_over(state: OrderState) -> bool:
    """Return whether an order trades no more: one that we hold as rejected may be open all the same."""
    return not state.may_trade
