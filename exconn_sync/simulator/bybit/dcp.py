"""Disconnect-cancel-all: orders go when nobody watches any more (Bybit: 9.1)."""

from collections import defaultdict

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.bybit.order_desk import OrderDesk
from exconn_sync.simulator.bybit.venue import Answer, Call

TOPIC = "dcp.spot"
CANCEL_TYPE = "CancelByDCP"
_PRODUCTS = ("OPTIONS", "DERIVATIVES", "SPOT")
_SHORTEST_S, _LONGEST_S = 3, 300


class DisconnectGuard:
    """Counts the private connections of each account that watch; the last one's end starts the window.

    The window is counted on the venue's clock.
    """

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self.windows: defaultdict[str, dict[str, int]] = defaultdict(dict)
        """Seconds by product, for each account that has set any."""
        self._watching: defaultdict[str, int] = defaultdict(int)
        self._due: dict[str, int] = {}

    def watch(self, account: str) -> None:
        """One more connection watches: what was due is not any more."""
        self._watching[account] += 1
        self._due.pop(account, None)

    def leave(self, account: str, now: int, *, on_purpose: bool) -> None:
        """One connection fewer watches. Who unsubscribes gives the guard up; who is gone starts the window."""
        self._watching[account] -= 1
        seconds = self.windows[account].get("SPOT")
        if not self._watching[account] and not on_purpose and seconds is not None:
            self._due[account] = now + seconds * 1000

    def tick(self, now: int) -> None:
        """Called often: cancel the orders of those who have been away for too long."""
        for account, due in list(self._due.items()):
            if now >= due:
                del self._due[account]
                self._desk.cancel_all(account, CANCEL_TYPE)

    # --- handlers ---------------------------------------------------------------------------------------------------

    def set_window(self, call: Call) -> Answer:
        """POST order/disconnected-cancel-all; without a product it is about options."""
        product = call.params.one_of("product", _PRODUCTS, "OPTIONS")
        seconds = call.params.integer("timeWindow")
        if seconds is None or not _SHORTEST_S <= seconds <= _LONGEST_S:
            raise errors.bad_parameter(f"timeWindow must be between {_SHORTEST_S} and {_LONGEST_S}")
        self.windows[call.account][product] = seconds
        return Answer({}, message="success")

    def information(self, call: Call) -> Answer:
        """GET account/query-dcp-info."""
        rows = [
            {"product": product, "dcpStatus": "ON", "timeWindow": str(seconds)}
            for product, seconds in self.windows[call.account].items()
        ]
        return Answer({"dcpInfos": rows}, message="success")
