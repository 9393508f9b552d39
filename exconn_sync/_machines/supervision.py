"""A tree of groups of workers: whose end stops and restarts whom, how soon, and when it is enough.

Each group follows the rules of ``restart``. A group beyond its intensity stops all its children and counts as a crashed
child of its parent, whose strategy then applies. A group that is started again has a fresh history and all the children
it was declared with; workers added at run time are forgotten with it. The root beyond its intensity is the end, which
is reported (faults F141, F145; invariant I25).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from exconn_sync._machines.restart import Decision, Kind, RestartPolicy, Strategy

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0

_NS = 1_000_000_000


@dataclass(frozen=True)
class Child:
    """A worker as a group declares it."""

    name: str
    kind: Kind = "permanent"


@dataclass(frozen=True)
class Group:
    """Children that are started in this order; more than ``intensity`` restarts within ``period`` s end the group.

    Names of workers and groups are unique in the whole tree.
    """

    name: str
    strategy: Strategy
    intensity: int
    period: float
    children: tuple[Child | Group, ...] = ()


class Tree:
    """The workers that are to run, in start order, and the restart history of each group. Not thread-safe.

    Args:
        root: what is declared.
        first_pause: seconds before the second restart of a worker; the first is at once, each further one takes twice
            as long as the one before (fault F145).
        longest_pause: where that ends. In a group it ends earlier where a worker that dies at each start would
            otherwise die too seldom to be given up.
    """

    def __init__(self, root: Group, first_pause: float | None = None, longest_pause: float | None = None) -> None:
        self._first_pause = FIRST_PAUSE if first_pause is None else first_pause
        self._longest_pause = LONGEST_PAUSE if longest_pause is None else longest_pause
        self._declared = frozenset(child.name for child in _declared(root) if isinstance(child, Child))
        self._removed: set[str] = set()
        names = [root.name, *(child.name for child in _declared(root))]
        if len(set(names)) != len(names):
            raise ValueError("two parts of a tree have one name")
        self._root = _Node(root, None, self._removed)
        self._homes: dict[str, _Node] = {}
        # Restarts in a row, and the moment at which the present life began or begins.
        self._lives: dict[str, tuple[int, int]] = {}
        self._find_homes()

    @property
    def workers(self) -> tuple[str, ...]:
        """Names of the workers that are to run, in start order."""
        return tuple(self._homes)

    def group_of(self, worker: str) -> str:
        """Return the name of a worker's group. Raises KeyError."""
        return self._homes[worker].group.name

    def is_declared(self, worker: str) -> bool:
        """Return whether a worker comes back when its group is started again, though it may be forgotten now."""
        return worker in self._declared and worker not in self._removed

    def add(self, worker: str, group: str | None = None, kind: Kind = "permanent") -> None:
        """Add a worker after those already in a group (None: the root).

        Raises:
            ValueError: the name is taken, or no such group.
        """
        node = next((node for node in self._root.nodes() if group in (None, node.group.name)), None)
        if node is None:
            raise ValueError(f"there is no group {group}")
        if worker in self._homes or any(worker == each.group.name for each in self._root.nodes()):
            raise ValueError(f"{worker} is there already")
        if worker in self._declared:
            self._removed.add(worker)
        node.policy.add(worker, kind)
        self._find_homes()

    def remove(self, worker: str) -> None:
        """Forget a worker for good; an unknown name is ignored."""
        if worker in self._declared:
            self._removed.add(worker)
        node = self._homes.get(worker)
        if node is not None:
            node.policy.remove(worker)
            self._find_homes()

    def on_exit(self, worker: str, crashed: bool, now_ns: int) -> Decision:
        """Return what follows from the end of a worker, or from a failed attempt to start it.

        Workers that were stopped because of a decision must not be reported.
        """
        home = node = self._homes.get(worker)
        if home is None or node is None:
            return Decision()
        child = worker
        while True:
            order = node.policy.children
            verdict = node.policy.on_exit(child, crashed, now_ns)
            if not verdict.give_up:
                break
            if node.parent is None:
                return Decision(stop=_without(worker, reversed(self.workers)), give_up=True)
            child, crashed, node = node.group.name, True, node.parent
        affected = [name for name in order if name == child or name in verdict.stop]
        stop = _without(worker, reversed([each for name in affected for each in node.workers_of(name)]))
        for name in affected:
            if name in node.groups:
                node.groups[name].begin(self._removed)
        start = tuple(each for name in affected if name in verdict.start for each in node.workers_of(name))
        self._find_homes()
        forget = tuple(name for name in (worker, *stop) if name not in self._homes)
        return Decision(stop, start, False, forget, self._delay(worker, home, start, now_ns))

    def _delay(self, worker: str, home: _Node, start: tuple[str, ...], now_ns: int) -> float:
        """Return the seconds to wait before the starts, and note when these lives begin."""
        if not start:
            return 0.0
        count, since_ns = self._lives.get(worker, (0, now_ns))
        if now_ns - since_ns >= int(home.group.period * _NS):
            count = 0
        delay = 0.0
        if count > 0:
            # Capped before the power is taken: a count may be large.
            delay = min(self._first_pause * 2.0 ** min(count - 1, 60), self._longest(home))
        self._lives[worker] = count + 1, now_ns
        begin_ns = now_ns + int(delay * _NS)
        self._lives = {
            name: (restarts, begin_ns if name in start else since)
            for name, (restarts, since) in self._lives.items()
            if name in self._homes
        }
        return delay

    def _longest(self, home: _Node) -> float:
        """Return the longest pause with which restarts without a life in between still exceed every group's limit.

        A nested group uses up all its restarts before it counts as one of its parent. Half of each period is left
        for the lives themselves.
        """
        longest, restarts = self._longest_pause, 1
        node: _Node | None = home
        while node is not None:
            restarts *= node.group.intensity + 1
            longest = min(longest, node.group.period / restarts / 2)
            node = node.parent
        return longest

    def _find_homes(self) -> None:
        self._homes = dict(self._root.homes())


class _Node:
    """A group while it runs."""

    def __init__(self, group: Group, parent: _Node | None, removed: Collection[str]) -> None:
        self.group = group
        self.parent = parent
        self.begin(removed)

    def begin(self, removed: Collection[str]) -> None:
        """Begin with a fresh history and all declared children, those excepted that were removed for good."""
        group = self.group
        self.policy = RestartPolicy(group.strategy, group.intensity, group.period)
        self.groups: dict[str, _Node] = {}
        for child in group.children:
            if isinstance(child, Group):
                self.groups[child.name] = _Node(child, self, removed)
                self.policy.add(child.name)
            elif child.name not in removed:
                self.policy.add(child.name, child.kind)

    def nodes(self) -> Iterator[_Node]:
        """Yield this group and all below it."""
        yield self
        for node in self.groups.values():
            yield from node.nodes()

    def homes(self) -> Iterator[tuple[str, _Node]]:
        """Yield all workers of this group and those below it, in start order, each with the group it is in."""
        for name in self.policy.children:
            if name in self.groups:
                yield from self.groups[name].homes()
            else:
                yield name, self

    def workers_of(self, child: str) -> list[str]:
        """Return the workers that a child stands for: itself, or all of a group."""
        return [name for name, _ in self.groups[child].homes()] if child in self.groups else [child]


def _declared(group: Group) -> Iterator[Child | Group]:
    for child in group.children:
        yield child
        if isinstance(child, Group):
            yield from _declared(child)


def _without(worker: str, names: Iterator[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != worker)
