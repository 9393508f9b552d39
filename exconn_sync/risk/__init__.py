"""Rules that may refuse an order before it is sent."""

from exconn_sync.risk.gate import RiskGate
from exconn_sync.risk.rules import MaxOrderNotional

__all__ = ["MaxOrderNotional", "RiskGate"]
