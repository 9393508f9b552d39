"""What a run leaves behind: calls and their verdicts, events as they were delivered, and the truth of the exchange."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from exconn_sync.model.account import Balance, Fact, Position
from exconn_sync.model.orders import Fill, OrderState
from exconn_sync.simulator import SeenRequest
from exconn_sync.simulator.core.orders import Fill as SimFill
from exconn_sync.simulator.core.orders import SimOrder

DONE, REFUSED, NOT_SENT, UNKNOWN = "done", "refused", "not_sent", "unknown"


@dataclass(frozen=True)
class Verdict:
    """What a caller was told: that ``command`` on the order ``name`` was done, was not, or that nobody knows."""

    command: str
    name: str
    outcome: str
    text: str = ""
    quantity: Decimal | None = None


@dataclass(frozen=True)
class Call:
    """One call: which step of which thread, when, how long it might take, and what its caller was told."""

    thread: int
    step: int
    action: str
    began: float
    ended: float
    timeout: float
    verdicts: tuple[Verdict, ...]


@dataclass
class Record:
    """What the program under test saw. Lists are appended to by several threads."""

    calls: list[Call] = field(default_factory=list)
    orders: list[OrderState] = field(default_factory=list)
    fills: list[list[Fill]] = field(default_factory=lambda: [[], []])
    """Of two subscribers."""
    crashes: list[str] = field(default_factory=list)
    intents: dict[str, int] = field(default_factory=dict)
    """When the journal had the intent of an order, in ns since the epoch."""

    @property
    def verdicts(self) -> list[Verdict]:
        """All verdicts in the order in which they were given."""
        return [verdict for call in self.calls for verdict in call.verdicts]


@dataclass(frozen=True)
class Exposed:
    """What the risk limits count of the orders of this library on one symbol."""

    reserved: Mapping[str, Decimal]
    open_orders: int
    pending: Mapping[str, Decimal | None]
    """By side."""
    position: Decimal


@dataclass(frozen=True)
class View:
    """What the connector says in the end."""

    orders: Sequence[OrderState]
    fills: Sequence[Fill]
    balances: Mapping[str, Balance]
    positions: Mapping[str, Position]
    facts: Sequence[Fact] = ()
    exposed: Exposed | None = None


@dataclass(frozen=True)
class Truth:
    """What the exchange says in the end, without its wire."""

    exchange: str
    orders: Sequence[SimOrder]
    fills: Sequence[SimFill]
    balances: Mapping[str, tuple[Decimal, Decimal]]
    requests: Sequence[SeenRequest]
    foreign: frozenset[str] = frozenset()
    """Client ids of orders that were placed by somebody else."""
