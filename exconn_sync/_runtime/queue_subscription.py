"""Subscriptions that put their events into a queue of the user's own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from exconn_sync._runtime.dispatch import PushSubscription
from exconn_sync._runtime.mailbox import Mailbox
from exconn_sync._runtime.subscription import Key, Reporter, Subscription
from exconn_sync.errors import ExconnError, ValidationError
from exconn_sync.model.events import End, Gap

UserQueue: TypeAlias = "queue.Queue[Any] | queue.SimpleQueue[Any]"

LEAST_SIZE = 4
"""Least bound of a queue: an event, a gap before it and one at the front of the queue have to fit at once."""
_HAND_OVER = 10_000
"""Events that may wait to be put into the queue; each only for the time that takes."""


def check_queue(target: object, overflow: str, *, is_lossless: bool) -> None:
    """Refuse a queue that events cannot be put into as promised.

    Raises:
        ValidationError: not a first-in-first-out queue of the module ``queue``, too small a bound, any bound where
            events are never dropped, or a policy that would hold somebody up.
    """
    is_known = isinstance(target, (queue.Queue, queue.SimpleQueue))
    if not is_known or isinstance(target, (queue.LifoQueue, queue.PriorityQueue)):
        raise ValidationError("queue", target, "must be a queue.Queue or a queue.SimpleQueue")
    bound = _bound_of(target)
    if is_lossless and bound:
        raise ValidationError("queue", target, "must have no bound: these events are never dropped")
    if bound and bound < LEAST_SIZE:
        raise ValidationError("queue", target, f"must have no bound, or one of at least {LEAST_SIZE}")
    if overflow not in ("drop_oldest", "drop_newest"):
        raise ValidationError("overflow", overflow, "must be drop_oldest or drop_newest with a queue of your own")


class QueueSubscription(PushSubscription):
    """Puts each event into the user's queue, in order, from its own thread: the queue never holds up a connection.

    Where a bounded queue is full, events give way by ``overflow``; a Gap stands where they were, and ``dropped`` counts
    them. The last thing put is an End.
    """

    def __init__(
        self,
        pattern: Key,
        on_end: Callable[[Subscription], None],
        target: UserQueue,
        overflow: str,
        reporter: Reporter,
        *,
        is_lossless: bool,
        alarm: int | None = None,
    ) -> None:
        mailbox = Mailbox(0 if is_lossless else _HAND_OVER, "drop_oldest")
        super().__init__(pattern, mailbox, on_end, self._put, self._note_gap, reporter, alarm)
        self._target = target
        self._bound = _bound_of(target)
        self._drops_newest = overflow == "drop_newest"
        self._lost = 0
        # Events lost since the last one that was put, which a Gap has to tell of.
        self._gap = 0
        self._reason: ExconnError | None = None
        self._begin_anew()

    def _begin_anew(self) -> None:
        # Guards that the end is put once. Reentrant for the same reason as that of every subscription.
        self._end_lock = threading.RLock()
        self._end: End | None = None
        self._is_over = False

    def renew(self) -> None:
        """Begin anew in a forked child. Not for users: the queue is theirs, its locks and what is in it too."""
        super().renew()
        self._begin_anew()

    @property
    def dropped(self) -> int:
        """Number of events that gave way because the queue was full."""
        return self._mailbox.dropped + self._lost

    def stop(self) -> None:
        """End the subscription; an End is the last thing in the queue when this returns."""
        super().stop()
        self._finish_unstarted()

    def finish(self, timeout: float | None) -> str:
        """Wait until all is in the queue, the End included. Not for users."""
        left = super().finish(timeout)
        self._finish_unstarted()
        return left

    def abandon(self) -> None:
        """End the subscription without waiting. Not for users."""
        super().abandon()
        self._finish_unstarted()

    def set_failure(self, failure: ExconnError | None) -> None:
        """Put an End with the reason why nothing comes for now. Not for users."""
        self._reason = failure
        if failure is not None:
            self.deliver([End(failure)])

    def _run(self) -> None:
        super()._run()
        self._put_end()

    def _finish_unstarted(self) -> None:
        with self._lock:
            has_thread = self._thread is not None
        if not has_thread:
            self._put_end()

    def _put_end(self) -> None:
        with self._end_lock:
            is_first, self._is_over = not self._is_over, True
        # Where the reason was told already, and nothing since, there is nothing to add.
        if is_first and (self._end is None or self._end.reason is not self._reason):
            self._put(End(self._reason))

    def _note_gap(self, missed: int) -> None:
        self._gap += missed

    def _put(self, event: object) -> None:
        is_end = isinstance(event, End)
        items = [Gap(self._gap), event] if self._gap else [event]
        if not isinstance(self._target, queue.Queue):
            for item in items:
                self._target.put(item)
        elif getattr(self._target, "is_shutdown", False):
            # Python 3.13: whoever shut the queue down wants nothing more of it.
            self._mailbox.discard()
            self._on_end(self)
            return
        elif not self._put_into(self._target, items, must_fit=is_end or not self._drops_newest):
            self._lost += 1
            self._gap += 1
            return
        self._gap = 0
        self._end = event if isinstance(event, End) else None

    def _put_into(self, target: queue.Queue[Any], items: Sequence[object], *, must_fit: bool) -> bool:
        """Put all items at once, in the way that ``put`` does it; return whether there was room."""
        with target.mutex:
            if self._bound and len(target.queue) + len(items) > self._bound:
                if not must_fit:
                    return False
                self._make_room(target, len(items))
            target.queue.extend(items)
            target.unfinished_tasks += len(items)
            target.not_empty.notify(len(items))
        return True

    def _make_room(self, target: queue.Queue[Any], needed: int) -> None:
        """Take out the oldest, and leave a gap in their place. Called with the queue's lock held."""
        waiting, missed, taken = target.queue, 0, 0
        while len(waiting) + 1 + needed > self._bound:
            oldest = waiting.popleft()
            taken += 1
            if isinstance(oldest, Gap):
                missed += oldest.count
            elif not isinstance(oldest, End):
                missed += 1
                self._lost += 1
        if missed:
            waiting.appendleft(Gap(missed))
            taken -= 1
        target.unfinished_tasks -= taken


def _bound_of(target: object) -> int:
    return max(0, target.maxsize) if isinstance(target, queue.Queue) else 0
