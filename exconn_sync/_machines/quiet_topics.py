"""Which topics have been silent for so long that somebody should look whether they are dead (faults F047, F060).

==========================================  ===========================================================================
the look finds                              what follows
==========================================  ===========================================================================
nothing newer at the exchange               the topic is quiet, not dead; its patience doubles, up to 64 times
news that did not come                      it is subscribed again; if that brings no message either, the connection
                                            is replaced; and so on, by turns
could not be made                           the topic is asked about again after ``timeout``
==========================================  ===========================================================================

An acknowledged subscription proves nothing: the truth is the data. So a topic is watched from the moment on when it was
subscribed, and a message, not an answer, ends every doubt.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, Literal, TypeVar

T = TypeVar("T", bound=Hashable)

_NS = 1_000_000_000
_MOST_PATIENCE = 64


class _Doubt:
    """A topic without a message since something else happened to it."""

    __slots__ = ("is_asked", "patience", "since_ns", "was_silent")

    def __init__(self, since_ns: int) -> None:
        self.since_ns = since_ns
        self.patience = 1
        self.is_asked = False
        self.was_silent = False


class QuietTopics(Generic[T]):
    """The silence of the topics of one or several connections. Not thread-safe.

    The caller asks ``due``, looks at the exchange by other means (a snapshot's id, the last trade), and reports what it
    found. A topic is returned by ``due`` once, until a report or a message. Calls for a topic that was never started,
    or was stopped meanwhile, have no effect.

    ``seen`` costs a look-up or two per topic. ``due`` looks at all topics, but only when one of them can be due.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout_ns = int(timeout * _NS)
        self._seen_ns: dict[T, int | None] = {}
        self._doubts: dict[T, _Doubt] = {}
        # Nothing is due before this; messages only put it off, so it need not be exact.
        self._next_ns: int | None = None

    def started(self, topic: T, now_ns: int) -> None:
        """Note that a topic is subscribed now, for the first time or again; its silence counts from here.

        A topic known to be silent stays known as that until a message: subscribing again is no proof.
        """
        self._seen_ns.setdefault(topic, None)
        self._count_from(self._doubt_about(topic, now_ns), now_ns, patience=1)

    def seen(self, topics: Iterable[T], now_ns: int) -> None:
        """Note that messages of these topics came."""
        seen_ns, doubts = self._seen_ns, self._doubts
        for topic in topics:
            if topic in seen_ns:
                seen_ns[topic] = now_ns
                if topic in doubts:
                    del doubts[topic]
                    self._expect(now_ns + self._timeout_ns)

    def stopped(self, topic: T) -> None:
        """Forget a topic."""
        self._seen_ns.pop(topic, None)
        self._doubts.pop(topic, None)

    def due(self, now_ns: int) -> list[T]:
        """Return the topics that have been silent for as long as their patience; each once."""
        if self._next_ns is None or now_ns < self._next_ns:
            return []
        self._next_ns = None
        found = []
        for topic in self._seen_ns:
            due_ns = self._due_ns(topic)
            if due_ns is None:
                continue
            if due_ns > now_ns:
                self._expect(due_ns)
                continue
            self._doubt_about(topic, now_ns).is_asked = True
            found.append(topic)
        return found

    def found_quiet(self, topic: T, now_ns: int) -> None:
        """Report that the exchange has nothing newer; void where a message came during the look."""
        doubt = self._doubts.get(topic)
        if doubt is not None and doubt.is_asked:
            self._count_from(doubt, now_ns, min(2 * doubt.patience, _MOST_PATIENCE))

    def found_silent(self, topic: T, now_ns: int) -> Literal["resubscribe", "replace"]:
        """Report that the exchange has news that did not come; return what is to be done about it.

        ``replace`` means the connection, and is returned every second time as long as no message comes. Compare
        ``last_seen_ns`` first: a message that came during the look is no silence. For an unknown topic the answer is
        ``resubscribe``, which for one that nobody wants any more is nothing to do.
        """
        if topic not in self._seen_ns:
            return "resubscribe"
        doubt = self._doubt_about(topic, now_ns)
        self._count_from(doubt, now_ns, patience=1)
        doubt.was_silent = not doubt.was_silent
        return "resubscribe" if doubt.was_silent else "replace"

    def unverified(self, topic: T, now_ns: int) -> None:
        """Report that the look failed: the topic is due again after ``timeout``, whatever its patience."""
        doubt = self._doubts.get(topic)
        if doubt is not None and doubt.is_asked:
            doubt.is_asked = False
            # Its patience stays for the look after that one.
            doubt.since_ns = now_ns - (doubt.patience - 1) * self._timeout_ns
            self._expect(now_ns + self._timeout_ns)

    def until_due(self, now_ns: int) -> float | None:
        """Return the seconds until ``due`` may return something, never too late; None where nothing is waited for.

        It may be too early, as messages are not taken into account before ``due`` is asked.
        """
        if self._next_ns is None or not self._seen_ns:
            return None
        return max(0, self._next_ns - now_ns) / _NS

    def last_seen_ns(self, topic: T) -> int | None:
        """Return when the last message of a topic came; None where none came since it was first started."""
        return self._seen_ns.get(topic)

    def clear(self) -> None:
        """Forget all topics."""
        self._seen_ns.clear()
        self._doubts.clear()
        self._next_ns = None

    def _doubt_about(self, topic: T, now_ns: int) -> _Doubt:
        doubt = self._doubts.get(topic)
        if doubt is None:
            doubt = self._doubts[topic] = _Doubt(now_ns)
        return doubt

    def _count_from(self, doubt: _Doubt, now_ns: int, patience: int) -> None:
        doubt.since_ns, doubt.patience, doubt.is_asked = now_ns, patience, False
        self._expect(now_ns + patience * self._timeout_ns)

    def _expect(self, due_ns: int) -> None:
        if self._next_ns is None or due_ns < self._next_ns:
            self._next_ns = due_ns

    def _due_ns(self, topic: T) -> int | None:
        doubt = self._doubts.get(topic)
        if doubt is None:
            # Without a doubt there was a message: the doubt of its start ends with none but that.
            return (self._seen_ns[topic] or 0) + self._timeout_ns
        return None if doubt.is_asked else doubt.since_ns + doubt.patience * self._timeout_ns
