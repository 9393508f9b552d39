"""The admin commands that concern accounts and their keys."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from aiohttp import web

from exconn_sync.simulator.account_control import Accounts
from exconn_sync.simulator.admin import AdminCommand, BadAdminRequest, decimal_argument, text_argument
from exconn_sync.simulator.core.accounts import InsufficientFunds

_Arguments = Mapping[str, object]


def account_commands(accounts: Accounts) -> dict[tuple[str, str], AdminCommand]:
    """Return what can be done to accounts over HTTP."""

    def add(arguments: _Arguments) -> object:
        funds = arguments.get("funds", {})
        if not isinstance(funds, dict) or not all(isinstance(amount, str) for amount in funds.values()):
            raise BadAdminRequest("'funds' is an object of assets and amounts, both texts")
        return asdict(accounts.add(text_argument(arguments, "name"), funds))

    def add_key(arguments: _Arguments) -> object:
        can_trade = _flag(arguments, "can_trade", default=True)
        kind, public_key = _optional(arguments, "kind") or "hmac", _optional(arguments, "public_key")
        made = accounts.add_key(_optional(arguments, "account"), kind=kind, public_key=public_key, can_trade=can_trade)
        return asdict(made)

    def permit(arguments: _Arguments) -> object:
        accounts.permit(text_argument(arguments, "api_key"), trade=_flag(arguments, "trade", default=True))
        return None

    def revoke(arguments: _Arguments) -> object:
        accounts.revoke(text_argument(arguments, "api_key"), silently=_flag(arguments, "silently", default=False))
        return None

    def deposit(arguments: _Arguments) -> object:
        amount = decimal_argument(arguments, "amount")
        accounts.deposit(text_argument(arguments, "asset"), amount, _optional(arguments, "api_key"))
        return None

    def lock(arguments: _Arguments) -> object:
        amount = decimal_argument(arguments, "amount")
        accounts.lock(text_argument(arguments, "asset"), amount, _optional(arguments, "api_key"))
        return None

    def expire(arguments: _Arguments) -> object:
        accounts.expire(text_argument(arguments, "client_order_id"), _optional(arguments, "api_key"))
        return None

    made = {"add": add, "add_key": add_key, "permit": permit, "revoke": revoke, "deposit": deposit, "lock": lock,
            "expire": expire}  # fmt: skip
    return {("POST", f"/accounts/{name}"): _command(run) for name, run in made.items()}


def _command(run: Callable[[_Arguments], object]) -> AdminCommand:
    def checked(_: web.BaseRequest, arguments: _Arguments) -> object:
        try:
            return run(arguments)
        except KeyError as error:
            raise BadAdminRequest("there is no such key") from error
        except (ValueError, InsufficientFunds) as error:
            raise BadAdminRequest(str(error)) from error

    return checked


def _optional(arguments: _Arguments, name: str) -> str | None:
    return None if arguments.get(name) is None else text_argument(arguments, name)


def _flag(arguments: _Arguments, name: str, *, default: bool) -> bool:
    value = arguments.get(name, default)
    if not isinstance(value, bool):
        raise BadAdminRequest(f"'{name}' is true or false")
    return value
