"""Signing with an RSA or Ed25519 key in PEM; needs the package ``cryptography`` (the extra ``crypto``).

The package is loaded when such a key is first used, never before (fault F185).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Literal, NoReturn

from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

KeyType = Literal["hmac", "rsa", "ed25519"]

_ARMOUR = "-----BEGIN "
_FOREIGN = "-----BEGIN OPENSSH PRIVATE KEY-----"
_ENCRYPTED = re.compile(r"-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED\s*$", re.MULTILINE)
_SHORTEST_RSA, _LONGEST_RSA = 2048, 4096
_NO_PACKAGE = "RSA and Ed25519 keys need the package cryptography: pip install 'exconn-sync[crypto]'"


class PrivateKeySigner:
    """Signs with the private key of an RSA or Ed25519 pair, as base64; any thread may sign.

    RSA signs as RSASSA-PKCS1-v1_5 with SHA-256. The object shows nothing of either key and refuses to be pickled or
    copied (faults F169, F172).
    """

    __slots__ = ("_api_key", "_sign", "key_type")

    def __init__(self, api_key: str, sign: Callable[[bytes], bytes], key_type: KeyType) -> None:
        self._api_key = api_key
        self._sign = sign
        self.key_type = key_type

    @property
    def api_key(self) -> str:
        """The name under which the exchange knows the public half."""
        return self._api_key

    def sign(self, payload: bytes) -> str:
        """Return the signature of the payload in base64."""
        return b64encode(self._sign(payload)).decode("ascii")

    def __repr__(self) -> str:
        return "<PrivateKeySigner>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a signer holds a secret and can be neither pickled nor copied")


def is_pem(secret: Secret) -> bool:
    """Return whether a secret has the form of a key in PEM, of whichever kind."""
    return secret.reveal().lstrip().startswith(_ARMOUR)


def pem_signer(api_key: Secret, secret: Secret, passphrase: Secret | None = None) -> PrivateKeySigner:
    """Return a signer for a private key in PEM, encrypted or not; the key tells itself of which type it is.

    Raises:
        ValidationError: not a private key of RSA (2,048 to 4,096 bits) or Ed25519, a wrong or missing passphrase, one
            that is given in vain, or the package ``cryptography`` is missing or broken. Nothing of the key is shown.
    """
    if "PRIVATE KEY-----" not in secret.reveal():
        raise ValidationError("api_secret", "<hidden>", "is no private key; was the public one taken?")
    if _FOREIGN in secret.reveal():
        text = "is a key in the format of OpenSSH; PKCS#8 (BEGIN PRIVATE KEY) is needed, as openssl genpkey writes it"
        raise ValidationError("api_secret", "<hidden>", text)
    is_encrypted = bool(_ENCRYPTED.search(secret.reveal()))
    if is_encrypted and passphrase is None:
        raise ValidationError("passphrase", None, "is needed, because the private key is encrypted")
    if passphrase is not None and not is_encrypted:
        raise ValidationError("passphrase", "<hidden>", "is of no use, because the private key is not encrypted")
    opened = _opened(secret, passphrase)
    if isinstance(opened, ValidationError):
        # Raised here, where no variable holds plain text, and without the error that led to it (fault F170).
        raise opened
    return PrivateKeySigner(api_key.reveal(), *opened)


def _opened(secret: Secret, passphrase: Secret | None) -> tuple[Callable[[bytes], bytes], KeyType] | ValidationError:
    """Return what signs with the private key and its type, or why there is none."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        return ValidationError("api_secret", "<hidden>", _NO_PACKAGE)
    try:
        private = load_pem_private_key(
            secret.reveal().encode(), None if passphrase is None else passphrase.reveal().encode()
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if passphrase is not None:
            return ValidationError("passphrase", "<hidden>", "does not open the private key, or the key is damaged")
        return ValidationError("api_secret", "<hidden>", "is no private key that can be read; was it copied whole?")
    if isinstance(private, Ed25519PrivateKey):
        return private.sign, "ed25519"
    if not isinstance(private, RSAPrivateKey):
        return ValidationError("api_secret", "<hidden>", "is a private key of another kind than RSA and Ed25519")
    if not _SHORTEST_RSA <= private.key_size <= _LONGEST_RSA:
        text = f"is an RSA key of {private.key_size} bits; from {_SHORTEST_RSA} to {_LONGEST_RSA} are accepted"
        return ValidationError("api_secret", "<hidden>", text)
    rsa, padding, digest = private, PKCS1v15(), SHA256()
    return lambda payload: rsa.sign(payload, padding, digest), "rsa"
