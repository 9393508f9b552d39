"""How much a client may ask of the venue."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class RateLimits:
    """The limits in force; changing one takes effect with the next request.

    The names tell the lengths of the windows as they are documented; ``weight_window_s`` and ``order_window_s`` make
    the first two shorter, for tests that cannot wait. An address is banned for ``ban_s`` seconds when it goes on after
    ``strikes_before_ban`` refusals in a window, and twice as long each further time.
    """

    weight_per_minute: int = 6000
    orders_per_10s: int = 50
    orders_per_day: int = 160_000
    connections_per_5m: int = 300
    raw_requests_per_5m: int = 300_000
    weight_window_s: int = 60
    order_window_s: int = 10
    strikes_before_ban: int = 10
    ban_s: int = 120
    requests_per_5s: int = 600
    """Requests of an address on the face of Bybit, which then shuts it out for ``address_ban_s`` seconds."""
    address_ban_s: int = 600
    endpoint_per_s: dict[str, int] = field(default_factory=dict)
    """Calls of an account to a path of Bybit in a second, where they differ from the documentation."""
