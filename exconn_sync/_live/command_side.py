"""The way of commands with the worker of its socket, where the user wants one."""

from __future__ import annotations

from exconn_sync._live.admission import Admission
from exconn_sync._live.command_route import CommandRoute
from exconn_sync._live.command_socket import CommandFeed
from exconn_sync._live.connection_reporter import ConnectionReporter
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.session_parts import SessionParts
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._runtime.worker import WorkerRun
from exconn_sync.config import SOCKET
from exconn_sync.errors import ValidationError
from exconn_sync.ports.driver import ExchangeDriver


class CommandSide:
    """``body`` is the worker's; ``route`` may be used from any thread."""

    def __init__(
        self,
        parts: SessionParts,
        driver: ExchangeDriver,
        rest: RestClient,
        keys: KeyRing,
        admission: Admission,
        server_clock: ServerClock,
    ) -> None:
        config, clock = parts.config, parts.clock
        self._parts = parts
        self._driver = driver
        self._keys = keys
        self._server_clock = server_clock
        self.is_wanted = config.has_account and config.commands == SOCKET
        self.reporter = ConnectionReporter("commands", config.reconnect.settle, parts.pipeline, clock)
        self.route = CommandRoute(config, driver, rest, keys, admission, clock, server_clock, parts.pipeline.metrics)

    def body(self, run: WorkerRun) -> None:
        """Live through one life of the socket; commands that wait for an answer then hear of its end."""
        feeds: list[CommandFeed] = []
        try:
            SocketSession(self._parts, self.reporter, run, lambda session: self._feed(session, feeds)).work()
        finally:
            for feed in feeds:
                feed.close("the thread of the command socket has ended")

    def on_hang(self, reason: str) -> None:
        """The worker hangs: no command goes its way any more."""
        feed, self.route.feed = self.route.feed, None
        if feed is not None:
            feed.close(reason)
        self.reporter.down(reason, 0, 0.0)

    def _feed(self, session: SocketSession, feeds: list[CommandFeed]) -> CommandFeed:
        parts = self._parts
        wire = self._driver.command_wire(parts.config.environment)
        if wire is None:
            raise ValidationError("commands", parts.config.commands, "are not taken over a socket here")
        feed = CommandFeed(parts.config, wire, self._keys, parts.pipeline, parts.clock, self._server_clock, session)
        feeds.append(feed)
        self.route.feed = feed
        return feed
