"""A circuit breaker for one exchange host, on pybreaker.

pybreaker holds its lock while it runs the guarded call: five parallel calls of 0.2 s take 1.0 s. So nothing is run
inside it. It is asked before a request and told afterwards, with a call that only repeats what happened.
"""

from __future__ import annotations

import threading

from exconn_sync.errors import CircuitOpen
from exconn_sync.ports.clock import Clock


class Breaker:
    """Opens after ``failures`` failures in a row, lets a probe through after ``pause`` seconds. Thread-safe.

    What counts as a failure is the caller's decision: connection errors, timeouts and 5xx do, refusals do not.
    """

    def __init__(self, exchange: str, clock: Clock, *, failures: int = 5, pause: float = 10.0) -> None:
        import pybreaker

        self._pybreaker = pybreaker
        self._exchange = exchange
        self._clock = clock
        self._pause = pause
        self._breaker = pybreaker.CircuitBreaker(fail_max=failures, reset_timeout=pause)
        # Guards the moment of opening and the last failure.
        self._lock = threading.Lock()
        self._last_failure = ""
        self._opened_ns: int | None = None

    @property
    def state(self) -> str:
        """``closed``, ``open`` or ``half-open``."""
        return str(self._breaker.current_state)

    def check(self) -> None:
        """Return where a request may be tried.

        When the pause is over, one request is let through as a probe, and the others wait for what becomes of it. A
        probe of which nothing is heard within a further pause is followed by another one (fault F162).

        Raises:
            CircuitOpen: the host keeps failing; ``retry_after`` says when a probe is let through.
        """
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            opened_ns, failure = self._opened_ns, self._last_failure
            if opened_ns is None:
                return
            left = self._pause - (now_ns - opened_ns) / 1e9
            if left <= 0:
                self._opened_ns = now_ns
        if left > 0:
            raise CircuitOpen(
                f"{self._exchange} keeps failing ({failure}); the next attempt is let through in {left:.1f} s",
                retry_after=left,
                exchange=self._exchange,
            )

    def succeeded(self) -> None:
        """Tell that a request was answered."""
        self._tell(None)

    def failed(self, error: Exception) -> None:
        """Tell that a request failed in a way that speaks against the host."""
        with self._lock:
            self._last_failure = str(error)
        self._tell(error)

    def _tell(self, error: Exception | None) -> None:
        def repeat() -> None:
            if error is not None:
                raise error

        try:
            self._breaker.call(repeat)
        except self._pybreaker.CircuitBreakerError:
            # It opened just now, or the news is of a request that left before it opened. Either way it is open.
            opened = True
        except Exception as seen:
            if seen is not error:
                raise
            opened = False
        else:
            opened = False
        with self._lock:
            if not opened:
                self._opened_ns = None
            elif self._opened_ns is None or error is not None:
                self._opened_ns = self._clock.monotonic_ns()
