"""What goes wrong between the execution of a request and its answer. Read and changed on the server's thread only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from exconn_sync.simulator.request_fates import Target


@dataclass(slots=True)
class _Swap:
    """Answers that are held until there are enough of them, so many times."""

    count: int
    times: int
    held: list[asyncio.Future[None]] = field(default_factory=list)


class AnswerFaults:
    """Late and swapped answers of requests that are executed."""

    def __init__(self) -> None:
        self._delays: dict[Target, float] = {}
        self._engine_delays: dict[Target, float] = {}
        self._swapped: dict[Target, _Swap] = {}

    def set_delay(self, target: Target, seconds: float | None) -> None:
        """Hold the answers of requests that were executed for so long; None ends it."""
        _set(self._delays, target, seconds)

    def set_engine_delay(self, target: Target, seconds: float | None) -> None:
        """Hold requests for so long behind the last look at their time; None ends it."""
        _set(self._engine_delays, target, seconds)

    def engine_delay(self, target: Target) -> float | None:
        """How long a request waits for the matching engine once its time was looked at."""
        return self._engine_delays.get(target)

    async def wait_for_engine(self, target: Target) -> None:
        """Wait that long."""
        seconds = self._engine_delays.get(target)
        if seconds is not None:
            await asyncio.sleep(seconds)

    def swap(self, target: Target, count: int, times: int) -> None:
        """Hold the next answers until there are so many, then give them in reverse; 0 lets go of what is held."""
        before = self._swapped.pop(target, None)
        if before is not None:
            _release(before.held)
        if count:
            self._swapped[target] = _Swap(count, times)

    async def hold(self, target: Target) -> None:
        """Wait until the answer of a request may go."""
        seconds = self._delays.get(target)
        if seconds is not None:
            await asyncio.sleep(seconds)
        waiting = self._swapped.get(target)
        if waiting is None:
            return
        mine = asyncio.get_running_loop().create_future()
        waiting.held.append(mine)
        if len(waiting.held) >= waiting.count:
            held, waiting.held, waiting.times = waiting.held, [], waiting.times - 1
            if not waiting.times:
                del self._swapped[target]
            _release(held[::-1])
        await mine


def _set(delays: dict[Target, float], target: Target, seconds: float | None) -> None:
    if seconds is None:
        delays.pop(target, None)
    else:
        delays[target] = seconds


def _release(held: list[asyncio.Future[None]]) -> None:
    """Let answers go in this order: whoever waits for a future goes on in the order in which they are set."""
    for waiting in held:
        if not waiting.done():
            waiting.set_result(None)
