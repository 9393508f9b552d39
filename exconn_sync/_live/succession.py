"""The connection that is to replace another one: opened on a pool thread, handed over when it stands."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.websocket import StreamSocket
from exconn_sync.errors import ConnectorStopped, ExconnError

Dial = Callable[[StopSignal], StreamSocket]
Submit = Callable[[Callable[[], StreamSocket]], "Future[StreamSocket]"]


class Succession:
    """Dials in the background, so that the connection in use is read meanwhile. Session's thread only.

    The opened socket has one owner at any time: the pool thread until its task has ended, the session after ``take``.
    """

    def __init__(self, dial: Dial, submit: Submit, wake: Callable[[], None]) -> None:
        self._dial = dial
        self._submit = submit
        self._wake = wake
        self._future: Future[StreamSocket] | None = None
        self._stop = StopSignal()

    @property
    def is_under_way(self) -> bool:
        """True from ``begin`` until the result was taken."""
        return self._future is not None

    def begin(self) -> None:
        """Start dialling."""
        stop = self._stop = StopSignal()
        try:
            self._future = self._submit(lambda: self._dial(stop))
        except ConnectorStopped:
            # The end of this session is near, and it needs no successor.
            return
        self._future.add_done_callback(lambda _: self._wake())

    def take(self) -> StreamSocket | ExconnError | None:
        """Return the opened socket, or why there is none; None while it is still being dialled."""
        future = self._future
        if future is None or not future.done():
            return None
        self._future = None
        error = future.exception()
        if error is None:
            return future.result()
        return error if isinstance(error, ExconnError) else ExconnError(f"{type(error).__name__}: {error}")

    def cancel(self) -> None:
        """Give up what is being dialled; a socket that opens nevertheless is closed."""
        future, self._future = self._future, None
        if future is not None:
            self._stop.set()
            future.cancel()
            future.add_done_callback(_close_unwanted)


def _close_unwanted(done: Future[StreamSocket]) -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().close()
