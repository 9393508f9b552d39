"""The faults that are switched on right now. Read and changed on the server's thread only."""

import asyncio
from collections import Counter, defaultdict
from typing import TypeVar, cast

from exconn_sync.simulator.answer_faults import AnswerFaults
from exconn_sync.simulator.order_switches import OrderSwitches
from exconn_sync.simulator.private_events import PrivateEvents
from exconn_sync.simulator.request_fates import RequestFates, ScriptedAnswer, Target
from exconn_sync.simulator.subscription_faults import SubscriptionFaults
from exconn_sync.simulator.wire_faults import WireFaults

Frame = TypeVar("Frame")


class FaultBoard:
    """Rules for HTTP requests and for stream frames."""

    def __init__(self) -> None:
        self._answers: defaultdict[Target, list[ScriptedAnswer]] = defaultdict(list)
        self._drops: defaultdict[Target, int] = defaultdict(int)
        self._delays: dict[Target, float] = {}
        self._losses: defaultdict[str, int] = defaultdict(int)
        self._silenced: defaultdict[str, int] = defaultdict(int)
        self._duplicates: defaultdict[str, int] = defaultdict(int)
        self._swaps: defaultdict[str, int] = defaultdict(int)
        self._held: dict[tuple[str, object], object] = {}
        self.fates = RequestFates()
        self.wire = WireFaults()
        self.subscriptions = SubscriptionFaults()
        self.orders = OrderSwitches()
        self.answers = AnswerFaults()
        self.private = PrivateEvents(self)

    def script(self, target: Target, answer: ScriptedAnswer, count: int) -> None:
        """Give this answer to the next requests."""
        self._answers[target] += [answer] * count

    def take_answer(self, target: Target) -> ScriptedAnswer | None:
        """The scripted answer for a request, used up by asking."""
        waiting = self._answers.get(target)
        if not waiting:
            return None
        self.done["answer"] += 1
        return waiting.pop(0)

    def drop_after(self, target: Target, count: int) -> None:
        """Execute the next requests, then break their connections instead of answering."""
        self._drops[target] += count

    def take_drop(self, target: Target) -> bool:
        """Whether this request's connection is to be broken, used up by asking."""
        if not self._drops.get(target):
            return False
        self._drops[target] -= 1
        self.done["execute_then_drop"] += 1
        return True

    @property
    def done(self) -> Counter[str]:
        """How many single requests and frames each fault has met, by the name of the fault."""
        return self.fates.done

    def call_off(self) -> None:
        """Forget the faults of single requests and frames that have not met theirs yet."""
        self.fates.call_off()
        for waiting in (self._answers, self._drops, self._losses, self._duplicates, self._swaps):
            waiting.clear()
        self._held.clear()

    def set_delay(self, target: Target, seconds: float | None) -> None:
        """Hold requests for so long between their check and their execution; None ends it."""
        if seconds is None:
            self._delays.pop(target, None)
        else:
            self._delays[target] = seconds

    async def hold(self, target: Target) -> None:
        """Wait as long as the delay for these requests says."""
        seconds = self._delays.get(target)
        if seconds is not None:
            await asyncio.sleep(seconds)

    def lose(self, stream: str, count: int) -> None:
        """Swallow the next frames of a stream."""
        self._losses[stream] += count

    def silence(self, stream: str, change: int) -> None:
        """Silence a stream once more (+1) or once less (-1)."""
        self._silenced[stream] += change

    def duplicate(self, stream: str, count: int) -> None:
        """Send the next frames of a stream twice."""
        self._duplicates[stream] += count

    def swap(self, stream: str, count: int) -> None:
        """Let the next pairs of frames of a stream change places."""
        self._swaps[stream] += count

    def arrange(self, stream: str, frame: Frame, receiver: object = None) -> list[Frame]:
        """Return what is sent in the place of a frame; asked once for each frame.

        A frame that is held back comes behind the next one for the same ``receiver``.
        """
        if self._silenced.get(stream) or self._take(self._losses, stream, "lose_frames"):
            return []
        held = self._held.pop((stream, receiver), None)
        if held is not None:
            return [frame, cast(Frame, held)]
        if self._take(self._swaps, stream, "swap_frames"):
            self._held[stream, receiver] = frame
            return []
        return [frame, frame] if self._take(self._duplicates, stream, "duplicate_frames") else [frame]

    def _take(self, counts: defaultdict[str, int], stream: str, name: str) -> bool:
        if not counts.get(stream):
            return False
        counts[stream] -= 1
        self.done[name] += 1
        return True
