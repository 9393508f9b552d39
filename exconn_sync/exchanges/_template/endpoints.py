"""Where the exchange answers, and under which paths.

Look up: the base URLs of REST and of each socket, for production and for every other environment; the paths.
The hosts here cannot exist, so that nothing is ever sent to anybody by a copy that is half done.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from exconn_sync.errors import ValidationError

EXCHANGE = "template"
"""The name by which users choose the exchange, and which every value of it carries."""

REST, PUBLIC, PRIVATE = "rest", "public", "private"
"""Names of the base URLs. ``rest`` is needed, the others are the driver's own."""

TIME = "/v1/time"
SYMBOLS = "/v1/symbols"
BOOK = "/v1/book"
TRADES = "/v1/trades"
BEST = "/v1/best"
ORDERS = "/v1/orders"
OPEN_ORDERS = "/v1/orders/open"
PAST_ORDERS = "/v1/orders/past"
ALL_ORDERS = "/v1/orders/all"
FILLS = "/v1/fills"
BALANCES = "/v1/balances"

_VERSION = "/v1"
_NONE: Mapping[str, str] = MappingProxyType({})


def _urls(host: str) -> Mapping[str, str]:
    return MappingProxyType(
        {
            REST: f"https://api.{host}",
            PUBLIC: f"wss://stream.{host}/v1/public",
            PRIVATE: f"wss://stream.{host}/v1/private",
        }
    )


_ENVIRONMENTS = {"production": _urls("template.invalid"), "testnet": _urls("testnet.template.invalid")}

ENVIRONMENTS = tuple(_ENVIRONMENTS)


def base_urls(environment: str) -> Mapping[str, str]:
    """Return the base URLs of an environment by name; empty for an unknown one."""
    return _ENVIRONMENTS.get(environment, _NONE)


def check_base_url(name: str, url: str) -> None:
    """Refuse a REST URL with the version that every path has already: the mistake that users make.

    Raises:
        ValidationError: names the right form by an example, and not by the URL, which may be hidden.
    """
    if name == REST and urlsplit(url).path.rstrip("/").endswith(_VERSION):
        example = _ENVIRONMENTS["testnet"][REST]
        raise ValidationError(name, url, f"must be given without {_VERSION}, as {example}", exchange=EXCHANGE)
