"""What the server remembers of its WebSocket connections."""

import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace

CONNECTION_WINDOW_S = 300.0
_REMEMBERED = 100_000


@dataclass(slots=True)
class ClientFrames:
    """How many frames a client has sent on one connection, by their type."""

    kind: str
    text: int = 0
    ping: int = 0
    pong: int = 0

    @property
    def total(self) -> int:
        """All of them: what counts towards the limit of messages per second."""
        return self.text + self.ping + self.pong


class Ledger:
    """Attempts to connect, frames of clients, and connections that the venue cut. The newest 100,000 of each."""

    def __init__(self) -> None:
        self._attempts: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._recent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._frames: deque[ClientFrames] = deque(maxlen=_REMEMBERED)
        self._cuts: Counter[str] = Counter()

    def attempt(self, kind: str, domain: str, address: str, limit: int) -> float | None:
        """Note an attempt; those of an address at a domain count together.

        Returns None, or in how many seconds one is allowed again when this one was too many.
        """
        now = time.monotonic()
        self._attempts.append((now, kind))
        recent = self._recent[domain, address]
        recent.append(now)
        while recent[0] <= now - CONNECTION_WINDOW_S:
            recent.popleft()
        if len(recent) <= limit:
            return None
        # With the limit's newest gone out of the window there is room for one more.
        return recent[-limit] + CONNECTION_WINDOW_S - now if limit > 0 else CONNECTION_WINDOW_S

    def open(self, kind: str) -> ClientFrames:
        """Begin to count the frames of a connection."""
        frames = ClientFrames(kind)
        self._frames.append(frames)
        return frames

    def cut(self, reason: str) -> None:
        """Note that the venue ended a connection."""
        self._cuts[reason] += 1

    def attempts(self) -> list[tuple[float, str]]:
        """Return the monotonic time and the kind of each attempt, oldest first."""
        return list(self._attempts)

    def client_frames(self) -> list[ClientFrames]:
        """Return the counts of each connection, oldest first."""
        return [replace(frames) for frames in self._frames]

    def cuts(self) -> dict[str, int]:
        """Return how many connections the venue ended, by reason."""
        return dict(self._cuts)
