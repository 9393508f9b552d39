"""What goes wrong with connections right now. Read and changed on the server's thread only."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DAY_S = 86_400.0
PING_EVERY_S = 20.0
PONG_WITHIN_S = 60.0


class Switch:
    """On while at least one block that wants it is entered."""

    def __init__(self) -> None:
        self._wanted = 0

    def __bool__(self) -> bool:
        return self._wanted > 0

    def turn(self, change: int) -> None:
        """One more (+1) or one fewer (-1) wants it on."""
        self._wanted += change


@dataclass(frozen=True, slots=True)
class UpgradeRefusal:
    """An HTTP answer in place of a WebSocket handshake."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(slots=True)
class WireFaults:
    """The switches for WebSocket connections, and how long one may live."""

    mutes_pings: Switch = field(default_factory=Switch)
    ignores_pings: Switch = field(default_factory=Switch)
    ignores_close: Switch = field(default_factory=Switch)
    stops_reading: Switch = field(default_factory=Switch)
    withholds_login: Switch = field(default_factory=Switch)
    refusals: list[UpgradeRefusal] = field(default_factory=list)
    lags: dict[str, float] = field(default_factory=dict)
    """Seconds by which connections of a kind are behind when they are opened now."""
    latencies: dict[str, float] = field(default_factory=dict)
    """Seconds that messages to clients are under way, for connections of a kind that are opened now."""
    life_s: float | None = DAY_S
    ping_every_s: float = PING_EVERY_S
    pong_within_s: float = PONG_WITHIN_S
