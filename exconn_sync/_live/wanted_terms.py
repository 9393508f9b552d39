"""What an amend is to make of an order."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from exconn_sync.errors import ValidationError
from exconn_sync.model.numbers import plain_text, positive_decimal_of
from exconn_sync.model.orders import OrderState


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

    def check(self, state: OrderState) -> None:
        """Raise ValidationError for a quantity that is filled already."""
        if self.quantity is not None and self.quantity <= state.filled_quantity:
            raise ValidationError("quantity", self.quantity, f"{plain_text(state.filled_quantity)} is filled already")

    def needs_leave(self, state: OrderState) -> bool:
        """Return whether the risk limits are to be asked: all but making an order smaller is like placing it anew."""
        is_larger = self.quantity is not None and (state.quantity is None or self.quantity > state.quantity)
        return is_larger or self.price not in (None, state.price)

    def is_shown_by(self, state: OrderState) -> bool:
        """Return whether an order is as wanted."""
        return self.quantity in (None, state.quantity) and self.price in (None, state.price)
