"""The socket over which commands go where the user asks for it: sign-in, commands out, answers in.

Its thread owns it in both directions; callers leave their commands with ``ask`` and wait for the answers.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable

from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.link import Link
from exconn_sync._live.pending_command import Declined, PendingCommand
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.socket_session import SocketSession
from exconn_sync._live.unknown_kinds import UnknownKinds
from exconn_sync._machines.garbage import GarbageCount
from exconn_sync._runtime.faultpoints import reach
from exconn_sync.config import Config
from exconn_sync.errors import ConnectionFailed, ExconnError, ProtocolError
from exconn_sync.model.wire import HttpResponse, LoginReply, Pong, ServerNotice, Unrecognized
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.command_wire import CommandReply, CommandWire

_NS = 1_000_000_000
_LOGIN_LIMIT_NS = 10 * _NS


class CommandFeed:
    """Feed of the command socket, for one life of its worker. ``ask`` is for any thread, all else for the session's."""

    def __init__(
        self,
        config: Config,
        wire: CommandWire,
        keys: KeyRing,
        pipeline: Pipeline,
        clock: Clock,
        server_clock: ServerClock,
        session: SocketSession,
    ) -> None:
        self.wire = wire
        self.keys = keys
        self.pipeline = pipeline
        self.clock = clock
        self.server_clock = server_clock
        self.window_ms = config.rate_limits.window_ms
        self.unknown_kinds = UnknownKinds(pipeline)
        self._config = config
        self._session = session
        # From a random number on: an id must not have been used before, by whatever connection (Bybit: 8.2).
        self._ids = itertools.count(secrets.randbits(50))
        self._primary: CommandLink | None = None
        self._successor: CommandLink | None = None
        self._is_over = False
        # What callers wait for. Each changes its own entry, in one step of the interpreter.
        self._asked: dict[int, PendingCommand] = {}

    # --- any thread -------------------------------------------------------------------------------------------------

    def ask(self, frame: Callable[[int], bytes], seconds: float | None) -> HttpResponse:
        """Send a command and wait for its answer; ``frame`` writes it with its id, at the moment when it leaves.

        Raises:
            Declined: there is no connection that takes commands, or nothing was done: another way may be taken.
            ExconnError: as ``PendingCommand.wait``.
        """
        if self._has_ended() or not self.is_ready:
            raise Declined
        pending = PendingCommand(next(self._ids))
        self._asked[pending.request_id] = pending
        try:
            self._session.post(lambda: self._send(pending, frame))
            if self._has_ended():
                # It ended in between, and may have missed this one.
                pending.lost("the connection has ended")
            return pending.wait(seconds)
        finally:
            del self._asked[pending.request_id]

    def _has_ended(self) -> bool:
        return self._is_over

    @property
    def is_ready(self) -> bool:
        """True while a connection is signed in. Exact."""
        return any(link is not None and link.is_established for link in (self._primary, self._successor))

    # --- the session's thread ---------------------------------------------------------------------------------------

    def _send(self, pending: PendingCommand, frame: Callable[[int], bytes]) -> None:
        # The successor where it is signed in: what is under way on the other connection can end there.
        for link in (self._successor, self._primary):
            if link is not None and link.is_established and not self._is_over:
                link.command(pending, frame)
                return
        pending.lost("there is no connection")

    def url(self) -> str:
        """Return where to connect."""
        return self.wire.url(self._config.endpoints)

    def handler(self, link: Link) -> CommandLink:
        """Return what handles a new connection."""
        made = CommandLink(self, link)
        if self._primary is None:
            self._primary = made
        else:
            self._successor = made
        return made

    def on_lost(self, error: ExconnError) -> None:
        """Let go of the commands that were under way: nobody knows what became of them."""
        lost, self._primary = self._primary, None
        if lost is not None:
            lost.end(error.message)

    def has_switched(self) -> bool:
        """Return whether the successor takes commands, and none is under way on the other connection."""
        is_idle = self._primary is None or not self._primary.under_way
        return self._successor is not None and self._successor.is_established and is_idle

    def lacking(self) -> str:
        """Return nothing: a successor that is signed in takes all commands."""
        return ""

    def replace(self) -> None:
        """Let the successor be the primary connection."""
        old, self._primary, self._successor = self._primary, self._successor, None
        if old is not None:
            old.end("the connection was replaced")

    def forget_successor(self) -> None:
        """Go on with the primary connection alone."""
        lost, self._successor = self._successor, None
        if lost is not None:
            lost.end("the connection was given up")

    def declined(self, link: CommandLink) -> None:
        """The exchange takes nothing more over a connection: another one is needed."""
        if link is self._primary:
            self._session.demand_replacement("the exchange takes no new commands on it")

    def next_id(self) -> int:
        """Return an id that no request had."""
        return next(self._ids)

    def close(self, why: str) -> None:
        """Let go of all commands: this life is over. Idempotent."""
        self._is_over = True
        for pending in list(self._asked.values()):
            pending.lost(why)


class CommandLink:
    """Handler of one connection; on the session's thread only."""

    def __init__(self, feed: CommandFeed, link: Link) -> None:
        self._feed = feed
        self._link = link
        self._login_id = 0
        self._login_sent_ns: int | None = None
        self._garbage = GarbageCount()
        self._is_declining = False
        self._is_signed_in = False
        self.under_way: dict[int, PendingCommand] = {}

    @property
    def is_established(self) -> bool:
        """True while the connection is signed in and takes commands."""
        return self._is_signed_in and not self._is_declining

    def on_open(self) -> None:
        """Sign in."""
        feed = self._feed
        signer = feed.keys.take("the command socket")
        self._login_id = feed.next_id()
        self._login_sent_ns = feed.clock.monotonic_ns()
        self._link.recorder.change("sign-in sent")
        frame = feed.wire.encode_login(signer, feed.server_clock.stamp_ms(), feed.window_ms, self._login_id)
        self._link.send(frame)

    def on_tick(self, now_ns: int) -> float | None:
        """Give up a connection whose sign-in is not answered (fault F063)."""
        if self._login_sent_ns is None:
            return None
        if now_ns - self._login_sent_ns > _LOGIN_LIMIT_NS:
            raise ConnectionFailed("no answer to the authentication")
        return 1.0

    def command(self, pending: PendingCommand, frame: Callable[[int], bytes]) -> None:
        """Send a command, unless its caller has given it up. Raises ConnectionFailed."""
        try:
            text = frame(pending.request_id)
        except ExconnError:
            # It could not be written, and nothing has left.
            pending.lost("it could not be signed")
            return
        if not pending.claim():
            return
        self.under_way[pending.request_id] = pending
        reach("socket.before_send")
        self._link.send(text)

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Give each answer to whoever waits for it; a malformed message is reported and harms no other."""
        feed, is_useful = self._feed, False
        for text in messages:
            try:
                message = feed.wire.parse(text, received_at)
            except ProtocolError as error:
                feed.pipeline.error("command socket", error)
                if too_much := self._garbage.count(feed.clock.monotonic_ns()):
                    raise ConnectionFailed(f"{too_much}: {error.message}") from error
                continue
            is_useful = True
            if isinstance(message, CommandReply):
                self._on_reply(message)
            elif isinstance(message, LoginReply):
                self._on_login(message)
            elif isinstance(message, Pong):
                self._link.pong()
            elif isinstance(message, ServerNotice):
                self._decline()
            elif isinstance(message, Unrecognized):
                feed.unknown_kinds.note(message.kind)
        return is_useful

    def end(self, why: str) -> None:
        """Let go of the commands that are under way."""
        self._is_declining = True
        for pending in list(self.under_way.values()):
            pending.lost(why)
        self.under_way.clear()

    def _on_reply(self, reply: CommandReply) -> None:
        pending = self.under_way.pop(reply.request_id, None)
        if reply.is_declined:
            self._decline()
        if pending is None:
            # Its caller does not wait any more, and looks for what became of it.
            return
        if reply.is_declined:
            pending.declined()
        else:
            pending.answered(reply.response)

    def _on_login(self, reply: LoginReply) -> None:
        if reply.request_id not in (None, self._login_id) or self._login_sent_ns is None:
            return
        self._login_sent_ns = None
        if reply.error is not None:
            # Whether the key is any good is for the account stream to say: there may be too many sessions, too.
            self._feed.pipeline.error("command socket", reply.error)
            raise ConnectionFailed(f"not signed in: {reply.error.message}") from reply.error
        self._is_signed_in = True
        self._link.recorder.change("signed in")

    def _decline(self) -> None:
        if not self._is_declining:
            self._is_declining = True
            self._feed.declined(self)
