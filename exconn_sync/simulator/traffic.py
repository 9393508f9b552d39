"""What the venue remembers of the requests it got, and of those that were too many."""

from collections import deque
from dataclasses import dataclass, replace

_REMEMBERED = 100_000


@dataclass(slots=True)
class Breaches:
    """How many requests came that should not have come.

    ``weight``, ``raw_requests``, ``orders`` and ``endpoint`` were refused because a limit was reached, ``during_ban``
    because their address was banned; ``bans`` is how often an address was.
    """

    weight: int = 0
    raw_requests: int = 0
    orders: int = 0
    during_ban: int = 0
    bans: int = 0
    endpoint: int = 0

    @property
    def total(self) -> int:
        """All requests that were too many."""
        return self.weight + self.raw_requests + self.orders + self.endpoint + self.during_ban


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request: when it came (ms of the venue's clock), what it was, from where, and the status of its answer.

    ``status`` is 0 for a request that was lost on its way in. ``code`` is the exchange's own code of an error, 0 for
    success. ``params`` are the parameters as they were sent, without the signature. ``is_executed`` is
    False for what a fault has answered in the place of the exchange, or lost.
    """

    time: int
    method: str
    path: str
    address: str
    status: int
    code: int = 0
    params: str = ""
    is_executed: bool = True


class Traffic:
    """The newest 100,000 requests, and the breaches of limits."""

    def __init__(self) -> None:
        self.breaches = Breaches()
        self._requests: deque[SeenRequest] = deque(maxlen=_REMEMBERED)

    def note(self, request: SeenRequest) -> None:
        """Take note of a request that was answered."""
        self._requests.append(request)

    def requests(self) -> list[SeenRequest]:
        """Return the requests in the order in which they were answered."""
        return list(self._requests)

    def count_breaches(self) -> Breaches:
        """Return a copy of the counts."""
        return replace(self.breaches)
