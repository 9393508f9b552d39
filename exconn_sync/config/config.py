"""The configuration of one connector."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from exconn_sync.config import environment as env
from exconn_sync.config.credentials import Credentials, CredentialsProvider
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
    check_url,
)
from exconn_sync.errors import ValidationError
from exconn_sync.model.enums import Channel
from exconn_sync.ports.journal import Journal, sqlite_path
from exconn_sync.ports.metrics import MetricsSink
from exconn_sync.ports.registry import find_driver
from exconn_sync.ports.risk import RiskRule

if TYPE_CHECKING:
    from exconn_sync.config.builder import ConfigBuilder

SIGN_INS = ("subscription", "session")
REST, SOCKET = "rest", "socket"
"""Ways of commands."""


@dataclass(frozen=True)
class Config:
    """Everything a connector needs to know; immutable and checked when it is made.

    Usually made by ``Config.builder("binance")`` or ``Config.from_env("binance")``. It is not picklable, because it may
    hold a secret, and shows none in ``repr``.

    Attributes:
        exchange: name of the exchange, for example ``binance``.
        environment: ``production``, ``testnet``, ``demo``, or another one that the exchange has; chooses the base URLs.
            On Binance ``market_data`` is for public data without any key; Bybit has one for each of its sites.
        credentials: API key and secret, None for public data only, or where a provider is asked for them.
        credentials_provider: asked for the key at the start, and again when the exchange refuses it.
        account_sign_in: ``"subscription"`` or ``"session"``, how the account stream is signed in.
        cancel_on_disconnect: the exchange is to count on the account stream, and to cancel all orders when it is gone
            for longer than ``Connector.set_cancel_on_disconnect`` said.
        commands: ``"rest"`` or ``"socket"``, which way orders, cancels and amends go.
        endpoints: base URLs by the exchange's names for them; those given replace the environment's.
        network: authorities to trust, and a proxy.
        journal: ``"memory"``, ``"sqlite:PATH"`` or a Journal object.
        archive_after: orders that ended so many seconds ago leave the journal's file for an archive at the next start;
            None keeps all.
        rules: the user's own risk rules, asked after the built-in limits.
        metrics: where numbers about the library's work go; None for an in-memory sink.

    Raises:
        ValidationError: any setting breaks its rule.
    """

    exchange: str
    environment: str = "production"
    credentials: Credentials | None = None
    # Its repr may be that of an object that holds a secret.
    credentials_provider: CredentialsProvider | None = field(default=None, repr=False)
    account_sign_in: str = "subscription"
    commands: str = REST
    cancel_on_disconnect: bool = False
    endpoints: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = field(default_factory=Timeouts)
    reconnect: Reconnect = field(default_factory=Reconnect)
    intervals: Intervals = field(default_factory=Intervals)
    unknown_orders: UnknownOrders = field(default_factory=UnknownOrders)
    rate_limits: RateLimits = field(default_factory=RateLimits)
    risk: RiskLimits = field(default_factory=RiskLimits)
    delivery: Delivery = field(default_factory=Delivery)
    market_streams: MarketStreams = field(default_factory=MarketStreams)
    account_stream: AccountStream = field(default_factory=AccountStream)
    network: Network = field(default_factory=Network)
    journal: str | Journal = "memory"
    archive_after: float | None = None
    rules: tuple[RiskRule, ...] = ()
    metrics: MetricsSink | None = None

    def __post_init__(self) -> None:
        defaults = check_environment(self.exchange, self.environment)
        given = check_endpoints(self.exchange, self.endpoints, defaults)
        object.__setattr__(self, "endpoints", MappingProxyType({**defaults, **given}))
        check_journal(self.journal)
        check_archive_after(self.archive_after, self.journal)
        # A list of the caller's own would go on changing what we believe.
        object.__setattr__(self, "rules", tuple(self.rules))
        for rule in self.rules:
            if not callable(getattr(rule, "check", None)):
                raise ValidationError("rules", type(rule).__name__, "must have a method check; limits go by name")
        if not isinstance(self.risk, RiskLimits):
            raise ValidationError("risk", type(self.risk).__name__, "must be RiskLimits")
        find_driver(self.exchange).for_endpoints(self.endpoints).variant(Channel.ORDER_BOOK, self.market_streams.book)
        self._check_commands()
        self._check_key()

    def _check_commands(self) -> None:
        if not isinstance(self.cancel_on_disconnect, bool):
            raise ValidationError("cancel_on_disconnect", self.cancel_on_disconnect, "must be True or False")
        if self.cancel_on_disconnect and not find_driver(self.exchange).guards_disconnects(self.environment):
            text = f"is not offered by {self.exchange} in the environment {self.environment}"
            raise ValidationError("cancel_on_disconnect", True, text)
        if self.commands not in (REST, SOCKET):
            raise ValidationError("commands", self.commands, f"must be one of {REST}, {SOCKET}")
        if self.commands == SOCKET and find_driver(self.exchange).command_wire(self.environment) is None:
            text = f"{self.exchange} takes no commands over a socket in the environment {self.environment}"
            raise ValidationError("commands", self.commands, text)

    def _check_key(self) -> None:
        """Refuse a key that this exchange cannot sign with here, and not when the connector is started."""
        if self.account_sign_in not in SIGN_INS:
            text = "must be one of " + ", ".join(SIGN_INS)
            raise ValidationError("account_sign_in", self.account_sign_in, text)
        if self.credentials_provider is not None:
            check_takes_keys(self.exchange, self.environment)
            if not callable(self.credentials_provider):
                raise ValidationError("credentials_provider", "<hidden>", "must be a function")
            if self.credentials is not None:
                raise ValidationError("credentials_provider", "<hidden>", "must not be set beside credentials")
        if self.credentials is not None:
            check_takes_keys(self.exchange, self.environment)
            driver = find_driver(self.exchange)
            signer = driver.signer(*self.credentials.parts())
            # Made for nothing: it shows whether the key can sign in that way.
            driver.encode_login(signer, 0, self.rate_limits.window_ms, 0, sign_in=self.account_sign_in)

    @property
    def has_account(self) -> bool:
        """True where there is a key, or somebody to ask for one."""
        return self.credentials is not None or self.credentials_provider is not None

    @staticmethod
    def builder(exchange: str) -> ConfigBuilder:
        """Return a builder for one exchange.

        Raises:
            ValidationError: the exchange is unknown; the message lists the known ones.
        """
        from exconn_sync.config.builder import ConfigBuilder

        return ConfigBuilder(exchange)

    @classmethod
    def from_env(cls, exchange: str, environ: Mapping[str, str] | None = None) -> Config:
        """Return a configuration from environment variables.

        Read are ``EXCONN_<EXCHANGE>_API_KEY`` and ``_API_SECRET`` or ``_API_SECRET_FILE`` (both or neither),
        ``_API_PASSPHRASE``, ``_ENVIRONMENT``, and ``_ENDPOINT_<NAME>`` for each base URL.

        Raises:
            ValidationError: a variable is malformed; the message names it and not its value.
        """
        driver = find_driver(exchange)
        source = os.environ if environ is None else environ
        chosen = source.get(env.variable(exchange, env.ENVIRONMENT)) or "production"
        if chosen not in driver.environments:
            name = env.variable(exchange, env.ENVIRONMENT)
            raise ValidationError(name, "<hidden>", "must be one of " + ", ".join(driver.environments))
        endpoints = env.endpoints_from(exchange, driver.endpoints(chosen), source)
        for name, url in endpoints.items():
            try:
                check_endpoints(exchange, {name: url}, endpoints)
            except ValidationError as error:
                variable = env.variable(exchange, env.ENDPOINT + name.upper())
                raise ValidationError(variable, "<hidden>", error.constraint) from None
        return cls(
            exchange,
            environment=chosen,
            credentials=env.credentials_from(exchange, source),
            endpoints=endpoints,
        )

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Config is not pickled, because it may hold a secret; build it again in the other process")


def check_environment(exchange: str, environment: str) -> Mapping[str, str]:
    """Return the base URLs of an environment by name.

    Raises:
        ValidationError: no such environment, or not on this exchange.
    """
    driver = find_driver(exchange)
    if environment not in driver.environments:
        known = ", ".join(driver.environments)
        raise ValidationError("environment", environment, f"must be one of {known} on {exchange}")
    return driver.endpoints(environment)


def check_takes_keys(exchange: str, environment: str) -> None:
    """Raise ValidationError for an environment in which a key has no place and must not be sent."""
    if find_driver(exchange).public_paths(environment) is not None:
        raise ValidationError("credentials", "<hidden>", f"the environment {environment} takes no keys")


def check_endpoints(exchange: str, urls: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    """Return checked base URLs.

    Raises:
        ValidationError: a name that is not known, or a URL that breaks a rule.
    """
    names = tuple(known)
    for name in urls:
        if name not in names:
            raise ValidationError("endpoints", name, f"{exchange} knows only " + ", ".join(names))
    checked = {name: _url(name, url) for name, url in urls.items()}
    for name, url in checked.items():
        find_driver(exchange).check_base_url(name, url)
    return checked


def check_journal(journal: object) -> None:
    """Raise ValidationError for a text that names no journal."""
    path = sqlite_path(journal)
    is_file = path is not None and path.strip() and "\0" not in path
    if isinstance(journal, str) and journal != "memory" and not is_file:
        raise ValidationError("journal", journal, 'must be "memory", "sqlite:" and a path, or a Journal object')


def check_archive_after(seconds: object, journal: object) -> None:
    """Raise ValidationError for a time after which orders cannot be archived."""
    if seconds is None:
        return
    # The loss of a day is counted from orders that are still there.
    is_time = isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 90_000 <= seconds < float("inf")
    if not is_time:
        raise ValidationError("archive_after", seconds, "must be at least 90000 seconds, which is 25 hours, or None")
    if sqlite_path(journal) is None:
        raise ValidationError("archive_after", seconds, 'goes with a journal "sqlite:" and a path only')


def _url(name: str, url: str) -> str:
    is_http = name == "rest"
    return check_url(name, url, secure="https" if is_http else "wss", plain="http" if is_http else "ws")
