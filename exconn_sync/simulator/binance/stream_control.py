"""The control messages of a stream connection: which streams it wants and in which form."""

import json
import re
from dataclasses import dataclass
from urllib.parse import unquote

from exconn_sync.simulator.binance.wire import to_json
from exconn_sync.simulator.subscription_faults import SubscriptionFaults

MAX_STREAMS = 1024
_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_CHANGES = ("SUBSCRIBE", "UNSUBSCRIBE")
_KIND = "stream"
# The documentation says alphanumeric, and shows dashes.
_TEXT_ID = re.compile(r"[A-Za-z0-9_-]{0,36}")
_UNITS = {"": 1, "MILLISECOND": 1, "MICROSECOND": 1000}


class ControlError(Exception):
    """An error answer to a control message."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def unit_named(name: str) -> int:
    """How many of a unit of time make a millisecond; its name is in upper or in lower case, or not there at all.

    Raises:
        ValueError: a unit that does not exist.
    """
    unit = _UNITS.get(name.upper() if name in (name.upper(), name.lower()) else name)
    if unit is None:
        raise ValueError(f"no such time unit: {name}")
    return unit


@dataclass(frozen=True, slots=True)
class StreamUrl:
    """What the address of a stream connection asks for."""

    streams: tuple[str, ...]
    combined: bool
    unit: int

    @classmethod
    def parse(cls, raw_path: str) -> "StreamUrl":
        """Read ``/ws``, ``/ws/<stream>`` or ``/stream?streams=a/b``; escaped forms are understood.

        Raises:
            ValueError: a time unit that does not exist.
        """
        path, _, query = raw_path.partition("?")
        # Not read as a form, in which a plus is a blank: there are streams with a plus in their name.
        options = dict(pair.partition("=")[::2] for pair in map(unquote, query.split("&")))
        combined = path.rstrip("/") == "/stream"
        names = options.get("streams", "") if combined else unquote(path.removeprefix("/ws").lstrip("/"))
        unit = unit_named(options.get("timeUnit", ""))
        return cls(tuple(filter(None, names.split("/"))), combined, unit)


class StreamControl:
    """The state of one connection, changed by its control messages."""

    def __init__(self, url: StreamUrl, faults: SubscriptionFaults) -> None:
        self._faults = faults
        self.streams: dict[str, None] = dict.fromkeys(url.streams)
        self.combined = url.combined
        self.unit = url.unit

    def frame(self, stream: str, payload: str) -> str:
        """A payload as this connection wants it: bare, or wrapped with the name of its stream."""
        return f'{{"stream":"{stream}","data":{payload}}}' if self.combined else payload

    def answer(self, text: str) -> str | None:
        """Obey a control message and return the reply, or None when a fault swallows it."""
        request_id: object = None
        try:
            message = _parsed(text)
            request_id = _request_id(message)
            reply = to_json({"result": self._obey(message), "id": request_id})
            is_change = message.get("method") in _CHANGES
            return None if is_change and self._faults.take_lost_reply(_KIND) else reply
        except ControlError as error:
            refusal: dict[str, object] = {"code": error.code, "msg": error.message}
            return to_json(refusal if request_id is None else {**refusal, "id": request_id})

    def _obey(self, message: dict[str, object]) -> object:
        method = message.get("method")
        if method is None:
            raise ControlError(2, "Invalid request: missing field `method`")
        if method == "LIST_SUBSCRIPTIONS":
            return list(self.streams)
        if method not in _METHODS:
            expected = ", ".join(f"`{name}`" for name in _METHODS)
            raise ControlError(2, f"Invalid request: unknown variant `{method}`, expected one of {expected}")
        params = message.get("params")
        if not isinstance(params, list):
            raise ControlError(2, "Invalid request: missing field `params`")
        if method == "GET_PROPERTY":
            _check_property(params)
            if len(params) > 1:
                raise ControlError(2, "Invalid request: too many parameters")
            return self.combined
        if method == "SET_PROPERTY":
            self._set_property(params)
        else:
            self._change_streams(params, add=method == "SUBSCRIBE")
        return None

    def _change_streams(self, names: list[object], *, add: bool) -> None:
        for name in names:
            if not isinstance(name, str):
                raise ControlError(2, "Invalid request: stream name must be a string")
        refused = self._faults.refusal(str(name) for name in names)
        if refused is not None:
            raise ControlError(refused.code, refused.message)
        if add and self._faults.take_lost_subscription():
            return
        for name in names:
            if add:
                self.streams[str(name)] = None
            else:
                self.streams.pop(str(name), None)

    def _set_property(self, params: list[object]) -> None:
        _check_property(params)
        if len(params) > 2:
            raise ControlError(2, "Invalid request: too many parameters")
        if len(params) < 2 or not isinstance(params[1], bool):
            raise ControlError(1, "Invalid value type: expected Boolean")
        self.combined = params[1]


def _check_property(params: list[object]) -> None:
    if not params or not isinstance(params[0], str):
        raise ControlError(2, "Invalid request: property name must be a string")
    if params[0] != "combined":
        raise ControlError(0, "Unknown property")


def _parsed(text: str) -> dict[str, object]:
    try:
        message = json.loads(text)
    except json.JSONDecodeError as error:
        position = f"line {error.lineno} column {error.colno}"
        raise ControlError(3, f"Invalid JSON: expected value at {position}") from error
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits and endless nesting have no position.
        raise ControlError(3, "Invalid JSON: expected value at line 1 column 1") from error
    if not isinstance(message, dict):
        raise ControlError(2, "Invalid request: missing field `method`")
    return message


def _request_id(message: dict[str, object]) -> object:
    request_id = message.get("id")
    is_text = isinstance(request_id, str) and _TEXT_ID.fullmatch(request_id) is not None
    is_number = isinstance(request_id, int) and not isinstance(request_id, bool) and -(2**63) <= request_id < 2**63
    if request_id is not None and not is_text and not is_number:
        raise ControlError(2, "Invalid request: request ID must be an unsigned integer")
    return request_id
