"""An environment for each client, made once and kept: released packages, installed as their README says."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Client:
    """A client: its program in ``clients``, what is installed for it, and how many messages it gets at full speed."""

    name: str
    program: str
    packages: tuple[str, ...]
    trades: int
    books: int = 0
    exchange: str = "binance"
    module: str = ""
    options: tuple[str, ...] = ()
    is_ours: bool = False


_OURS = (f"{ROOT}[simulator]",)
_SDK = ("binance-sdk-spot==13.3.0",)
_UNICORN = ("unicorn-binance-websocket-api==2.16.1", "picows==2.3.1")

CLIENTS = (
    Client("limit", "limit", _OURS, 400_000),
    Client("exconn_sync", "exconn_sync", _OURS, 400_000, 20_000, module="exconn_sync", is_ours=True),
    Client("unicorn on picows", "unicorn", _UNICORN, 200_000, module="unicorn_binance_websocket_api"),
    Client("unicorn", "unicorn", _UNICORN, 100_000, options=("--library", "websockets")),
    Client("cryptofeed", "cryptofeed", ("cryptofeed==2.5.0",), 100_000, 5_000, module="cryptofeed"),
    Client(
        "binance-sdk-spot", "binance_sdk_spot", ("binance-sdk-spot==13.3.0",), 60_000, module="binance_sdk_spot.spot"
    ),
    Client("python-binance", "python_binance", ("python-binance==1.0.37",), 50_000, 1_500, module="binance"),
    Client("ccxt.pro", "ccxt", ("ccxt==4.5.90",), 20_000, module="ccxt.pro"),
    Client("websocket-client", "websocket_client", ("websocket-client==1.9.2",), 30_000),
    Client("limit, Bybit", "limit", _OURS, 400_000, exchange="bybit"),
    Client("exconn_sync, Bybit", "exconn_sync", _OURS, 400_000, 20_000, exchange="bybit", is_ours=True),
    Client("pybit", "pybit", ("pybit==5.17.0",), 20_000, 1_000, exchange="bybit", module="pybit.unified_trading"),
)


def python_of(client: Client, folder: Path) -> Path | None:
    """Return the interpreter of a client's environment, made where it is missing; None where it cannot be installed."""
    home = folder / client.program.replace("limit", "exconn_sync")
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        venv.create(home, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "-q", *client.packages]
        if subprocess.run(command, check=False).returncode:
            sys.stderr.write(f"{client.name} cannot be installed here\n")
            return None
        (home / "complete").touch()
    return python


def version_of(client: Client, python: Path) -> str:
    """Return the version of the client's package."""
    name = "exconn-sync" if client.packages is _OURS else client.packages[0].partition("==")[0]
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
