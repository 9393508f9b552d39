"""What a session of a stream worker is given: what it feeds, and what all sessions of a connector share."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from exconn_sync._live.dialler import Dialler
from exconn_sync._live.link import Link, LinkHandler
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync.config import Config
from exconn_sync.errors import ExconnError
from exconn_sync.ports.clock import Clock


class Feed(Protocol):
    """What a session feeds through all connections of one life; every method runs on the session's thread."""

    def url(self) -> str:
        """Return where to connect."""
        ...

    def handler(self, link: Link) -> LinkHandler:
        """Return what handles a new connection; it stands beside the primary one where there is one."""
        ...

    def on_lost(self, error: ExconnError) -> None:
        """Nothing comes any more: the primary connection, or the attempt to make one, failed."""
        ...

    def has_switched(self) -> bool:
        """Return whether the successor brings everything, so that the primary one can go without a gap."""
        ...

    def lacking(self) -> str:
        """Return in words what the primary connection brings and the successor does not, empty for nothing."""
        ...

    def replace(self) -> None:
        """Let the successor be the primary connection from now on."""
        ...

    def forget_successor(self) -> None:
        """Go on with the primary connection alone."""
        ...


@dataclass(frozen=True)
class SessionParts:
    """What all sessions of a connector share.

    ``await_rest`` blocks until clock and instruments are known, which every stream needs; it raises ConnectorStopped.
    ``submit`` runs a task that opens a connection on the pool. ``ping_frame`` is how the exchange wants to be asked for
    a sign of life, None for the pings of the protocol; ``ping_every`` is how often at least, in seconds.
    """

    config: Config
    clock: Clock
    pipeline: Pipeline
    rng: random.Random
    dialler: Dialler
    requests_per_second: int
    await_rest: Callable[[StopSignal], None]
    submit: Callable[[Callable[[], Any]], Future[Any]]
    ping_frame: bytes | None = None
    ping_every: float | None = None
