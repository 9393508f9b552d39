"""From exchangeInfo to instruments (Binance: 5.3, 6)."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from exconn_sync.exchanges.binance.endpoints import EXCHANGE
from exconn_sync.exchanges.binance.filters import rules_of
from exconn_sync.exchanges.binance.words import OFFERED_TYPES
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.model.instrument import Instrument, Instruments, canonical_symbol
from exconn_sync.model.trading_rules import Feature, SymbolPhase
from exconn_sync.model.wire import HttpResponse

_TRADING = "TRADING"
_POST_ONLY = "LIMIT_MAKER"
_PHASES = {
    _TRADING: SymbolPhase.TRADING,
    "CANCEL_ONLY": SymbolPhase.CANCEL_ONLY,
    "HALT": SymbolPhase.HALTED,
    "BREAK": SymbolPhase.CLOSED,
    "END_OF_DAY": SymbolPhase.CLOSED,
}
STATUS_WORDS: Collection[str] = _PHASES.keys()


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    order_types: list[str]
    filters: list[msgspec.Raw]
    base_asset_precision: int | None = None
    quote_asset_precision: int | None = None
    base_commission_precision: int | None = None
    quote_commission_precision: int | None = None
    # What came later is absent in older answers: then the exchange decides.
    quote_order_qty_market_allowed: bool = True
    is_spot_trading_allowed: bool = True
    is_margin_trading_allowed: bool = True
    iceberg_allowed: bool = True
    oco_allowed: bool = True
    oto_allowed: bool = True
    opo_allowed: bool = True
    allow_trailing_stop: bool = True
    cancel_replace_allowed: bool = True
    amend_allowed: bool = True
    peg_instructions_allowed: bool = True
    permissions: list[str] = []
    permission_sets: list[list[str]] = []
    default_self_trade_prevention_mode: str = ""
    allowed_self_trade_prevention_modes: list[str] = []


class _Pool(msgspec.Struct):
    symbols: list[str] = []


class _ExchangeInfo(msgspec.Struct, rename="camel"):
    """``sors`` is only there where orders are routed at all."""

    symbols: list[_Symbol]
    exchange_filters: list[msgspec.Raw] = []
    sors: list[_Pool] = []


_READER = Reader(EXCHANGE, _ExchangeInfo)


def parse_instruments(response: HttpResponse) -> Instruments:
    """Read exchangeInfo, without symbols that have no spot trading; filters not known or not readable are kept by name.

    Raises:
        ProtocolError: a field that we need is missing or has another form.
    """
    return _READER.read(response.body, lambda info: _instruments(info, response.received_at))


def _instruments(info: _ExchangeInfo, loaded_at: int) -> Instruments:
    whole = rules_of(info.exchange_filters)
    routed = {name for pool in info.sors for name in pool.symbols}
    items = [
        _instrument(symbol, is_routed=symbol.symbol in routed)
        for symbol in info.symbols
        if symbol.is_spot_trading_allowed
    ]
    return Instruments(EXCHANGE, items, loaded_at, whole.allowances, whole.unknown)


def _instrument(wire: _Symbol, *, is_routed: bool) -> Instrument:
    # ``permissions`` has been empty since the sets exist (Binance: 5.3).
    sets = wire.permission_sets or ([wire.permissions] if wire.permissions else [])
    return Instrument(
        exchange=EXCHANGE,
        symbol=canonical_symbol(wire.base_asset, wire.quote_asset),
        exchange_symbol=wire.symbol,
        base=wire.base_asset,
        quote=wire.quote_asset,
        is_trading=wire.status == _TRADING,
        status=wire.status,
        phase=_PHASES.get(wire.status, SymbolPhase.UNKNOWN),
        base_precision=wire.base_asset_precision,
        quote_precision=wire.quote_asset_precision,
        base_fee_precision=wire.base_commission_precision,
        quote_fee_precision=wire.quote_commission_precision,
        order_types=frozenset(OFFERED_TYPES[word] for word in wire.order_types if word in OFFERED_TYPES),
        quote_quantity_allowed=wire.quote_order_qty_market_allowed,
        features=_features(wire, is_routed=is_routed),
        permission_sets=tuple(frozenset(names) for names in sets),
        # Our words are theirs in lower case; one that is new is kept as well.
        self_trade_preventions=frozenset(mode.lower() for mode in wire.allowed_self_trade_prevention_modes),
        default_self_trade_prevention=wire.default_self_trade_prevention_mode.lower(),
        **rules_of(wire.filters).fields(),
    )


def _features(wire: _Symbol, *, is_routed: bool) -> frozenset[Feature]:
    offers = (
        (Feature.POST_ONLY, _POST_ONLY in wire.order_types),
        (Feature.ICEBERG, wire.iceberg_allowed),
        (Feature.TRAILING_STOP, wire.allow_trailing_stop),
        (Feature.PEGGED, wire.peg_instructions_allowed),
        (Feature.CANCEL_REPLACE, wire.cancel_replace_allowed),
        (Feature.AMEND, wire.amend_allowed),
        (Feature.OCO, wire.oco_allowed),
        (Feature.OTO, wire.oto_allowed),
        (Feature.OPO, wire.opo_allowed),
        (Feature.MARGIN, wire.is_margin_trading_allowed),
        (Feature.SMART_ROUTING, is_routed),
    )
    return frozenset(feature for feature, is_offered in offers if is_offered)
