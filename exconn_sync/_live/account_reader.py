"""Reads the account stream: authentication, then every fact it states goes to the store."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.link import Link
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._live.unknown_kinds import UnknownKinds
from exconn_sync._live.unknown_parts import UnknownParts
from exconn_sync._machines.garbage import GarbageCount
from exconn_sync._machines.untold_ends import UntoldEnds
from exconn_sync._runtime.readiness import Readiness
from exconn_sync._store.account_store import AccountStore
from exconn_sync.config import Config
from exconn_sync.errors import (
    AuthenticationError,
    ClockSkew,
    ConnectionFailed,
    ExconnError,
    PermissionDenied,
    ProtocolError,
    RateLimitError,
)
from exconn_sync.model.account import BalanceChange, Fact
from exconn_sync.model.limits import UsedFigure
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.model.wire import LoginReply, Pong, ServerNotice, Unrecognized
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, PartlyKnown, Signer

ACCOUNT, RECONCILED = "account", "reconciled"
_NS = 1_000_000_000
_LOGIN_LIMIT_NS = 10 * _NS
_DOUBT_PAUSE_NS = 5 * _NS
_ENDS_APART_NS = 10 * _NS
"""A stream that ends twice within this time is signed in on a new connection, after a pause (fault F061)."""
_CLOCK_LOOK_S = 0.02
_GRACE_NS = _NS
"""How long both connections are read after the new one is signed in: what is on its way on the old one still counts."""


def account_url(driver: ExchangeDriver, config: Config) -> str:
    """Return where the account stream is, with the unit of time that the user wants."""
    return driver.account_url(config.endpoints, microseconds=config.account_stream.microseconds)


class AccountFeed:
    """Feed of the account session, for one life of its worker; on the session's thread only.

    Two connections may bring the same facts: the store takes each once. ``reconcile_soon`` is called each time events
    begin to flow: what happened meanwhile has to be looked up, because the stream does not repeat it (Binance: 10.2).
    ``on_clock_skew`` asks for a synchronization of the clock. ``on_limit`` is told of a limit in a reply, and
    ``on_first_fill`` at what time (exchange's clock, ns) an order of ours traded for the first time. ``on_figures`` is
    told what the replies to sign-ins say is used of the budgets.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        keys: KeyRing,
        catalogue: Catalogue,
        store: AccountStore,
        pipeline: Pipeline,
        readiness: Readiness,
        clock: Clock,
        server_clock: ServerClock,
        reconcile_soon: Callable[[], None],
        on_clock_skew: Callable[[], None],
        demand_replacement: Callable[[str], None],
        on_limit: Callable[[RateLimitError], None],
        on_first_fill: Callable[[int], None],
        on_figures: Callable[[Sequence[UsedFigure]], None],
    ) -> None:
        self.driver = driver
        self.catalogue = catalogue
        self.store = store
        self.pipeline = pipeline
        self.readiness = readiness
        self.clock = clock
        self._demand_replacement = demand_replacement
        self.on_limit = on_limit
        self._on_first_fill = on_first_fill
        self.on_figures = on_figures
        self.on_clock_skew = on_clock_skew
        self._config = config
        self.keys = keys
        self.server_clock = server_clock
        self._reconcile_soon = reconcile_soon
        self._request_ids = itertools.count(1)
        self._unknown_kinds = UnknownKinds(pipeline)
        self._unknown_parts = UnknownParts(driver.name, pipeline.metrics, clock)
        self._is_in_doubt = False
        self._next_doubt_ns = 0
        self._untold_ends = UntoldEnds(config.unknown_orders.read_lag)
        self._primary: AccountLink | None = None
        self._successor: AccountLink | None = None
        self._end_of_successor = ""

    def url(self) -> str:
        """Return where to connect."""
        return account_url(self.driver, self._config)

    def handler(self, link: Link) -> AccountLink:
        """Return what handles a new connection."""
        made = AccountLink(self, link)
        if self._primary is None:
            self._primary = made
        else:
            self._successor = made
        return made

    def on_lost(self, error: ExconnError) -> None:
        """Note that facts are being missed."""
        self._primary = None
        if isinstance(error, (AuthenticationError, PermissionDenied)) and not self.keys.is_provided:
            self.readiness.fail(ACCOUNT, error)
        else:
            self.readiness.lost(ACCOUNT, error.message)
        self.readiness.lost(RECONCILED)

    def has_switched(self) -> bool:
        """Return whether the successor has been signed in for long enough."""
        since = None if self._successor is None else self._successor.signed_in_ns
        return since is not None and self.clock.monotonic_ns() - since >= _GRACE_NS

    def lacking(self) -> str:
        """Return nothing: a successor that is signed in brings the account's events as the old connection does."""
        return ""

    def replace(self) -> None:
        """Let the successor be the primary connection."""
        old, self._primary, self._successor = self._primary, self._successor, None
        was_signed_in = old is not None and old.is_established
        if not was_signed_in and self._primary is not None and self._primary.is_established:
            self.signed_in(self._primary)
        why, self._end_of_successor = self._end_of_successor, ""
        if why:
            self._demand_replacement(why)

    def forget_successor(self) -> None:
        """Go on with the primary connection alone."""
        self._successor = None
        self._end_of_successor = ""

    def announce_end(self, link: AccountLink, why: str) -> None:
        """The exchange will end a connection soon: another one is needed at once (fault F045)."""
        if link is self._primary:
            self._demand_replacement(why)
        else:
            # Its turn comes when it is the one that counts.
            self._end_of_successor = why

    def login(self, signer: Signer) -> tuple[int, bytes]:
        """Return the id and the text of a sign-in, signed now."""
        request_id = next(self._request_ids)
        timestamp_ms = self.server_clock.stamp_ms()
        window_ms, sign_in = self._config.rate_limits.window_ms, self._config.account_sign_in
        return request_id, self.driver.encode_login(signer, timestamp_ms, window_ms, request_id, sign_in=sign_in)

    def subscription(self) -> tuple[int, bytes]:
        """Return the id and the text of the request for events, on a session that is signed in."""
        request_id = next(self._request_ids)
        guarded = self._config.cancel_on_disconnect
        return request_id, self.driver.encode_account_subscribe(request_id, cancel_on_disconnect=guarded)

    def signed_in(self, link: AccountLink) -> None:
        """The exchange has accepted the key on a connection: events flow from now on."""
        if link is self._primary:
            # A comparison that began before knows nothing of what happened until now.
            self.readiness.lost(RECONCILED)
        self._reconcile_soon()
        if link is self._primary:
            self.readiness.met(ACCOUNT)

    def apply(self, facts: Sequence[Fact]) -> None:
        """Enter what the exchange stated."""
        order = next((fact for fact in facts if isinstance(fact, OrderFact)), None)
        fill = next((fact for fact in facts if isinstance(fact, Fill)), None)
        # Told together by one event: the first fill is all that the order has.
        if order is not None and fill is not None and fill.quantity == order.filled_quantity:
            known = self.store.order_of(order)
            if known is not None and known.is_own and not known.filled_quantity and fill.exchange_time is not None:
                self._on_first_fill(fill.exchange_time)
        self.store.apply(facts)
        if fill is not None and self.driver.enlarges_orders:
            self._watch_for_ends(facts)

    def _watch_for_ends(self, facts: Sequence[Fact]) -> None:
        """Note orders that should have ended: there the exchange alone says so, in an event that may be lost."""
        now_ns = self.clock.monotonic_ns()
        for fact in facts:
            if isinstance(fact, Fill) and fact.client_order_id is not None:
                state = self.store.order(fact.client_order_id)
                if state is not None and state.exchange_order_id == fact.exchange_order_id:
                    self._untold_ends.note(state, now_ns)

    def doubt(self) -> None:
        """Have what is known compared with the exchange: an unreadable message may have been about an order (F038)."""
        self._is_in_doubt = True

    def unrecognized(self, kind: str) -> None:
        """Have what is known compared with the exchange once for each unknown kind of message (fault F035)."""
        if self._unknown_kinds.note(kind):
            self._is_in_doubt = True

    def look(self, frame: bytes) -> None:
        """Count what this version does not know in a frame that was read, unless they come too fast for that."""
        if self._unknown_parts.may_look(len(frame)):
            self._unknown_parts.note(self.driver.unknown_in_frame(frame))

    def on_tick(self, now_ns: int) -> float | None:
        """Ask for the comparison, but not for each bad message of a flood; return the seconds until it may be due."""
        if self._untold_ends.take_due(now_ns, self.store.order):
            self._is_in_doubt = True
        if not self._is_in_doubt:
            due_ns = self._untold_ends.next_due()
            return None if due_ns is None else max(due_ns - now_ns, 0) / _NS
        if now_ns < self._next_doubt_ns:
            return (self._next_doubt_ns - now_ns) / _NS
        self._is_in_doubt = False
        self._next_doubt_ns = now_ns + _DOUBT_PAUSE_NS
        self._reconcile_soon()
        return None

    def terminated(self, link: AccountLink) -> None:
        """The exchange has ended the events of a connection that stays open (fault F061)."""
        if link is self._primary:
            self.readiness.lost(ACCOUNT, "the exchange ended the account stream")
            self.readiness.lost(RECONCILED)


class AccountLink:
    """Handler of one account connection; on the session's thread only."""

    def __init__(self, feed: AccountFeed, link: Link) -> None:
        self._feed = feed
        self._link = link
        self._signer: Signer | None = None
        self._stamped_ns = 0
        self._awaits_clock = self._has_tried_again = False
        self._login_id = 0
        self._login_sent_ns: int | None = None
        self._garbage = GarbageCount()
        self._ended_ns: int | None = None
        self.signed_in_ns: int | None = None

    @property
    def is_established(self) -> bool:
        """True once the exchange has accepted the key."""
        return self.signed_in_ns is not None

    def on_open(self) -> None:
        """Authenticate."""
        self._signer = self._feed.keys.take("the account stream")
        self._awaits_clock, self._stamped_ns = False, self._feed.clock.monotonic_ns()
        self._ask(*self._feed.login(self._signer), "sign-in sent")

    def _ask(self, request_id: int, message: bytes, what: str) -> None:
        self._login_id = request_id
        self._login_sent_ns = self._feed.clock.monotonic_ns()
        self._link.recorder.change(what)
        self._link.send(message)

    def on_tick(self, now_ns: int) -> float | None:
        """Give up a connection whose sign-in is not answered (fault F063)."""
        due = self._feed.on_tick(now_ns)
        if self._login_sent_ns is None:
            return due
        if self._awaits_clock and self._feed.server_clock.is_newer_than(self._stamped_ns):
            self.on_open()
        if now_ns - self._login_sent_ns > _LOGIN_LIMIT_NS:
            raise ConnectionFailed("no answer to the authentication")
        return _CLOCK_LOOK_S if self._awaits_clock else 1.0

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Hand every stated fact to the store; a malformed message is reported and harms no other."""
        is_useful = False
        feed = self._feed
        for frame in messages:
            try:
                message = feed.driver.parse_account(frame, received_at, feed.catalogue.instruments)
            except ProtocolError as error:
                feed.pipeline.error("account stream", error)
                feed.doubt()
                if too_much := self._garbage.count(feed.clock.monotonic_ns()):
                    raise ConnectionFailed(f"{too_much}: {error.message}") from error
                continue
            if isinstance(message, LoginReply):
                self._on_login(message)
            elif isinstance(message, ServerNotice):
                self._on_notice(message)
            elif isinstance(message, Pong):
                self._link.pong()
            elif isinstance(message, Unrecognized):
                feed.unrecognized(message.kind)
            elif isinstance(message, PartlyKnown):
                feed.apply(message.facts)
                feed.unrecognized(message.kind)
            else:
                feed.apply(message)
                if any(isinstance(fact, BalanceChange) and fact.is_lock for fact in message):
                    # It is not documented that the balance itself is told too.
                    feed.doubt()
            feed.look(frame)
            is_useful = True
        return is_useful

    def _try_again_in_time(self) -> bool:
        """Have the clock synchronized and sign in once more after that; return False the second time (fault F062)."""
        server_clock = self._feed.server_clock
        server_clock.doubt(self._stamped_ns)
        if not server_clock.is_being_renewed(self._stamped_ns):
            self._feed.on_clock_skew()
        was_tried, self._has_tried_again = self._has_tried_again, True
        self._awaits_clock = not was_tried
        if self._awaits_clock:
            self._login_sent_ns = self._stamped_ns
        return self._awaits_clock

    def _on_notice(self, notice: ServerNotice) -> None:
        self._link.recorder.change(f"the exchange announced: {notice.kind}")
        if notice.kind != "terminated":
            # No promise is made of how long the connection goes on (fault F045).
            self._feed.announce_end(self, f"the exchange announced: {notice.kind}")
            return
        if self._login_sent_ns is not None:
            # Said of what was ended before: the sign-in under way will be answered.
            return
        self.signed_in_ns = None
        self._feed.terminated(self)
        now_ns = self._feed.clock.monotonic_ns()
        before_ns, self._ended_ns = self._ended_ns, now_ns
        if before_ns is not None and now_ns - before_ns < _ENDS_APART_NS:
            raise ConnectionFailed("the exchange ends the account stream again and again")
        self.on_open()

    def _on_login(self, reply: LoginReply) -> None:
        # A key that died during the session is answered without an id (fault F062).
        if reply.request_id not in (None, 0, self._login_id) or (reply.request_id == 0 and reply.error is None):
            return
        if reply.request_id != 0 and self._login_sent_ns is None:
            # Said before: the account is not signed in anew, and nothing was missed (fault F043).
            return
        self._login_sent_ns = None
        if reply.figures:
            # A sign-in that is repeated on its connection has cost more than was taken for it.
            self._feed.on_figures(reply.figures)
        if reply.error is not None:
            if isinstance(reply.error, ClockSkew) and self._try_again_in_time():
                return
            if isinstance(reply.error, RateLimitError):
                self._feed.on_limit(reply.error)
            self._feed.pipeline.error("account stream", reply.error)
            if isinstance(reply.error, AuthenticationError) and self._signer is not None:
                self._feed.keys.refused(self._signer)
            raise reply.error
        if not reply.is_final:
            self._ask(*self._feed.subscription(), "signed in, events asked for")
            return
        if self._signer is not None:
            self._feed.keys.accepted(self._signer)
        self._has_tried_again = False
        self.signed_in_ns = self._feed.clock.monotonic_ns()
        self._feed.signed_in(self)
