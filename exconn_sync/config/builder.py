"""A configuration step by step."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any, TypeVar

from exconn_sync.config import environment as env
from exconn_sync.config.config import Config, check_archive_after, check_endpoints, check_environment, check_journal
from exconn_sync.config.credentials import Credentials, CredentialsProvider, KeySource, KeyText, hidden
from exconn_sync.config.network import Network
from exconn_sync.config.settings import (
    AccountStream,
    Delivery,
    Intervals,
    MarketStreams,
    RateLimits,
    Reconnect,
    RiskLimits,
    Timeouts,
    UnknownOrders,
)
from exconn_sync.errors import AuthenticationError, ValidationError
from exconn_sync.ports.journal import Journal
from exconn_sync.ports.metrics import MetricsSink
from exconn_sync.ports.registry import find_driver
from exconn_sync.ports.risk import RiskRule

SecondsT = TypeVar("SecondsT", Timeouts, Reconnect, Intervals, UnknownOrders)


class ConfigBuilder:
    """Collects settings; each method returns the builder, ``build`` the checked Config.

    Every method raises ValidationError at once for a value that breaks its rule.
    """

    def __init__(self, exchange: str) -> None:
        find_driver(exchange)
        self._exchange = exchange
        self._settings: dict[str, Any] = {}

    def credentials(self, api_key: KeyText, api_secret: KeySource, passphrase: KeyText | None = None) -> ConfigBuilder:
        """Set the API key and its secret.

        The secret is the text of an HMAC key, or a private key as PEM text (RSA, Ed25519), which may be encrypted with
        the passphrase. A ``Path`` names a file that holds it. Which type of key it is, it tells itself.
        """
        # The plain text leaves the variables before anything can be raised (fault F170).
        api_key, passphrase = hidden(api_key), None if passphrase is None else hidden(passphrase)
        api_secret = api_secret if isinstance(api_secret, os.PathLike) else hidden(api_secret)
        return self._set(credentials=Credentials.of(api_key, api_secret, passphrase))

    def credentials_provider(self, provider: CredentialsProvider) -> ConfigBuilder:
        """Ask a function for the key: at the start, and again when the exchange refuses the key it gave last.

        It takes no argument and returns ``(api_key, api_secret)``, ``(api_key, api_secret, passphrase)`` or
        ``Credentials``. It is called on a thread of its own, one call at a time, so it may take its time; what it
        raises is told on ``on_error`` and it is asked again later. Instead of ``credentials``.
        """
        return self._set(credentials_provider=provider)

    def account_sign_in(self, way: str) -> ConfigBuilder:
        """Choose how the account stream is signed in: ``"subscription"`` (any key) or ``"session"``.

        On Binance ``"session"`` needs an Ed25519 key.
        """
        return self._set(account_sign_in=way)

    def commands(self, via: str) -> ConfigBuilder:
        """Choose which way orders, cancels and amends go: ``"rest"``, or ``"socket"`` where the exchange has one.

        The socket is quicker: its connection is signed in once. Where it certainly did nothing, because it is not
        connected for example, REST is taken; a command that may have left goes no second way.
        """
        return self._set(commands=via)

    def cancel_on_disconnect(self, wanted: bool = True) -> ConfigBuilder:
        """Have the exchange count on the account stream, and cancel all orders when it is gone (Bybit: DCP).

        After how long, ``Connector.set_cancel_on_disconnect`` says. Bybit offers it to some accounts only.
        """
        return self._set(cancel_on_disconnect=wanted)

    def api_key_from_env(self) -> ConfigBuilder:
        """Take the key from ``EXCONN_<EXCHANGE>_API_KEY`` and ``EXCONN_<EXCHANGE>_API_SECRET``.

        Instead of the latter ``EXCONN_<EXCHANGE>_API_SECRET_FILE`` may name a file.
        ``EXCONN_<EXCHANGE>_API_PASSPHRASE`` opens an encrypted private key.

        Raises:
            AuthenticationError: the variables are not set.
        """
        found = env.credentials_from(self._exchange, os.environ)
        if found is None:
            names = " and ".join(env.variable(self._exchange, name) for name in (env.API_KEY, env.API_SECRET))
            raise AuthenticationError(f"set {names}", exchange=self._exchange, outcome="not_sent")
        return self._set(credentials=found)

    def environment(self, name: str) -> ConfigBuilder:
        """Choose ``production``, ``testnet``, ``demo``, or another environment of the exchange.

        Binance also has ``market_data``, for public data without any key. Bybit has one for each site of registration:
        ``eu``, ``nl``, ``tr``, ``kz``, ``ge``, ``ae``, ``id``, ``jp``, ``hk``, and ``jp_testnet``.
        """
        check_environment(self._exchange, name)
        return self._set(environment=name)

    def endpoints(self, **urls: str) -> ConfigBuilder:
        """Replace base URLs by name.

        Binance has ``rest``, ``stream``, ``ws_api``; Bybit ``rest``, ``public``, ``private``, ``trade``.
        """
        driver = find_driver(self._exchange)
        known = {name: None for environment in driver.environments for name in driver.endpoints(environment)}
        return self._set(endpoints=check_endpoints(self._exchange, urls, known))

    def timeouts(self, **seconds: float) -> ConfigBuilder:
        """Set limits in seconds: ``connect``, ``read``, ``write``, ``request``, ``snapshot``, ``stop``, ``hang``."""
        return self._set(timeouts=_seconds(Timeouts, seconds))

    def reconnect(self, *, rotation_window: tuple[str, str] | None = None, **seconds: float) -> ConfigBuilder:
        """Set ``base``, ``cap``, ``settle``, ``idle_timeout``, ``topic_timeout`` and ``rotate_after`` in seconds.

        ``rotation_window`` is the part of the day (UTC) in which connections are replaced, such as
        ``("02:00", "04:00")``.
        """
        settings = _seconds(Reconnect, seconds)
        return self._set(reconnect=replace(settings, rotation_window=rotation_window))

    def intervals(self, **seconds: float) -> ConfigBuilder:
        """Set in seconds how often the ``clock`` is synchronized, orders are reconciled, REST is tried (``ping``)."""
        return self._set(intervals=_seconds(Intervals, seconds))

    def unknown_orders(self, **seconds: float | None) -> ConfigBuilder:
        """Set by how much reads may lag (``read_lag``) and how long the exchange may work (``processing_limit``)."""
        return self._set(unknown_orders=_seconds(UnknownOrders, seconds))

    def network(self, *, ca_file: str | None = None, proxy: str | None = None) -> ConfigBuilder:
        """Trust the authorities in a PEM file instead of the system's; go through an HTTP proxy.

        The proxy is ``http://host:port`` or ``http://user:password@host:port``.
        """
        return self._set(network=Network(ca_file, proxy))

    def rate_limits(
        self,
        *,
        share: str = "process",
        window_ms: int = 5000,
        path: str | os.PathLike[str] | None = None,
        redis_url: str | None = None,
        name: str = "default",
        account: str | None = None,
    ) -> ConfigBuilder:
        """Choose who shares the request budget, and how long a signed request stays valid; see ``RateLimits``."""
        return self._set(rate_limits=RateLimits(share, window_ms, path, redis_url, name, account))

    def risk(self, *rules: RiskRule, **limits: Any) -> ConfigBuilder:
        """Limit the user's own orders: built-in limits by name, see ``RiskLimits``, and own rules as objects."""
        known = [item.name for item in fields(RiskLimits)]
        for name, value in limits.items():
            if name not in known:
                raise ValidationError(name, value, f"is no such limit; known are {', '.join(known)}")
        return self._set(risk=RiskLimits(**limits), rules=rules)

    def journal(self, journal: str | Journal, *, archive_after: float | None = None) -> ConfigBuilder:
        """Choose where intents and facts are kept: ``"memory"``, ``"sqlite:PATH"`` or a Journal object.

        The file is made, opened and read at the start of the connector, and closed at its stop. Orders that ended more
        than ``archive_after`` seconds ago, at least 90,000, then leave it for an archive beside it.
        """
        check_journal(journal)
        check_archive_after(archive_after, journal)
        return self._set(journal=journal, archive_after=archive_after)

    def metrics(self, sink: MetricsSink) -> ConfigBuilder:
        """Choose where numbers about the library's work go."""
        return self._set(metrics=sink)

    def delivery(
        self, *, buffer: int = 1000, overflow: str = "drop_oldest", block_limit: float = 30.0, alarm: int = 10_000
    ) -> ConfigBuilder:
        """Set the default buffer of market-data subscriptions, what gives way when it is full, and the alarm."""
        return self._set(delivery=Delivery(buffer, overflow, block_limit, alarm))

    def market_streams(
        self,
        *,
        book_interval_ms: int | None = None,
        microseconds: bool = False,
        book_levels: int | None = None,
        backfill: bool = True,
        backfill_limit: float = 10.0,
    ) -> ConfigBuilder:
        """Set how often order books are brought up to date, and whether times are told to the microsecond.

        ``book_levels`` a side are kept, where the exchange offers books of several depths, as Bybit does. With
        ``backfill`` what a cut made the streams of trades and candles miss is asked for; the live ones wait for it at
        most ``backfill_limit`` seconds.
        """
        settings = MarketStreams(book_interval_ms, microseconds, book_levels, backfill, backfill_limit)
        return self._set(market_streams=settings)

    def account_stream(self, *, microseconds: bool = False) -> ConfigBuilder:
        """Set whether times of the account's events are told to the microsecond."""
        return self._set(account_stream=AccountStream(microseconds))

    def build(self) -> Config:
        """Return the configuration.

        Raises:
            ValidationError: settings that do not fit together.
        """
        return Config(self._exchange, **self._settings)

    def _set(self, **values: Any) -> ConfigBuilder:
        self._settings.update(values)
        return self


def _seconds(kind: type[SecondsT], values: dict[str, Any]) -> SecondsT:
    """Return settings of a kind; a misspelt name is told like a wrong value is."""
    known = [item.name for item in fields(kind)]
    for name, value in values.items():
        if name not in known:
            raise ValidationError(name, value, f"is no such setting; known are {', '.join(known)}")
    return kind(**values)
