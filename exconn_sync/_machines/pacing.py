"""When a connection may send, below the exchange's limit on incoming messages (faults F023, F048)."""

from __future__ import annotations

from collections import deque

_NS = 1_000_000_000
# An exchange counts arrivals in a second. Of two messages the later may travel up to 0.1 s faster than the earlier.
_WINDOW_NS = 1_100_000_000


class OutboundPace:
    """Paces one connection: requests by one budget, pings and pongs by their own. Not thread-safe.

    Exchanges end connections that send too much; Binance counts subscriptions, pings and pongs together, five in a
    second. Any 1.1 s see at most ``requests_per_second`` requests and one ping or pong, so that no second at the
    exchange sees more than ``requests_per_second + 1`` messages even where delays differ by up to 0.1 s. The budgets
    are apart, so that restoring thousands of topics never holds up the proof of life.

    One allowed pong a second suffices for any flood of pings: only the newest unanswered one is to be answered (F023).
    """

    def __init__(self, requests_per_second: int) -> None:
        if requests_per_second < 1:
            raise ValueError(f"requests_per_second must be at least 1, not {requests_per_second}")
        self._requests: deque[int] = deque(maxlen=requests_per_second)
        self._controls: deque[int] = deque(maxlen=1)

    def may_request(self, now_ns: int) -> bool:
        """Return whether a request, such as a subscription, may be sent now."""
        return _wait_ns(self._requests, now_ns) == 0

    def may_control(self, now_ns: int) -> bool:
        """Return whether a ping or pong may be sent now."""
        return _wait_ns(self._controls, now_ns) == 0

    def requested(self, now_ns: int) -> None:
        """Note that a request was sent; one that was not allowed counts as well."""
        self._requests.append(now_ns)

    def controlled(self, now_ns: int) -> None:
        """Note that a ping or pong was sent; one that was not allowed counts as well."""
        self._controls.append(now_ns)

    def until_request(self, now_ns: int) -> float:
        """Return the seconds until a request may be sent; 0 where it may now."""
        return _wait_ns(self._requests, now_ns) / _NS

    def until_control(self, now_ns: int) -> float:
        """Return the seconds until a ping or pong may be sent; 0 where it may now."""
        return _wait_ns(self._controls, now_ns) / _NS


def _wait_ns(sent: deque[int], now_ns: int) -> int:
    """Return how long the oldest message that counts still fills the budget."""
    if len(sent) < (sent.maxlen or 0):
        return 0
    return max(0, sent[0] + _WINDOW_NS - now_ns)
