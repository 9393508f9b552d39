"""The decision whether an order may be placed: a pure object that is told the time, guarded by the store's lock.

It is asked in one step with the entering of the order, so that what it let in counts for whoever is asked next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from exconn_sync._machines.exposure import Exposure
from exconn_sync.config.risk_limits import RiskLimits, limit_for
from exconn_sync.errors import RiskRejected
from exconn_sync.model.enums import TextEnum
from exconn_sync.model.events import RiskAlert
from exconn_sync.model.numbers import plain_text
from exconn_sync.model.profit import Tops
from exconn_sync.risk.alerts import Episodes
from exconn_sync.risk.case import Case, Usage
from exconn_sync.risk.loss import quotes, result_since
from exconn_sync.risk.rules import RULES, loss_usage, refuse

KILL_SWITCH = "kill_switch"


class Change(TextEnum):
    """What is asked of the guard: a look ahead takes nothing, an order takes its part of the order rate."""

    LOOK = "look"
    ORDER = "order"
    AMEND = "amend"


class RiskGuard:
    """The limits, the kill switch, and what was told of them. Not thread-safe: the store's lock guards it."""

    def __init__(self, exchange: str, limits: RiskLimits, killed: str | None = None) -> None:
        self._exchange = exchange
        self.limits = limits
        # Why the kill switch was thrown, None while it is armed.
        self.killed = killed
        self._placed: deque[int] = deque()
        self._episodes = Episodes()

    def judge(self, case: Case, exposure: Exposure, change: Change, told: list[RiskAlert]) -> None:
        """Return where an order may pass; what there is to tell of limits is put into ``told``.

        Raises:
            RiskRejected: it may not, or that cannot be told.
        """
        used: list[Usage] = []
        try:
            if self.killed is not None:
                raise RiskRejected(f"the kill switch was thrown: {self.killed}", rule=KILL_SWITCH)
            for rule in RULES:
                used.extend(rule(self.limits, case, exposure))
            used.extend(self._rate(case, change))
        except RiskRejected as error:
            self._tell_refusal(error, case, told)
            raise
        if change is not Change.LOOK:
            for usage in used:
                self._note(usage, case.time_ns, told)

    def watch(self, exposure: Exposure, tops: Tops, time_ns: int, told: list[RiskAlert]) -> None:
        """Note how much of the daily loss is used, also where no order is placed."""
        for quote in quotes(exposure):
            limit = limit_for(self.limits.max_daily_loss, quote)
            if limit is None:
                continue
            result = result_since(exposure, quote, self.limits.day_start(time_ns), tops)
            if result.profit is not None:
                self._note(loss_usage(quote, result.profit, limit), time_ns, told)

    def change(self, limits: RiskLimits) -> RiskLimits:
        """Use other limits from now on; return the former ones."""
        former, self.limits = self.limits, limits
        self._episodes.forget()
        return former

    def kill(self, reason: str, time_ns: int, told: list[RiskAlert]) -> bool:
        """Refuse everything from now on; return whether that is new."""
        if self.killed is not None:
            return False
        self.killed = reason
        told.append(self._alert(Usage(KILL_SWITCH, "", None, None), "killed", reason, time_ns))
        return True

    def arm(self, time_ns: int, told: list[RiskAlert]) -> bool:
        """Let orders pass again; return whether the switch had been thrown."""
        if self.killed is None:
            return False
        self.killed = None
        told.append(self._alert(Usage(KILL_SWITCH, "", None, None), "armed", "orders pass again", time_ns))
        return True

    def _rate(self, case: Case, change: Change) -> Iterable[Usage]:
        """Judge how many orders were placed of late, and count this one."""
        if self.limits.max_order_rate is None or change is Change.AMEND:
            return ()
        most, seconds = self.limits.max_order_rate
        while self._placed and case.now_ns - self._placed[0] >= int(seconds * 1e9):
            self._placed.popleft()
        count = len(self._placed) + len(case.before)
        usage = Usage("max_order_rate", "", Decimal(count + 1), Decimal(most))
        if count >= most:
            refuse(f"{count} orders were placed within {seconds:g} s, and {most} may be", usage)
        if change is Change.ORDER:
            self._placed.append(case.now_ns)
        return (usage,)

    def _tell_refusal(self, error: RiskRejected, case: Case, told: list[RiskAlert]) -> None:
        if error.rule == KILL_SWITCH:
            # Told when it was thrown.
            return
        scope = str(error.details.get("scope", case.symbol))
        numbers = [error.details.get(name) for name in ("value", "limit")]
        value, limit = (None if number is None else Decimal(number) for number in numbers)
        usage = Usage(error.rule, scope, value, limit)
        if self._episodes.note(usage, self.limits.alert_share, is_refused=True):
            told.append(self._alert(usage, "reached", error.message, case.time_ns))

    def _note(self, usage: Usage, time_ns: int, told: list[RiskAlert]) -> None:
        level = self._episodes.note(usage, self.limits.alert_share)
        if level is not None and usage.value is not None and usage.limit is not None:
            message = f"{plain_text(usage.value)} of {plain_text(usage.limit)} are used"
            told.append(self._alert(usage, level, message, time_ns))

    def _alert(self, usage: Usage, level: str, message: str, time_ns: int) -> RiskAlert:
        return RiskAlert(self._exchange, usage.rule, usage.scope, level, usage.value, usage.limit, message, time_ns)
