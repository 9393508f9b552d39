"""What goes wrong with the acknowledgement of orders right now. Read and changed on the server's thread only."""

from collections.abc import Callable
from dataclasses import dataclass, field

from exconn_sync.simulator.wire_faults import Switch

IDLE_LIMIT_S = 600.0


@dataclass(slots=True)
class OrderSwitches:
    """Switches of faces on which an answer says no more than that a command arrived."""

    match_delay_s: float = 0.0
    """How long after its acknowledgement a command reaches the book."""
    refuses_late: Switch = field(default_factory=Switch)
    rejects_post_only: Switch = field(default_factory=Switch)
    tells_new: Switch = field(default_factory=Switch)
    shuffles: Switch = field(default_factory=Switch)
    rejections: list[str] = field(default_factory=list)
    """The reasons for which the next orders are rejected after their acknowledgement."""
    idle_limit_s: float = IDLE_LIMIT_S
    """After how long without a message in either direction a WebSocket is closed."""
    on_restart: list[Callable[[str | None], None]] = field(default_factory=list)
    """Told that the books of a symbol, or of all, are numbered anew."""
    on_cache_loss: list[Callable[[], None]] = field(default_factory=list)
    """Told that the memory of orders that ended is gone."""
    on_read_lag: list[Callable[[float | None], None]] = field(default_factory=list)
    """Told by how many seconds questions about orders are behind from now on, or that they are not any more."""
