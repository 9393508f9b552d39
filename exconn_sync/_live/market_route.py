"""Where the frames of one topic go, and how two sources of them become one sequence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from exconn_sync._machines.takeover import Takeover, newer
from exconn_sync._runtime.subscription import Key
from exconn_sync.model.enums import Channel
from exconn_sync.model.wire import Topic
from exconn_sync.ports.driver import Decode, Emit, Span

_MOST_HELD = 10_000
_UNTIMED_FLOOR_NS, _TIMED_FLOOR_NS = 5_000_000_000, 30_000_000_000
_FAR_BEHIND = 10_000


class Gate(Protocol):
    """Decides which events pass while a topic has two sources, or a new one that may be behind the last."""

    def let_pass(self, source: object, events: list[Any]) -> list[Any]:
        """Return the events that are delivered now."""
        ...


class Route:
    """One topic. ``batch`` collects a read's events, ``last`` is the newest one delivered; ``gate`` is mostly None.

    ``is_fresh`` says that something came since the last tick, which then notes it: once a second, not once a read.
    """

    __slots__ = (
        "_plain",
        "batch",
        "decode",
        "gate",
        "is_book",
        "is_fresh",
        "key",
        "last",
        "next_look_ns",
        "span",
        "topic",
    )

    def __init__(self, topic: Topic, decode: Decode, key: Key, span: Span | None) -> None:
        self.topic = topic
        self.decode = self._plain = decode
        self.next_look_ns = -1
        self.key = key
        self.span = span
        self.is_book = topic.channel is Channel.ORDER_BOOK
        self.batch: list[Any] = []
        self.last: Any = None
        self.gate: Gate | None = None
        self.is_fresh = False

    def look_once(self, look: Callable[[bytes], None]) -> None:
        """Have the next frame given to ``look`` as well; all later ones cost nothing."""

        def decode_and_look(frame: bytes, received_at: int, emit: Emit) -> None:
            self.decode = self._plain
            self._plain(frame, received_at, emit)
            look(frame)

        self.decode = decode_and_look

    @property
    def last_number(self) -> int | None:
        """Sequence number of the newest event delivered, None where there is none."""
        return None if self.last is None or self.span is None else self.span(self.last)[1]


class Overlap:
    """Joins the old and the new connection of a topic, which run side by side for a while (fault F044).

    Without sequence numbers there is no telling which event is which: then the old connection feeds it to its end.
    """

    def __init__(self, route: Route, new: object) -> None:
        self._new = new
        # What the old connection brings after the switch, for the case that the new one is lost.
        self._held: deque[Any] = deque(maxlen=_MOST_HELD)
        self._span = route.span
        self._takeover = None if route.span is None else Takeover(route.span, route.last_number)

    def let_pass(self, source: object, events: list[Any]) -> list[Any]:
        """Return the events that are delivered now."""
        if self._takeover is None:
            return [] if source is self._new else events
        if source is self._new:
            return self._takeover.on_new(events)
        if self._takeover.is_switched:
            self._held.extend(events)
        return self._takeover.on_old(events)

    @property
    def has_switched(self) -> bool:
        """True where the new connection feeds the topic."""
        return self._takeover is not None and self._takeover.is_switched

    def finish(self) -> list[Any]:
        """End the overlap: return what the new connection brought and the old one did not."""
        return [] if self._takeover is None else self._takeover.finish()

    def abort(self) -> list[Any]:
        """End the overlap without the new connection: return what the old one brought and the new one did not."""
        if self._takeover is None or self._span is None:
            return []
        return newer(self._held, self._takeover.last, self._span)


class Floor:
    """Holds back what was already delivered before a reconnect: the new server may be behind (fault F066).

    There is one source, so a number that was delivered comes again for one of two reasons: it is repeated, or the
    exchange begins its numbers anew, which must not silence the topic. A later time proves the latter, and so do
    numbers so much lower that no server is as far behind. Without such proof the gate ends after a few seconds, with
    times after half a minute: as long as they are not later, the events are old.
    """

    def __init__(self, route: Route, span: Span, now_ns: int) -> None:
        self._route = route
        self._last = route.last
        self._last_number = span(route.last)[1]
        self._span = span
        self.until_ns = now_ns + (_UNTIMED_FLOOR_NS if _time_of(route.last) is None else _TIMED_FLOOR_NS)

    def let_pass(self, source: object, events: list[Any]) -> list[Any]:  # noqa: ARG002 - there is only one here
        """Return the events that are delivered now; the first of them ends the gate."""
        passed = newer(events, self._last_number, self._span)
        if not passed and events and self._begins_anew(events[-1]):
            passed = events
        if passed:
            self._route.gate = None
        return passed

    def is_newer(self, event: Any) -> bool:
        """Return whether an event is later than what was delivered, by its number."""
        return self._span(event)[1] > self._last_number

    def _begins_anew(self, event: Any) -> bool:
        before, after = _time_of(self._last), _time_of(event)
        if before is not None and after is not None:
            return after > before
        behind = self._last_number - self._span(event)[1]
        return behind > max(_FAR_BEHIND, self._last_number // 2)


def _time_of(event: Any) -> int | None:
    time: int | None = getattr(event, "exchange_time", None)
    return time
