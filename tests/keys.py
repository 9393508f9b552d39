"""Private keys for tests: made here, and never used anywhere else."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


def pem_of(body: str, label: str = "PRIVATE KEY") -> str:
    """Return a body in base64 as PEM text."""
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return an RSA key; making one takes a moment, so all tests of a process share it."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def ed25519_key() -> ed25519.Ed25519PrivateKey:
    """Return an Ed25519 key."""
    return ed25519.Ed25519PrivateKey.generate()


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    """Return a key of a kind that no exchange takes."""
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey, passphrase: str | None = None, *, is_traditional: bool = False) -> str:
    """Return a private key as PEM text, in PKCS#8 unless it is to be traditional."""
    form = serialization.PrivateFormat.TraditionalOpenSSL if is_traditional else serialization.PrivateFormat.PKCS8
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, form, lock).decode()


def public_pem(key: PrivateKey) -> str:
    """Return the public half as PEM text."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
