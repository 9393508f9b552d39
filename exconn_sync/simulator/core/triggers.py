"""Stop orders that wait: which of them fire when a trade happens."""

from dataclasses import dataclass, replace
from decimal import Decimal

from exconn_sync.simulator.core.order_words import OrderType, Side, triggers_above
from exconn_sync.simulator.core.orders import SimOrder
from exconn_sync.simulator.core.symbols import ZERO

_BASIS_POINTS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """What one stop order waits for. ``extreme`` is the best price since a trailing stop began to follow."""

    side: Side
    above: bool
    stop_price: Decimal
    trailing_delta: int | None
    extreme: Decimal | None = None

    @property
    def is_touched_at_once(self) -> bool:
        """Whether a trailing stop needs no price to begin."""
        return self.stop_price == ZERO

    def is_touched(self, price: Decimal) -> bool:
        """Whether a trade at that price reaches the stop price."""
        return self.is_touched_at_once or is_reached(price, self.stop_price, above=self.above)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a trade did to the waiting orders: these fire, and these began to follow the price."""

    fired: list[int]
    following: list[int]


class TriggerBook:
    """The stop orders of one symbol. The last trade decides, as at the exchange (Binance: 5.4)."""

    def __init__(self) -> None:
        self._waiting: dict[int, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, order_id: object) -> bool:
        return order_id in self._waiting

    def add(self, order: SimOrder) -> None:
        """Let an order wait for its price."""
        above = triggers_above(order.type, order.side)
        self._waiting[order.order_id] = _Waiting(order.side, above, order.stop_price, order.trailing_delta)

    def remove(self, order_id: int) -> None:
        """Forget an order."""
        del self._waiting[order_id]

    def react(self, price: Decimal) -> Reaction:
        """Show every waiting order a trade; those that fire do not wait any more. The oldest comes first."""
        reaction = Reaction([], [])
        for order_id, waiting in list(self._waiting.items()):
            seen = _after(waiting, price)
            if seen is None:
                del self._waiting[order_id]
                reaction.fired.append(order_id)
            elif seen is not waiting:
                self._waiting[order_id] = seen
                if waiting.extreme is None:
                    reaction.following.append(order_id)
        return reaction


def is_reached(price: Decimal, stop_price: Decimal, *, above: bool) -> bool:
    """Whether a price has come to a stop price that lies above or below the market."""
    return price >= stop_price if above else price <= stop_price


def would_trigger(kind: OrderType, side: Side, stop_price: Decimal, last_price: Decimal) -> bool:
    """Whether a new stop order would have to fire at once."""
    return is_reached(last_price, stop_price, above=triggers_above(kind, side))


def _after(waiting: _Waiting, price: Decimal) -> _Waiting | None:
    """What an order waits for after a trade; None when it fires."""
    if waiting.trailing_delta is None:
        return None if waiting.is_touched(price) else waiting
    if waiting.extreme is None:
        return replace(waiting, extreme=price) if waiting.is_touched(price) else waiting
    # A seller follows the highest price and fires on a fall, a buyer the lowest and fires on a rise.
    extreme = max(waiting.extreme, price) if waiting.side is Side.SELL else min(waiting.extreme, price)
    turn = extreme * waiting.trailing_delta / _BASIS_POINTS
    has_turned = price <= extreme - turn if waiting.side is Side.SELL else price >= extreme + turn
    if has_turned:
        return None
    return waiting if extreme == waiting.extreme else replace(waiting, extreme=extreme)
