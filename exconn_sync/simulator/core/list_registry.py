"""All order lists the venue remembers, and the ways to find them."""

from collections import defaultdict

from exconn_sync.simulator.core.order_lists import SimOrderList


class ListRegistry:
    """Order lists by id and by client id. Their ids rise over all symbols."""

    def __init__(self) -> None:
        self._lists: dict[int, SimOrderList] = {}
        self._by_client_id: defaultdict[tuple[str, str], list[int]] = defaultdict(list)

    def new_id(self) -> int:
        """The id for the next list."""
        return len(self._lists)

    def put(self, order_list: SimOrderList) -> None:
        """Remember the newest state of a list."""
        self._lists[order_list.list_id] = order_list
        for client_id in {order_list.client_list_id, order_list.original_client_list_id} - {""}:
            ids = self._by_client_id[order_list.account, client_id]
            if order_list.list_id not in ids:
                ids.append(order_list.list_id)

    def get(self, list_id: int) -> SimOrderList | None:
        """The list with an id."""
        return self._lists.get(list_id)

    def find(self, account: str, client_list_id: str) -> SimOrderList | None:
        """The newest list which has, or had before its cancel, a client id; an open one goes first."""
        found = [self._lists[list_id] for list_id in self._by_client_id.get((account, client_list_id), [])]
        candidates = [order_list for order_list in found if not order_list.is_done] or found
        return candidates[-1] if candidates else None

    def lists(self, account: str, symbol: str | None = None, *, only_open: bool = False) -> list[SimOrderList]:
        """The lists of an account, oldest first."""
        return [
            order_list
            for order_list in self._lists.values()
            if order_list.account == account
            and symbol in (None, order_list.symbol)
            and not (only_open and order_list.is_done)
        ]
