"""How each of Binance's example payloads is read, which of its fields are mandatory and which are left out, and why.

A reading is made for the payload's own symbol and ids; changed copies of the payload are then given to the same parser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exconn_sync._machines.book_side import BookSide
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.enums import Channel
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.market import MarketEvent
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall, Topic
from tests.exchanges.binance.mutations import Json
from tests.exchanges.binance.support import INSTRUMENTS, RECEIVED_AT, instrument, order_state, read_call, response

Read = Callable[[bytes], Any]

WORKED_OUT = "follows from other fields"
UNUSED = "unused by the exchange"
NAMED_BEFORE = "the topic or the subscription has it"
WIRE_TIME = "when the message was sent; the time of the matter itself is kept"
NOT_TOLD = "nothing of the library needs it; Connector.request has it"


@dataclass(frozen=True)
class Reading:
    """How payloads of one form are read.

    ``reader`` makes the parser for a payload. ``required`` are the fields without which it is refused; all others may
    be absent. ``ignored`` are fields whose content is not in the value, with the reason.
    """

    reader: Callable[[Json], Read]
    required: frozenset[str] = frozenset()
    ignored: Mapping[str, str] = field(default_factory=dict)


def symbol_in(payload: Json) -> Instrument:
    """Return the instrument a payload is about; its assets are the first three letters and the rest."""
    row = payload[0] if isinstance(payload, list) and payload else payload
    name = row.get("symbol", "BTCUSDT") if isinstance(row, dict) else "BTCUSDT"
    return instrument(name[:3], name[3:])


def _of_call(call: RestCall[Any]) -> Read:
    return lambda body: call.parse(response(body))


def _with_symbol(make: Callable[[Instrument], RestCall[Any]]) -> Callable[[Json], Read]:
    return lambda payload: _of_call(make(symbol_in(payload)))


def _placed(payload: Json) -> Read:
    order = OrderRequest.market("BTC-USDT", "sell", 10)
    client_id = ClientOrderId(payload["clientOrderId"])
    return _of_call(DRIVER.place_order(order, symbol_in(payload), client_id, INSTRUMENTS))


def _cancelled(payload: Json) -> Read:
    wanted = order_state(payload["origClientOrderId"], str(payload["orderId"]))
    return _of_call(DRIVER.cancel_order(symbol_in(payload), wanted, INSTRUMENTS))


def _queried(payload: Json) -> Read:
    wanted = order_state(payload["clientOrderId"], str(payload["orderId"]))
    return _of_call(DRIVER.fetch_order(symbol_in(payload), wanted, INSTRUMENTS))


def _errors(payload: Json) -> Read:
    return lambda body: DRIVER.error_of(response(body, 400), read_call(is_command=True))


def _account(payload: Json) -> Read:
    symbol = payload.get("event", {}).get("s", "BTCUSDT")
    known = Instruments("binance", [instrument(symbol[:3], symbol[3:])])
    return lambda frame: DRIVER.parse_account(frame, RECEIVED_AT, known)


def _control(payload: Json) -> Read:
    return DRIVER.parse_control


def raw(payload: Json) -> Read:
    """Read what the domain does not cover, through ``Connector.request``."""
    return _of_call(DRIVER.raw_call("GET", "/api/v3/ping", (), is_signed=False))


def _stream(channel: Channel) -> Callable[[Json], Read]:
    def read(data: bytes) -> list[MarketEvent]:
        events: list[MarketEvent] = []
        DRIVER.decoder(Topic(channel, "BTC-USDT"))(b'{"stream":"x","data":' + data + b"}", RECEIVED_AT, events.append)
        return events

    return lambda payload: read


def _checked_levels(read: Read) -> Read:
    """Read a book as the library does: its levels stay text until the local book takes them."""

    def read_levels(body: bytes) -> Any:
        found = read(body)
        for event in found if isinstance(found, list) else [found]:
            BookSide(is_bids=True).load(event.bids)
            BookSide(is_bids=False).load(event.asks)
        return found

    return read_levels


def _fields(*names: str) -> frozenset[str]:
    return frozenset(names)


_ORDER = {
    "orderListId": NOT_TOLD,
    "workingTime": NOT_TOLD,
    "selfTradePreventionMode": NOT_TOLD,
    "icebergQty": NOT_TOLD,
    "isWorking": NOT_TOLD,
    "time": "when the order was placed; the last change is kept",
}
_FILL = _fields(*(f"fills[].{name}" for name in ("price", "qty", "commission", "commissionAsset", "tradeId")))
_EVENT = {"subscriptionId": NAMED_BEFORE, "event.E": WIRE_TIME}

TIME = Reading(lambda payload: _of_call(DRIVER.server_time()), _fields("serverTime"))
DEPTH = Reading(
    lambda payload: _checked_levels(_of_call(DRIVER.fetch_order_book(symbol_in(payload), 5))),
    _fields("lastUpdateId", "bids", "asks"),
)
TRADES = Reading(
    _with_symbol(lambda of: DRIVER.fetch_trades(of, 5)),
    _fields("[].id", "[].price", "[].qty", "[].time", "[].isBuyerMaker"),
    {"[].quoteQty": WORKED_OUT, "[].isBestMatch": UNUSED},
)
BALANCES = Reading(
    lambda payload: _of_call(DRIVER.fetch_balances()),
    _fields("updateTime", "balances", "balances[].asset", "balances[].free", "balances[].locked"),
    dict.fromkeys((
        "accountType", "brokered", "buyerCommission", "canDeposit", "canTrade", "canWithdraw", "commissionRates.buyer",
        "commissionRates.maker", "commissionRates.seller", "commissionRates.taker", "makerCommission", "permissions[0]",
        "preventSor", "requireSelfTradePrevention", "sellerCommission", "takerCommission", "uid",
    ), NOT_TOLD),
)  # fmt: skip
FILLS = Reading(
    _with_symbol(lambda of: DRIVER.fetch_fills(of, None, INSTRUMENTS)),
    _fields(*(f"[].{name}" for name in (
        "symbol", "id", "orderId", "price", "qty", "commission", "commissionAsset", "time", "isBuyer", "isMaker",
    ))),
    {"[].orderListId": NOT_TOLD, "[].quoteQty": WORKED_OUT, "[].isBestMatch": UNUSED},
)  # fmt: skip
ACKNOWLEDGED = Reading(_placed, _fields("symbol", "orderId", "clientOrderId"), _ORDER)
PLACED = Reading(_placed, _fields("symbol", "orderId", "clientOrderId", "status"), _ORDER)
EXECUTED = Reading(_placed, _fields("symbol", "orderId", "clientOrderId", "status", "side") | _FILL, _ORDER)
CANCELLED = Reading(
    _cancelled, _fields("symbol", "orderId", "clientOrderId"), {**_ORDER, "origClientOrderId": WORKED_OUT}
)
QUERIED = Reading(_queried, _fields("symbol", "orderId", "clientOrderId", "status", "executedQty"), _ORDER)
OPEN_ORDERS = Reading(
    _with_symbol(lambda of: DRIVER.fetch_open_orders(of, INSTRUMENTS)),
    _fields("[].symbol", "[].orderId", "[].clientOrderId", "[].status", "[].executedQty"),
    {f"[].{name}": why for name, why in _ORDER.items()},
)
ERROR = Reading(_errors)
RAW = Reading(raw)
POSITION = Reading(
    _account,
    _fields("event.e", "event.u", "event.B", "event.B[].a", "event.B[].f", "event.B[].l"),
    _EVENT,
)
CONTROL = Reading(_control)
NOTICE = Reading(_account)
TRADE_STREAM = Reading(
    _stream(Channel.TRADE), _fields("t", "p", "q", "T", "m"), {"E": WIRE_TIME, "M": UNUSED, "s": NAMED_BEFORE}
)
BOOK_TICKER_STREAM = Reading(_stream(Channel.BOOK_TICKER), _fields("u", "b", "B", "a", "A"), {"s": NAMED_BEFORE})
DEPTH_STREAM = Reading(
    lambda payload: _checked_levels(_stream(Channel.ORDER_BOOK)(payload)),
    _fields("E", "U", "u", "b", "a"),
    {"s": NAMED_BEFORE},
)
