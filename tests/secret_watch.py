"""Reads every line that is logged while tests run, at the level of debugging, and searches it for secrets.

Whatever the tests of this process use as a secret, and every signature that is made with it, is looked for in the
records of the library and of the libraries below it (fault F168). Programs that tests start are not read.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from exconn_sync.exchanges.private_keys import PrivateKeySigner
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.model.secret import Secret

LOGGERS = ("exconn_sync", "urllib3", "websocket", "redis", "asyncio", "aiohttp")
_SHORTEST = 12
"""Characters. A shorter text stands in lines by chance."""
_NEWEST = 500
"""Signatures that are looked for; what is logged of one is logged soon after it was made."""

leaks: list[str] = []
"""Where a secret was logged: logger, place in the code, and the line without what it must not show."""

_secrets: set[str] = set()
_signatures: deque[str] = deque(maxlen=_NEWEST)


class SecretWatch(logging.Handler):
    """Reads records and writes nothing."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Search one record: its line, its arguments and its traceback."""
        self.records += 1
        shown = f"{record.getMessage()} {record.args!r}"
        if record.exc_info and record.exc_info[1] is not None:
            shown += logging.Formatter().formatException(record.exc_info)
        for hidden in (*_secrets, *_signatures):
            if hidden in shown:
                place = f"{record.name} {record.pathname}:{record.lineno}"
                leaks.append(f"{place}: {shown.replace(hidden, '<SECRET>')}")


def install() -> SecretWatch:
    """Begin to watch; for the whole run."""
    watch = SecretWatch()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(watch)
    _watch_secrets()
    for signer in (HmacSha256Signer, PrivateKeySigner):
        _watch_signatures(signer)
    return watch


def _watch_secrets() -> None:
    create: Callable[[Secret, str], None] = Secret.__init__

    def remember(self: Secret, text: str) -> None:
        create(self, text)
        if isinstance(text, str) and len(text) >= _SHORTEST:
            _secrets.add(text)

    Secret.__init__ = remember  # type: ignore[method-assign]


def _watch_signatures(signer: Any) -> None:
    sign = signer.sign

    def remember(self: Any, payload: bytes) -> str:
        signature: str = sign(self, payload)
        _signatures.append(signature)
        return signature

    signer.sign = remember
