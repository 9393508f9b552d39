"""The streams of the mock: the exchange's end of each, and the client's."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol


class MockOutlet:
    """The exchange's end: what is said waits for the client. Used under the lock of the exchange."""

    remote = "memory"
    lag_s = 0.0

    def __init__(self, touch: Callable[["MockOutlet"], None], on_arrival: Callable[[], None]) -> None:
        self.on_arrival = on_arrival
        self.inbox: list[bytes] = []
        self.is_over = False
        self.looks = 0
        """How often the client has looked for what has come."""
        self.reader: int | None = None
        """The thread on which it looks."""
        self._touch = touch

    def send(self, text: str) -> None:
        """Deliver a text frame."""
        if not self.is_over:
            self.inbox.append(text.encode())
            self._touch(self)

    def send_event(self, text: str) -> None:
        """Deliver an event: nobody is behind here."""
        self.send(text)

    def send_late(self, text: str, happened_at: float) -> None:
        """Deliver an event at once."""
        del happened_at
        self.send(text)

    def send_bulk(self, chunks: Iterator[bytes]) -> None:
        """Refuse: bytes of a network mean nothing here."""
        del chunks
        raise RuntimeError("a mock has no bursts: they are a test of the network")

    def cut(self, reason: str, code: int | None = None) -> None:
        """End the stream."""
        del reason, code
        self.abort()

    def abort(self) -> None:
        """End the stream."""
        self.is_over = True
        self._touch(self)


class Switchboard(Protocol):
    """What stands between the two ends."""

    def said(self, outlet: MockOutlet, text: str) -> None:
        """A client has sent something."""

    def taken(self, outlet: MockOutlet) -> Sequence[bytes] | None:
        """What has come for a client; None where the exchange has ended the stream."""

    def left(self, outlet: MockOutlet) -> None:
        """A client is gone."""


class MockStream:
    """The client's end."""

    def __init__(self, outlet: MockOutlet, board: Switchboard) -> None:
        self._outlet = outlet
        self._board = board

    def send(self, message: bytes) -> None:
        """Take a text message of the client."""
        self._board.said(self._outlet, message.decode())

    def receive(self) -> Sequence[bytes] | None:
        """Return what has come since the last call; None once the exchange has ended the stream."""
        return self._board.taken(self._outlet)

    def close(self) -> None:
        """End the stream."""
        self._board.left(self._outlet)
