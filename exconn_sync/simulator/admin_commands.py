"""The commands behind the admin routes."""

from collections.abc import Mapping
from dataclasses import asdict

from aiohttp import web

from exconn_sync.simulator.account_commands import account_commands
from exconn_sync.simulator.account_control import Accounts
from exconn_sync.simulator.admin import (
    Admin,
    AdminCommand,
    BadAdminRequest,
    decimal_argument,
    text_argument,
)
from exconn_sync.simulator.controls import MarketControl
from exconn_sync.simulator.fault_commands import FaultCommands
from exconn_sync.simulator.faults import Faults
from exconn_sync.simulator.server import SimulatorServer
from exconn_sync.simulator.sockets import ConnectionHub
from exconn_sync.simulator.traffic import Traffic


def replay_admin(faults: Faults, hub: ConnectionHub, server: SimulatorServer) -> Admin:
    """What can be done to any simulator."""
    return Admin(_common(faults, hub, server))


def live_admin(
    faults: Faults,
    hub: ConnectionHub,
    server: SimulatorServer,
    market: MarketControl,
    accounts: Accounts,
    traffic: Traffic,
) -> Admin:
    """What can be done to one with a market."""

    def trade(_: web.BaseRequest, arguments: Mapping[str, object]) -> object:
        try:
            order = market.trade(
                text_argument(arguments, "symbol"),
                text_argument(arguments, "side"),
                decimal_argument(arguments, "quantity"),
            )
        except ValueError as error:
            raise BadAdminRequest(str(error)) from error
        return {"filled": str(order.filled_quantity), "quote": str(order.filled_quote)}

    def burst(_: web.BaseRequest, arguments: Mapping[str, object]) -> object:
        count = arguments.get("count")
        if not isinstance(count, int) or isinstance(count, bool):
            raise BadAdminRequest("'count' must be a whole number")
        try:
            return {"first_trade_id": market.burst(text_argument(arguments, "stream_name"), count)}
        except ValueError as error:
            raise BadAdminRequest(str(error)) from error

    commands = _common(faults, hub, server)
    commands["GET", "/breaches"] = lambda *_: asdict(traffic.count_breaches())
    commands["POST", "/market/pause"] = lambda *_: market.pause()
    commands["POST", "/market/resume"] = lambda *_: market.resume()
    commands["POST", "/market/trade"] = trade
    commands["POST", "/market/burst"] = burst
    commands.update(account_commands(accounts))
    return Admin(commands)


def _common(faults: Faults, hub: ConnectionHub, server: SimulatorServer) -> dict[tuple[str, str], AdminCommand]:
    def status(_: web.BaseRequest, __: Mapping[str, object]) -> object:
        kinds = [connection.kind for connection in hub.connections]
        return {
            "connections": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
            "subscriptions": hub.subscriptions(),
        }

    def drop(request: web.BaseRequest, arguments: Mapping[str, object]) -> object:
        kind = arguments.get("kind")
        if kind is None:
            # The request itself must survive to be answered.
            server.drop_all(spare=request.transport)
            return None
        try:
            faults.drop_connections(str(kind))
        except ValueError as error:
            raise BadAdminRequest(str(error)) from error
        return None

    def connections(_: web.BaseRequest, __: Mapping[str, object]) -> object:
        ledger = hub.ledger
        return {
            "attempts": [[at, kind] for at, kind in ledger.attempts()],
            "client_frames": [asdict(frames) for frames in ledger.client_frames()],
            "cuts": ledger.cuts(),
        }

    return {
        ("GET", "/status"): status,
        ("GET", "/connections"): connections,
        **FaultCommands(faults).all(),
        ("POST", "/faults/drop_connections"): drop,
    }
