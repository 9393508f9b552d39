"""Limits and rules that may refuse an order before it is sent."""

from exconn_sync.risk.gate import RiskGate
from exconn_sync.risk.guard import RiskGuard

__all__ = ["RiskGate", "RiskGuard"]
