"""The condition of a connector, as values."""

from __future__ import annotations

from dataclasses import dataclass

from exconn_sync._runtime.worker import WorkerReport
from exconn_sync.connector.core import Core
from exconn_sync.model.enums import BookState, ConnectorState

_WELL = ("running", "stopped")
"""States of a worker that nobody need worry about; all are stopped after a stop, which ``status`` says."""


@dataclass(frozen=True)
class Health:
    """What is well and what is not.

    ``status`` is ``healthy``, ``degraded`` (works in part) or ``down``; ``reasons`` says why in words.
    ``refused`` holds the topics that the exchange refuses at present, as ``channel.symbol``, with what it said.
    ``clock_offset_ms`` is how far the exchange's clock is ahead of this machine's, ``clock_bound_ms`` how wrong that
    can be, ``clock_drift_ppm`` how fast the one runs away from the other, in millionths; None while unknown.
    ``clock_steps`` is how often this machine's clock was set, or the machine slept, as far as was noticed.
    ``silent_for`` is for how many seconds no request is sent, because the exchange asked for that (429, 418).
    """

    exchange: str
    status: str
    state: ConnectorState
    reasons: tuple[str, ...]
    missing: tuple[str, ...]
    workers: tuple[WorkerReport, ...]
    clock_offset_ms: float | None
    breaker: str
    books: dict[str, BookState]
    unknown_orders: int
    refused: dict[str, str]
    clock_bound_ms: float | None = None
    clock_drift_ppm: float | None = None
    clock_steps: int = 0
    silent_for: float = 0.0

    def __str__(self) -> str:
        reasons = f" ({'; '.join(self.reasons)})" if self.reasons else ""
        return f"{self.exchange}: {self.status}, {self.state}{reasons}"


def health_of(core: Core) -> Health:
    """Return the condition of a connector at this moment. Instant."""
    assembly = core.running
    missing = core.readiness.missing("ready")
    errors = core.readiness.errors("ready")
    whys = {**core.readiness.whys("ready"), **{name: str(error) for name, error in errors.items()}}
    reasons = [f"{name} is missing: {whys[name]}" if name in whys else f"{name} is missing" for name in missing]
    if core.risk.killed is not None:
        reasons.append(f"the kill switch was thrown: {core.risk.killed}")
    if core.failure is not None:
        reasons.insert(0, f"gave up: {core.failure}")
    books = {} if assembly is None else assembly.books.states()
    workers = () if assembly is None else tuple(assembly.supervisor.reports())
    reasons.extend(f"worker {each.name} is {each.state}" for each in workers if each.state not in _WELL)
    reasons.extend(f"book {symbol} is {state}" for symbol, state in books.items() if state is not BookState.LIVE)
    refusals = {} if assembly is None else assembly.feed.refused()
    refused = {topic.name: why for topic, why in refusals.items()}
    reasons.extend(f"{topic} is refused" for topic in refused)
    silent_for = 0.0 if assembly is None else assembly.admission.silent_for
    if silent_for:
        reasons.append(f"no requests for {silent_for:.0f} s, as the exchange asked")
    if assembly is not None and (banned_for := assembly.admission.banned_for):
        reasons.append(f"no new connections for {banned_for:.0f} s: this address is banned")
    if assembly is not None and assembly.admission.budget.trouble:
        reasons.append(f"the request budget is not shared at the moment: {assembly.admission.budget.trouble}")
    if missed := core.store.keeper.missed:
        reasons.append(f"the journal has not taken {missed} facts yet")
    is_up = assembly is not None and core.failure is None
    status = "down" if not is_up or missing == core.readiness.members("ready") else "degraded" if reasons else "healthy"
    return Health(
        exchange=core.config.exchange,
        status=status,
        state=core.state,
        reasons=tuple(reasons),
        missing=missing,
        workers=workers,
        clock_offset_ms=None if assembly is None else assembly.server_clock.offset_to_local_ms(),
        breaker="closed" if assembly is None else assembly.breaker.state,
        books=books,
        unknown_orders=0 if assembly is None else len(assembly.resolver.doubtful),
        refused=refused,
        clock_bound_ms=None if assembly is None else assembly.server_clock.bound_ms(),
        clock_drift_ppm=None if assembly is None else assembly.server_clock.drift_ppm,
        clock_steps=0 if assembly is None else assembly.server_clock.steps,
        silent_for=silent_for,
    )
