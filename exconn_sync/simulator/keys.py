"""The API keys that a venue knows: whose they are, what they may do, and what a signature by them looks like."""

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

KINDS = ("hmac", "rsa", "ed25519")
_RSA_BITS = 2048

Verify = Callable[[bytes, str], bool]


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What a client needs to sign: the key, and its secret or private key (PEM) where the simulator made it.

    ``api_secret`` is empty for a key of which only the public half is known here.
    """

    api_key: str
    api_secret: str = field(repr=False)
    kind: str
    account: str


@dataclass(slots=True)
class ApiKey:
    """A key, what checks its signatures, and the account it opens. Text that is no PEM is the secret of an HMAC key."""

    key: str
    secret: str = field(repr=False)
    account: str
    can_trade: bool = True
    is_revoked: bool = False
    kind: str = field(default="", init=False)
    _verify: Verify = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.secret.lstrip().startswith("-----BEGIN "):
            self.kind, self._verify = _public_verify(self.secret)
        else:
            self.kind, self._verify = "hmac", _hmac_verify(self.secret)

    def is_signed(self, payload: bytes, signature: str) -> bool:
        """Whether a signature over these bytes is this key's."""
        return self._verify(payload, signature)


class KeyTable:
    """All keys of a venue by name. Whoever serves a connection is told of those that are revoked."""

    def __init__(self, keys: Iterable[ApiKey] = ()) -> None:
        self.keys = {key.key: key for key in keys}
        self.on_revoked: list[Callable[[ApiKey, bool], None]] = []

    def add(self, key: ApiKey) -> None:
        """Let a key in from now on."""
        if key.key in self.keys:
            raise ValueError("there is a key of this name already")
        self.keys[key.key] = key

    def named(self, api_key: str) -> ApiKey:
        """The key of a name."""
        found = self.keys.get(api_key)
        if found is None:
            raise ValueError("there is no such key")
        return found

    def of_account(self, account: str) -> ApiKey:
        """The oldest key of an account."""
        for key in self.keys.values():
            if key.account == account:
                return key
        raise ValueError(f"account {account!r} has no key")

    def revoke(self, api_key: str, *, silently: bool) -> None:
        """Know a key no more."""
        key = self.named(api_key)
        del self.keys[api_key]
        key.is_revoked = True
        for tell in list(self.on_revoked):
            tell(key, silently)


def new_key_pair(kind: str) -> tuple[str, str]:
    """Make a private and a public key, both as PEM text."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    private = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, _RSA_BITS)
    return (
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )


def _hmac_verify(secret: str) -> Verify:
    def verify(payload: bytes, signature: str) -> bool:
        # Hexadecimal, in whichever case.
        expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode("utf-8", "surrogateescape"))

    return verify


def _public_verify(pem: str) -> tuple[str, Verify]:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public: Any = load_pem_public_key(pem.encode())
    if not isinstance(public, (RSAPublicKey, Ed25519PublicKey)):
        raise ValueError("a public key is one of RSA or Ed25519")

    def verify(payload: bytes, signature: str) -> bool:
        try:
            sent = b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        # Only one text stands for these bytes: the rest of the last character must be zero.
        if b64encode(sent).decode() != signature:
            return False
        try:
            if isinstance(public, RSAPublicKey):
                public.verify(sent, payload, PKCS1v15(), SHA256())
            else:
                public.verify(sent, payload)
        except InvalidSignature:
            return False
        return True

    return ("rsa" if isinstance(public, RSAPublicKey) else "ed25519"), verify
