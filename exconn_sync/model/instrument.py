"""What can be traded, in which steps, and how every spelling of a symbol finds it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from exconn_sync.errors import NotReady, ValidationError
from exconn_sync.model.numbers import positive_decimal_of, rounded_to, unrounded_of
from exconn_sync.model.order_check import OrderCheck
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.trading_rules import Allowances, SymbolPhase, TradingRules

_SEPARATED = re.compile(r"(?P<base>[^\W_]+)[-/](?P<quote>[^\W_]+)(-(?P<kind>[A-Za-z]+))?")
_MAX_SYMBOL_LENGTH = 64
_NO_LIMITS = Allowances()


@dataclass(frozen=True)
class Instrument(TradingRules):
    """One spot symbol and its trading rules; a limit of zero means that there is none.

    ``symbol`` is canonical (``BTC-USDT``), ``exchange_symbol`` the exchange's spelling (``BTCUSDT``). Prices are in
    quote per base, quantities in base, notionals in quote.

    Attributes:
        is_trading: whether orders are taken at the moment.
        status: the exchange's own word for that; ``phase`` is what it means.
        tick_size: the step of prices.
        min_price: the lowest price of an order.
        max_price: the highest price of an order.
        price_band: how far from the average price they may lie, or None.
        lot_step: the step of quantities.
        min_quantity: the smallest quantity of an order.
        max_quantity: the largest quantity of an order.
        market_lot_step: a further step for market orders.
        market_min_quantity: a further smallest quantity of market orders.
        market_max_quantity: a further largest quantity of market orders.
        post_only_max_quantity: the largest quantity of post-only orders, in place of the other one.
        min_notional: the least that price times quantity may be, for orders with a price.
        max_notional: the most that it may be.
        market_min_notional: the same for market orders, by quote quantity or average price.
        market_max_notional: the most for market orders.
        average_price_minutes: over how many minutes the exchange takes the average; 0 for the last price.
        iceberg_parts: into how many parts an iceberg order may fall.
        trailing_range: how far a trailing stop may follow the market, or None.
        allowances: how much may be open at the same time.
        base_precision: decimals of quantities; None where the exchange does not say.
        quote_precision: decimals of prices.
        base_fee_precision: decimals of fees in the base asset.
        quote_fee_precision: decimals of fees in the quote asset.
        order_types: kinds of orders that are taken; empty where the exchange does not say.
        quote_quantity_allowed: whether market orders by quote quantity are taken.
        features: what else is offered; None where the exchange does not say. See ``offers``.
        permission_sets: an account needs one permission out of each. See ``is_permitted``.
        self_trade_preventions: modes that an order may choose, in lower case; empty where the exchange does not say.
        default_self_trade_prevention: the mode of an order that chooses none.
        unknown_filters: names of rules that this version does not know or could not read; the exchange judges them.
    """

    exchange: str
    symbol: str
    exchange_symbol: str
    base: str
    quote: str

    def round_price(self, price: Decimal | int | str, rounding: str = "down") -> Decimal:
        """Return the nearest multiple of the tick size: at or below the price, or as ``rounding`` says.

        ``rounding`` is ``down``, ``up`` or ``nearest`` (half way: down). The price may be a quotient of up to 60
        digits; what is returned has the decimals of the tick size.

        Raises:
            ValidationError: another word for ``rounding``; or no exact, finite price of zero or more.
        """
        return rounded_to(unrounded_of("price", price), self.tick_size, rounding)

    def round_quantity(self, quantity: Decimal | int | str, rounding: str = "down") -> Decimal:
        """Return the nearest multiple of the lot step at or below the quantity, or as ``rounding`` says.

        Unless it is told so, rounding never makes an order larger. Otherwise as ``round_price``.

        Raises:
            ValidationError: as ``round_price``.
        """
        return rounded_to(unrounded_of("quantity", quantity), self.lot_step, rounding)

    def check(self, order: OrderRequest, average_price: Decimal | int | str | None = None) -> None:
        """Check an order against the static rules of the symbol, before anything is sent.

        Rules about the average price (``price_band``, the notional of market orders by quantity) are checked where one
        is given, see ``Connector.fetch_average_price``; the exchange's own average may be another one by then.

        Raises:
            ValidationError: names the rule (``details['filter']``), the value, and the nearest valid one for this field
                (``details['nearest']``, None where no value is valid); or the order is for another symbol.
        """
        if not isinstance(order, OrderRequest):
            raise ValidationError("order", type(order).__name__, "must be an OrderRequest")
        if order.symbol != self.symbol and order.symbol not in Instruments(self.exchange, [self]):
            raise ValidationError("symbol", order.symbol, f"is not {self.symbol}", exchange=self.exchange)
        average = None if average_price is None else positive_decimal_of("average_price", average_price)
        OrderCheck(self, self.exchange, self.symbol, self.quote).check(order, average)

    def check_exits(self, exits: Mapping[str, Decimal]) -> None:
        """Check prices of what is placed once an order is filled, by name (``take_profit``); zero takes one away.

        Raises:
            ValidationError: as ``check``, for the first that breaks a rule.
        """
        OrderCheck(self, self.exchange, self.symbol, self.quote).check_exits(exits)

    def check_amend(self, order: OrderState, quantity: Decimal | int | str) -> None:
        """Check another quantity for an order that is on the exchange, as ``Connector.amend_order`` does.

        Raises:
            ValidationError: as ``check``, for the quantity; or the order is for another symbol.
        """
        if order.symbol != self.symbol:
            raise ValidationError("symbol", order.symbol, f"is not {self.symbol}", exchange=self.exchange)
        # How much of an iceberg order shows follows its quantity (Binance: 5.7).
        amended = replace(order, quantity=positive_decimal_of("quantity", quantity), iceberg_quantity=None)
        OrderCheck(self, self.exchange, self.symbol, self.quote).check_amended(amended)


def canonical_symbol(base: str, quote: str) -> str:
    """Return the canonical spot symbol of a pair: ``BTC-USDT``."""
    return f"{base}-{quote}"


class Instruments:
    """An immutable table of instruments; understands canonical, slashed and exchange spelling.

    It may remember what is not listed any more, for the orders that are left of it: see ``after`` and ``of_order``.

    ``allowances`` are those of the whole exchange. ``unknown_filters`` counts, by name, the rules of symbols and of the
    exchange that this version does not know. ``loaded_at`` is nanoseconds since the Unix epoch.
    """

    __slots__ = (
        "_by_exchange_symbol",
        "_by_symbol",
        "_former",
        "allowances",
        "exchange",
        "loaded_at",
        "unknown_filters",
    )

    def __init__(
        self,
        exchange: str,
        items: Iterable[Instrument] = (),
        loaded_at: int = 0,
        allowances: Allowances = _NO_LIMITS,
        unknown_filters: Iterable[str] = (),
    ) -> None:
        self.exchange = exchange
        self.loaded_at = loaded_at
        self.allowances = allowances
        self._by_symbol = {item.symbol: item for item in items}
        self._by_exchange_symbol = {item.exchange_symbol: item for item in self._by_symbol.values()}
        self._former: Instruments | None = None
        names = Counter(unknown_filters)
        for item in self:
            names.update(item.unknown_filters)
        self.unknown_filters: Mapping[str, int] = MappingProxyType(dict(names))

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
            NotReady: the table is not loaded yet.
        """
        found = self._find(symbol) if isinstance(symbol, str) else None
        if found is None and not self._by_symbol and not self.loaded_at:
            raise NotReady(f"the instruments of {self.exchange} are not loaded yet", exchange=self.exchange)
        if found is None:
            raise ValidationError("symbol", symbol, f"is not a spot symbol of {self.exchange}", exchange=self.exchange)
        return found

    def after(self, former: Instruments | None) -> Instruments:
        """Return this table, which remembers what an earlier one lists or remembers and this one does not list."""
        if former is None:
            return self
        known = [*former, *(former._former or ())]
        left = [item for item in known if item.symbol not in self._by_symbol]
        table = copy(self)
        table._former = Instruments(self.exchange, left, former.loaded_at) if left else None
        return table

    def of_order(self, symbol: str) -> Instrument:
        """Return the instrument of an order that exists, also where its symbol is not listed (any more).

        It is as it was last known; one that was never known has the exchange's spelling, and no rules.
        """
        found = self._find(symbol)
        if found is None and self._former is not None:
            found = self._former._find(symbol)
        if found is not None:
            return found
        return Instrument(
            exchange=self.exchange, symbol=symbol, exchange_symbol=symbol, base="", quote="", is_trading=False,
            status="", phase=SymbolPhase.UNKNOWN,
        )  # fmt: skip

    def canonical(self, exchange_symbol: str) -> str:
        """Return the canonical symbol for the exchange's spelling; one that is not known is returned as it is."""
        found = self._by_exchange_symbol.get(exchange_symbol)
        if found is None:
            return exchange_symbol if self._former is None else self._former.canonical(exchange_symbol)
        return found.symbol

    def understood(self, symbol: str) -> str:
        """Return the canonical form of any understood spelling; one that is not understood is returned as it is.

        A separated spelling is understood without being listed, so that it means the same before the table is loaded.
        """
        found = self._find(symbol)
        if found is not None:
            return found.symbol
        parts = _SEPARATED.fullmatch(symbol.upper()) if len(symbol) <= _MAX_SYMBOL_LENGTH else None
        return symbol if parts is None else canonical_symbol(parts["base"], parts["quote"])

    def changes_to(self, newer: Instruments) -> list[tuple[str, Instrument | None, Instrument | None]]:
        """Return the symbols that differ in a newer table, with what was before and is after: None for nothing."""
        found: list[tuple[str, Instrument | None, Instrument | None]] = []
        for symbol in {**self._by_symbol, **newer._by_symbol}:
            before, after = self._by_symbol.get(symbol), newer._by_symbol.get(symbol)
            if before != after:
                found.append((symbol, before, after))
        return found

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
