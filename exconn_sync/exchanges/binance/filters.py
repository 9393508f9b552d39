"""From the filters of a symbol or of the exchange to rules (Binance: 6).

A filter of the same meaning may stand twice under an old and a new name: then both must pass, and the stricter limit of
the two is kept. Names on no table are handed back, never fatal, and so are filters that cannot be read.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from exconn_sync.exchanges.decoding import MALFORMED
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.trading_rules import Allowances, PriceBand, TrailingRange


class _FilterName(msgspec.Struct, rename="camel"):
    filter_type: str


class _PriceFilter(msgspec.Struct, rename="camel"):
    min_price: str
    max_price: str
    tick_size: str


class _LotSize(msgspec.Struct, rename="camel"):
    min_qty: str
    max_qty: str
    step_size: str


class _MinNotional(msgspec.Struct, rename="camel"):
    min_notional: str
    # What is absent does not apply: the exchange judges then.
    apply_to_market: bool = False
    avg_price_mins: int | None = None


class _Notional(msgspec.Struct, rename="camel"):
    min_notional: str
    apply_min_to_market: bool = False
    max_notional: str = "0"
    apply_max_to_market: bool = False
    avg_price_mins: int | None = None


class _PercentPrice(msgspec.Struct, rename="camel"):
    multiplier_up: str
    multiplier_down: str
    avg_price_mins: int | None = None


class _PercentPriceBySide(msgspec.Struct, rename="camel"):
    bid_multiplier_up: str
    bid_multiplier_down: str
    ask_multiplier_up: str
    ask_multiplier_down: str
    avg_price_mins: int | None = None


class _IcebergParts(msgspec.Struct):
    limit: int


class _TrailingDelta(msgspec.Struct, rename="camel"):
    min_trailing_above_delta: int
    max_trailing_above_delta: int
    min_trailing_below_delta: int
    max_trailing_below_delta: int


class _MaxPosition(msgspec.Struct, rename="camel"):
    max_position: str


class _MaxOrders(msgspec.Struct, rename="camel"):
    max_num_orders: int


class _MaxAlgoOrders(msgspec.Struct, rename="camel"):
    max_num_algo_orders: int


class _MaxIcebergOrders(msgspec.Struct, rename="camel"):
    max_num_iceberg_orders: int


class _MaxOrderLists(msgspec.Struct, rename="camel"):
    max_num_order_lists: int


class _MaxAmends(msgspec.Struct, rename="camel"):
    max_num_order_amends: int


class Rules:
    """Gathers the rules that filters say."""

    def __init__(self) -> None:
        self.limits: dict[str, Decimal] = {}
        self.price_band: PriceBand | None = None
        self.trailing_range: TrailingRange | None = None
        self.iceberg_parts = 0
        self.average_price_minutes: int | None = None
        self.allowances = Allowances()
        self.unknown: list[str] = []

    def copy(self) -> Rules:
        """Return rules that can go on by themselves."""
        more = copy.copy(self)
        more.limits, more.unknown = dict(self.limits), list(self.unknown)
        return more

    def fields(self) -> dict[str, Any]:
        """Return the rules by the names of an instrument's fields."""
        return {
            **self.limits,
            "price_band": self.price_band,
            "trailing_range": self.trailing_range,
            "iceberg_parts": self.iceberg_parts,
            "average_price_minutes": self.average_price_minutes,
            "allowances": self.allowances,
            "unknown_filters": tuple(self.unknown),
        }

    def at_least(self, **limits: str) -> None:
        """Take lower bounds and steps; of several the largest counts."""
        for name, text in limits.items():
            self.limits[name] = max(self.limits.get(name, ZERO), number(text))

    def at_most(self, **limits: str) -> None:
        """Take upper bounds; of several the smallest counts, and zero is none."""
        for name, text in limits.items():
            self.limits[name] = _smaller(self.limits.get(name, ZERO), number(text))

    def band(self, band: PriceBand, minutes: int | None) -> None:
        """Take a band around the average price; of several the narrowest counts."""
        self.average(minutes)
        known = self.price_band
        if known is not None:
            band = PriceBand(
                _smaller(known.buy_up, band.buy_up),
                max(known.buy_down, band.buy_down),
                _smaller(known.sell_up, band.sell_up),
                max(known.sell_down, band.sell_down),
            )
        self.price_band = band

    def average(self, minutes: int | None) -> None:
        """Take over how many minutes the average price is counted."""
        if minutes is not None:
            self.average_price_minutes = minutes

    def allow(self, **most: Any) -> None:
        """Take limits on what is open at the same time."""
        self.allowances = replace(self.allowances, **most)


def rules_of(filters: Iterable[msgspec.Raw]) -> Rules:
    """Return the rules that filters say.

    One that is on the table but cannot be read is handed back by its name like those that are not: of one symbol among
    thousands it must not keep a program from all the others.

    Raises:
        ValueError: a filter has no name.
    """
    rules = Rules()
    for raw in filters:
        # The name first: a filter of the future may use the names of our fields for other types.
        name = _NAME.decode(raw).filter_type
        tried = _with_filter(rules, name, raw)
        if tried is None:
            rules.unknown.append(name)
        else:
            rules = tried
    return rules


def _with_filter(rules: Rules, name: str, raw: msgspec.Raw) -> Rules | None:
    """Return the rules with one filter more, whole; None where it is on no table or cannot be read."""
    read = _READERS.get(name)
    if read is None:
        return None
    decode, take = read
    more = rules.copy()
    try:
        take(more, decode(raw))
    except MALFORMED:
        return None
    return more


def _smaller(one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if one and other else one or other


def _price(rules: Rules, wire: _PriceFilter) -> None:
    rules.at_least(min_price=wire.min_price, tick_size=wire.tick_size)
    rules.at_most(max_price=wire.max_price)


def _lot(rules: Rules, wire: _LotSize) -> None:
    rules.at_least(min_quantity=wire.min_qty, lot_step=wire.step_size)
    rules.at_most(max_quantity=wire.max_qty)


def _market_lot(rules: Rules, wire: _LotSize) -> None:
    rules.at_least(market_min_quantity=wire.min_qty, market_lot_step=wire.step_size)
    rules.at_most(market_max_quantity=wire.max_qty)


def _min_notional(rules: Rules, wire: _MinNotional) -> None:
    rules.average(wire.avg_price_mins)
    rules.at_least(min_notional=wire.min_notional)
    if wire.apply_to_market:
        rules.at_least(market_min_notional=wire.min_notional)


def _notional(rules: Rules, wire: _Notional) -> None:
    rules.average(wire.avg_price_mins)
    rules.at_least(min_notional=wire.min_notional)
    rules.at_most(max_notional=wire.max_notional)
    if wire.apply_min_to_market:
        rules.at_least(market_min_notional=wire.min_notional)
    if wire.apply_max_to_market:
        rules.at_most(market_max_notional=wire.max_notional)


def _percent_price(rules: Rules, wire: _PercentPrice) -> None:
    up, down = number(wire.multiplier_up), number(wire.multiplier_down)
    rules.band(PriceBand(up, down, up, down), wire.avg_price_mins)


def _percent_price_by_side(rules: Rules, wire: _PercentPriceBySide) -> None:
    factors = (wire.bid_multiplier_up, wire.bid_multiplier_down, wire.ask_multiplier_up, wire.ask_multiplier_down)
    rules.band(PriceBand(*(number(factor) for factor in factors)), wire.avg_price_mins)


def _iceberg_parts(rules: Rules, wire: _IcebergParts) -> None:
    rules.iceberg_parts = wire.limit


def _trailing_delta(rules: Rules, wire: _TrailingDelta) -> None:
    rules.trailing_range = TrailingRange(
        wire.min_trailing_above_delta,
        wire.max_trailing_above_delta,
        wire.min_trailing_below_delta,
        wire.max_trailing_below_delta,
    )


def _orders(rules: Rules, wire: _MaxOrders) -> None:
    rules.allow(orders=wire.max_num_orders)


def _algo_orders(rules: Rules, wire: _MaxAlgoOrders) -> None:
    rules.allow(algo_orders=wire.max_num_algo_orders)


def _iceberg_orders(rules: Rules, wire: _MaxIcebergOrders) -> None:
    rules.allow(iceberg_orders=wire.max_num_iceberg_orders)


def _order_lists(rules: Rules, wire: _MaxOrderLists) -> None:
    rules.allow(order_lists=wire.max_num_order_lists)


def _amends(rules: Rules, wire: _MaxAmends) -> None:
    rules.allow(amends=wire.max_num_order_amends)


def _position(rules: Rules, wire: _MaxPosition) -> None:
    rules.allow(position=number(wire.max_position))


_Decode = Callable[[msgspec.Raw], Any]
_Take = Callable[[Rules, Any], None]


def _reader(kind: type[msgspec.Struct], take: _Take) -> tuple[_Decode, _Take]:
    return msgspec.json.Decoder(kind).decode, take


_NAME = msgspec.json.Decoder(_FilterName)
_READERS: dict[str, tuple[_Decode, _Take]] = {
    "PRICE_FILTER": _reader(_PriceFilter, _price),
    "PERCENT_PRICE": _reader(_PercentPrice, _percent_price),
    "PERCENT_PRICE_BY_SIDE": _reader(_PercentPriceBySide, _percent_price_by_side),
    "LOT_SIZE": _reader(_LotSize, _lot),
    "MARKET_LOT_SIZE": _reader(_LotSize, _market_lot),
    "MIN_NOTIONAL": _reader(_MinNotional, _min_notional),
    "NOTIONAL": _reader(_Notional, _notional),
    "ICEBERG_PARTS": _reader(_IcebergParts, _iceberg_parts),
    "TRAILING_DELTA": _reader(_TrailingDelta, _trailing_delta),
    "MAX_POSITION": _reader(_MaxPosition, _position),
    "MAX_NUM_ORDER_AMENDS": _reader(_MaxAmends, _amends),
    **{
        f"{prefix}{name}": reader
        for prefix in ("", "EXCHANGE_")
        for name, reader in (
            ("MAX_NUM_ORDERS", _reader(_MaxOrders, _orders)),
            ("MAX_NUM_ALGO_ORDERS", _reader(_MaxAlgoOrders, _algo_orders)),
            ("MAX_NUM_ICEBERG_ORDERS", _reader(_MaxIcebergOrders, _iceberg_orders)),
            ("MAX_NUM_ORDER_LISTS", _reader(_MaxOrderLists, _order_lists)),
        )
    },
}
