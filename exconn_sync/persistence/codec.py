"""Facts as text and back, exactly: what is read is equal to what was written, digit by digit.

A fact is a JSON object with the fields that differ from their defaults, in the order in which the class has them.
Decimals are text, so that no digit and no trailing zero is lost; nothing is ever executed to read them.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from exconn_sync.model.account import Balance, BalanceChange, Fact, FillDelivery
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import FactSource, TextEnum
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.model.orders import Fill, OrderFact

KINDS: dict[str, type[Any]] = {
    "order": OrderFact,
    "fill": Fill,
    "balance": Balance,
    "list": OrderListFact,
    "change": BalanceChange,
    "told": FillDelivery,
    "carried": Carried,
    "archived": Archived,
}
"""The kinds of records by name, which never change their meaning; a new kind makes a new version of the schema."""

_NAMES = {kind: name for name, kind in KINDS.items()}
_COMPACT = (",", ":")

Reader = Callable[[Any], Any]


class Unreadable(ValueError):
    """A text is no fact of this version; the message says why."""


def kind_of(fact: Fact) -> str:
    """Return the name of a fact's kind."""
    return _NAMES[type(fact)]


def is_intent(fact: Fact) -> bool:
    """Return whether the library itself states this: it must be on the disk before anything is sent."""
    return isinstance(fact, (OrderFact, OrderListFact)) and fact.source is FactSource.LOCAL


def to_text(fact: Fact) -> str:
    """Return a fact as one line of ASCII.

    Raises:
        TypeError: a field has a value of a type that it must not have.
    """
    plan = _PLANS[_NAMES[type(fact)]]
    said = {}
    for name, _, default in plan:
        value = getattr(fact, name)
        if type(value) is not type(default) or value != default:
            said[name] = _plain(value)
    return json.dumps(said, separators=_COMPACT)


def from_text(kind: str, text: str) -> Fact:
    """Return the fact that a text states. Raises Unreadable."""
    plan = _PLANS.get(kind)
    if plan is None:
        raise Unreadable(f"there is no kind {kind!r}")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    if not isinstance(said, dict):
        raise Unreadable("not an object")
    values: dict[str, Any] = {}
    for name, read, default in plan:
        if name in said:
            values[name] = read(said.pop(name))
        elif default is MISSING:
            raise Unreadable(f"{name} is missing")
    if said:
        raise Unreadable(f"{next(iter(said))!r} is no field of kind {kind!r}")
    fact: Fact = KINDS[kind](**values)
    return fact


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, TextEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, item.name)) for item in fields(value)]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    raise TypeError(f"a fact does not hold a {type(value).__name__}")


# --- reading --------------------------------------------------------------------------------------------------------


def _reader(hint: Any) -> Reader:
    """Return what reads values of a type, strictly."""
    if isinstance(hint, NewType):
        hint = hint.__supertype__
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(part for part in get_args(hint) if part is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        parts = get_args(hint)
        if parts[-1] is not Ellipsis:
            readers = [_reader(part) for part in parts]
            return lambda value: _row(readers, value)
        item = _reader(parts[0])
        return lambda value: tuple(item(each) for each in _exactly(list, value))
    if hint is Decimal:
        return _decimal
    if is_dataclass(hint) and isinstance(hint, type):
        return _part(hint)
    if isinstance(hint, type) and issubclass(hint, TextEnum):
        return lambda value: _member(hint, value)
    return lambda value: _exactly(hint, value)


def _part(kind: type[Any]) -> Reader:
    """Return what reads a value inside of a fact: a list of its fields, in the order in which the class has them."""
    readers = [read for _, read, _ in _plan(kind)]

    def read_part(value: Any) -> Any:
        said = _exactly(list, value)
        if len(said) != len(readers):
            raise Unreadable(f"{len(said)} values are no {kind.__name__}")
        return kind(*(read(each) for read, each in zip(readers, said, strict=True)))

    return read_part


def _exactly(kind: type[Any], value: Any) -> Any:
    # Exactly: for Python True is an int, too.
    if type(value) is not kind:
        raise Unreadable(f"{value!r} is no {kind.__name__}")
    return value


def _row(readers: list[Reader], value: Any) -> tuple[Any, ...]:
    """Read a tuple of so many values, each of a type of its own."""
    values = _exactly(list, value)
    if len(values) != len(readers):
        raise Unreadable(f"{len(values)} values stand where {len(readers)} belong")
    return tuple(read(each) for read, each in zip(readers, values, strict=True))


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(_exactly(str, value))
    except InvalidOperation:
        raise Unreadable(f"{value!r} is no number") from None
    if not number.is_finite():
        raise Unreadable(f"{value!r} is no finite number")
    return number


def _member(kind: type[TextEnum], value: Any) -> TextEnum:
    try:
        return kind(_exactly(str, value))
    except ValueError:
        raise Unreadable(f"{value!r} is no {kind.__name__}") from None


def _plan(kind: type[Any]) -> list[tuple[str, Reader, Any]]:
    hints = get_type_hints(kind)
    return [(item.name, _reader(hints[item.name]), item.default) for item in fields(kind)]


_PLANS = {name: _plan(kind) for name, kind in KINDS.items()}
