"""What can be traded, in which steps, and how every spelling of a symbol finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import OrderType
from exconn_sync.model.numbers import EXACT, ZERO, floor_to, is_multiple, plain_text
from exconn_sync.model.orders import OrderRequest

_SEPARATED = re.compile(r"(?P<base>[^\W_]+)[-/](?P<quote>[^\W_]+)(-(?P<kind>[A-Za-z]+))?")
_MAX_SYMBOL_LENGTH = 64


@dataclass(frozen=True)
class Instrument:
    """One spot symbol and its trading rules; a limit of zero means that there is none.

    ``symbol`` is canonical (``BTC-USDT``), ``exchange_symbol`` the exchange's spelling (``BTCUSDT``). Prices are in
    quote per base, quantities in base, notionals in quote.
    """

    exchange: str
    symbol: str
    exchange_symbol: str
    base: str
    quote: str
    is_trading: bool = True
    status: str = "TRADING"
    tick_size: Decimal = ZERO
    min_price: Decimal = ZERO
    max_price: Decimal = ZERO
    lot_step: Decimal = ZERO
    min_quantity: Decimal = ZERO
    max_quantity: Decimal = ZERO
    market_lot_step: Decimal = ZERO
    market_min_quantity: Decimal = ZERO
    market_max_quantity: Decimal = ZERO
    min_notional: Decimal = ZERO
    max_notional: Decimal = ZERO
    order_types: frozenset[OrderType] = frozenset()
    quote_quantity_allowed: bool = True

    def round_price(self, price: Decimal) -> Decimal:
        """Return the nearest valid price at or below ``price``."""
        return floor_to(price, self.tick_size)

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Return the nearest valid quantity at or below ``quantity``: rounding never makes an order larger."""
        return floor_to(quantity, self.lot_step)

    def check(self, order: OrderRequest) -> None:
        """Check an order against the static rules of the symbol, before anything is sent.

        Raises:
            ValidationError: names the rule (``details['filter']``), the value and the nearest valid one.
        """
        if not self.is_trading:
            raise ValidationError("symbol", self.symbol, f"does not trade at the moment (status {self.status})")
        if self.order_types and order.type not in self.order_types:
            raise ValidationError("type", order.type, f"is not offered for {self.symbol}")
        if order.quote_quantity is not None and not self.quote_quantity_allowed:
            raise ValidationError("quote_quantity", order.quote_quantity, f"is not offered for {self.symbol}")
        self._check_price("price", order.price)
        self._check_price("stop_price", order.stop_price)
        if order.quantity is not None:
            self._check_quantity(order.quantity)
            if order.type is OrderType.MARKET:
                self._check_market_quantity(order.quantity)
        if order.price is not None and order.quantity is not None:
            self._check_notional(EXACT.multiply(order.price, order.quantity), "quantity", order.quantity)
        if order.quote_quantity is not None:
            self._check_notional(order.quote_quantity, "quote_quantity", order.quote_quantity)

    def _check_price(self, field: str, price: Decimal | None) -> None:
        if price is None:
            return
        self._check_range("PRICE_FILTER", field, price, self.min_price, self.max_price)
        self._check_step("PRICE_FILTER", field, price, self.tick_size, "tick size")

    def _check_quantity(self, quantity: Decimal) -> None:
        self._check_range("LOT_SIZE", "quantity", quantity, self.min_quantity, self.max_quantity)
        self._check_step("LOT_SIZE", "quantity", quantity, self.lot_step, "lot step")

    def _check_market_quantity(self, quantity: Decimal) -> None:
        low, high = self.market_min_quantity, self.market_max_quantity
        self._check_range("MARKET_LOT_SIZE", "quantity", quantity, low, high)
        self._check_step("MARKET_LOT_SIZE", "quantity", quantity, self.market_lot_step, "market lot step")

    def _check_range(self, rule: str, field: str, value: Decimal, low: Decimal, high: Decimal) -> None:
        if value < low:
            raise self._broken(rule, field, value, f"must be at least {plain_text(low)}", low)
        if high != ZERO and value > high:
            raise self._broken(rule, field, value, f"must be at most {plain_text(high)}", high)

    def _check_step(self, rule: str, field: str, value: Decimal, step: Decimal, name: str) -> None:
        if not is_multiple(value, step):
            nearest = floor_to(value, step)
            text = f"must be a multiple of the {name} {plain_text(step)}; the nearest below is {plain_text(nearest)}"
            raise self._broken(rule, field, value, text, nearest)

    def _check_notional(self, notional: Decimal, field: str, value: Decimal) -> None:
        shown = plain_text(notional)
        if notional < self.min_notional:
            text = f"makes a notional of {shown}, at least {plain_text(self.min_notional)} {self.quote} is needed"
            raise self._broken("NOTIONAL", field, value, text, self.min_notional)
        if self.max_notional != ZERO and notional > self.max_notional:
            text = f"makes a notional of {shown}, at most {plain_text(self.max_notional)} {self.quote} is allowed"
            raise self._broken("NOTIONAL", field, value, text, self.max_notional)

    def _broken(self, rule: str, field: str, value: Decimal, text: str, nearest: Decimal) -> ValidationError:
        details = {"filter": rule, "symbol": self.symbol, "nearest": nearest}
        return ValidationError(field, plain_text(value), text, exchange=self.exchange, details=details)


def canonical_symbol(base: str, quote: str) -> str:
    """Return the canonical spot symbol of a pair: ``BTC-USDT``."""
    return f"{base}-{quote}"


class Instruments:
    """An immutable table of instruments; understands canonical, slashed and exchange spelling."""

    __slots__ = ("_by_exchange_symbol", "_by_symbol", "exchange", "loaded_at")

    def __init__(self, exchange: str, items: Iterable[Instrument] = (), loaded_at: int = 0) -> None:
        self.exchange = exchange
        self.loaded_at = loaded_at
        self._by_symbol = {item.symbol: item for item in items}
        self._by_exchange_symbol = {item.exchange_symbol: item for item in self._by_symbol.values()}

    def __len__(self) -> int:
        return len(self._by_symbol)

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_symbol.values())

    def __contains__(self, symbol: object) -> bool:
        return isinstance(symbol, str) and self._find(symbol) is not None

    def get(self, symbol: str) -> Instrument:
        """Return the instrument for ``BTC-USDT``, ``BTC-USDT-SPOT``, ``BTC/USDT`` or the exchange's ``BTCUSDT``.

        Raises:
            ValidationError: the exchange has no such symbol.
        """
        found = self._find(symbol) if isinstance(symbol, str) else None
        if found is None:
            raise ValidationError("symbol", symbol, f"is not a spot symbol of {self.exchange}", exchange=self.exchange)
        return found

    def canonical(self, exchange_symbol: str) -> str:
        """Return the canonical symbol for the exchange's spelling; an unlisted one is returned as it is."""
        found = self._by_exchange_symbol.get(exchange_symbol)
        return exchange_symbol if found is None else found.symbol

    def understood(self, symbol: str) -> str:
        """Return the canonical form of any understood spelling; one that is not understood is returned as it is.

        A separated spelling is understood without being listed, so that it means the same before the table is loaded.
        """
        found = self._find(symbol)
        if found is not None:
            return found.symbol
        parts = _SEPARATED.fullmatch(symbol.upper()) if len(symbol) <= _MAX_SYMBOL_LENGTH else None
        return symbol if parts is None else canonical_symbol(parts["base"], parts["quote"])

    def _find(self, symbol: str) -> Instrument | None:
        found = self._by_symbol.get(symbol) or self._by_exchange_symbol.get(symbol)
        if found is not None or len(symbol) > _MAX_SYMBOL_LENGTH:
            return found
        upper = symbol.upper()
        parts = _SEPARATED.fullmatch(upper)
        if parts is None:
            return self._by_exchange_symbol.get(upper)
        if parts["kind"] not in (None, "SPOT"):
            return None
        return self._by_symbol.get(canonical_symbol(parts["base"], parts["quote"]))
