"""cancelReplace: one order goes, another comes, and each half may fail on its own (Binance: 5.7)."""

from dataclasses import dataclass

from exconn_sync.simulator.binance import errors
from exconn_sync.simulator.binance.errors import ApiError
from exconn_sync.simulator.binance.market_data import known_market
from exconn_sync.simulator.binance.new_order import CLIENT_ID_FORM, OrderCommand, read_new_order
from exconn_sync.simulator.binance.trading import (
    cancel_found,
    check_order_in_time,
    find_order,
    placed,
    read_restriction,
)
from exconn_sync.simulator.binance.venue import Call
from exconn_sync.simulator.core.refusals import Refusal

_STOP, _GO_ON = "STOP_ON_FAILURE", "ALLOW_FAILURE"
_DO_NOTHING, _CANCEL_ONLY = "DO_NOTHING", "CANCEL_ONLY"
_PARAMETERS = (
    "cancelReplaceMode",
    "cancelOrderId",
    "cancelOrigClientOrderId",
    "cancelNewClientOrderId",
    "cancelRestrictions",
    "orderRateLimitExceededMode",
)
_NOT_SUPPORTED = "Order cancel-replace is not supported for this symbol."


@dataclass(frozen=True, slots=True)
class _Half:
    """What became of one half; no answer means that it was not tried."""

    succeeded: bool
    answer: dict[str, object] | None

    @property
    def word(self) -> str:
        """As the exchange calls it."""
        if self.answer is None:
            return "NOT_ATTEMPTED"
        return "SUCCESS" if self.succeeded else "FAILURE"


def cancel_replace(call: Call) -> object:
    """POST order/cancelReplace. Filters and the count of unfilled orders are judged before the cancel."""
    mode = _one_of("cancelReplaceMode", (_STOP, _GO_ON), call.params.required("cancelReplaceMode"))
    wanted = call.params.optional("orderRateLimitExceededMode") or _DO_NOTHING
    when_too_many = _one_of("orderRateLimitExceededMode", (_DO_NOTHING, _CANCEL_ONLY), wanted)
    restriction = read_restriction(call.params)
    cancel_id = call.params.matching("cancelNewClientOrderId", CLIENT_ID_FORM) or call.venue.new_client_id()
    command = read_new_order(call, *_PARAMETERS)
    symbol = command.order.symbol
    if not known_market(call, symbol).spec.replace_allowed:
        raise errors.rejected(_NOT_SUPPORTED)
    old = find_order(call, symbol, "cancelOrderId", "cancelOrigClientOrderId")
    try:
        call.venue.exchange.check(call.account, command.order, call.now)
    except Refusal as refusal:
        raise errors.of_refusal(refusal) from refusal
    too_many = _too_many(call)
    if too_many is not None and when_too_many == _DO_NOTHING:
        raise too_many
    check_order_in_time(call)
    try:
        cancelled = _Half(True, cancel_found(call, old, restriction, cancel_id))
    except ApiError as error:
        cancelled = _Half(False, error.body())
    if not cancelled.succeeded and mode == _STOP:
        new = _Half(False, None)
        # An order that was not tried counts like one that was placed.
        call.venue.order_counts.add(call.account, 1, call.now)
    else:
        new = _place(call, command, too_many)
    return _answer(cancelled, new, too_many)


def _place(call: Call, command: OrderCommand, too_many: ApiError | None) -> _Half:
    if too_many is not None:
        return _Half(False, too_many.body())
    try:
        order = call.venue.exchange.place(call.account, command.order, call.now)
    except Refusal as refusal:
        return _Half(False, errors.of_refusal(refusal).body())
    call.placed_order = True
    return _Half(True, placed(call, command, order))


def _answer(cancelled: _Half, new: _Half, too_many: ApiError | None) -> dict[str, object]:
    parts: dict[str, object] = {
        "cancelResult": cancelled.word,
        "newOrderResult": new.word,
        "cancelResponse": cancelled.answer,
        "newOrderResponse": new.answer,
    }
    if cancelled.succeeded and new.succeeded:
        return parts
    if cancelled.succeeded or new.succeeded:
        raise ApiError(-2021, "Order cancel-replace partially failed.", 409, data=parts)
    if too_many is not None and new.answer is None:
        # The documentation has a 429 for too many orders and nothing tried.
        raise ApiError(-2022, "Order cancel-replace failed.", 429, too_many.retry_at, parts)
    raise ApiError(-2022, "Order cancel-replace failed.", data=parts)


def _too_many(call: Call) -> ApiError | None:
    try:
        call.venue.order_counts.admit(call.account, call.now)
    except ApiError as error:
        return error
    return None


def _one_of(name: str, words: tuple[str, ...], value: str) -> str:
    if value not in words:
        raise errors.illegal_characters(name, "|".join(words))
    return value
