"""A command on its way over a socket: waiting to be sent, sent, answered or lost."""

from __future__ import annotations

import threading

from exconn_sync.errors import ConnectionFailed, ConnectorStopped, ExconnError, RequestTimeout
from exconn_sync.model.wire import HttpResponse
from exconn_sync.ports.waiting import Event


class Declined(Exception):
    """Nothing was sent, or certainly nothing was done: the command may go another way."""


class PendingCommand:
    """Between the thread that wants a command sent and the one that owns the socket. Thread-safe.

    Whoever comes first decides: the owner claims it before the first byte leaves, the caller gives it up before that.
    So a command that was given up is known not to have been sent.
    """

    def __init__(self, request_id: int) -> None:
        self.request_id = request_id
        self._done = Event()
        # Guards the three below, of which at most one is ever set first.
        self._lock = threading.Lock()
        self._is_sent = self._is_given_up = False
        self._result: HttpResponse | Exception | None = None

    def claim(self) -> bool:
        """Return whether it may be sent now; from then on its outcome is open. The socket's owner calls this."""
        with self._lock:
            if self._is_given_up or self._result is not None:
                return False
            self._is_sent = True
            return True

    def answered(self, response: HttpResponse) -> None:
        """Give the exchange's answer."""
        self._end(response)

    def declined(self) -> None:
        """Say that the exchange certainly did nothing, and takes nothing more over this connection."""
        self._end(Declined())

    def lost(self, why: str) -> None:
        """Say that no answer will come any more: it is unknown what became of it, unless it was not sent at all."""
        with self._lock:
            is_sent = self._is_sent
        self._end(ConnectionFailed(f"no answer came: {why}", outcome="unknown") if is_sent else Declined())

    def _end(self, result: HttpResponse | Exception) -> None:
        with self._lock:
            if self._result is None:
                self._result = result
        self._done.set()

    def wait(self, seconds: float | None) -> HttpResponse:
        """Wait for the answer.

        Raises:
            Declined: nothing was done.
            ConnectionFailed: it was sent, and the connection ended before the answer.
            RequestTimeout: no answer in time; ``outcome`` says whether it was sent.
        """
        try:
            is_over = self._done.wait(seconds)
        except BaseException:
            # Ctrl-C: what was not sent must not leave any more (fault F129).
            self._give_up()
            raise
        if not is_over and (timeout := self._give_up()) is not None:
            raise timeout
        with self._lock:
            result = self._result
        if isinstance(result, HttpResponse):
            return result
        raise ConnectorStopped("no answer came") if result is None else result

    def _give_up(self) -> ExconnError | None:
        """Stop waiting; return None where the answer has come after all."""
        with self._lock:
            if self._result is not None:
                return None
            self._is_given_up = True
            if self._is_sent:
                return RequestTimeout("no answer over the socket within the deadline", outcome="unknown")
            return RequestTimeout("no time was left to send it", outcome="not_sent")
