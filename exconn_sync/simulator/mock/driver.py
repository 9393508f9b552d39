"""The driver of the mock: the wire of Binance, within the process, told as an exchange of its own."""

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import msgspec

from exconn_sync.errors import ExconnError
from exconn_sync.exchanges.binance.driver import BinanceDriver
from exconn_sync.model.instrument import Instruments
from exconn_sync.model.wire import RestCall
from exconn_sync.ports.driver import Decode, Emit
from exconn_sync.ports.local_exchange import SCHEME
from exconn_sync.simulator.binance.face import WS_API_PATH

NAME = "mock"


def addresses(host: str) -> dict[str, str]:
    """The base URLs of an exchange of this process."""
    base = f"{SCHEME}://{host}"
    return {"rest": base, "stream": base, "ws_api": base + WS_API_PATH}


def renamed(value: Any) -> Any:
    """A value of the driver, in which ``exchange`` says where it comes from."""
    if isinstance(value, RestCall):
        return replace(value, parse=lambda response: renamed(value.parse(response)))
    if isinstance(value, ExconnError):
        value.exchange = NAME if value.exchange else value.exchange
        return value
    if isinstance(value, Instruments):
        items = [renamed(instrument) for instrument in value]
        return Instruments(NAME, items, value.loaded_at, value.allowances, _without(value))
    if isinstance(value, (list, tuple)):
        parts = [renamed(part) for part in value]
        return value if all(new is old for new, old in zip(parts, value, strict=True)) else type(value)(parts)
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, exchange=NAME) if hasattr(value, "exchange") else value
    if is_dataclass(value) and not isinstance(value, type):
        changes = {field.name: renamed(getattr(value, field.name)) for field in fields(value) if field.init}
        if "exchange" in changes:
            changes["exchange"] = NAME
        changes = {name: new for name, new in changes.items() if new is not getattr(value, name)}
        return replace(value, **changes) if changes else value
    return value


def _without(table: Instruments) -> list[str]:
    """The unknown rules of the exchange itself; those of its symbols are counted again with them."""
    names = Counter(dict(table.unknown_filters))
    for instrument in table:
        names.subtract(instrument.unknown_filters)
    return list(names.elements())


class MockDriver(BinanceDriver):
    """Speaks to a ``MockExchange``; all it returns is said to be of the exchange ``mock``."""

    name = NAME
    environments = ("production",)

    def endpoints(self, environment: str) -> Mapping[str, str]:
        """Return addresses within this process; ``MockExchange.config`` has those of one exchange."""
        return addresses(NAME) if environment == "production" else {}

    def budget_name(self, endpoints: Mapping[str, str]) -> str:
        """Return the name of the exchange behind the addresses: each counts on its own."""
        return f"{NAME}:{urlsplit(endpoints['rest']).netloc}"

    def decoder(self, *arguments: Any, **options: Any) -> Decode:
        """Return the function that decodes the frames of a topic."""
        decode = super().decoder(*arguments, **options)

        def decode_renamed(frame: bytes, received_at: int, emit: Emit) -> None:
            decode(frame, received_at, lambda event: emit(renamed(event)))

        return decode_renamed


def _telling(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def tell(*arguments: Any, **options: Any) -> Any:
        try:
            return renamed(method(*arguments, **options))
        except ExconnError as error:
            raise renamed(error) from error.__cause__

    return tell


for _name, _method in inspect.getmembers(BinanceDriver, inspect.isfunction):
    if not _name.startswith("_") and _name not in vars(MockDriver):
        _told = _telling(_method)
        _is_static = isinstance(inspect.getattr_static(BinanceDriver, _name), staticmethod)
        setattr(MockDriver, _name, staticmethod(_told) if _is_static else _told)

DRIVER = MockDriver()
