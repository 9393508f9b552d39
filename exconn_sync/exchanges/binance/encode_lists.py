"""Order lists in Binance's words (Binance: 5.9)."""

from __future__ import annotations

from collections.abc import Sequence

from exconn_sync.exchanges.binance.encode_orders import order_terms, prevention_params
from exconn_sync.model.enums import OrderListKind
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.order_lists import OrderListRequest, OrderListState
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import Params

_PREFIXES = {
    OrderListKind.OCO: ("above", "below"),
    OrderListKind.OTO: ("working", "pending"),
    OrderListKind.OPO: ("working", "pending"),
    OrderListKind.OTOCO: ("working", "pendingAbove", "pendingBelow"),
    OrderListKind.OPOCO: ("working", "pendingAbove", "pendingBelow"),
}


def list_path(request: OrderListRequest) -> str:
    """Return the path on which a kind of list is placed."""
    return f"/api/v3/orderList/{request.kind}"


def list_params(
    request: OrderListRequest,
    instrument: Instrument,
    list_client_id: ClientOrderId,
    legs: Sequence[ClientOrderId],
) -> Params:
    """Return the parameters of a new order list; each order of it gets an id of ours, so that it can be found."""
    params = [("symbol", instrument.exchange_symbol), ("listClientOrderId", list_client_id)]
    if request.kind is OrderListKind.OCO:
        params += _amounts("", request.legs[0])
    else:
        params += _amounts("working", request.legs[0])
        # Side and quantity of a pending pair are stated once; those of one order stand under the same names.
        params += _amounts("pending", request.legs[1])
    for prefix, leg, own_id in zip(_PREFIXES[request.kind], request.legs, legs, strict=True):
        params += [(_prefixed(prefix, name), value) for name, value in order_terms(leg)]
        params.append((prefix + "ClientOrderId", own_id))
    return (*params, *prevention_params(request.legs[0]), ("newOrderRespType", "FULL"))


def named_list_params(instrument: Instrument | None, state: OrderListState) -> Params:
    """Return the parameters that name one order list, to cancel it or, without a symbol, to ask for it."""
    symbol: Params = () if instrument is None else (("symbol", instrument.exchange_symbol),)
    if state.list_id is not None:
        return (*symbol, ("orderListId", state.list_id))
    # A query calls the list's own id otherwise than a cancel does (Binance: 5.9).
    name = "origClientOrderId" if instrument is None else "listClientOrderId"
    return (*symbol, (name, state.list_client_id))


def _amounts(prefix: str, leg: OrderRequest) -> list[tuple[str, str]]:
    amounts = [(_prefixed(prefix, "side"), leg.side.value.upper())]
    if leg.quantity is not None:
        amounts.append((_prefixed(prefix, "quantity"), plain_text(leg.quantity)))
    return amounts


def _prefixed(prefix: str, name: str) -> str:
    return prefix + name[0].upper() + name[1:] if prefix else name
