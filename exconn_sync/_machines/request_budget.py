"""What may still be asked of one exchange from one address: the decision, told the time and free of any I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from exconn_sync._machines.rate_window import Hold, RateWindow
from exconn_sync._machines.rolling_window import RollingWindow
from exconn_sync._machines.silence import Silence
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost, RateRule

_RESERVED = {Lane.CANCEL: 0.0, Lane.ORDER: 0.05, Lane.QUERY: 0.1, Lane.SNAPSHOT: 0.14, Lane.BULK: 0.2}
"""The share of each limit that a lane leaves to those before it; so a cancel always finds room, in any process.

With what snapshots may use, 500 books of Binance come in five windows of a minute, and with the whole limit in no less.
"""

EVERYTHING = ""
"""Stands for the address itself among the names of what is silent."""

CONNECTIONS = "*connections*"
"""Stands for new connections of the address among them: they are silent while it is banned, and not before."""


class When(NamedTuple):
    """A moment: ms of the exchange's clock, and how wrong our estimate of it can be, either way."""

    now_ms: int
    margin_ms: int = 0


class Lease(NamedTuple):
    """What a request was given; it is settled once, whatever became of the request."""

    taken_ms: int
    holds: tuple[tuple[str, Cost, Hold], ...] = ()


class Refused(NamedTuple):
    """Nothing was taken. ``wait`` is in seconds, infinite for what never fits; ``limit`` is what is short of.

    ``limit`` is ``EVERYTHING`` where the exchange has asked this address for silence.
    """

    wait: float
    limit: str


@dataclass
class RequestBudget:
    """Counts every limit of one exchange for one address and for the accounts used from there. Not thread-safe.

    The state is plain data, so that several processes can keep it in one place. Accounts are told apart by any text
    that names no key.

    Attributes:
        rules: the limits; those of the documentation until the exchange has stated its own.
        is_told: the exchange stated the rules.
        windows: what is used, by the rule's name and the account it is for.
        rolling: the same, of limits that hold for any span.
        quotas: how much each account may do, where the exchange has said it, by the names of the windows.
        silences: what is silent: ``EVERYTHING``, ``CONNECTIONS``, or an account, which then places no orders.
    """

    rules: list[RateRule] = field(default_factory=list)
    is_told: bool = False
    windows: dict[str, RateWindow] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    rolling: dict[str, RollingWindow] = field(default_factory=dict)
    quotas: dict[str, int] = field(default_factory=dict)

    def take(self, costs: Sequence[Cost], account: str, lane: Lane, when: When) -> Lease | Refused:
        """Take all costs or none."""
        wanted = [cost for cost in costs if cost.amount > 0]
        silent = self._silent(wanted, account, when)
        if silent is not None:
            return silent
        found = [
            (cost, rule, _name(rule, account)) for cost in wanted for rule in self.rules if rule.limit == cost.limit
        ]
        for cost, rule, name in found:
            most = self.quotas.get(name, rule.amount)
            if cost.amount > most:
                return Refused(math.inf, rule.limit)
            # What is more than a lane's part, but not more than the limit, goes through when nothing else is used.
            ceiling = max(_ceiling(rule, most, lane), cost.amount)
            wait_ms = self._window(rule, name).room(cost.amount, ceiling, rule.interval_ms, when.now_ms, when.margin_ms)
            if wait_ms:
                return Refused(wait_ms / 1000, rule.limit)
        holds = []
        for cost, rule, name in found:
            hold = self._window(rule, name).take(cost.amount, rule.interval_ms, when.now_ms, when.margin_ms)
            holds.append((name, cost, hold))
        return Lease(when.now_ms, tuple(holds))

    def settle(self, lease: Lease, when: When, figures: Iterable[UsedFigure] = (), *, has_succeeded: bool) -> None:
        """Note the end of a request, and what the exchange said about its counts."""
        intervals = {_name(rule, ""): rule for rule in self.rules}
        told = {(figure.limit, figure.interval_ms): figure for figure in figures}
        for name, cost, hold in lease.holds:
            window, rule = self._known(name), intervals.get(name.partition("@")[0])
            if window is not None and rule is not None:
                figure = told.get((rule.limit, rule.interval_ms))
                if figure is not None and figure.amount:
                    self.quotas[name] = figure.amount
                window.settle(
                    hold,
                    rule.interval_ms,
                    when.now_ms,
                    when.margin_ms,
                    is_free=has_succeeded and cost.is_free_on_success,
                    figure=self._believed(figure, self.quotas.get(name, rule.amount), has_succeeded),
                )

    def _believed(self, figure: UsedFigure | None, most: int, has_succeeded: bool) -> int | None:
        """Return what an answer says is used; nothing where it shows that the documented limit is out of date.

        An exchange that answers beyond a limit has another one, which it will state: until then it is not held to.
        """
        if figure is None or (figure.used > most and has_succeeded and not self.is_told):
            return None
        return figure.used

    def give_back(self, lease: Lease) -> None:
        """Undo what was taken for a request that was never sent."""
        for name, _, hold in lease.holds:
            window = self._known(name)
            if window is not None:
                window.give_back(hold)

    def credit(self, account: str, filled_ms: Iterable[int], when: When) -> None:
        """Note that orders of an account traded for the first time, at these times of the exchange's clock."""
        moments = sorted(filled_ms)
        for rule in self.rules:
            if rule.is_per_account and rule.fill_credit:
                window = self._window(rule, _name(rule, account))
                if isinstance(window, RateWindow):
                    # No exchange gives anything back of a limit that holds for any span.
                    for moment in moments:
                        window.credit(rule.fill_credit, moment, rule.interval_ms, when.now_ms, when.margin_ms)

    def silence(self, what: str, seconds: float | None, fallback: float, taken_ms: int, when: When) -> bool:
        """Let nothing pass for a while; see ``Silence.begin``. Returns whether this is another one."""
        return self.silences.setdefault(what, Silence()).begin(seconds, fallback, taken_ms, when.now_ms)

    def silent_ms(self, what: str, when: When) -> int:
        """Return for how long something is still silent."""
        silence = self.silences.get(what)
        return 0 if silence is None else silence.left_ms(when.now_ms)

    def learn(self, rules: Sequence[RateRule]) -> None:
        """Use the limits that the exchange states.

        A limit whose windows have another length than before begins with what was counted in the old ones.
        """
        known = {_name(rule, ""): rule for rule in self.rules}
        for rule in rules:
            if _name(rule, "") not in known:
                for name in list(self.windows):
                    kind, _, account = name.partition("@")
                    former = known.get(kind)
                    if former is not None and former.limit == rule.limit and former not in rules:
                        self._inherit(_name(rule, account), self.windows[name])
        stated = {_name(rule, "") for rule in rules}
        self.windows = {name: window for name, window in self.windows.items() if name.partition("@")[0] in stated}
        self.rolling = {name: window for name, window in self.rolling.items() if name.partition("@")[0] in stated}
        # What was said of single accounts before is out of date where the whole exchange states its limits.
        self.quotas = {}
        self.rules, self.is_told = list(rules), True

    def used(self, limit: str, account: str, when: When) -> Mapping[int, int]:
        """Return what counts as used of a limit now, by the length of the window in ms."""
        found = {}
        for rule in self.rules:
            if rule.limit == limit:
                window = self._window(rule, _name(rule, account))
                window.room(0, rule.amount, rule.interval_ms, when.now_ms, when.margin_ms)
                found[rule.interval_ms] = window.used
        return found

    def heir_of(self, former: RequestBudget) -> RequestBudget:
        """Return this budget with the silences of another one where they are longer."""
        for what, silence in former.silences.items():
            if silence.until_ms > self.silences.setdefault(what, silence).until_ms:
                self.silences[what] = silence
        return self

    def _silent(self, costs: Sequence[Cost], account: str, when: When) -> Refused | None:
        """Return why nothing may be asked, or no order be placed, at the moment."""
        left_ms = self.silent_ms(EVERYTHING, when)
        if left_ms:
            return Refused(left_ms / 1000, EVERYTHING)
        left_ms = self.silent_ms(account, when)
        if left_ms:
            own = {rule.limit for rule in self.rules if rule.is_per_account}
            for cost in costs:
                if cost.limit in own:
                    return Refused(left_ms / 1000, cost.limit)
        return None

    def _window(self, rule: RateRule, name: str) -> RateWindow | RollingWindow:
        known = self.rolling.get(name) if rule.is_rolling else self.windows.get(name)
        if known is not None:
            return known
        if rule.is_rolling:
            return self.rolling.setdefault(name, RollingWindow())
        return self.windows.setdefault(name, RateWindow())

    def _known(self, name: str) -> RateWindow | RollingWindow | None:
        return self.windows.get(name) or self.rolling.get(name)

    def _inherit(self, name: str, former: RateWindow) -> None:
        """Begin a window with what is used in another one; which window that is shows when something is taken."""
        window = self.windows.setdefault(name, RateWindow())
        window.used = max(window.used, former.used, former.before)
        window.before = window.used


def _name(rule: RateRule, account: str) -> str:
    name = f"{rule.limit}/{rule.interval_ms}"
    return f"{name}@{account}" if rule.is_per_account and account else name


def _ceiling(rule: RateRule, most: int, lane: Lane) -> int:
    """Return how far a lane may fill a limit. Limits of an account are not what cancels need."""
    return most if rule.is_per_account else most - int(most * _RESERVED[lane])
