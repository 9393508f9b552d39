"""What is used of one limit that the exchange counts over any span of a length, wherever it begins."""

from __future__ import annotations

from dataclasses import dataclass, field

from exconn_sync._machines.rate_window import Hold

_SLOTS = 10
"""Parts of the span that are counted apart: what is counted stays for up to one part longer than it must."""

_LONGEST_FLIGHT_MS = 20_000
"""After this time a request of which nothing was heard counts as it would if it had been answered then."""


@dataclass
class RollingWindow:
    """Counts one limit. Never counts less than the exchange may, as far as we are the only ones who ask.

    The exchange counts a request from its arrival on, which lies between its sending and its answer. So it counts here
    for as long as it is under way, and for a whole span from its answer on: whenever another one is sent, everything
    that the exchange can count together with it is counted. No clock of the exchange is needed for that.

    Times are ms; they only have to go on. Slots are numbered from the epoch.

    Attributes:
        used: what is counted, as of the last look.
        landed: what was answered, by slot.
        flying: what is not settled, by the slot in which it was taken.
        taken: everything that was ever taken.
    """

    used: int = 0
    landed: dict[int, int] = field(default_factory=dict)
    flying: dict[int, int] = field(default_factory=dict)
    taken: int = 0

    def room(self, amount: int, ceiling: int, interval_ms: int, now_ms: int, margin_ms: int) -> int:
        """Return 0 where so much may be taken now without passing the ceiling, else the ms until the next chance."""
        del margin_ms  # told like every other window
        self._roll(interval_ms, now_ms)
        excess = self.used + amount - ceiling
        if excess <= 0:
            return 0
        slot_ms = _slot_ms(interval_ms)
        for slot, landed in sorted(self.landed.items()):
            excess -= landed
            if excess <= 0:
                return max(1, (slot + _SLOTS + 1) * slot_ms - now_ms)
        # It depends on what is still under way.
        return max(1, slot_ms)

    def take(self, amount: int, interval_ms: int, now_ms: int, margin_ms: int) -> Hold:
        """Count a request that leaves now."""
        del margin_ms
        slot = self._roll(interval_ms, now_ms)
        hold = Hold(amount, slot, slot, sum(self.flying.values()), self.taken + amount)
        self.flying[slot] = self.flying.get(slot, 0) + amount
        self.taken += amount
        self.used += amount
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

        ``figure`` is what the answer says is used. Where it is above our count, others use the same budget, and it
        counts, with what of ours is under way. A lower one says nothing: what it lacks may be on its way (fault F128).
        """
        del margin_ms
        slot = self._roll(interval_ms, now_ms)
        if self._land(hold) and not is_free:
            self._count(slot, hold.amount)
        if figure is not None and figure > self.used:
            self._count(slot, figure + sum(self.flying.values()) - self.used)

    def give_back(self, hold: Hold) -> None:
        """Undo what was taken for a request that was never sent."""
        self._land(hold)

    def _count(self, slot: int, amount: int) -> None:
        self.landed[slot] = self.landed.get(slot, 0) + amount
        self.used += amount

    def _land(self, hold: Hold) -> bool:
        """Take a request from those under way; return whether it was there."""
        flying = self.flying.get(hold.last)
        if flying is None:
            return False
        if flying > hold.amount:
            self.flying[hold.last] = flying - hold.amount
        else:
            del self.flying[hold.last]
        self.used -= min(hold.amount, flying)
        return True

    def _roll(self, interval_ms: int, now_ms: int) -> int:
        """Forget what the exchange counts no longer; return the present slot."""
        slot_ms = _slot_ms(interval_ms)
        slot = now_ms // slot_ms
        if any(each > slot for each in self.landed):
            # The clock was corrected: everything counts as answered now (fault F117).
            self.landed = {slot: sum(self.landed.values())}
        self.landed = {each: amount for each, amount in self.landed.items() if each + _SLOTS >= slot}
        lost_before = slot - _LONGEST_FLIGHT_MS // slot_ms - _SLOTS
        self.flying = {each: amount for each, amount in self.flying.items() if each >= lost_before}
        self.used = sum(self.landed.values()) + sum(self.flying.values())
        return slot


def _slot_ms(interval_ms: int) -> int:
    return max(1, interval_ms // _SLOTS)
