"""One id for all that belongs to one command: its log lines, its order and events, its errors, its journal record.

It is ours alone, and never sent to an exchange. It follows the command onto other threads: into the pool, aside, and to
the worker that looks for an order whose answer was lost.
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import re
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import ParamSpec, TypeVar

from exconn_sync.errors import ExconnError, ValidationError

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("exconn_sync")

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_current: ContextVar[str | None] = ContextVar("exconn_sync_correlation", default=None)
_counted = itertools.count(1)
_process = ""


def _renew() -> None:
    """Begin with another prefix, also in a forked child, which would go on with the numbers of its parent."""
    global _process
    _process = secrets.token_hex(4)


_renew()
os.register_at_fork(after_in_child=_renew)


def current() -> str | None:
    """Return the id of the command that the present thread works on; None where it works on none."""
    return _current.get()


class Correlation:
    """A block all of which has one id: the one given, else that of the block around it, else a new one.

    Errors of the library that leave the block get it as ``details["correlation_id"]``.
    """

    __slots__ = ("_token", "correlation_id")

    def __init__(self, correlation_id: str | None = None) -> None:
        self.correlation_id = correlation_id or _current.get() or f"{_process}-{next(_counted):x}"
        self._token: Token[str | None] | None = None

    def __enter__(self) -> str:
        self._token = _current.set(self.correlation_id)
        return self.correlation_id

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
        note(error, self.correlation_id)


def correlation(correlation_id: str) -> AbstractContextManager[str]:
    """Give the commands of a ``with`` block an id of your own, instead of a new one each.

    ::

        with correlation("rebalance-17"):
            connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"))

    It stands in their log lines (``correlation_id`` of each record, and in brackets at the end of its text), in
    ``OrderState``, ``Order`` and ``Fill`` of the orders that they place, in ``details`` of their errors and in the
    journal, and is never sent to an exchange. It counts for the present thread, and for what ``submit_...`` methods
    begin from it. It is 1 to 64 characters out of ``A-Z a-z 0-9 _ - . :``, and need not be unique.

    Raises:
        ValidationError: another alphabet, length or type.
    """
    if not isinstance(correlation_id, str) or _ID.fullmatch(correlation_id) is None:
        raise ValidationError("correlation_id", correlation_id, "must be 1 to 64 characters out of A-Z a-z 0-9 _ - . :")
    return Correlation(correlation_id)


def correlated(command: Callable[P, T]) -> Callable[P, T]:
    """Have each call of a command run under one id."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with Correlation():
            return command(*args, **kwargs)

    return run


def carried(call: Callable[[], T]) -> Callable[[], T]:
    """Return a call that has the present id on whatever thread it runs."""
    known = _current.get()
    if known is None:
        return call

    def run() -> T:
        with Correlation(known):
            return call()

    return run


def note(error: BaseException | None, correlation_id: str | None) -> None:
    """Have an error of the library name the command that it belongs to, unless it names one already."""
    if correlation_id is not None and isinstance(error, ExconnError):
        error.details.setdefault("correlation_id", correlation_id)


class CorrelationFilter(logging.Filter):
    """Gives each record ``correlation_id``, None where it belongs to no command; lets every record pass."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mark a record. The alphabet of ids has nothing that formatting would take for a placeholder."""
        record.correlation_id = known = _current.get()
        if known is not None:
            record.msg = f"{record.msg} [{known}]"
        return True


def mark_log() -> None:
    """Mark the library's log lines from now on; installed once."""
    if not any(isinstance(item, CorrelationFilter) for item in logger.filters):
        logger.addFilter(CorrelationFilter())
