"""What a face needs of a connection, whatever carries it."""

from collections.abc import Iterator
from typing import Protocol


class Outlet(Protocol):
    """The way to one client."""

    @property
    def remote(self) -> str:
        """The address of the client."""

    @property
    def lag_s(self) -> float:
        """By how much market and account events are late."""

    def send(self, text: str) -> None:
        """Send a text frame."""

    def send_bulk(self, chunks: Iterator[bytes]) -> None:
        """Send whole frames, however slowly they are read."""

    def send_event(self, text: str) -> None:
        """Send the text frame of an event, as late as this connection is behind."""

    def send_late(self, text: str, happened_at: float) -> None:
        """Send the text frame of an event when it is due here; ``happened_at`` is monotonic."""

    def cut(self, reason: str, code: int | None = None) -> None:
        """End the connection as the venue does to those who break a rule."""

    def abort(self) -> None:
        """Break the connection."""
