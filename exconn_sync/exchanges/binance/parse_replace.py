"""Answers to cancelReplace, of which either half may have succeeded, and to amend (Binance: 5.7; fault F109)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.binance.endpoints import CANCEL_REPLACE, EXCHANGE
from exconn_sync.exchanges.binance.order_rows import AmendedOrderRow, OrderRow, acknowledge, answer_fills, order_fact
from exconn_sync.exchanges.binance.parse_lists import ListRow, list_fact, list_facts
from exconn_sync.exchanges.decoding import Reader
from exconn_sync.model.account import Fact
from exconn_sync.model.enums import CommandOutcome, FactSource
from exconn_sync.model.ids import ClientOrderId
from exconn_sync.model.instrument import Instrument
from exconn_sync.model.orders import OrderState
from exconn_sync.model.wire import HttpResponse, RestCall
from exconn_sync.ports.trading import HalfAnswer, ReplaceAnswer

_SUCCESS, _NOT_ATTEMPTED = "SUCCESS", "NOT_ATTEMPTED"

_NOTHING = msgspec.Raw()
HalfError = Callable[[HttpResponse, int, str], ExconnError]
"""Return the error of a half by its code and text; its ``outcome`` says what the exchange proved by it."""


class _Failure(msgspec.Struct):
    code: int
    msg: str = ""


class _Halves(msgspec.Struct, rename="camel"):
    cancel_result: str
    new_order_result: str
    cancel_response: msgspec.Raw = _NOTHING
    new_order_response: msgspec.Raw = _NOTHING


class _Body(msgspec.Struct, rename="camel"):
    """A success has the halves on top, a failure below ``data``."""

    cancel_result: str | None = None
    new_order_result: str | None = None
    cancel_response: msgspec.Raw = _NOTHING
    new_order_response: msgspec.Raw = _NOTHING
    data: _Halves | None = None

    def halves(self) -> _Halves:
        if self.data is not None:
            return self.data
        if self.cancel_result is None or self.new_order_result is None:
            raise ValueError("an answer without the results of both halves")
        return _Halves(self.cancel_result, self.new_order_result, self.cancel_response, self.new_order_response)


class _Amended(msgspec.Struct, rename="camel"):
    transact_time: int
    amended_order: AmendedOrderRow
    list_status: ListRow | None = None


_BODY = Reader(EXCHANGE, _Body, refuse_repeated_keys=True)
_AMENDED = Reader(EXCHANGE, _Amended, refuse_repeated_keys=True)
_FAILURE = msgspec.json.Decoder(_Failure)
_ORDER = msgspec.json.Decoder(OrderRow)
_LIST = msgspec.json.Decoder(ListRow)
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_HAS_DATA = msgspec.json.Decoder(_Body)


def tells_halves(response: HttpResponse, call: RestCall[object]) -> bool:
    """Return whether a failure of a cancelReplace says what became of each half, and is to be read for that."""
    if call.path != CANCEL_REPLACE or not 400 <= response.status < 500:
        return False
    try:
        return _HAS_DATA.decode(response.body).data is not None
    except (ValueError, RecursionError):
        return False  # a page of a proxy, or something malformed: the status has to say it all


def failed_halves(response: HttpResponse) -> list[tuple[int, str]]:
    """Return code and text of each half that was tried and failed; nothing where the answer does not tell."""
    try:
        halves = _HAS_DATA.decode(response.body).data
        if halves is None:
            return []
        failures = [
            _FAILURE.decode(raw)
            for result, raw in (
                (halves.cancel_result, halves.cancel_response), (halves.new_order_result, halves.new_order_response),
            )
            if result not in (_SUCCESS, _NOT_ATTEMPTED)
        ]  # fmt: skip
    except (ValueError, RecursionError):
        return []  # whoever reads the answer says so
    return [(failure.code, failure.msg) for failure in failures]


def parse_replaced(
    instrument: Instrument, old: OrderState, client_order_id: ClientOrderId, error_of: HalfError, response: HttpResponse
) -> ReplaceAnswer:
    """Read what became of the cancel and of the new order. Raises ProtocolError."""

    def answer(body: _Body) -> ReplaceAnswer:
        halves = body.halves()
        at, half_error = response.received_at, partial(error_of, response)
        return ReplaceAnswer(
            _half(halves.cancel_result, halves.cancel_response, half_error, lambda raw: _cancelled(raw, old, at)),
            _half(
                halves.new_order_result, halves.new_order_response, half_error,
                lambda raw: _placed(raw, instrument, client_order_id, at),
            ),
        )  # fmt: skip

    return _BODY.read(response.body, answer)


def parse_amended(instrument: Instrument, order: OrderState, response: HttpResponse) -> Sequence[Fact]:
    """Read an amended order, which may answer under another client id (fault F103). Raises ProtocolError."""

    def facts(wire: _Amended) -> Sequence[Fact]:
        row = wire.amended_order.usual(wire.transact_time)
        is_it = str(row.order_id) == order.exchange_order_id or order.exchange_order_id is None
        if row.symbol != instrument.exchange_symbol or not is_it:
            raise ValueError("the answer is about another order")  # fault F084
        renamed = ClientOrderId(row.client_order_id)
        found: list[Fact] = [
            order_fact(row, order.client_order_id, instrument.symbol, FactSource.ANSWER, response.received_at, renamed)
        ]
        if wire.list_status is not None:
            found.append(list_fact(wire.list_status, instrument.symbol, FactSource.ANSWER, response.received_at))
        return found

    return _AMENDED.read(response.body, facts)


def _half(
    result: str,
    response: msgspec.Raw,
    error_of: Callable[[int, str], ExconnError],
    read: Callable[[msgspec.Raw], Sequence[Fact]],
) -> HalfAnswer:
    if result == _SUCCESS:
        return HalfAnswer(CommandOutcome.DONE, read(response))
    if result == _NOT_ATTEMPTED:
        return HalfAnswer(CommandOutcome.NOT_SENT)
    failure = _FAILURE.decode(response)
    error = error_of(failure.code, failure.msg)
    refused = result == "FAILURE" and error.outcome == "refused"
    # A word or code that is on no table proves nothing (fault model 0.1).
    return HalfAnswer(CommandOutcome.REFUSED if refused else CommandOutcome.UNKNOWN, (), error)


def _cancelled(raw: msgspec.Raw, old: OrderState, received_at: int) -> Sequence[Fact]:
    if "contingencyType" in _KEYS.decode(raw):
        # The order was a leg: its whole list is cancelled (Binance: 5.6).
        return list_facts(_LIST.decode(raw), old.symbol, FactSource.ANSWER, received_at)
    row = _ORDER.decode(raw)
    if old.exchange_order_id is not None and str(row.order_id) != old.exchange_order_id:
        raise ValueError("the answer is about another order")
    return [order_fact(row, old.client_order_id, old.symbol, FactSource.ANSWER, received_at)]


def _placed(
    raw: msgspec.Raw, instrument: Instrument, client_order_id: ClientOrderId, received_at: int
) -> Sequence[Fact]:
    row = _ORDER.decode(raw)
    if row.symbol != instrument.exchange_symbol or row.client_order_id != client_order_id:
        raise ValueError("the answer is about another order")
    acknowledge(row)
    order = order_fact(row, client_order_id, instrument.symbol, FactSource.ANSWER, received_at, is_placed=True)
    return [order, *answer_fills(row, order)]
