"""Which fills still have to be delivered: so each is delivered once, also where the process dies on the way.

A fill counts as delivered when every callback that was subscribed to it has returned, or your loop or queue has it.
Then a note goes to the journal. A fill without one is delivered at the next start. Between the end of a callback and
its note lies a moment; where a process is killed in it, the fill comes again (fault F149).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from exconn_sync._runtime.faultpoints import reach
from exconn_sync._runtime.subscription import Subscription
from exconn_sync.model.orders import Fill

_Key: TypeAlias = "tuple[str, str, str]"


class FillReceipts:
    """Thread-safe. ``delivered`` is called, without any lock held, once for each fill that all its subscribers have."""

    def __init__(self, delivered: Callable[[Fill], None]) -> None:
        self._delivered = delivered
        self.renew()

    def renew(self) -> None:
        """Begin anew, also in a forked child."""
        # Guards the table. Reentrant: the garbage collector may end a subscription while we hold it (fault F153).
        self._lock = threading.RLock()
        self._open: dict[_Key, tuple[Fill, list[Subscription]]] = {}
        self._is_stopping = False

    def watch(self, subscription: Subscription) -> None:
        """Have a subscription say what it has delivered, before it gets anything."""
        subscription.on_handled = self._handled

    def expect(self, fill: Fill, subscriptions: Iterable[Subscription]) -> None:
        """Wait for these subscriptions to deliver a fill that is published now."""
        waited_for = [item for item in subscriptions if item.is_active and item.on_handled is not None]
        if waited_for:
            with self._lock:
                self._open[_key(fill)] = (fill, waited_for)
        else:
            self._delivered(fill)

    def left(self, subscription: Subscription) -> None:
        """Wait no more for a subscription that was ended; one that the connector's stop cuts off is owed its fills."""
        if self._is_stopping:
            return
        with self._lock:
            concerned = [fill for fill, waited_for in list(self._open.values()) if subscription in waited_for]
        for fill in concerned:
            self._handled(subscription, fill)

    def stopping(self, is_stopping: bool) -> None:
        """Say whether subscriptions end because the connector stops."""
        self._is_stopping = is_stopping

    def owed(self) -> list[Fill]:
        """Return the fills that nobody is going to deliver any more, and forget them."""
        with self._lock:
            owed = [fill for fill, waited_for in self._open.values() if not any(item.is_active for item in waited_for)]
            for fill in owed:
                del self._open[_key(fill)]
        return owed

    def _handled(self, subscription: Subscription, event: Any) -> None:
        if not isinstance(event, Fill):
            return
        with self._lock:
            _, waited_for = self._open.get(_key(event), (event, []))
            if subscription not in waited_for:
                return
            waited_for.remove(subscription)
            is_last = not waited_for
            if is_last:
                del self._open[_key(event)]
        if is_last:
            reach("fill.before_note")
            self._delivered(event)


def _key(fill: Fill) -> _Key:
    return fill.symbol, fill.trade_id, fill.exchange_order_id
