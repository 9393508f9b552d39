"""How each of Binance's example payloads is read, which of its fields are mandatory and which are left out, and why.

A reading is made for the payload's own symbol and ids; changed copies of the payload are then given to the same parser.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.orders import OrderRequest
from exconn_sync.model.wire import RestCall
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

    def leaves_out(self, path: str) -> bool:
        """Return whether a field is left out for a reason; ``[*]`` stands for any element of a list of words."""
        return path in self.ignored or re.sub(r"\[\d+\]$", "[*]", path) in self.ignored


def symbol_in(payload: Json) -> Instrument:
    """Return the instrument a payload is about; its assets are the first three letters and the rest."""
    row = payload[0] if isinstance(payload, list) and payload else payload
    name = row.get("symbol", "BTCUSDT") if isinstance(row, dict) else "BTCUSDT"
    return instrument(name[:3], name[3:])


def of_call(call: RestCall[Any]) -> Read:
    """Return the parser of a call."""
    return lambda body: call.parse(response(body))


def with_symbol(make: Callable[[Instrument], RestCall[Any]]) -> Callable[[Json], Read]:
    """Return what makes the parser of a call for the payload's symbol."""
    return lambda payload: of_call(make(symbol_in(payload)))


def _placed(payload: Json) -> Read:
    order = OrderRequest.market("BTC-USDT", "sell", 10)
    client_id = ClientOrderId(payload["clientOrderId"])
    return of_call(DRIVER.place_order(order, symbol_in(payload), client_id, INSTRUMENTS))


def _cancelled(payload: Json) -> Read:
    wanted = order_state(payload["origClientOrderId"], str(payload["orderId"]))
    return of_call(DRIVER.cancel_order(symbol_in(payload), wanted, INSTRUMENTS))


def _queried(payload: Json) -> Read:
    wanted = order_state(payload["clientOrderId"], str(payload["orderId"]))
    return of_call(DRIVER.fetch_order(symbol_in(payload), wanted, INSTRUMENTS))


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
    return of_call(DRIVER.raw_call("GET", "/api/v3/ping", (), is_signed=False))


def named(*names: str) -> frozenset[str]:
    """Return names of fields, as paths."""
    return frozenset(names)


def unwrapped(reading: Reading) -> Reading:
    """Return the reading of an answer of the WebSocket API, whose ``result`` is what REST answers (Binance: 11)."""

    def reader(payload: Json) -> Read:
        read = reading.reader(payload["result"])
        return lambda frame: read(json.dumps(json.loads(frame)["result"]).encode())

    ignored = {f"result{'' if name.startswith('[') else '.'}{name}": why for name, why in reading.ignored.items()}
    return Reading(reader, ignored=ignored)


_ORDER: dict[str, str] = {}
_FILL = named(*(f"fills[].{name}" for name in ("price", "qty", "commission", "commissionAsset", "tradeId")))
_EVENT = {"subscriptionId": NAMED_BEFORE, "event.E": WIRE_TIME}

BALANCES = Reading(
    lambda payload: of_call(DRIVER.fetch_balances()),
    named("updateTime", "balances", "balances[].asset", "balances[].free", "balances[].locked"),
    dict.fromkeys((
        "accountType", "brokered", "buyerCommission", "canDeposit", "canTrade", "canWithdraw", "commissionRates.buyer",
        "commissionRates.maker", "commissionRates.seller", "commissionRates.taker", "makerCommission", "permissions[0]",
        "preventSor", "requireSelfTradePrevention", "sellerCommission", "takerCommission", "uid",
    ), NOT_TOLD),
)  # fmt: skip
FILLS = Reading(
    with_symbol(lambda of: DRIVER.fetch_fills(of, None, INSTRUMENTS)),
    named(*(f"[].{name}" for name in (
        "symbol", "id", "orderId", "price", "qty", "commission", "commissionAsset", "time", "isBuyer", "isMaker",
    ))),
    {"[].orderListId": NOT_TOLD, "[].quoteQty": WORKED_OUT, "[].isBestMatch": UNUSED},
)  # fmt: skip
ACKNOWLEDGED = Reading(_placed, named("symbol", "orderId", "clientOrderId"), _ORDER)
PLACED = Reading(_placed, named("symbol", "orderId", "clientOrderId", "status"), _ORDER)
EXECUTED = Reading(_placed, named("symbol", "orderId", "clientOrderId", "status", "side") | _FILL, _ORDER)
CANCELLED = Reading(
    _cancelled,
    named("symbol", "orderId", "clientOrderId"),
    {**_ORDER, "origClientOrderId": WORKED_OUT, "clientOrderId": "the id of the cancel itself"},
)
QUERIED = Reading(
    _queried,
    named("symbol", "orderId", "clientOrderId", "status", "executedQty"),
    {**_ORDER, "clientOrderId": "the order is known by the id of the question"},
)
OPEN_ORDERS = Reading(
    with_symbol(lambda of: DRIVER.fetch_open_orders(of, INSTRUMENTS)),
    named("[].symbol", "[].orderId", "[].clientOrderId", "[].status", "[].executedQty"),
    {f"[].{name}": why for name, why in _ORDER.items()},
)
ERROR = Reading(_errors)
RAW = Reading(raw)
NOTICE = Reading(_account)
POSITION = Reading(
    _account, named("event.e", "event.u", "event.B", "event.B[].a", "event.B[].f", "event.B[].l"), _EVENT
)
BALANCE_CHANGE = Reading(_account, named("event.e", "event.a", "event.d", "event.T"), _EVENT)
REPORT = Reading(
    _account,
    named(*(f"event.{letter}" for letter in "escSxXizT")),
    {**_EVENT, "event.M": UNUSED, "event.Y": WORKED_OUT, **{
        f"event.{letter}": "only where it has traded" for letter in "lLnNmt"
    }, **{f"event.{letter}": NOT_TOLD for letter in "Ix"}},
)  # fmt: skip
LIST = Reading(
    _account,
    named(*(f"event.{name}" for name in ("e", "s", "g", "c", "L", "C", "T", "O", "O[].s", "O[].i", "O[].c"))),
    {**_EVENT, "event.l": WORKED_OUT, "event.O[].s": WORKED_OUT},
)
CONTROL = Reading(_control)
