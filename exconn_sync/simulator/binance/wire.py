"""How values look on the wire."""

from decimal import Decimal

import msgspec

from exconn_sync.simulator.clock import VenueClock

_encode = msgspec.json.Encoder().encode


def number(value: Decimal) -> str:
    """A price or quantity: eight decimals, as text."""
    return f"{value:.8f}"


def to_json(value: object) -> str:
    """Compact JSON text."""
    return _encode(value).decode()


def shutdown_event(clock: VenueClock, unit: int) -> str:
    """The announcement that a server is about to go away; ``unit`` is 1 for milliseconds, 1000 for microseconds."""
    return to_json({"e": "serverShutdown", "E": clock.now_ms() if unit == 1 else clock.now_us()})
