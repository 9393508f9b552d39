"""Settings from environment variables: ``EXCONN_<EXCHANGE>_<NAME>``.

Errors name the variable, never its value (fault F177).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exconn_sync.config.credentials import Credentials
from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

API_KEY, API_SECRET, PASSPHRASE = "API_KEY", "API_SECRET", "API_PASSPHRASE"
SECRET_FILE = "API_SECRET_FILE"
ENVIRONMENT, ENDPOINT = "ENVIRONMENT", "ENDPOINT_"
_FIELDS = {"api_key": API_KEY, "api_secret": API_SECRET, "passphrase": PASSPHRASE}


def variable(exchange: str, name: str) -> str:
    """Return the name of a variable: ``EXCONN_BINANCE_API_KEY``."""
    return f"EXCONN_{exchange.upper()}_{name}"


def credentials_from(exchange: str, environ: Mapping[str, str]) -> Credentials | None:
    """Return the credentials in the environment, None where their variables are unset or empty.

    The secret is in a variable, or in a file that ``EXCONN_<EXCHANGE>_API_SECRET_FILE`` names.

    Raises:
        ValidationError: only one of key and secret is set, the secret twice, or one is malformed.
    """
    names = {field: variable(exchange, name) for field, name in _FIELDS.items()}
    is_in_file = bool(environ.get(variable(exchange, SECRET_FILE)))
    if is_in_file:
        if environ.get(names["api_secret"]):
            text = f"must not be set beside {variable(exchange, SECRET_FILE)}"
            raise ValidationError(names["api_secret"], "<hidden>", text)
        names["api_secret"] = variable(exchange, SECRET_FILE)
    is_set = {field: bool(environ.get(name)) for field, name in names.items()}
    if not any(is_set.values()):
        return None
    for field in ("api_key", "api_secret"):
        if not is_set[field]:
            raise ValidationError(names[field], "<hidden>", "must be set, because its companion is")
    fault: ValidationError | None = None
    try:
        return Credentials.of(
            Secret(environ[names["api_key"]]),
            Path(environ[names["api_secret"]]) if is_in_file else Secret(environ[names["api_secret"]]),
            Secret(environ[names["passphrase"]]) if is_set["passphrase"] else None,
        )
    except ValidationError as error:
        fault = error
    raise ValidationError(names[fault.field], "<hidden>", fault.constraint)


def endpoints_from(exchange: str, names: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the base URLs that the environment sets, by the exchange's names for them."""
    found = {name: environ.get(variable(exchange, ENDPOINT + name.upper())) for name in names}
    return {name: url for name, url in found.items() if url}
