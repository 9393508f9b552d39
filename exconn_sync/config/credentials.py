"""API key and secret of an account."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

_ARMOUR = "-----BEGIN "
_LARGEST_FILE = 64 * 1024
_EMPTY = "must be a text that is not empty"
_SHAPE = "must be Credentials, or a tuple of key and secret, perhaps with a passphrase"

KeyText = str | Secret
KeySource = str | Secret | os.PathLike[str]
CredentialsProvider = Callable[[], object]
"""Returns Credentials, or a tuple of key, secret and perhaps a passphrase."""


@dataclass(frozen=True)
class Credentials:
    """Key and secret as the exchange gave them; none of it is ever printed or pickled.

    Attributes:
        api_key: names the key to the exchange.
        api_secret: the secret text of an HMAC key, or the private key of an RSA or Ed25519 pair as PEM text.
        passphrase: opens an encrypted private key; None where it is not encrypted.
    """

    api_key: Secret
    api_secret: Secret
    passphrase: Secret | None = None

    @classmethod
    def of(cls, api_key: KeyText, api_secret: KeySource, passphrase: KeyText | None = None) -> Credentials:
        """Return checked credentials; the error never shows what was passed (fault F165).

        A ``Path`` as secret is read now; blanks and line ends around what the file holds are left out.

        Raises:
            ValidationError: empty, not a text, with blanks or control characters, as after careless copying, or a file
                that cannot be read.
        """
        # The plain text leaves the variables before anything can be raised (fault F170).
        api_key, passphrase = hidden(api_key), None if passphrase is None else hidden(passphrase)
        api_secret = api_secret if isinstance(api_secret, os.PathLike) else hidden(api_secret)
        if isinstance(api_secret, os.PathLike):
            api_secret = read_secret(api_secret)
        if passphrase is not None and not passphrase:
            raise ValidationError("passphrase", "<hidden>", _EMPTY)
        return cls(_checked("api_key", api_key), _checked("api_secret", api_secret), passphrase)

    def parts(self) -> tuple[Secret, Secret, Secret | None]:
        """Return what a driver makes a signer of: the key, the secret, the passphrase."""
        return self.api_key, self.api_secret, self.passphrase

    @classmethod
    def of_answer(cls, answer: object) -> Credentials:
        """Return what a credentials provider answered, checked. Raises ValidationError, which shows nothing of it."""
        if isinstance(answer, Credentials):
            return answer
        if not isinstance(answer, (tuple, list)) or len(answer) not in (2, 3):
            raise ValidationError("credentials_provider", type(answer).__name__, _SHAPE)
        return cls.of(*answer)


def hidden(value: object) -> Secret:
    """Return a text as a Secret, an empty one for anything that is no text. Raises nothing."""
    if isinstance(value, Secret):
        return value
    return Secret(value if isinstance(value, str) else "")


def read_secret(path: os.PathLike[str]) -> Secret:
    """Return what a file holds, without the blanks, line ends and byte order mark around it (fault F165).

    Raises:
        ValidationError: the file cannot be read, is larger than 64 KB, or is no text.
    """
    found = _text_of(path)
    if isinstance(found, Secret):
        return found
    # Raised here, and not where the bytes of the file are still in reach of a traceback (fault F170).
    raise ValidationError("api_secret", path, found)


def _text_of(path: os.PathLike[str]) -> Secret | str:
    """Return the text in a file as a Secret, or as a plain text why there is none."""
    try:
        with Path(path).open("rb") as file:
            held = file.read(_LARGEST_FILE + 1)
        return Secret(held.decode("utf-8-sig").strip()) if len(held) <= _LARGEST_FILE else "the file is too large"
    except UnicodeDecodeError:
        return "the file holds no text"
    except OSError as error:
        return f"the file cannot be read: {error.strerror or type(error).__name__}"


def _checked(name: str, secret: Secret) -> Secret:
    """Return a secret in the form in which it is used."""
    if name == "api_secret" and secret.reveal().lstrip().startswith(_ARMOUR):
        # What surrounds the armour means nothing; a variable of the environment often holds the line ends as ``\\n``.
        return Secret(secret.reveal().strip().replace("\\n", "\n"))
    if fault := _fault_of(name, secret):
        raise ValidationError(name, "<hidden>", fault)
    return secret


def _fault_of(name: str, secret: Secret) -> str:
    value = secret.reveal()
    if not value:
        return _EMPTY
    if name == "api_key" and not (value.isascii() and value.isprintable() and " " not in value):
        return "has blanks or characters that no key has; was it copied whole?"
    return "begins or ends with blanks; was it copied whole?" if value != value.strip() else ""
