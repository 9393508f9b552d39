"""What the library itself says of commands, of its state and of its parts."""

from __future__ import annotations

from typing import Any

from exconn_sync.errors.base import ExconnError, Outcome


class OutcomeUnknown(ExconnError):
    """The command may or may not have been executed; looking for it goes on in the background.

    Attributes:
        order: the live order handle, or None for commands without one.
        result: for commands about several orders what is known of each: an ``OrderReplacement``, an ``OrderList``, or a
            list of handles; else None.
    """

    code = "outcome_unknown"
    outcome: Outcome | None = "unknown"

    def __init__(self, message: str, *, order: Any = None, result: Any = None, **more: Any) -> None:
        self.order = order
        self.result = result
        super().__init__(message, **more)


class PartlyDone(ExconnError):
    """Of several commands that belong together, some were executed and the others certainly not.

    ``outcome`` is None: each has its own.

    Attributes:
        result: of ``replace_order`` the ``OrderReplacement``, with live handles of both orders; of ``cancel_all`` the
            live handles of the orders that were cancelled.
    """

    code = "partly_done"

    def __init__(self, message: str, *, result: Any = None, **more: Any) -> None:
        self.result = result
        super().__init__(message, **more)


class CircuitOpen(ExconnError):
    """The exchange's host failed repeatedly, so the call was not tried.

    Attributes:
        retry_after: seconds until the next attempt is let through.
    """

    code = "circuit_open"
    retryable = True
    outcome: Outcome | None = "not_sent"

    def __init__(self, message: str, *, retry_after: float, **more: Any) -> None:
        self.retry_after = retry_after
        super().__init__(message, **more)


class RiskRejected(ExconnError):
    """A risk rule of the user refused the order; nothing was sent.

    Attributes:
        rule: name of the rule.
    """

    code = "risk"
    outcome: Outcome | None = "not_sent"

    def __init__(self, message: str, *, rule: str, **more: Any) -> None:
        self.rule = rule
        super().__init__(message, **more)


class StaleBook(ExconnError):
    """The local order book is not whole at the moment; ``message`` says since when and why."""

    code = "stale_book"
    retryable = True


class SilentTopic(ExconnError):
    """A topic brings nothing although its connection lives and the exchange has news; it is asked for again (F060)."""

    code = "silent_topic"
    retryable = True


class JournalError(ExconnError):
    """The journal could not keep a record it must keep; an order whose intent is not kept is not sent."""

    code = "journal"
    outcome: Outcome | None = "not_sent"


class JournalInUse(JournalError):
    """Another process, or another object of this one, writes to the same journal (fault F152)."""

    code = "journal_in_use"


class JournalCorrupt(JournalError):
    """The journal holds something that was not written so (fault F151); nothing of it was used.

    ``details`` has ``path``, and ``at``: the number of the first record, or frame of the write-ahead log, that is
    wrong. ``python -m exconn_sync.persistence PATH`` shows what can be read, and with ``--repair`` goes on with it.
    """

    code = "journal_corrupt"


class NotReady(ExconnError, TimeoutError):
    """The connector is not, or not yet, able to do this; ``message`` names what is missing."""

    code = "not_ready"
    retryable = True
    outcome: Outcome | None = "not_sent"


class SubscriberLagging(ExconnError):
    """Many events that are never dropped wait for one subscriber: it is slower than they come (fault F156).

    Only told on ``on_error``, once an episode.

    Attributes:
        name: the subscription's ``channel.exchange.symbol``.
        waiting: number of events that wait for it.
        age: seconds that the oldest of them has been waiting.
    """

    code = "subscriber_lagging"

    def __init__(self, message: str, *, name: str, waiting: int, age: float, **more: Any) -> None:
        self.name = name
        self.waiting = waiting
        self.age = age
        super().__init__(message, **more)


class SubscriberStuck(SubscriberLagging):
    """A callback does not return (fault F136); ``details["stack"]`` shows where its thread is.

    Only told on ``on_error``, once an episode.
    """

    code = "subscriber_stuck"


class ClockChanged(ExconnError):
    """A clock stepped: this machine's (or the machine slept), or the exchange's; the time is asked for anew (F117).

    Only told on ``on_error``. ``details["offset_ms"]`` is how far the exchange's clock is ahead of this machine's.
    """

    code = "clock_changed"


class ConnectorStopped(ExconnError):
    """The connector was stopped, or never started."""

    code = "stopped"


class WorkerHung(ExconnError):
    """A worker gave no sign of life for too long; it was abandoned and is replaced (fault F144).

    ``details["stack"]`` is where its thread stood, without the values of variables.
    """

    code = "worker_hung"


class ThreadsUnavailable(ExconnError):
    """No thread could be started, or a started one does not run (faults F127, F133, F143)."""

    code = "threads"
    outcome: Outcome | None = "not_sent"


class ForkedProcess(ExconnError):
    """The object belongs to the parent process; ``Connector.start`` makes a connector usable in a forked child."""

    code = "forked"
    outcome: Outcome | None = "not_sent"
