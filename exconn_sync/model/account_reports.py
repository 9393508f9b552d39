"""What the exchange tells about fees, limits and the past of orders when it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.model.enums import SelfTradePrevention, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId
from exconn_sync.model.numbers import EXACT, ZERO


@dataclass(frozen=True)
class FeeRates:
    """Parts of the received amount that are taken: by the role in the trade, and by its side on top.

    A rate that the exchange does not state where there is one is None; where there is none it is zero.
    """

    maker: Decimal = ZERO
    taker: Decimal = ZERO
    buyer: Decimal | None = ZERO
    seller: Decimal | None = ZERO

    def of(self, side: Side, *, is_maker: bool) -> Decimal | None:
        """Return the whole rate of a trade, None where a part of it is not stated."""
        role, extra = self.maker if is_maker else self.taker, self.buyer if side is Side.BUY else self.seller
        return None if extra is None else EXACT.add(role, extra)


@dataclass(frozen=True)
class Commission:
    """What trading a symbol costs this account: the sum of three kinds of rates (Binance: 5.10).

    ``discount`` applies to the standard rates where ``has_discount`` is True and enough of ``discount_asset`` is there;
    it is the figure as the exchange states it. Rates of a kind that the exchange does not state are None.
    """

    symbol: str
    standard: FeeRates = FeeRates()
    special: FeeRates | None = FeeRates()
    tax: FeeRates = FeeRates()
    has_discount: bool = False
    discount: Decimal = ZERO
    discount_asset: str | None = None

    def rate(self, side: Side, *, is_maker: bool) -> Decimal | None:
        """Return the whole rate of a trade without a discount, None where a part of it is not stated."""
        total = ZERO
        for rates in (self.standard, self.special, self.tax):
            part = None if rates is None else rates.of(side, is_maker=is_maker)
            if part is None:
                return None
            total = EXACT.add(total, part)
        return total


@dataclass(frozen=True)
class OrderCount:
    """How many orders the account has placed of those that an interval of ``seconds`` allows."""

    seconds: int
    limit: int
    used: int


@dataclass(frozen=True)
class OrderAmendment:
    """One change of an order's quantity. ``exchange_time`` is when, in nanoseconds since the Unix epoch."""

    exchange: str
    symbol: str
    exchange_order_id: ExchangeOrderId
    amendment_id: str
    old_client_order_id: ClientOrderId
    new_client_order_id: ClientOrderId
    old_quantity: Decimal
    new_quantity: Decimal
    exchange_time: int


@dataclass(frozen=True)
class PreventedMatch:
    """A trade between orders of one account, or of one group, that did not happen (Binance: 5.10, 5.11).

    The quantities are what was taken off the two orders, None where the exchange does not say; ``group_id`` is None
    for an account in no group. ``exchange_time`` is in nanoseconds since the Unix epoch.
    """

    exchange: str
    symbol: str
    match_id: str
    taker_order_id: ExchangeOrderId
    maker_order_id: ExchangeOrderId
    maker_symbol: str
    mode: SelfTradePrevention | None
    price: Decimal
    taker_quantity: Decimal | None
    maker_quantity: Decimal | None
    exchange_time: int
    group_id: str | None = None
