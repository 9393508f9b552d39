"""How private events reach those who have subscribed to them, and what goes wrong on the way.

Used on the server's thread only.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Protocol

Send = Callable[[str], None]
Frames = list[tuple[Send, str]]
"""One event for everybody who has subscribed to it: how to send it, and its text."""

REMEMBERED = 1000


class Arranging(Protocol):
    """What decides which frames are lost, doubled and swapped."""

    def arrange(self, stream: str, frame: Frames) -> list[Frames]:
        """Return what is sent in the place of a frame."""


class PrivateEvents:
    """Sends private events in order; holds them back and repeats old ones while told to."""

    def __init__(self, board: Arranging) -> None:
        self._board = board
        self._held: dict[str, list[Frames]] = {}
        self._past: defaultdict[tuple[str, str], deque[str]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self.repeats = 0
        """How many of the newest events everybody gets again who subscribes."""

    def send(self, account: str, names: Iterable[str], frames: Frames) -> None:
        """Send an event, which faults know by several names, the narrower first."""
        *narrower, widest = names
        if frames:
            self._past[account, widest].append(frames[0][1])
        through = [frames]
        for name in (*narrower, widest):
            through = [each for one in through for each in self._board.arrange(name, one)]
            if name in self._held:
                self._held[name] += through
                return
        _send(through)

    def subscribed(self, account: str, name: str, send: Send, again: Callable[[str], str]) -> None:
        """Tell somebody who has just subscribed what is to be repeated; ``again`` makes an old event one for them."""
        if not self.repeats:
            return
        past = list(self._past[account, name])[-self.repeats :]
        # Behind the answer to the subscription.
        later = asyncio.get_running_loop()
        for text in past:
            later.call_soon(send, again(text))

    def hold(self, name: str) -> None:
        """Hold back all events of a name."""
        self._held.setdefault(name, [])

    def release(self, name: str) -> None:
        """Send what was held back, in its order, to those who had subscribed then."""
        _send(self._held.pop(name, []))


def _send(through: list[Frames]) -> None:
    for frames in through:
        for send, text in frames:
            send(text)
