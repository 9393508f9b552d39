"""Commission rates in answers (Binance: 5.10)."""

from exconn_sync.simulator.binance.market_data import required_market
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.binance.wire import number
from exconn_sync.simulator.core.commission import FeeRates
from exconn_sync.simulator.core.order_words import Side
from exconn_sync.simulator.core.symbols import SymbolSpec


def account_commission(call: Call) -> object:
    """GET account/commission."""
    spec = required_market(call).spec
    call.params.finish()
    fees = call.venue.exchange.fees
    return {
        "symbol": spec.name,
        "standardCommission": all_rates(fees.rates),
        "specialCommission": all_rates(fees.special),
        "taxCommission": all_rates(fees.tax),
        "discount": _discount(call, spec),
    }


def commission_for_order(call: Call, spec: SymbolSpec, side: Side) -> dict[str, object]:
    """What an order of that side would pay, the side's own part included."""
    fees = call.venue.exchange.fees
    return {
        "standardCommissionForOrder": _for_side(fees.rates, side),
        "specialCommissionForOrder": _for_side(fees.special, side),
        "taxCommissionForOrder": _for_side(fees.tax, side),
        "discount": _discount(call, spec),
    }


def all_rates(rates: FeeRates) -> dict[str, object]:
    """The four rates of one kind of commission."""
    return {
        "maker": number(rates.maker),
        "taker": number(rates.taker),
        "buyer": number(rates.buyer),
        "seller": number(rates.seller),
    }


def _for_side(rates: FeeRates, side: Side) -> dict[str, object]:
    maker, taker = rates.for_side(side)
    return {"maker": number(maker), "taker": number(taker)}


def _discount(call: Call, spec: SymbolSpec) -> dict[str, object]:
    exchange = call.venue.exchange
    return {
        "enabledForAccount": exchange.accounts[call.account].wants_discount,
        "enabledForSymbol": spec.discount_allowed,
        "discountAsset": exchange.fees.discount.asset,
        "discount": number(exchange.fees.discount.share),
    }
