"""What an amend is to make of an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import ZERO, decimal_of, plain_text, positive_decimal_of
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import OrderRequest, OrderState

_NO_EXITS: Mapping[str, Decimal] = MappingProxyType({})


class Wanted(NamedTuple):
    """The new whole quantity and the new limit price; None stays as it is.

    ``exits`` are new prices of what the exchange places once the order is filled, by their names in ``EXITS``; a zero
    takes one away, and what is not named stays.
    """

    quantity: Decimal | None
    price: Decimal | None = None
    exits: Mapping[str, Decimal] = _NO_EXITS

    @classmethod
    def of(cls, quantity: object, price: object = None, exits: Mapping[str, object] = _NO_EXITS) -> Wanted:
        """Return what the user asks for. Raises ValidationError."""
        named = {name: _price_or_zero(name, value) for name, value in exits.items() if value is not None}
        if quantity is None and price is None and not named:
            raise ValidationError("quantity", None, "or price is needed: nothing would be changed")
        return cls(
            None if quantity is None else positive_decimal_of("quantity", quantity),
            None if price is None else positive_decimal_of("price", price),
            MappingProxyType(named),
        )

    def check(self, state: OrderState, instrument: Instrument) -> None:
        """Check what nobody but us need be asked about.

        Raises:
            ValidationError: the quantity is filled already or breaks a rule of the symbol; or the order would be larger
                or at another price, and could not be placed so.
        """
        if self.exits:
            self._check_exits(state, instrument)
        if self.quantity is not None and self.quantity <= state.filled_quantity:
            raise ValidationError("quantity", self.quantity, f"{plain_text(state.filled_quantity)} is filled already")
        if self.quantity is not None:
            instrument.check_amend(state if self.price is None else replace(state, price=self.price), self.quantity)
        size, at = self.quantity or state.quantity, self.price or state.price
        if self.needs_leave(state) and state.side is not None and size is not None and at is not None:
            instrument.check(OrderRequest.limit(state.symbol, state.side, size, at))

    def needs_leave(self, state: OrderState) -> bool:
        """Return whether the risk limits are to be asked: all but making an order smaller is like placing it anew."""
        is_larger = self.quantity is not None and (state.quantity is None or self.quantity > state.quantity)
        return is_larger or self.price not in (None, state.price)

    def is_shown_by(self, state: OrderState) -> bool:
        """Return whether an order is as wanted."""
        if any((getattr(state, name) or ZERO) != value for name, value in self.exits.items()):
            return False
        return self.quantity in (None, state.quantity) and self.price in (None, state.price)

    def _check_exits(self, state: OrderState, instrument: Instrument) -> None:
        if state.type is not OrderType.LIMIT or state.side is None:
            name, value = next(iter(self.exits.items()))
            raise ValidationError(name, value, "is for limit orders only")
        instrument.check_exits(self.exits)
        left = {name: self.exits.get(name, getattr(state, name)) or None for name in EXITS}
        for name in ("take_profit", "stop_loss"):
            # What is taken away goes with its limit price.
            if self.exits.get(name) == ZERO and f"{name}_limit_price" not in self.exits:
                left[f"{name}_limit_price"] = None
        # As the order would be, it has to be one that could be placed.
        OrderRequest.limit(state.symbol, state.side, state.quantity or 1, state.price or 1).with_options(**left)


def _price_or_zero(name: str, value: object) -> Decimal:
    amount = decimal_of(name, value)
    if amount < ZERO:
        raise ValidationError(name, value, "must be a price, or 0 to take it away")
    return amount
