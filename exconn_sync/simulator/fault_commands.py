"""Every fault as an admin command: ``POST /faults/<name>`` with its arguments by name."""

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from aiohttp import web

from exconn_sync.simulator.admin import AdminCommand, BadAdminRequest
from exconn_sync.simulator.faults import Faults

NOT_OVER_HTTP = ("refuse_connections",)
"""Whoever refuses connections could not be told to stop."""

_ACTIVE = "active"


class FaultCommands:
    """Calls faults, and keeps the blocks that were entered over HTTP until they are ended there."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._entered: dict[str, AbstractContextManager[None]] = {}

    def all(self) -> dict[tuple[str, str], AdminCommand]:
        """Return a command for each fault."""
        names = [name for name, _ in inspect.getmembers(Faults, inspect.isfunction) if not name.startswith("_")]
        return {("POST", f"/faults/{name}"): self._command(name) for name in names if name not in NOT_OVER_HTTP}

    def _command(self, name: str) -> AdminCommand:
        method: Callable[..., object] = getattr(self._faults, name)
        is_block = inspect.isgeneratorfunction(inspect.unwrap(method))

        def run(_: web.BaseRequest, arguments: Mapping[str, object]) -> object:
            given = dict(arguments)
            active = given.pop(_ACTIVE, True) if is_block else True
            if not isinstance(active, bool):
                raise BadAdminRequest(f"'{_ACTIVE}' is true or false")
            if is_block:
                self._leave(name)
            if active:
                self._apply(name, method, given)
            return None

        return run

    def _apply(self, name: str, method: Callable[..., object], given: dict[str, object]) -> None:
        try:
            checked = _checked(method, given)
            result = method(**checked)
            if isinstance(result, AbstractContextManager):
                result.__enter__()
                self._entered[name] = result
        except (TypeError, ValueError) as error:
            raise BadAdminRequest(str(error)) from error

    def _leave(self, name: str) -> None:
        entered = self._entered.pop(name, None)
        if entered is not None:
            entered.__exit__(None, None, None)


def _checked(method: Callable[..., object], given: dict[str, object]) -> dict[str, object]:
    """Check arguments against the annotations of a method; bytes come as hexadecimal text."""
    parameters = inspect.signature(method).parameters
    for name, value in given.items():
        if name not in parameters:
            raise BadAdminRequest(f"unknown argument '{name}'; known: {', '.join(parameters) or 'none'}")
        given[name] = _value(name, value, str(parameters[name].annotation))
    missing = [name for name, one in parameters.items() if one.default is one.empty and name not in given]
    if missing:
        raise BadAdminRequest(f"missing: {', '.join(missing)}")
    return given


def _value(name: str, value: object, annotation: str) -> object:
    wanted = annotation.removeprefix("<class '").removesuffix("'>")
    kinds = [kind.strip().partition("[")[0].rpartition(".")[2] for kind in wanted.split("|")]
    if value is None and "None" in kinds:
        return None
    if isinstance(value, bool):
        fits = "bool" in kinds
    elif isinstance(value, str):
        if kinds == ["bytes"]:
            return bytes.fromhex(value)
        fits = "str" in kinds
    elif isinstance(value, int):
        fits = "int" in kinds or "float" in kinds
    elif isinstance(value, float):
        fits = "float" in kinds
    else:
        fits = isinstance(value, dict) and "Mapping" in kinds and all(isinstance(text, str) for text in value.values())
    if not fits:
        raise BadAdminRequest(f"'{name}' must be {' or '.join(kinds)}")
    return value
