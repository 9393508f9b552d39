"""From instruments-info to instruments (Bybit: 4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from exconn_sync.exchanges.bybit.endpoints import EXCHANGE
from exconn_sync.exchanges.bybit.envelope import EnvelopeReader, Rows
from exconn_sync.exchanges.bybit.words import PREVENTIONS
from exconn_sync.exchanges.wire_numbers import number
from exconn_sync.model.enums import OrderType
from exconn_sync.model.instrument import Instrument, Instruments, canonical_symbol
from exconn_sync.model.numbers import ZERO
from exconn_sync.model.trading_rules import Allowances, Feature, SymbolPhase
from exconn_sync.model.wire import HttpResponse

_TRADING = "Trading"
# Other words are those of derivatives; one of the past stands in old answers.
_PHASES = {
    _TRADING: SymbolPhase.TRADING,
    "1": SymbolPhase.TRADING,
    "PreLaunch": SymbolPhase.CLOSED,
    "Delivering": SymbolPhase.HALTED,
    "Closed": SymbolPhase.CLOSED,
}
_NO_MARGIN = frozenset({"", "none"})
_KINDS = frozenset(kind for kind in OrderType if kind is not OrderType.OTHER)

_OF_SYMBOL = Allowances(algo_orders=30)
_OF_ACCOUNT = Allowances(orders=500)
"""What may be open at the same time (Bybit: 4.7)."""


class _LotSize(msgspec.Struct, rename="camel"):
    base_precision: str
    quote_precision: str
    min_order_amt: str
    # Rules of the past beside them are not enforced any more. What came later is absent in older answers: then the
    # exchange decides.
    max_limit_order_qty: str = ""
    max_market_order_qty: str = ""
    post_only_max_limit_order_size: str = ""


class _Price(msgspec.Struct, rename="camel"):
    tick_size: str


class _Symbol(msgspec.Struct, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    status: str
    lot_size_filter: _LotSize
    price_filter: _Price
    margin_trading: str | None = None


_READER = EnvelopeReader(Rows[_Symbol])


def parse_instruments(response: HttpResponse) -> Instruments:
    """Read one page of instruments-info, which for spot is the only one.

    Raises:
        ProtocolError: a field that we need is missing or has another form.
    """
    return _READER.read(response.body, lambda wire: _instruments(wire.result.rows, response.received_at))


def joined(pages: Sequence[Instruments]) -> Instruments:
    """Return the instruments of all pages."""
    return Instruments(EXCHANGE, [item for page in pages for item in page], pages[0].loaded_at, _OF_ACCOUNT)


def _instruments(rows: list[_Symbol], loaded_at: int) -> Instruments:
    return Instruments(EXCHANGE, [_instrument(row) for row in rows], loaded_at, _OF_ACCOUNT)


def _instrument(wire: _Symbol) -> Instrument:
    lot, phase = wire.lot_size_filter, _PHASES.get(wire.status, SymbolPhase.UNKNOWN)
    step, tick, amount_step = (
        number(lot.base_precision),
        number(wire.price_filter.tick_size),
        number(lot.quote_precision),
    )
    least = number(lot.min_order_amt)
    return Instrument(
        exchange=EXCHANGE,
        symbol=canonical_symbol(wire.base_coin, wire.quote_coin),
        exchange_symbol=wire.symbol,
        base=wire.base_coin,
        quote=wire.quote_coin,
        is_trading=phase is SymbolPhase.TRADING,
        status=wire.status,
        phase=phase,
        tick_size=tick,
        lot_step=step,
        max_quantity=_number_or_none(lot.max_limit_order_qty),
        market_max_quantity=_number_or_none(lot.max_market_order_qty),
        post_only_max_quantity=_number_or_none(lot.post_only_max_limit_order_size),
        min_notional=least,
        market_min_notional=least,
        allowances=_OF_SYMBOL,
        base_precision=_places(step),
        # It holds for prices and for amounts, whose steps differ: the finer one, and the exchange judges the other.
        quote_precision=max(_places(tick), _places(amount_step)),
        order_types=_KINDS,
        features=_features(wire),
        # Which mode an order has that chooses none depends on the site (Bybit: 4.15).
        self_trade_preventions=frozenset(mode.value for mode in PREVENTIONS),
    )


def _features(wire: _Symbol) -> frozenset[Feature]:
    always = {Feature.POST_ONLY, Feature.AMEND, Feature.EXITS}
    return frozenset(always if wire.margin_trading in _NO_MARGIN else always | {Feature.MARGIN})


def _number_or_none(text: str) -> Decimal:
    """Return a limit, zero for an absent one, which is none."""
    return number(text) if text else ZERO


def _places(step: Decimal) -> int:
    """Return how many decimals a multiple of the step may have."""
    return max(0, -int(step.normalize().as_tuple().exponent))
