"""What a run does and what goes wrong in it: decided by the seed alone, before anything happens.

Orders are named in the plan, so that a step means the same order whatever the threads of another run did first.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

STREAM = "stream"
"""The target of faults of the private events."""

PLACE, CANCEL, REPLACE, AMEND, CANCEL_ALL = "place", "cancel", "replace", "amend", "cancel_all"
PLACE_BATCH, CANCEL_BATCH = "place_batch", "cancel_batch"
COMMANDS = (PLACE, CANCEL, REPLACE, AMEND, CANCEL_ALL, PLACE_BATCH, CANCEL_BATCH)
READS = ("look", "listed", "trades", "balances")

THREADS, STEPS = 3, 20
_FAULTY = 0.62
"""The share of steps before which something is made to go wrong."""


@dataclass(frozen=True)
class Terms:
    """A new order."""

    name: str
    kind: str
    side: str
    quantity: str
    price: str


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong: with the next request of a command, with events, or with connections."""

    kind: str
    target: str
    seconds: float = 0.0
    count: int = 1


@dataclass(frozen=True)
class Step:
    """One call of the connector, or one move of the market, and what goes wrong meanwhile."""

    action: str
    names: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    timeout: float = 0.0
    quantity: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All decisions of a run. ``lasting`` are faults that are on from the first step to the last.

    Some runs are two lives of one journal. The first one ends between two steps, or, ``is_cut_short``, by a stop while
    commands are under way.
    """

    seed: int
    exchange: str
    via: str
    is_restarted: bool
    lasting: tuple[str, ...]
    threads: tuple[tuple[Step, ...], ...]
    is_cut_short: bool


def plan_of(seed: int) -> Plan:
    """Return the plan of a seed. Even seeds trade at Binance, odd ones at Bybit, half of these over its socket."""
    rng = Random(f"plan {seed}")
    exchange = "bybit" if seed % 2 else "binance"
    via = "socket" if seed % 4 == 3 else "rest"
    kinds = _chosen_kinds(rng, exchange)
    lasting = tuple(name for name in ("shuffle_events", "match_late", "refuse_late", "tell_new") if rng.random() < 0.3)
    planner = _Planner(rng, seed, exchange, kinds)
    traders = tuple(planner.trader(number) for number in range(THREADS))
    is_restarted, is_cut_short = rng.random() < 0.3, rng.random() < 0.5
    return Plan(seed, exchange, via, is_restarted, lasting, (*traders, planner.market()), is_restarted and is_cut_short)


def _chosen_kinds(rng: Random, exchange: str) -> list[str]:
    """Return which kinds of faults a run has: few of them often, or many of them now and then."""
    kinds = [
        "lost", "lost_reset", "late", "answer_late", "dropped", "error_before", "error_after", "garbage_after",
        "events_lost", "events_twice", "events_swapped", "cut", "cut_all",
    ]  # fmt: skip
    if exchange == "binance":
        kinds.append("stream_ended")
    chosen = rng.sample(kinds, rng.randrange(3, len(kinds) + 1))
    # It stops everything for a second, so not in each run.
    return [*chosen, "busy"] if rng.random() < 0.2 else chosen


class _Planner:
    def __init__(self, rng: Random, seed: int, exchange: str, kinds: list[str]) -> None:
        self._rng = rng
        self._seed = seed
        self._exchange = exchange
        self._kinds = kinds
        self._busy_left = 1
        self._all: list[str] = []

    def trader(self, number: int) -> tuple[Step, ...]:
        """Return the steps of one thread that places and changes orders."""
        mine: list[str] = []
        steps = []
        for index in range(STEPS):
            name = f"s{self._seed}-{number}-{index}"
            steps.append(self._step(name, mine))
        return tuple(steps)

    def market(self) -> tuple[Step, ...]:
        """Return the steps of the rest of the world."""
        rng = self._rng
        return tuple(
            Step("trade", names=(rng.choice(("buy", "sell")),), quantity=rng.choice(("0.002", "0.01", "0.05")))
            for _ in range(STEPS)
        )

    def _step(self, name: str, mine: list[str]) -> Step:
        rng = self._rng
        action = rng.choices(
            (PLACE, "submit", CANCEL, REPLACE, AMEND, PLACE_BATCH, CANCEL_BATCH, CANCEL_ALL, "read", "wait"),
            (30, 8, 20, 10, 8, 5, 4, 2, 5, 8),
        )[0]
        if not mine and action in (CANCEL, REPLACE, AMEND, CANCEL_BATCH, "wait"):
            action = PLACE
        if action == REPLACE and self._exchange == "bybit":
            action = PLACE
        timeout = rng.choice((0.2, 0.4, 0.8, 4.0))
        names, terms = self._about(action, name, mine)
        mine.extend(each.name for each in terms)
        self._all.extend(each.name for each in terms)
        quantity = rng.choice(("0.001", "0.002", "0.003"))
        return Step(action, names, terms, timeout, quantity, self._faults(action))

    def _about(self, action: str, name: str, mine: list[str]) -> tuple[tuple[str, ...], tuple[Terms, ...]]:
        rng = self._rng
        if action in (PLACE, "submit"):
            return (), (self._terms(name),)
        if action == PLACE_BATCH:
            return (), tuple(self._terms(f"{name}-{each}") for each in range(rng.randrange(2, 5)))
        # Mostly one of the last: older ones have ended.
        known = mine[-6:] if rng.random() < 0.8 or not self._all else self._all[-10:]
        if action == REPLACE:
            return (rng.choice(known),), (self._terms(name),)
        if action == CANCEL_BATCH:
            return tuple(rng.sample(known, min(len(known), 3))), ()
        if action in (CANCEL, AMEND, "wait"):
            return (rng.choice(known),), ()
        return (), ()

    def _terms(self, name: str) -> Terms:
        rng = self._rng
        kind = rng.choices(("limit", "market", "ioc", "post_only", "stop"), (60, 12, 12, 8, 4))[0]
        side = rng.choice(("buy", "sell"))
        # Around the market, so that many trade at once, some in part, and some rest.
        price = rng.choice((50_000, 59_990, 60_000, 60_005, 60_010, 60_015) if side == "buy" else (
            60_000, 60_005, 60_010, 60_020, 66_000
        ))  # fmt: skip
        return Terms(name, kind, side, rng.choice(("0.004", "0.006", "0.02", "0.1")), str(price))

    def _faults(self, action: str) -> tuple[Fault, ...]:
        rng = self._rng
        if rng.random() >= _FAULTY:
            return ()
        return tuple(self._fault(action) for _ in range(rng.choice((1, 1, 2))))

    def _fault(self, action: str) -> Fault:
        rng = self._rng
        kind = rng.choice(self._kinds)
        if kind == "busy":
            self._busy_left -= 1
            if self._busy_left < 0:
                kind = "dropped"
        if kind.startswith("events_"):
            return Fault(kind, STREAM, count=rng.randrange(1, 4))
        if kind in ("cut", "cut_all", "stream_ended"):
            return Fault(kind, STREAM)
        target = PLACE if action == "submit" else action
        if target not in COMMANDS or rng.random() < 0.15:
            target = rng.choice(READS)
        seconds = rng.choice((0.1, 0.3, 0.6, 0.9)) if kind in ("late", "answer_late") else 0.0
        return Fault(kind, target, seconds)
