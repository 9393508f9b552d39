"""What an amend is to make of an order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from exconn_sync.errors import ValidationError
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import plain_text, positive_decimal_of
from exconn_sync.model.orders import OrderRequest, OrderState


class Wanted(NamedTuple):
    """The new whole quantity and the new limit price; None stays as it is."""

    quantity: Decimal | None
    price: Decimal | None = None

    @classmethod
    def of(cls, quantity: object, price: object = None) -> Wanted:
        """Return what the user asks for. Raises ValidationError."""
        if quantity is None and price is None:
            raise ValidationError("quantity", None, "or price is needed: nothing would be changed")
        return cls(
            None if quantity is None else positive_decimal_of("quantity", quantity),
            None if price is None else positive_decimal_of("price", price),
        )

    def check(self, state: OrderState, instrument: Instrument) -> None:
        """Check what nobody but us need be asked about.

        Raises:
            ValidationError: the quantity is filled already or breaks a rule of the symbol; or the order would be larger
                or at another price, and could not be placed so.
        """
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
        return self.quantity in (None, state.quantity) and self.price in (None, state.price)
