"""What a connector can do on its exchange, and what that exchange lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Capabilities:
    """What an exchange offers in one of its environments; see ``Connector.capabilities``.

    A call beyond it is refused before anything is sent, so nobody has to look here first. It is for
    programs that work on several exchanges and choose their ways by it.

    Attributes:
        exchange: name of the exchange.
        environment: name of the environment.
        streams: public channels that can be subscribed, by the first word of a topic pattern (``trade``, ``kline``),
            each with its variants, the usual one first: intervals of candles, windows of tickers, levels or paces of
            books. An empty variant is the usual one of books, and the only one of channels without any.
        missing: methods of ``Connector`` that always raise ValidationError here, and why. In an environment that takes
            no keys those that need one raise AuthenticationError, as they do everywhere without a key.
        limited: methods that work in part, and what they do not do.
        key_types: kinds of keys that can sign, of ``hmac``, ``rsa`` and ``ed25519``.
    """

    exchange: str
    environment: str
    streams: Mapping[str, tuple[str, ...]]
    missing: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    limited: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    key_types: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("streams", "missing", "limited"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def offers(self, method: str) -> bool:
        """Return whether a method of ``Connector`` works on this exchange, at least in part."""
        return method not in self.missing
