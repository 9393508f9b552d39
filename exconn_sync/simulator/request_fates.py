"""What becomes of the next requests, one by one. Read and changed on the server's thread only."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from exconn_sync.simulator.connection import abort_transport

Target = tuple[str, str]
"""HTTP method and path of the requests a fault is for."""

_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class ScriptedAnswer:
    """An HTTP answer in the place of the real one."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one request; the fate of most is none of this."""

    hold_s: float = 0.0
    """How long it waits between its check and its execution."""
    answer_hold_s: float = 0.0
    """How long its answer waits after the execution."""
    is_lost: bool = False
    """Whether it is neither executed nor answered."""
    breaks: bool = False
    """Whether its connection is reset instead of an answer."""
    answer: ScriptedAnswer | None = None
    """What is answered after the execution, in the place of the real answer."""


ORDINARY = Fate()


class RequestFates:
    """Fates that wait for their requests, and how many faults of each kind have come true."""

    def __init__(self) -> None:
        self._waiting: defaultdict[Target, deque[tuple[str, Fate]]] = defaultdict(deque)
        self.done: Counter[str] = Counter()
        self.held = 0
        """How many requests wait for their execution at the moment."""

    def add(self, target: Target, name: str, fate: Fate, count: int) -> None:
        """Let this become of the next requests, behind what waits for them already."""
        self._waiting[target].extend([(name, fate)] * count)

    def take(self, target: Target) -> Fate:
        """The fate of a request, used up by asking."""
        waiting = self._waiting.get(target)
        if not waiting:
            return ORDINARY
        name, fate = waiting.popleft()
        self.done[name] += 1
        return fate

    async def hold(self, fate: Fate) -> None:
        """Wait as long as a request waits for its execution, which follows at once."""
        if fate.hold_s:
            self.held += 1
            try:
                await asyncio.sleep(fate.hold_s)
            finally:
                self.held -= 1

    @staticmethod
    async def hold_answer(fate: Fate) -> None:
        """Wait as long as an answer waits; most do not even let others go first."""
        if fate.answer_hold_s:
            await asyncio.sleep(fate.answer_hold_s)

    def call_off(self) -> None:
        """Forget what has not come true yet."""
        self._waiting.clear()


async def lose(request: web.BaseRequest, fate: Fate) -> web.Response:
    """Leave a request without an answer until its client gives up, or break its connection."""
    if fate.breaks:
        abort_transport(request.transport)
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(_LOOK_S)
    return web.Response()


def told(fate: Fate, response: web.Response) -> web.Response:
    """The answer that is given to a request that was executed."""
    if fate.answer is None:
        return response
    answer = fate.answer
    return web.Response(status=answer.status, text=answer.body, content_type="application/json", headers=answer.headers)
