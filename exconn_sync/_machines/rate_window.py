"""What is used of one limit of the exchange, in windows that follow the exchange's clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

_LONGEST_FLIGHT_MS = 20_000
"""After this time a request of which nothing was heard is counted in no further window: its process may be dead."""


class Hold(NamedTuple):
    """What one request took of one limit; needed to settle it."""

    amount: int
    first: int
    """The first window in which it may be counted."""
    last: int
    """The last one that was known when it was taken."""
    beside: int
    """What was under way already."""
    mark: int
    """What had been taken altogether, this request included."""


@dataclass
class RateWindow:
    """Counts one limit. Never counts less than the exchange may, as far as we are the only ones who ask.

    A request is counted by the exchange when it arrives there, which may be a window later than we think: our estimate
    of its clock is wrong by up to a margin, and requests travel. So one that is sent within the margin of an edge is
    counted on both sides of it, and one that is still under way when a window begins is counted there too. Times are ms
    of the exchange's clock; windows are numbered from the epoch.

    Attributes:
        index: the newest window.
        used: what is counted there.
        before: what is counted in the window before it.
        taken: everything that was ever taken, also by other processes that share this state.
        flying: what is not settled, by the window that was the newest when it was taken.
        told_ms: until when the exchange may have known what it told last.
    """

    index: int = -1
    used: int = 0
    before: int = 0
    taken: int = 0
    flying: dict[int, int] = field(default_factory=dict)
    told_ms: int = 0

    def room(self, amount: int, ceiling: int, interval_ms: int, now_ms: int, margin_ms: int) -> int:
        """Return 0 where so much may be taken now without passing the ceiling, else the ms until the next chance."""
        margin_ms = min(margin_ms, interval_ms // 4)
        first = self._roll(interval_ms, now_ms, margin_ms)
        if self.used + amount > ceiling:
            return max(1, (self.index + 1) * interval_ms + margin_ms - now_ms)
        if first < self.index and self.before + amount > ceiling:
            return max(1, self.index * interval_ms + margin_ms - now_ms)
        return 0

    def take(self, amount: int, interval_ms: int, now_ms: int, margin_ms: int) -> Hold:
        """Count a request that leaves now."""
        first = self._roll(interval_ms, now_ms, min(margin_ms, interval_ms // 4))
        hold = Hold(amount, first, self.index, sum(self.flying.values()), self.taken + amount)
        self.used += amount
        if first < self.index:
            self.before += amount
        self.taken += amount
        self.flying[self.index] = self.flying.get(self.index, 0) + amount
        return hold

    def settle(
        self,
        hold: Hold,
        interval_ms: int,
        now_ms: int,
        margin_ms: int,
        *,
        is_free: bool = False,
        figure: int | None = None,
    ) -> None:
        """Note that an answer came, or that none will; ``is_free`` gives back what was taken.

        ``figure`` is what the answer says is used. It may not know yet of other requests that are under way, and
        answers overtake each other. Where it is above our count, others use the same budget, and it counts, with what
        of ours is under way. Where it is below, the count is lowered, but not below the figure with everything that was
        under way at any time meanwhile (fault F128).
        """
        margin_ms = min(margin_ms, interval_ms // 4)
        # It may have been counted in a window that nobody has opened here yet.
        self._roll(interval_ms, now_ms, margin_ms)
        self._land(hold, is_free=is_free)
        ends = {hold.first, hold.last, (now_ms - margin_ms) // interval_ms, (now_ms + margin_ms) // interval_ms}
        if figure is None or ends != {self.index}:
            # Nobody can tell for which window the exchange said it.
            return
        self.told_ms = max(self.told_ms, now_ms + margin_ms)
        if figure > self.used:
            self.used = figure + sum(self.flying.values())
        else:
            self.used = min(self.used, figure + hold.beside + self.taken - hold.mark)

    def credit(self, amount: int, happened_ms: int, interval_ms: int, now_ms: int, margin_ms: int) -> None:
        """Take off what the exchange gives back for something that happened then.

        Not where the last figure may have it in already, and not where the exchange may have taken it off another
        window: it is better to count too much until the next figure comes.
        """
        margin_ms = min(margin_ms, interval_ms // 4)
        self._roll(interval_ms, now_ms, margin_ms)
        moments = (now_ms - margin_ms, now_ms + margin_ms, happened_ms)
        if happened_ms > self.told_ms and {moment // interval_ms for moment in moments} == {self.index}:
            self.used = max(self.used - amount, sum(self.flying.values()))

    def give_back(self, hold: Hold) -> None:
        """Undo what was taken for a request that was never sent."""
        self._land(hold, is_free=True)

    def _land(self, hold: Hold, *, is_free: bool) -> None:
        flying = self.flying.get(hold.last)
        if flying is None:
            return
        if flying > hold.amount:
            self.flying[hold.last] = flying - hold.amount
        else:
            del self.flying[hold.last]
        if is_free:
            # It was carried into every window since.
            self.used = max(0, self.used - hold.amount)
            if hold.first < self.index:
                self.before = max(0, self.before - hold.amount)

    def _roll(self, interval_ms: int, now_ms: int, margin_ms: int) -> int:
        """Open the newest window that it may be by now; return the oldest one."""
        first, last = (now_ms - margin_ms) // interval_ms, (now_ms + margin_ms) // interval_ms
        if first == last == self.index:
            # Mostly; each request comes here three times for each of its limits.
            return first
        if self.index < 0:
            self.index = last
        elif last > self.index:
            kept = max(1, _LONGEST_FLIGHT_MS // interval_ms)
            self.flying = {index: amount for index, amount in self.flying.items() if index >= last - kept}
            under_way = sum(self.flying.values())
            self.before = self.used if last == self.index + 1 else under_way
            self.used = under_way
            self.index = last
        elif first < self.index - 1:
            # The clock was corrected by more than a window: everything counts as taken now (fault F117).
            self.used = self.before = max(self.used, self.before)
            self.flying = {last: sum(self.flying.values())} if self.flying else {}
            self.index = last
        return min(first, self.index)
