"""From exchangeInfo to instruments (Binance: 5.3, 6)."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.words import OFFERED_TYPES
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.instrument import Instrument, Instruments, canonical_symbol
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.wire import HttpResponse

_TRADING = "TRADING"


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


class _Notional(msgspec.Struct, rename="camel"):
    min_notional: str
    max_notional: str = "0"


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    order_types: list[str]
    filters: list[msgspec.Raw]
    quote_order_qty_market_allowed: bool = True
    is_spot_trading_allowed: bool = True


class _ExchangeInfo(msgspec.Struct):
    symbols: list[_Symbol]


_READER = Reader(EXCHANGE, _ExchangeInfo)
_FILTER_NAME = msgspec.json.Decoder(_FilterName)
_PRICE_FILTER = msgspec.json.Decoder(_PriceFilter)
_LOT_SIZE = msgspec.json.Decoder(_LotSize)
_NOTIONAL = msgspec.json.Decoder(_Notional)


def parse_instruments(response: HttpResponse) -> Instruments:
    """Read exchangeInfo; symbols without spot trading are left out, filters we do not know are ignored.

    Raises:
        ProtocolError: a field that we need is missing or has another form.
    """
    return _READER.read(
        response.body,
        lambda info: Instruments(
            EXCHANGE,
            [_instrument(symbol) for symbol in info.symbols if symbol.is_spot_trading_allowed],
            response.received_at,
        ),
    )


def _instrument(wire: _Symbol) -> Instrument:
    rules: dict[str, Decimal] = {}
    for raw in wire.filters:
        # The name first: a filter of the future may use the names of our fields for other types.
        for field, value in _rules_of(_FILTER_NAME.decode(raw).filter_type, raw).items():
            # MIN_NOTIONAL and its successor NOTIONAL may stand side by side: both must pass.
            rules[field] = max(rules.get(field, ZERO), value)
    return Instrument(
        exchange=EXCHANGE,
        symbol=canonical_symbol(wire.base_asset, wire.quote_asset),
        exchange_symbol=wire.symbol,
        base=wire.base_asset,
        quote=wire.quote_asset,
        is_trading=wire.status == _TRADING,
        status=wire.status,
        order_types=frozenset(OFFERED_TYPES[word] for word in wire.order_types if word in OFFERED_TYPES),
        quote_quantity_allowed=wire.quote_order_qty_market_allowed,
        **rules,
    )


def _rules_of(name: str, raw: msgspec.Raw) -> dict[str, Decimal]:
    """Return the limits of one filter by the instrument's names; a limit of 0 is none there too (Binance: 6)."""
    if name == "PRICE_FILTER":
        price = _PRICE_FILTER.decode(raw)
        return {
            "min_price": number(price.min_price),
            "max_price": number(price.max_price),
            "tick_size": number(price.tick_size),
        }
    if name in ("LOT_SIZE", "MARKET_LOT_SIZE"):
        lot, prefix = _LOT_SIZE.decode(raw), "" if name == "LOT_SIZE" else "market_"
        return {
            f"{prefix}min_quantity": number(lot.min_qty),
            f"{prefix}max_quantity": number(lot.max_qty),
            f"{prefix}lot_step": number(lot.step_size),
        }
    if name in ("NOTIONAL", "MIN_NOTIONAL"):
        notional = _NOTIONAL.decode(raw)
        return {"min_notional": number(notional.min_notional), "max_notional": number(notional.max_notional)}
    return {}
