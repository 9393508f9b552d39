"""Faults of acknowledgements and private events, on faces that acknowledge before they match (Bybit)."""

from collections.abc import Iterator
from contextlib import contextmanager

from exconn_sync.simulator.fault_targets import FaultControls, positive


class OrderFaults(FaultControls):
    """What can happen between the acknowledgement of a command and what becomes of it."""

    @contextmanager
    def match_late(self, seconds: float) -> Iterator[None]:
        """Acknowledge commands at once and let them reach the book so much later: the answer comes before the event."""
        switches, late = self._board.orders, positive("seconds", seconds)

        def set_delay(delay: float) -> None:
            switches.match_delay_s = delay

        with self._between(lambda: set_delay(late), lambda: set_delay(0.0)):
            yield

    @contextmanager
    def answer_late(self, method: str, path: str, seconds: float) -> Iterator[None]:
        """Execute requests at once and answer so much later: the event comes before the answer."""
        target, late = (method, path), positive("seconds", seconds)
        answers = self._board.answers
        begin, end = (lambda: answers.set_delay(target, late)), (lambda: answers.set_delay(target, None))
        with self._between(begin, end):
            yield

    @contextmanager
    def refuse_late(self) -> Iterator[None]:
        """Acknowledge orders that would be refused, and reject them in a private event instead."""
        with self._switched(self._board.orders.refuses_late):
            yield

    def reject_orders(self, reason: str = "EC_Others", count: int = 1) -> None:
        """Acknowledge the next orders, then reject them for this reason in a private event."""
        self._call(lambda: self._board.orders.rejections.extend([reason] * count))

    @contextmanager
    def reject_post_only(self) -> Iterator[None]:
        """End post-only orders that would trade as ``Rejected`` instead of ``Cancelled``."""
        with self._switched(self._board.orders.rejects_post_only):
            yield

    @contextmanager
    def tell_new(self) -> Iterator[None]:
        """Tell also those orders as ``New`` that trade or end at once."""
        with self._switched(self._board.orders.tells_new):
            yield

    @contextmanager
    def shuffle_events(self) -> Iterator[None]:
        """Send the private messages about one event in reverse: wallet, executions, orders."""
        with self._switched(self._board.orders.shuffles):
            yield

    def restart_books(self, symbol: str | None = None) -> None:
        """Send every reader of a book a snapshot with ``u`` 1, as after a restart of the service."""
        self._call(lambda: [tell(symbol) for tell in self._board.orders.on_restart])

    def forget_closed_orders(self) -> None:
        """Empty the memory of orders that ended, as a restart of the service does; their history stays."""
        self._call(lambda: [tell() for tell in self._board.orders.on_cache_loss])

    def idle_limit(self, seconds: float) -> None:
        """Close WebSockets without a message in either direction after so long; as documented: 10 minutes."""
        limit = positive("seconds", seconds)

        def change() -> None:
            self._board.orders.idle_limit_s = limit

        self._call(change)
