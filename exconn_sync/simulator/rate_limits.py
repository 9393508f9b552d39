"""How much a client may ask of the venue."""

from dataclasses import dataclass


@dataclass(slots=True)
class RateLimits:
    """The limits in force; changing one takes effect with the next request."""

    weight_per_minute: int = 6000
    orders_per_10s: int = 50
    orders_per_day: int = 160_000
    connections_per_5m: int = 300
