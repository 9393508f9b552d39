"""Questions about market data in Bybit's words (Bybit: 4.1 to 4.6)."""

from __future__ import annotations

from exconn_sync.exchanges.bybit.endpoints import CATEGORY
from exconn_sync.model.wire import Params

SPOT = ("category", CATEGORY)
"""Always sent: without it some endpoints answer about other markets (Bybit: 4.6)."""

INSTRUMENTS: Params = (SPOT, ("limit", "1000"))
"""Spot comes whole; where pages begin one day, they are as large as they may be."""
