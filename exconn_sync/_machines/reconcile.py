"""What to look at after a silence: the difference between what we hold and what the exchange lists (F098, F106)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from exconn_sync.model.account import Balance
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.orders import OrderFact, OrderState


@dataclass(frozen=True)
class Plan:
    """The next questions for the exchange.

    Attributes:
        look_at: orders that we hold as not final, unknown ones too, and that the exchange does not list as open. Not
            being listed proves nothing (fault model 0.1): each has to be asked for.
        foreign: listed orders that we do not know (fault F100); nobody may cancel or count them as ours.
        fills_for: orders of which more is filled than we know fills of (fault F106).
    """

    look_at: tuple[ClientOrderId, ...] = ()
    foreign: tuple[ClientOrderId, ...] = ()
    fills_for: tuple[ClientOrderId, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True where both sides agree."""
        return not (self.look_at or self.foreign or self.fills_for)


def plan(
    known: Iterable[OrderState], open_now: Iterable[OrderFact], fill_sums: Mapping[ClientOrderId, Decimal]
) -> Plan:
    """Return what follows from a list of all open orders that was asked for after ``known`` was taken.

    ``fill_sums`` is the summed quantity of the fills known of each order. An order is recognized by either id, because
    an exchange may rename the client order id (fault F103).
    """
    states = list(known)
    listed = list(open_now)
    listed_ids = {fact.client_order_id for fact in listed}
    listed_exchange_ids = {(fact.symbol, fact.exchange_order_id) for fact in listed if fact.exchange_order_id}
    known_ids = {state.client_order_id for state in states}
    known_exchange_ids = {(state.symbol, state.exchange_order_id) for state in states if state.exchange_order_id}
    look_at = [
        state.client_order_id
        for state in states
        if state.may_trade
        and state.client_order_id not in listed_ids
        and (state.symbol, state.exchange_order_id) not in listed_exchange_ids
    ]
    foreign = [
        fact.client_order_id
        for fact in listed
        if fact.client_order_id not in known_ids and (fact.symbol, fact.exchange_order_id) not in known_exchange_ids
    ]
    fills_for = [
        state.client_order_id for state in states if state.filled_quantity > fill_sums.get(state.client_order_id, ZERO)
    ]
    return Plan(_once(look_at), _once(foreign), _once(fills_for))


def unlisted(known: Iterable[Balance], listed: Sequence[Balance]) -> list[Balance]:
    """Return as empty what is known and not listed: an exchange need not list assets of which there is nothing.

    They are stated for the newest time of the list; without any row there is no time, and nothing is said.
    """
    if not listed:
        return []
    newest = max(listed, key=lambda row: row.exchange_time)
    there = {row.asset for row in listed}
    return [
        replace(newest, asset=balance.asset, free=ZERO, locked=ZERO) for balance in known if balance.asset not in there
    ]


def _once(ids: Iterable[ClientOrderId]) -> tuple[ClientOrderId, ...]:
    return tuple(dict.fromkeys(ids))
