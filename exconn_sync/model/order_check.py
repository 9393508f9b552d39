"""Whether an order obeys the static rules of its symbol, and which value would.

Static is what the symbol and the order alone decide. What depends on the account (open orders, positions) or on the
market (average prices) is the exchange's to judge; with a known average price those rules are checked here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderType, Side
from exconn_sync.model.numbers import EXACT, ZERO, ceil_to, floor_to, needs_more_decimals, plain_text
from exconn_sync.model.order_terms import EXITS
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.trading_rules import Feature, Grid, TradingRules

PRICE, BAND, LOT, MARKET_LOT, NOTIONAL, PRECISION, PARTS, TRAILING = (
    "PRICE_FILTER", "PERCENT_PRICE", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "PRECISION", "ICEBERG_PARTS",
    "TRAILING_DELTA",
)  # fmt: skip
"""Names of the rules, in ``details['filter']``."""

AT_MARKET = frozenset({OrderType.MARKET, OrderType.STOP_MARKET, OrderType.TAKE_PROFIT_MARKET})
"""Kinds that trade at whatever price the market has."""

_STOPS = frozenset({OrderType.STOP_LIMIT, OrderType.STOP_MARKET})
_ONE = Decimal(1)
_NOTHING = Grid(Decimal(2), _ONE)
_FINEST = Decimal("1e-8")
"""The step of proposed quantities where the symbol has none."""

_STEP_NAMES = {PRICE: "tick size", LOT: "lot step", MARKET_LOT: "market lot step"}


@dataclass(frozen=True)
class OrderCheck:
    """Checks orders of one symbol; each method raises ValidationError for the first broken rule."""

    rules: TradingRules
    exchange: str
    symbol: str
    quote: str

    def check(self, order: OrderRequest, average_price: Decimal | None) -> None:
        """Check everything that can be known."""
        self._check_offers(order)
        self._check_precision(order, average_price)
        self._check_prices(order, average_price)
        self._check_quantity(order, average_price)
        self._check_notional(order, average_price)
        self._check_parts(order)
        self._check_trailing(order)
        self.check_exits({name: price for name in EXITS if (price := getattr(order, name)) is not None})

    def check_amended(self, order: OrderState) -> None:
        """Check the quantity of an order as it would be; the rest of it is on the exchange already."""
        places = self.rules.base_precision
        self._check_places("quantity", order.quantity, places, lambda: self._quantities(order, None))
        self._check_quantity(order, None)
        self._check_notional(order, None)

    def check_exits(self, exits: Mapping[str, Decimal]) -> None:
        """Check prices of what is placed once an order is filled; a zero, which takes one away, is none."""
        for name, price in exits.items():
            if not self.rules.offers(Feature.EXITS):
                raise self._refusal(name, price, f"is not offered for {self.symbol}")
            if price != ZERO:
                self._check_places(name, price, self.rules.quote_precision, self._stop_prices)
                self._check_grid(PRICE, name, price, self.rules.price_grid, self._stop_prices)

    def _check_offers(self, order: OrderRequest) -> None:
        rules = self.rules
        if not rules.is_trading:
            raise self._refusal("symbol", self.symbol, f"does not trade at the moment (status {rules.status})")
        if rules.order_types and order.type not in rules.order_types:
            raise self._refusal("type", order.type, f"is not offered for {self.symbol}")
        if order.quote_quantity is not None and not rules.quote_quantity_allowed:
            raise self._refusal("quote_quantity", order.quote_quantity, f"is not offered for {self.symbol}")
        options = (
            ("post_only", order.post_only or None, Feature.POST_ONLY),
            ("iceberg_quantity", order.iceberg_quantity, Feature.ICEBERG),
            ("trailing_delta", order.trailing_delta, Feature.TRAILING_STOP),
            ("peg", order.peg, Feature.PEGGED),
            ("smart_routing", order.smart_routing or None, Feature.SMART_ROUTING),
            *((name, getattr(order, name), Feature.EXITS) for name in ("take_profit", "stop_loss")),
        )
        for field, value, feature in options:
            if value is not None and not rules.offers(feature):
                raise self._refusal(field, value, f"is not offered for {self.symbol}")
        mode, modes = order.self_trade_prevention, rules.self_trade_preventions
        if mode is not None and modes and mode.value not in modes:
            known = ", ".join(sorted(modes))
            raise self._refusal("self_trade_prevention", mode, f"must be one of {known} for {self.symbol}")

    def _check_precision(self, order: OrderRequest, average_price: Decimal | None) -> None:
        rules = self.rules
        self._check_places(
            "quantity", order.quantity, rules.base_precision, lambda: self._quantities(order, average_price)
        )
        self._check_places(
            "iceberg_quantity", order.iceberg_quantity, rules.base_precision, lambda: self._part_sizes(order)
        )
        self._check_places("price", order.price, rules.quote_precision, lambda: self._prices(order, average_price))
        self._check_places("stop_price", order.stop_price, rules.quote_precision, self._stop_prices)
        self._check_places("quote_quantity", order.quote_quantity, rules.quote_precision, lambda: self._amounts(order))

    def _check_prices(self, order: OrderRequest, average_price: Decimal | None) -> None:
        grid, band = self.rules.price_grid, self._band(order, average_price)
        self._check_grid(PRICE, "price", order.price, grid, lambda: self._prices(order, average_price))
        self._check_grid(PRICE, "stop_price", order.stop_price, grid, self._stop_prices)
        if band is not None:
            self._check_grid(BAND, "price", order.price, band, lambda: self._prices(order, average_price))

    def _check_quantity(self, order: OrderRequest | OrderState, average_price: Decimal | None) -> None:
        grid = self._sizes_of(order)
        self._check_grid(LOT, "quantity", order.quantity, grid, lambda: self._quantities(order, average_price))
        if order.type in AT_MARKET:
            grid = self.rules.market_quantity_grid
            self._check_grid(
                MARKET_LOT, "quantity", order.quantity, grid, lambda: self._quantities(order, average_price)
            )

    def _check_parts(self, order: OrderRequest) -> None:
        """Check how much of an iceberg order shows: each part is a quantity, and there may be so many of them."""
        part, most = order.iceberg_quantity, self.rules.iceberg_parts
        sizes = self.rules.quantity_grid
        self._check_grid(LOT, "iceberg_quantity", part, sizes, lambda: self._part_sizes(order))
        if part is None or order.quantity is None or not most:
            return
        parts = EXACT.divide(ceil_to(order.quantity, part), part)
        if parts > most:
            text = f"makes {plain_text(parts)} parts, at most {most} are allowed"
            raise self._broken(PARTS, "iceberg_quantity", part, text, self._part_sizes(order).nearest(part))

    def _check_trailing(self, order: OrderRequest) -> None:
        limits, delta = self.rules.trailing_range, order.trailing_delta
        if limits is None or delta is None:
            return
        low, high = limits.min_below, limits.max_below
        if (order.type in _STOPS) == (order.side is Side.BUY):
            low, high = limits.min_above, limits.max_above
        grid = Grid(Decimal(low), Decimal(high), _ONE)
        self._check_grid(TRAILING, "trailing_delta", Decimal(delta), grid, lambda: grid)

    def _part_sizes(self, order: OrderRequest) -> Grid:
        """Return what passes all rules for the part of an iceberg order that shows."""
        grid, most = self._sizes(), self.rules.iceberg_parts
        if order.quantity is None:
            return grid
        grid = grid.joined(Grid(high=order.quantity))
        if not most:
            return grid
        # Multiples of so many steps are so many times a multiple of the step, so that this division is exact.
        whole = ceil_to(order.quantity, EXACT.multiply(grid.step or _FINEST, Decimal(most)))
        return grid.joined(Grid(EXACT.divide(whole, Decimal(most))))

    def _prices(self, order: OrderRequest, average_price: Decimal | None) -> Grid:
        """Return what passes all rules for the price of an order."""
        band = self._band(order, average_price)
        return self._stop_prices() if band is None else self._stop_prices().joined(band)

    def _stop_prices(self) -> Grid:
        """Return what passes all rules for the stop price of an order."""
        return self.rules.price_grid.joined(_places(self.rules.quote_precision))

    def _amounts(self, order: OrderRequest | OrderState) -> Grid:
        """Return what passes all rules for the quote quantity of an order."""
        grid = _places(self.rules.quote_precision)
        return grid.joined(_worth(self._notionals(order), _ONE, grid.step))

    def _quantities(self, order: OrderRequest | OrderState, average_price: Decimal | None) -> Grid:
        """Return what passes all rules for the quantity of this kind of order, at its price."""
        price = _judged_price(order, average_price)
        grid = self._sizes_of(order).joined(_places(self.rules.base_precision))
        if order.type in AT_MARKET:
            grid = grid.joined(self.rules.market_quantity_grid)
        if order.iceberg_quantity is not None:
            grid = grid.joined(Grid(order.iceberg_quantity))
        return grid if price is None else grid.joined(_worth(self._notionals(order), price, grid.step))

    def _sizes_of(self, order: OrderRequest | OrderState) -> Grid:
        return self.rules.post_only_quantity_grid if order.post_only else self.rules.quantity_grid

    def _sizes(self) -> Grid:
        return self.rules.quantity_grid.joined(_places(self.rules.base_precision))

    def _notionals(self, order: OrderRequest | OrderState) -> Grid:
        """Return what this kind of order may be worth."""
        rules = self.rules
        if order.type in AT_MARKET:
            return Grid(rules.market_min_notional, rules.market_max_notional)
        return Grid(rules.min_notional, rules.max_notional)

    def _band(self, order: OrderRequest, average_price: Decimal | None) -> Grid | None:
        band = self.rules.price_band
        if band is None or average_price is None:
            return None
        down, up = (band.buy_down, band.buy_up) if order.side is Side.BUY else (band.sell_down, band.sell_up)
        return Grid(EXACT.multiply(average_price, down), EXACT.multiply(average_price, up))

    def _check_notional(self, order: OrderRequest | OrderState, average_price: Decimal | None) -> None:
        allowed, price = self._notionals(order), _judged_price(order, average_price)
        if order.quote_quantity is not None:
            notional, field, value = order.quote_quantity, "quote_quantity", order.quote_quantity
        elif order.quantity is not None and price is not None:
            notional, field, value = EXACT.multiply(price, order.quantity), "quantity", order.quantity
        else:
            return
        if allowed.holds(notional):
            return
        if notional < allowed.low:
            limit = f"at least {plain_text(allowed.low)} {self.quote} is needed"
        else:
            limit = f"at most {plain_text(allowed.high)} {self.quote} is allowed"
        valid = self._amounts(order) if field == "quote_quantity" else self._quantities(order, average_price)
        text = f"makes a notional of {plain_text(notional)}, {limit}"
        raise self._broken(NOTIONAL, field, value, text, valid.nearest(value))

    def _check_places(self, field: str, value: Decimal | None, places: int | None, valid: Callable[[], Grid]) -> None:
        if value is not None and places is not None and needs_more_decimals(value, places):
            raise self._broken(PRECISION, field, value, f"has more than {places} decimals", valid().nearest(value))

    def _check_grid(self, rule: str, field: str, value: Decimal | None, grid: Grid, valid: Callable[[], Grid]) -> None:
        """Check a value against one rule; ``valid`` returns what all rules for it leave over, where it is needed."""
        if value is None or grid.holds(value):
            return
        nearest = valid().nearest(value)
        if value < grid.low:
            text = f"must be at least {plain_text(grid.low)}"
        elif grid.high != ZERO and value > grid.high:
            text = f"must be at most {plain_text(grid.high)}"
        else:
            text = f"must be a multiple of the {_STEP_NAMES.get(rule, 'step')} {plain_text(grid.step)}"
            if nearest is not None:
                text += f"; the nearest valid one is {plain_text(nearest)}"
        raise self._broken(rule, field, value, text, nearest)

    def _refusal(self, field: str, value: object, text: str) -> ValidationError:
        return ValidationError(field, value, text, exchange=self.exchange)

    def _broken(self, rule: str, field: str, value: Decimal, text: str, nearest: Decimal | None) -> ValidationError:
        details = {"filter": rule, "symbol": self.symbol, "nearest": nearest}
        return ValidationError(field, plain_text(value), text, exchange=self.exchange, details=details)


def _places(precision: int | None) -> Grid:
    """Return the numbers with so many decimals."""
    return Grid() if precision is None else Grid(step=EXACT.scaleb(_ONE, -precision))


def _judged_price(order: OrderRequest | OrderState, average_price: Decimal | None) -> Decimal | None:
    """Return the price by which the exchange counts what an order is worth (Binance: 6, NOTIONAL)."""
    return average_price if order.type in AT_MARKET else order.price


def _worth(notionals: Grid, price: Decimal, step: Decimal) -> Grid:
    """Return the limits of a quantity in such steps that is worth what it may be."""
    # Multiples of the step are worth multiples of the step's worth, so that these divisions are exact.
    each = EXACT.multiply(step or _FINEST, price)
    low = EXACT.divide(ceil_to(notionals.low, each), price)
    if notionals.high == ZERO:
        return Grid(low)
    high = EXACT.divide(floor_to(notionals.high, each), price)
    # A grid's limit of zero would be none.
    return Grid(low, high) if high > ZERO else _NOTHING
