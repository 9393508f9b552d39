"""The admin port: the most useful switches over HTTP, for programs that are not written in Python."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from aiohttp import web

from exconn_sync.simulator.core.refusals import Refusal

ADMIN_PATH = "/admin"
AdminCommand = Callable[[web.BaseRequest, Mapping[str, object]], object]


class BadAdminRequest(Exception):
    """An admin request that cannot be understood."""


class Admin:
    """Dispatches admin requests to commands."""

    def __init__(self, commands: Mapping[tuple[str, str], AdminCommand]) -> None:
        self._commands = commands

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Run one command and show its result."""
        command = self._commands.get((request.method, request.path.removeprefix(ADMIN_PATH)))
        if command is None:
            return web.json_response({"error": "unknown admin path"}, status=404)
        try:
            result = command(request, _arguments(await request.text()))
        except (BadAdminRequest, Refusal) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True} if result is None else result)


def text_argument(arguments: Mapping[str, object], name: str) -> str:
    """A mandatory text."""
    value = arguments.get(name)
    if not isinstance(value, str):
        raise BadAdminRequest(f"'{name}' must be a text")
    return value


def decimal_argument(arguments: Mapping[str, object], name: str) -> Decimal:
    """A mandatory number, sent as text so that nothing is lost on the way."""
    try:
        return Decimal(text_argument(arguments, name))
    except InvalidOperation as error:
        raise BadAdminRequest(f"'{name}' must be a decimal number as text") from error


def _arguments(body: str) -> Mapping[str, object]:
    if not body:
        return {}
    try:
        arguments = json.loads(body)
    except ValueError as error:
        raise BadAdminRequest("the body must be JSON") from error
    if not isinstance(arguments, dict):
        raise BadAdminRequest("the body must be a JSON object")
    return arguments
