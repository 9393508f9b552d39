"""An exchange on your own machine: the real wire, a generated market, and faults at will.

Needs the extra ``exconn_sync[simulator]``.
"""

from exconn_sync.simulator.controls import Accounts, MarketControl
from exconn_sync.simulator.facade import Simulator
from exconn_sync.simulator.faults import Faults

__all__ = ["Accounts", "Faults", "MarketControl", "Simulator"]
