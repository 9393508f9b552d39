"""Rate limits: requests of an address, and calls of an account to one endpoint (Bybit: 3)."""

from collections import defaultdict, deque
from dataclasses import dataclass

from exconn_sync.simulator.bybit import errors
from exconn_sync.simulator.rate_limits import RateLimits
from exconn_sync.simulator.traffic import Traffic

ADDRESS_WINDOW_MS = 5000
QUOTA_WINDOW_MS = 1000


@dataclass(frozen=True, slots=True)
class Quota:
    """What an answer tells about an endpoint's quota."""

    limit: int
    left: int
    reset_at: int

    def headers(self) -> dict[str, str]:
        """As headers, and as the keys of the ``header`` object of the trade socket."""
        return {
            "X-Bapi-Limit": str(self.limit),
            "X-Bapi-Limit-Status": str(self.left),
            "X-Bapi-Limit-Reset-Timestamp": str(self.reset_at),
        }


class _Rolling:
    """When what happened in the last so many milliseconds."""

    def __init__(self, length_ms: int) -> None:
        self._length_ms = length_ms
        self._times: defaultdict[tuple[str, str], deque[int]] = defaultdict(deque)

    def recent(self, key: tuple[str, str], now: int) -> deque[int]:
        """The moments that still count, oldest first."""
        times = self._times[key]
        # A clock that was set back must not leave the past in the window for ever.
        while times and not now - self._length_ms < times[0] <= now + self._length_ms:
            times.popleft()
        return times


class AddressGuard:
    """Counts the requests of each address; one too many, and it is shut out for ``address_ban_s``."""

    def __init__(self, limits: RateLimits, traffic: Traffic) -> None:
        self._limits = limits
        self._breaches = traffic.breaches
        self._requests = _Rolling(ADDRESS_WINDOW_MS)
        self._banned_until: dict[str, int] = {}

    def is_banned(self, address: str, now: int) -> bool:
        """Whether an address is shut out; who comes all the same is counted."""
        is_banned = self._banned_until.get(address, 0) > now
        self._breaches.during_ban += is_banned
        return is_banned

    def admit(self, address: str, now: int) -> None:
        """Count a request, or refuse it with 403."""
        if self.is_banned(address, now):
            raise errors.HttpError(403, "access too frequent")
        recent = self._requests.recent((address, ""), now)
        if len(recent) >= self._limits.requests_per_5s:
            self._breaches.raw_requests += 1
            self._breaches.bans += 1
            self._banned_until[address] = now + self._limits.address_ban_s * 1000
            raise errors.HttpError(403, "access too frequent")
        recent.append(now)


class EndpointQuotas:
    """Counts the calls of each account to each endpoint in the last second; HTTP and the trade socket count alike."""

    def __init__(self, limits: RateLimits, traffic: Traffic) -> None:
        self._limits = limits
        self._breaches = traffic.breaches
        self._calls = _Rolling(QUOTA_WINDOW_MS)

    def take(self, account: str, path: str, documented: int, wanted: int, now: int) -> tuple[int, Quota]:
        """Count as many of the wanted calls as the quota has left; how many those are, and what is left then."""
        limit = self._limits.endpoint_per_s.get(path, documented)
        recent = self._calls.recent((account, path), now)
        granted = min(wanted, max(0, limit - len(recent)))
        recent.extend([now] * granted)
        if granted < wanted:
            self._breaches.endpoint += 1
        reset_at = recent[0] + QUOTA_WINDOW_MS if granted < wanted and recent else now
        return granted, Quota(limit, max(0, limit - len(recent)), reset_at)
