"""The last frames and changes of state of one connection, for the question why it was lost."""

from __future__ import annotations

from collections import deque

from exconn_sync.model.events import TrailEntry
from exconn_sync.ports.clock import Clock

_READS, _FRAMES_OF_READ, _CHANGES = 8, 4, 32
_SHOWN = 240


class FlightRecorder:
    """Keeps what happened last.

    Only what the exchange sends and what we did is kept, never what we sent: a sign-in carries a signature. Written by
    the session's thread, read by whoever asks.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reads: deque[tuple[int, list[bytes]]] = deque(maxlen=_READS)
        self._changes: deque[TrailEntry] = deque(maxlen=_CHANGES)

    def frames(self, messages: list[bytes], received_at: int) -> None:
        """Keep the newest frames of one read; they are shortened and cleaned only when somebody looks."""
        self._reads.append((received_at, messages[-_FRAMES_OF_READ:]))

    def change(self, what: str) -> None:
        """Keep a change of state."""
        self._changes.append(TrailEntry(self._clock.time_ns(), what))

    def trail(self) -> tuple[TrailEntry, ...]:
        """Return what is kept, oldest first."""
        reads = self._reads.copy()
        frames = [TrailEntry(at, f"received {_shown(frame)}") for at, read in reads for frame in read]
        return tuple(sorted([*self._changes.copy(), *frames], key=lambda entry: entry.at))


def _shown(frame: bytes) -> str:
    text = frame[:_SHOWN].decode("utf-8", "replace")
    clean = "".join(char if char.isprintable() else "?" for char in text)
    return clean if len(frame) <= _SHOWN else f"{clean}... ({len(frame)} bytes)"
