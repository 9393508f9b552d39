"""Throw-away authorities and certificates of all kinds, and a wake-up."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exconn_sync._transport.wakeup import Wakeup

DAY = datetime.timedelta(days=1)


class Authority:
    """Signs certificates for ``127.0.0.1`` or another name; ``file`` is what trusts it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._certificate = self._sign(self._name, self._key, (-DAY, DAY), is_authority=True, host="127.0.0.1")
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def chain(self, name: str, *, host: str = "127.0.0.1", valid: tuple[datetime.timedelta, ...] = (-DAY, DAY)) -> Path:
        """Return a file with a server's certificate and its key, valid from and until so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._sign(subject, key, valid, is_authority=False, host=host)
        return self._write(name, made, key)

    def own_chain(self) -> Path:
        """Return a file with the authority's own certificate and key: a self-signed server."""
        return self._write("self-signed", self._certificate, self._key)

    def _write(self, name: str, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
        path = self._folder / f"{name}-server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
        return path

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        valid: tuple[datetime.timedelta, ...],
        *,
        is_authority: bool,
        host: str,
    ) -> x509.Certificate:
        # Python 3.13 is strict: an authority must say what it may be used for.
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=is_authority, crl_sign=is_authority, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        now = datetime.datetime.now(datetime.timezone.utc)
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            alternative = x509.DNSName(host)
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + valid[0]).not_valid_after(now + valid[1])
            .add_extension(x509.SubjectAlternativeName([alternative]), False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False)
            .add_extension(usage, True)
            .sign(self._key, hashes.SHA256())
        )  # fmt: skip


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"), "authority")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Path:
    """Return the file of the authority to trust."""
    return authority.file


@pytest.fixture(scope="session")
def serving_with() -> Callable[[Path], ssl.SSLContext]:
    """Return a function that makes a server's context of a file with a certificate and its key."""

    def context_of(chain: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    return context_of


@pytest.fixture
def server_context(authority: Authority, serving_with: Callable[[Path], ssl.SSLContext]) -> ssl.SSLContext:
    """Return the context of a server in good order."""
    return serving_with(authority.chain("good"))


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    """Wakes the thread of the test."""
    made = Wakeup()
    yield made
    made.close()
