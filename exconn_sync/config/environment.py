"""Settings from environment variables: ``EXCONN_<EXCHANGE>_<NAME>``.

Errors name the variable, never its value (fault F177).
"""

from __future__ import annotations

from collections.abc import Mapping

from exconn_sync.config.credentials import Credentials
from exconn_sync.errors import ValidationError

API_KEY, API_SECRET, ENVIRONMENT, ENDPOINT = "API_KEY", "API_SECRET", "ENVIRONMENT", "ENDPOINT_"


def variable(exchange: str, name: str) -> str:
    """Return the name of a variable: ``EXCONN_BINANCE_API_KEY``."""
    return f"EXCONN_{exchange.upper()}_{name}"


def credentials_from(exchange: str, environ: Mapping[str, str]) -> Credentials | None:
    """Return the credentials in the environment, None where both variables are unset or empty.

    Raises:
        ValidationError: only one of the two is set, or one is malformed.
    """
    names = variable(exchange, API_KEY), variable(exchange, API_SECRET)
    key, secret = (environ.get(name) or None for name in names)
    if key is None and secret is None:
        return None
    for name, value in zip(names, (key, secret), strict=True):
        if not value:
            raise ValidationError(name, "<hidden>", "must be set, because its companion is")
    try:
        return Credentials.of(key, secret)
    except ValidationError as error:
        name = names[0] if error.field == "api_key" else names[1]
        raise ValidationError(name, "<hidden>", error.constraint) from None


def endpoints_from(exchange: str, names: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the base URLs that the environment sets, by the exchange's names for them."""
    found = {name: environ.get(variable(exchange, ENDPOINT + name.upper())) for name in names}
    return {name: url for name, url in found.items() if url}
