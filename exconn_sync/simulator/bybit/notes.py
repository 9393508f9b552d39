"""What this wire tells of an order and the core does not keep."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from exconn_sync.simulator.core.orders import OrderType, SimOrder, TimeInForce

PLAIN, STOP, TPSL, OCO = "Order", "StopOrder", "tpslOrder", "OcoOrder"


@dataclass(frozen=True, slots=True)
class Exit:
    """An order that waits for a price once another one is filled; without a limit it is a market order."""

    trigger: Decimal
    limit: Decimal | None = None


class Exits(NamedTuple):
    """What an order has attached (Bybit: 4.7)."""

    take_profit: Exit | None = None
    stop_loss: Exit | None = None


NOTHING = Exits()


@dataclass(slots=True)
class Notes:
    """The words an order came with, and how it ended where only this face knows."""

    order_filter: str = PLAIN
    market_unit: str = ""
    is_leverage: str = "0"
    smp_type: str = "None"
    time_in_force: str = "GTC"
    last_price: Decimal | None = None
    """The last price when the order was placed."""
    slippage: tuple[str, str] = ("UNKNOWN", "")
    """The kind of the slippage tolerance and its amount."""
    cancel_type: str = ""
    reject_reason: str = ""
    exits: Exits = NOTHING


@dataclass(slots=True)
class NoteBook:
    """The notes of all orders; one that came over another exchange's face has what its type says."""

    _notes: dict[tuple[str, int], Notes] = field(default_factory=dict)

    def write(self, symbol: str, order_id: int, notes: Notes) -> None:
        """Keep the notes of an order."""
        self._notes[symbol, order_id] = notes

    def at(self, symbol: str, order_id: int) -> Notes:
        """The notes that were written of an order."""
        return self._notes[symbol, order_id]

    def known(self, order: SimOrder) -> Notes | None:
        """The notes of an order, None for one that has none so far."""
        return self._notes.get((order.symbol, order.order_id))

    def of(self, order: SimOrder) -> Notes:
        """The notes of an order, to read or to add to."""
        key = (order.symbol, order.order_id)
        found = self._notes.get(key)
        if found is None:
            found = self._notes[key] = _guessed(order)
        return found


def _guessed(order: SimOrder) -> Notes:
    is_market = not order.type.has_limit
    words = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
    tif = "PostOnly" if order.type is OrderType.LIMIT_MAKER else words[order.time_in_force]
    unit = "" if not is_market else "quoteCoin" if order.quote_quantity else "baseCoin"
    return Notes(
        order_filter=STOP if order.type.is_stop else PLAIN,
        market_unit=unit,
        time_in_force="IOC" if is_market else tif,
    )
