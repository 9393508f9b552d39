"""Every call and every stream of the driver, found by looking at it: a new parser is tested without being listed."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.instrument import Instrument, Instruments
from exconn_sync.model.order_lists import OrderListRequest, OrderListState
from exconn_sync.model.orders import OrderRequest, OrderState
from exconn_sync.model.wire import Params, RestCall, TimeSpan, Topic
from exconn_sync.ports.driver import Decode
from tests.exchanges.binance.support import BTCUSDT, INSTRUMENTS, order_state

_BY_TYPE: dict[Any, Any] = {
    Instrument: BTCUSDT,
    Instruments: INSTRUMENTS,
    OrderState: order_state(),
    OrderRequest: OrderRequest.market("BTC-USDT", "sell", 10),
    ClientOrderId: ClientOrderId("my-order-1"),
    TradeId: TradeId("7"),
    Params: (),
    ExchangeOrderId: ExchangeOrderId("7"),
    OrderListRequest: OrderListRequest.oto(
        OrderRequest.limit("BTC-USDT", "buy", 1, 10), OrderRequest.limit("BTC-USDT", "sell", 1, 20)
    ),
    OrderListState: OrderListState("binance", "BTC-USDT", ClientOrderId("my-list-1"), "7"),
    TimeSpan: TimeSpan(1, 2),
    Decimal: Decimal(5),
    int: 5,
    str: "7",
    bool: True,
}
_BY_NAME: dict[str, list[Any]] = {
    "method": ["GET"], "path": ["/api/v3/ping"], "interval": ["1m"], "window": ["1h", "24h"],
    # Binance amends no prices, and attaches nothing.
    "quantity": [Decimal(5)], "price": [None], "exits": [None],
    # An id and times exclude each other.
    # Binance takes no body.
    "body": [None], "start": [None], "end": [None], "legs": [[ClientOrderId("one"), ClientOrderId("two")]],
}  # fmt: skip


def _choices(name: str, hint: Any) -> list[Any]:
    """Return values for a parameter: one, and None as well where that is allowed."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return [value for part in typing.get_args(hint) for value in _choices(name, part)]
    if hint is type(None):
        return [None]
    if typing.get_origin(hint) is Sequence:
        return [[value] for part in typing.get_args(hint) for value in _choices(name, part)]
    if hint not in _BY_TYPE:
        raise AssertionError(f"say in {__name__} what to give for the parameter {name}: {hint}")
    return [_BY_TYPE[hint]]


def _made(method: Callable[..., Any]) -> list[Any]:
    """Return what a method makes of the first and of the last choice for each of its parameters."""
    hints = typing.get_type_hints(method)
    parameters = [
        (parameter, _choices(name, hints[name]))
        for name, parameter in inspect.signature(method).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    made = []
    for which in (0, -1):
        made.append(method(**{parameter.name: choices[which] for parameter, choices in parameters}))
        if all(len(choices) == 1 for _, choices in parameters):
            break
    return made


def every_call(
    driver: object = DRIVER, *, refused: frozenset[str] = frozenset()
) -> Iterator[tuple[str, RestCall[Any]]]:
    """Yield each call of a driver by the name of its method, but for those that the exchange does not have."""
    for name, method in inspect.getmembers(driver, callable):
        if name.startswith("_") or name in refused:
            continue
        answer = typing.get_type_hints(method).get("return")
        if typing.get_origin(answer) is RestCall:
            for call in _made(method):
                yield name, call
        elif typing.get_origin(answer) is Sequence and typing.get_origin(typing.get_args(answer)[0]) is RestCall:
            for calls in _made(method):
                for call in calls:
                    yield name, call


def every_decoder() -> Iterator[tuple[Topic, Decode]]:
    """Yield the decoders of each channel of the driver, in its usual variant and in both units of time."""
    for channel in sorted(DRIVER.channels):
        topic = Topic(channel, "BTC-USDT", DRIVER.variant(channel))
        yield topic, DRIVER.decoder(topic)
        yield topic, DRIVER.decoder(topic, microseconds=True)
