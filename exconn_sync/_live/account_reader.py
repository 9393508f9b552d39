"""Reads the account stream: authentication, then every fact it states goes to the store."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from exconn_sync._live.catalogue import Catalogue
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.server_clock import ServerClock
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
)
from exconn_sync.model.account import Fact
from exconn_sync.model.wire import LoginReply, ServerNotice, Unrecognized
from exconn_sync.ports.clock import Clock
from exconn_sync.ports.driver import ExchangeDriver, Signer

ACCOUNT, RECONCILED = "account", "reconciled"
_LOGIN_LIMIT_NS = 10 * 1_000_000_000


class AccountReader:
    """Handler of the account connection; runs on its session's thread.

    ``on_authenticated`` is called each time events begin to flow: what happened meanwhile has to be looked up,
    because the stream does not repeat it (Binance: 10.2). ``on_clock_skew`` asks for a synchronization of the clock.
    """

    def __init__(
        self,
        config: Config,
        driver: ExchangeDriver,
        signer: Signer,
        catalogue: Catalogue,
        store: AccountStore,
        pipeline: Pipeline,
        readiness: Readiness,
        clock: Clock,
        server_clock: ServerClock,
        send: Callable[[bytes], None],
        on_authenticated: Callable[[], None],
        on_clock_skew: Callable[[], None],
    ) -> None:
        self._config = config
        self._driver = driver
        self._signer = signer
        self._catalogue = catalogue
        self._store = store
        self._pipeline = pipeline
        self._readiness = readiness
        self._clock = clock
        self._server_clock = server_clock
        self._send = send
        self._on_authenticated = on_authenticated
        self._on_clock_skew = on_clock_skew
        self._request_ids = itertools.count(1)
        self._login_id = 0
        self._login_sent_ns: int | None = None

    def url(self) -> str:
        """Return where to connect."""
        return self._driver.account_url(self._config.endpoints)

    def on_open(self) -> None:
        """Authenticate."""
        self._login_id = next(self._request_ids)
        self._login_sent_ns = self._clock.monotonic_ns()
        timestamp_ms = self._server_clock.now_ns() // 1_000_000
        window_ms = self._config.rate_limits.window_ms
        self._send(self._driver.encode_login(self._signer, timestamp_ms, window_ms, self._login_id))

    def on_lost(self, error: ExconnError) -> None:
        """Note that facts are being missed."""
        self._login_sent_ns = None
        if isinstance(error, (AuthenticationError, PermissionDenied)):
            self._readiness.fail(ACCOUNT, error)
        else:
            self._readiness.lost(ACCOUNT, error.message)
        self._readiness.lost(RECONCILED)

    def on_tick(self, now_ns: int) -> float | None:
        """Give up a connection whose login is not answered."""
        if self._login_sent_ns is None:
            return None
        if now_ns - self._login_sent_ns > _LOGIN_LIMIT_NS:
            raise ConnectionFailed("no answer to the authentication")
        return 1.0

    def on_messages(self, messages: list[bytes], received_at: int) -> bool:
        """Hand every stated fact to the store; a malformed message is reported and harms no other."""
        is_useful = False
        for frame in messages:
            try:
                message = self._driver.parse_account(frame, received_at, self._catalogue.instruments)
            except ProtocolError as error:
                self._pipeline.error("account stream", error)
                continue
            if isinstance(message, LoginReply):
                self._on_login(message)
            elif isinstance(message, ServerNotice):
                raise ConnectionFailed(f"the exchange announced: {message.kind}")
            elif isinstance(message, Unrecognized):
                self._pipeline.metrics.count("stream.unrecognized", exchange=self._driver.name, kind=message.kind)
            else:
                self._apply(message)
            is_useful = True
        return is_useful

    def _apply(self, facts: Sequence[Fact]) -> None:
        self._store.apply(facts)

    def _on_login(self, reply: LoginReply) -> None:
        if reply.request_id != self._login_id:
            return
        self._login_sent_ns = None
        if reply.error is not None:
            self._pipeline.error("account stream", reply.error)
            if isinstance(reply.error, ClockSkew):
                self._on_clock_skew()
            raise reply.error
        self._readiness.met(ACCOUNT)
        self._on_authenticated()
