"""All orders and fills the venue remembers, and the ways to find them."""

from collections import defaultdict
from collections.abc import Callable

from exconn_sync.simulator.core.orders import Amendment, Fill, PreventedMatch, SimOrder

OrderKey = tuple[str, int]
"""Symbol and order id: ids rise for each symbol on its own, so neither is enough alone."""


class OrderRegistry:
    """Orders by key and by client id, open orders by account, fills in order of time.

    Accounts in ``forgetful`` (the house) keep only their open orders: they trade all day and nobody asks them.
    """

    def __init__(self, forgetful: frozenset[str] = frozenset()) -> None:
        self._forgetful = forgetful
        self.followers: list[Callable[[Callable[[OrderRegistry], None]], None]] = []
        """Told of each new state and fill, as something that can be done to a copy."""
        self._orders: dict[OrderKey, SimOrder] = {}
        self._open: defaultdict[tuple[str, str], dict[int, None]] = defaultdict(dict)
        self._by_client_id: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        self._fills: list[Fill] = []
        self._fills_of: defaultdict[OrderKey, list[Fill]] = defaultdict(list)
        self._prevented: list[PreventedMatch] = []
        self._amendments: defaultdict[OrderKey, list[Amendment]] = defaultdict(list)
        self._next_id: defaultdict[str, int] = defaultdict(lambda: 1)

    def new_id(self, symbol: str) -> int:
        """The id for the next order on a symbol."""
        order_id = self._next_id[symbol]
        self._next_id[symbol] = order_id + 1
        return order_id

    def copy(self) -> "OrderRegistry":
        """Another registry that remembers the same, without followers."""
        other = OrderRegistry(self._forgetful)
        for order in self._orders.values():
            other.put(order)
        for client_key, ids in self._by_client_id.items():
            other._by_client_id[client_key] = list(ids)
        for fill in self._fills:
            other.add_fill(fill)
        return other

    def put(self, order: SimOrder) -> None:
        """Remember the newest state of an order."""
        for follower in self.followers:
            follower(lambda registry: registry.put(order))
        key = (order.symbol, order.order_id)
        is_new = key not in self._orders
        self._orders[key] = order
        open_ids = self._open[order.account, order.symbol]
        if order.is_open:
            open_ids[order.order_id] = None
        else:
            open_ids.pop(order.order_id, None)
        if order.account in self._forgetful:
            if not order.is_open:
                del self._orders[key]
        elif is_new or order.original_client_order_id:
            self._index(order)

    def add_fill(self, fill: Fill) -> None:
        """Remember a fill."""
        for follower in self.followers:
            follower(lambda registry: registry.add_fill(fill))
        if fill.account not in self._forgetful:
            self._fills.append(fill)
            self._fills_of[fill.symbol, fill.order_id].append(fill)

    def add_prevented(self, match: PreventedMatch) -> None:
        """Remember a trade that did not happen."""
        self._prevented.append(match)

    def prevented(self, account: str, symbol: str) -> list[PreventedMatch]:
        """Every trade of an account on a symbol that did not happen, oldest first."""
        return [match for match in self._prevented if match.symbol == symbol and account in match.accounts]

    def add_amendment(self, amendment: Amendment) -> None:
        """Remember that an order was made smaller."""
        self._amendments[amendment.symbol, amendment.order_id].append(amendment)

    def amendments(self, order: SimOrder) -> list[Amendment]:
        """The amendments of an order, oldest first."""
        return list(self._amendments.get((order.symbol, order.order_id), []))

    def get(self, symbol: str, order_id: int) -> SimOrder | None:
        """The order with an id."""
        return self._orders.get((symbol, order_id))

    def find(self, account: str, symbol: str, client_order_id: str) -> SimOrder | None:
        """The newest order which has, or had before its cancel, a client id; an open one goes first."""
        ids = self._by_client_id.get((account, symbol, client_order_id), [])
        known = [self._orders[symbol, order_id] for order_id in ids]
        found = [order for order in known if order.has_client_id(client_order_id)]
        still_open = [order for order in found if order.is_open]
        candidates = still_open or found
        return candidates[-1] if candidates else None

    def open_orders(self, account: str, symbol: str | None = None) -> list[SimOrder]:
        """The open orders of an account, oldest first on each symbol."""
        return [
            self._orders[order_symbol, order_id]
            for (owner, order_symbol), ids in self._open.items()
            if owner == account and symbol in (None, order_symbol)
            for order_id in ids
        ]

    def orders(self, account: str | None = None, symbol: str | None = None) -> list[SimOrder]:
        """Every remembered order that is not the house's, oldest first on each symbol."""
        return [
            order
            for order in self._orders.values()
            if order.account not in self._forgetful
            and account in (None, order.account)
            and symbol in (None, order.symbol)
        ]

    def fills(self, account: str | None = None, symbol: str | None = None) -> list[Fill]:
        """Every remembered fill, oldest first."""
        return [fill for fill in self._fills if account in (None, fill.account) and symbol in (None, fill.symbol)]

    def fills_of(self, order: SimOrder) -> list[Fill]:
        """The fills of one order, oldest first."""
        return list(self._fills_of.get((order.symbol, order.order_id), []))

    def _index(self, order: SimOrder) -> None:
        for client_id in {order.client_order_id, order.original_client_order_id} - {""}:
            ids = self._by_client_id[order.account, order.symbol, client_id]
            if order.order_id not in ids:
                ids.append(order.order_id)
