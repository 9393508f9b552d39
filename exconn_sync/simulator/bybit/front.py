"""What REST and the trade socket share: the venue, and the desk to which they bring their commands."""

from collections.abc import Callable

from exconn_sync.simulator.bybit.dcp import DisconnectGuard
from exconn_sync.simulator.bybit.exits import ExitOrders
from exconn_sync.simulator.bybit.order_desk import OrderDesk
from exconn_sync.simulator.bybit.params import Params
from exconn_sync.simulator.bybit.venue import Call, Venue
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.keys import ApiKey


class Front:
    """Makes calls. ``lost_cancel`` is told of orders that were filled before their cancel came."""

    def __init__(self, venue: Venue, lost_cancel: Callable[[SimOrder], None]) -> None:
        self.venue = venue
        self.desk = OrderDesk(venue, lost_cancel)
        self.guard = DisconnectGuard(self.desk)
        self.exits = ExitOrders(venue)

    def call(self, params: Params, key: ApiKey | None) -> Call:
        """One request, whichever way it came."""
        return Call(self.venue, params, self.desk, self.guard, key)
