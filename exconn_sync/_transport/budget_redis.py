"""A request budget for all processes and machines behind one address, in Redis.

pyrate-limiter's Redis bucket was looked at and does not fit, for the reasons that its SQLite bucket does not. One key
holds the state of one budget, and it is replaced only where nobody else has replaced it meanwhile: the script below is
that one step, and the rules are those of the process's own. A process remembers what it wrote last, so while nobody
else writes, a step is one question.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from exconn_sync._machines.request_budget import RequestBudget
from exconn_sync._transport.budget_store import StoreUnreachable, from_bytes, to_bytes
from exconn_sync.model.limits import LONGEST_SILENCE
from exconn_sync.model.secret import Secret
from exconn_sync.ports.forking import renew_in_child

T = TypeVar("T")

_LONGEST_WAIT_S = 0.5
_PAUSE_S = 0.001
_KEPT_MS = int((LONGEST_SILENCE + 24 * 3600) * 1000)
_REPLACE = """
local present = redis.call('GET', KEYS[1])
if present == ARGV[1] or not present then
    redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
    return false
end
return present
"""


class RedisStore:
    """Keeps a budget in Redis. Thread-safe; gives up after half a second. See ``SharedStore``."""

    last: bytes | None = None

    def __init__(self, url: Secret, name: str, default: Callable[[], RequestBudget]) -> None:
        self._url = url
        self._name = name
        self._default = default
        self._client: Any = None
        self._replace: Any = None
        # Guards the connection to Redis, and so it is held during questions to it.
        self._lock = threading.Lock()
        renew_in_child(self)

    def renew_in_child(self) -> None:
        """Begin anew in a forked child, with an own connection; the client closes what it inherited itself."""
        self._lock = threading.Lock()
        self._client = self._replace = None

    def update(self, change: Callable[[RequestBudget], T]) -> T:
        """Change the budget. Raises StoreUnreachable."""
        import redis

        limit = time.monotonic() + _LONGEST_WAIT_S
        if not self._lock.acquire(timeout=_LONGEST_WAIT_S):
            raise StoreUnreachable("Redis: another thread does not let go of it")
        try:
            return self._changed(change, limit)
        except (redis.RedisError, OSError) as error:
            self._drop()
            # Its text may repeat the address, which may hold a password.
            raise StoreUnreachable(f"Redis: {type(error).__name__}") from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection; the next use opens another one."""
        with self._lock:
            self._drop()

    def _changed(self, change: Callable[[RequestBudget], T], limit: float) -> T:
        if self._client is None:
            self._open()
        while True:
            # A Redis that has lost everything gets what we know.
            budget = from_bytes(self.last, self._default)
            result = change(budget)
            state = to_bytes(budget)
            present = self._replace(keys=[self._name], args=[self.last or b"", state, _KEPT_MS])
            if present is None:
                self.last = state
                return result
            self.last = present
            if time.monotonic() >= limit:
                raise StoreUnreachable("Redis: others are always faster")
            time.sleep(random.uniform(0, _PAUSE_S))

    def _open(self) -> None:
        import redis

        self._client = redis.Redis.from_url(
            self._url.reveal(),
            socket_timeout=_LONGEST_WAIT_S,
            socket_connect_timeout=_LONGEST_WAIT_S,
            retry=None,
            retry_on_timeout=False,
        )
        self._replace = self._client.register_script(_REPLACE)

    def _drop(self) -> None:
        client, self._client, self._replace = self._client, None, None
        if client is not None:
            client.close()
