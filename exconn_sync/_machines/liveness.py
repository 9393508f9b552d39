"""Whether a connection is alive: silence, unanswered probes, drips (faults F008, F010, F011, F024, F025)."""

from __future__ import annotations

_NS = 1_000_000_000


class Liveness:
    """Judges one connection from its beginning; a new connection needs a new object. Not thread-safe.

    ====================================================  ============================================  ===========
    rule                                                  why                                           fault
    ====================================================  ============================================  ===========
    no byte for ``idle_timeout``: dead                    a half-open connection reports no error, and  F008, F024
                                                          what was sent into it proves nothing
    a ping every ``idle_timeout / 2``, or as often as     data that arrives does not prove that ours    F010, F025
    the exchange wants it (``ping_every``), also while    arrives
    data flows; no pong for as long: dead
    a message incomplete for ``message_limit``: dead      a byte now and then keeps any silence short   F011
    ====================================================  ============================================  ===========

    The caller reads what is there, and reports it, before it asks for a verdict: a program that kept the interpreter
    busy for long finds its answers in the socket, and must not take its own delay for the exchange's (fault F163).
    Where nobody looked for long, nobody asked either, and there may be no answer: ``overslept`` gives all limits anew.

    Attributes:
        last_byte_ns: when the last bytes came; the beginning of the connection before any. What the connection feeds
            is as old as this, not as old as the verdict.
    """

    def __init__(self, idle_timeout: float, message_limit: float, now_ns: int, ping_every: float | None = None) -> None:
        self._idle_timeout = idle_timeout
        self._message_limit = message_limit
        self._idle_ns = int(idle_timeout * _NS)
        self._probe_ns = min(self._idle_ns // 2, self._idle_ns if ping_every is None else int(ping_every * _NS))
        self._message_ns = int(message_limit * _NS)
        self._probe_from_ns = now_ns
        self._unanswered_since_ns: int | None = None
        self._partial_since_ns: int | None = None
        self._awake_from_ns = now_ns
        self.last_byte_ns = now_ns

    def received(self, now_ns: int, *, is_partial: bool, has_ended: bool = False) -> None:
        """Note that bytes came.

        ``is_partial``: an unfinished message is still buffered afterwards. ``has_ended``: a message ended in these
        bytes, so that an unfinished one began in them. Without it a busy connection, whose every read ends in the
        middle of some message, would look like a drip.
        """
        self.last_byte_ns = now_ns
        if not is_partial:
            self._partial_since_ns = None
        elif has_ended or self._partial_since_ns is None:
            self._partial_since_ns = now_ns

    def pong(self) -> None:
        """Note a pong: any answers the outstanding probe, whatever its payload or shape (fault F025)."""
        self._unanswered_since_ns = None

    def probe_due(self, now_ns: int) -> bool:
        """Return whether a ping is to be sent now; never while one is unanswered."""
        return self._unanswered_since_ns is None and now_ns - self._probe_from_ns >= self._probe_ns

    def probed(self, now_ns: int) -> None:
        """Note that a ping was sent."""
        self._probe_from_ns = now_ns
        if self._unanswered_since_ns is None:
            self._unanswered_since_ns = now_ns

    def overslept(self, now_ns: int) -> None:
        """Note that nobody looked for long: what is missing by now is missed from now on only (fault F163)."""
        self._awake_from_ns = now_ns
        if self._unanswered_since_ns is not None:
            self._unanswered_since_ns = now_ns
        if self._partial_since_ns is not None:
            self._partial_since_ns = now_ns

    def verdict(self, now_ns: int) -> str:
        """Return why the connection is dead; empty for a live one. Read the socket before asking (fault F163)."""
        if now_ns - self._silent_from_ns >= self._idle_ns:
            return f"no byte for {self._idle_timeout:g} s"
        if self._unanswered_since_ns is not None and now_ns - self._unanswered_since_ns >= self._probe_ns:
            return f"no answer to a ping for {self._probe_ns / _NS:g} s"
        if self._partial_since_ns is not None and now_ns - self._partial_since_ns >= self._message_ns:
            return f"a message did not end within {self._message_limit:g} s"
        return ""

    def until_due(self, now_ns: int, *, is_probe_held_back: bool = False) -> float:
        """Return the seconds until a probe is due or the verdict may change; 0 where that is so now.

        With ``is_probe_held_back`` the caller knows that a probe is due and may not send it yet.
        """
        due_ns = self._silent_from_ns + self._idle_ns
        if self._unanswered_since_ns is not None:
            due_ns = min(due_ns, self._unanswered_since_ns + self._probe_ns)
        elif not is_probe_held_back:
            # The next probe is due as long after the last one as its answer may take.
            due_ns = min(due_ns, self._probe_from_ns + self._probe_ns)
        if self._partial_since_ns is not None:
            due_ns = min(due_ns, self._partial_since_ns + self._message_ns)
        return max(0, due_ns - now_ns) / _NS

    @property
    def _silent_from_ns(self) -> int:
        return max(self.last_byte_ns, self._awake_from_ns)
