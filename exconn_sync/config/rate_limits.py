"""Who shares the request budgets of an exchange, and where they are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

SHARES = ("process", "host", "redis")
_LONGEST_NAME = 100


@dataclass(frozen=True)
class RateLimits:
    """Who shares the request budgets. ``window_ms`` is how long after its timestamp a signed request stays valid.

    Exchanges count by address and by account, whatever process asks. ``share`` says who counts together: the connectors
    of this ``"process"``, those of all processes of this ``"host"`` through the file ``path``, or all processes that
    use one ``"redis"``, on as many machines as stand behind one address. Budgets of another ``name`` are counted apart.
    ``path`` is a file in the system's temporary folder by default, for the processes of one user.

    Orders are counted by account, and accounts are told apart by their keys: several keys of one account count as
    several until the exchange tells its figures. Connectors with the same ``account``, any name you choose, count
    together from the start.
    """

    share: str = "process"
    window_ms: int = 5000
    path: str | os.PathLike[str] | None = None
    redis_url: Secret | str | None = None
    name: str = "default"
    account: str | None = None

    def __post_init__(self) -> None:
        if self.share not in SHARES:
            raise ValidationError("share", self.share, "must be one of " + ", ".join(SHARES))
        if isinstance(self.window_ms, bool) or not isinstance(self.window_ms, int) or not 1 <= self.window_ms <= 60000:
            raise ValidationError("window_ms", self.window_ms, "must be a whole number of milliseconds up to 60000")
        for field in ("name", "account"):
            value = getattr(self, field)
            is_name = isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable()
            if not is_name and (field, value) != ("account", None):
                raise ValidationError(field, value, f"must be a text of at most {_LONGEST_NAME} printable characters")
        self._check_path()
        self._check_redis()

    def _check_path(self) -> None:
        if self.path is None:
            return
        if self.share != "host":
            raise ValidationError("path", self.path, 'is for share="host" only')
        if not isinstance(self.path, (str, os.PathLike)) or not os.fspath(self.path):
            raise ValidationError("path", self.path, "must be the path of a file")
        object.__setattr__(self, "path", str(Path(self.path).absolute()))

    def _check_redis(self) -> None:
        if self.share != "redis":
            if self.redis_url is not None:
                raise ValidationError("redis_url", "<hidden>", 'is for share="redis" only')
            return
        given = self.redis_url.reveal() if isinstance(self.redis_url, Secret) else self.redis_url
        constraint = "must be a URL such as redis://host:6379/0 or rediss://..."
        if not isinstance(given, str):
            raise ValidationError("redis_url", "<hidden>", constraint)
        try:
            parts = urlsplit(given)
            is_good = parts.scheme in ("redis", "rediss") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_good = False
        if not is_good:
            raise ValidationError("redis_url", "<hidden>", constraint)
        if find_spec("redis") is None:
            raise ValidationError("share", self.share, "needs the extra: pip install exconn-sync[redis]")
        # It may hold a password.
        object.__setattr__(self, "redis_url", Secret(given))
