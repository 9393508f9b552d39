"""An exchange on your own machine: the real wire, a generated market, and faults at will.

Needs the extra ``exconn_sync[simulator]``.
"""

from importlib.util import find_spec

if find_spec("aiohttp") is None:
    raise ModuleNotFoundError("the simulator needs the extra: pip install 'exconn-sync[simulator]'", name="aiohttp")

from exconn_sync.simulator.account_control import Accounts
from exconn_sync.simulator.controls import MarketControl
from exconn_sync.simulator.core.symbols import DEFAULT_SYMBOLS, UNICODE_SYMBOL, SymbolSpec, spec_of
from exconn_sync.simulator.facade import Simulator
from exconn_sync.simulator.faults import Faults
from exconn_sync.simulator.keys import ClientKey
from exconn_sync.simulator.ledger import ClientFrames
from exconn_sync.simulator.mock.exchange import MockExchange
from exconn_sync.simulator.traffic import Breaches, SeenRequest

__all__ = [
    "DEFAULT_SYMBOLS",
    "UNICODE_SYMBOL",
    "Accounts",
    "Breaches",
    "ClientFrames",
    "ClientKey",
    "Faults",
    "MarketControl",
    "MockExchange",
    "SeenRequest",
    "Simulator",
    "SymbolSpec",
    "spec_of",
]
