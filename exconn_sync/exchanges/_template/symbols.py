"""From the list of symbols to instruments.

Look up: steps, least and greatest quantities, prices and worths, and which of them the exchange really enforces; how
symbols are spelt. What a rule does not say stays at its default, which is "no limit": the exchange judges it.
"""

from __future__ import annotations

import msgspec

from exconn_sync.exchanges._template.endpoints import EXCHANGE
from exconn_sync.exchanges._template.words import KINDS
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.instrument import Instrument, Instruments, canonical_symbol
from exconn_sync.model.trading_rules import Feature, SymbolPhase
from exconn_sync.model.wire import HttpResponse

_PHASES = {"open": SymbolPhase.TRADING, "halted": SymbolPhase.HALTED, "closed": SymbolPhase.CLOSED}


class _Symbol(msgspec.Struct):
    symbol: str
    base: str
    quote: str
    state: str
    price_step: str
    quantity_step: str
    least_quantity: str = "0"
    least_worth: str = "0"


class _Symbols(msgspec.Struct):
    symbols: list[_Symbol]


_READER = Reader(EXCHANGE, _Symbols)


def parse_instruments(response: HttpResponse) -> Instruments:
    """Read all symbols. Raises ProtocolError."""

    def build(wire: _Symbols) -> Instruments:
        return Instruments(EXCHANGE, [_instrument(row) for row in wire.symbols], response.received_at)

    return _READER.read(response.body, build)


def _instrument(row: _Symbol) -> Instrument:
    # A state of the future is no reason to refuse orders here: the exchange decides.
    phase = _PHASES.get(row.state, SymbolPhase.UNKNOWN)
    least = number(row.least_worth)
    return Instrument(
        exchange=EXCHANGE,
        symbol=canonical_symbol(row.base, row.quote),
        exchange_symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        is_trading=phase is SymbolPhase.TRADING,
        status=row.state,
        phase=phase,
        tick_size=number(row.price_step),
        lot_step=number(row.quantity_step),
        min_quantity=number(row.least_quantity),
        min_notional=least,
        market_min_notional=least,
        order_types=frozenset(KINDS),
        quote_quantity_allowed=False,
        features=frozenset({Feature.POST_ONLY}),
    )
