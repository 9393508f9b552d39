"""Orders that depend on each other, as values (Binance: 5.9)."""

from dataclasses import dataclass
from enum import Enum

from exconn_sync.simulator.core.orders import NewOrder, OrderType, SimOrder


class ListKind(Enum):
    """How the orders of a list depend on each other."""

    OCO = "one cancels the other"
    OTO = "one triggers the other"
    OTOCO = "one triggers a pair"
    OPO = "one pays for the other"
    OPOCO = "one pays for a pair"

    @property
    def has_working(self) -> bool:
        """Whether the first order works and the others wait for it."""
        return self is not ListKind.OCO

    @property
    def has_pair(self) -> bool:
        """Whether the last two orders are a pair of which one ends the other."""
        return self in (ListKind.OCO, ListKind.OTOCO, ListKind.OPOCO)

    @property
    def sells_received(self) -> bool:
        """Whether what waits sells what the working order buys."""
        return self in (ListKind.OPO, ListKind.OPOCO)


STOP_LOSSES = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT})
TAKE_PROFITS = frozenset({OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})


@dataclass(frozen=True, slots=True)
class NewOrderList:
    """What somebody asks the venue to do: the working order first, if there is one; of a pair the stop-loss first."""

    kind: ListKind
    client_list_id: str
    legs: tuple[NewOrder, ...]

    @property
    def symbol(self) -> str:
        """The symbol of all its orders."""
        return self.legs[0].symbol


@dataclass(frozen=True, slots=True)
class SimOrderList:
    """A list the venue accepted; its orders stand in the registry, in the order of ``order_ids``."""

    list_id: int
    account: str
    symbol: str
    kind: ListKind
    client_list_id: str
    order_ids: tuple[int, ...]
    created_at: int
    updated_at: int
    original_client_list_id: str = ""
    """The id the list had before its cancel gave it another one."""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Legs:
    """The orders of a list as they stand, by the part they play."""

    working: SimOrder | None
    pair: tuple[SimOrder, SimOrder] | None
    """The stop-loss and what stands beside it."""
    single: SimOrder | None
    """What waits for the working order alone."""

    @classmethod
    def of(cls, kind: ListKind, orders: tuple[SimOrder, ...]) -> "Legs":
        """Tell the orders of a list apart; they are in the order in which it was asked for."""
        dependent = orders[1:] if kind.has_working else orders
        return cls(
            working=orders[0] if kind.has_working else None,
            pair=(dependent[0], dependent[1]) if kind.has_pair else None,
            single=None if kind.has_pair else dependent[0],
        )

    @property
    def dependent(self) -> tuple[SimOrder, ...]:
        """All but the working order."""
        if self.pair is not None:
            return self.pair
        return () if self.single is None else (self.single,)

    def partner(self, order: SimOrder) -> SimOrder | None:
        """The other order of the pair of which this one is a part."""
        if self.pair is None:
            return None
        stop, goal = self.pair
        if order.order_id == stop.order_id:
            return goal
        return stop if order.order_id == goal.order_id else None
