"""The market frames of the last seconds, for connections to a front end that is behind."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple


class PastFrame(NamedTuple):
    """When a frame was sent (monotonic), and its payload for each time unit."""

    time: float
    stream: str
    payloads: Mapping[int, str]


class FrameHistory:
    """Remembers frames for as long as somebody may want them again."""

    def __init__(self) -> None:
        self._frames: deque[PastFrame] = deque()

    def remember(self, frame: PastFrame, keep_s: float) -> None:
        """Add the newest frame and forget those that are older than ``keep_s``."""
        self._frames.append(frame)
        while self._frames[0].time < frame.time - keep_s:
            self._frames.popleft()

    def since(self, stream: str, moment: float) -> Iterator[PastFrame]:
        """Yield the frames of a stream from a moment on, oldest first."""
        return (frame for frame in self._frames if frame.stream == stream and frame.time >= moment)
