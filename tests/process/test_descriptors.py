"""An encrypted connection and a child: the parent's connection stays whole, and the peer hears nothing (fault F124)."""

from __future__ import annotations

import datetime
import ipaddress
import os
import selectors
import socket
import ssl
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exconn_sync.ports.forking import close_in_child

LIMIT = 10.0


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for this machine, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def code_of_child(body: Callable[[], bool]) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 7 if body() else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_the_child_lets_go_of_a_tls_connection_without_a_goodbye(certificate: Path) -> None:
    """No byte, no end: the peer reads what the parent sends after the child is gone (faults F124, invariant I26)."""
    serving, asking = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    serving.load_cert_chain(certificate)
    asking.load_verify_locations(certificate)
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            accepted, _ = listener.accept()
            with serving.wrap_socket(accepted, server_side=True) as peer:
                peer.settimeout(LIMIT)
                while b"".join(heard) != b"beforeafter" and (data := peer.recv(100)):
                    heard.append(data)
                peer.sendall(b"heard")

        server = threading.Thread(target=listen)
        server.start()
        plain = socket.create_connection(listener.getsockname(), LIMIT)
        with asking.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
            close_in_child(sock)
            sock.sendall(b"before")
            with selectors.DefaultSelector() as selector:
                close_in_child(selector)
                selector.register(sock, selectors.EVENT_READ)
                descriptor = sock.fileno()

                def is_closed() -> bool:
                    try:
                        os.fstat(descriptor)
                    except OSError:
                        return sock.fileno() == -1 and selector.get_map() is None
                    return False

                assert code_of_child(is_closed) == 7
                assert selector.get_map() is not None
            sock.sendall(b"after")
            assert sock.recv(100) == b"heard"
        server.join(LIMIT)
    assert b"".join(heard) == b"beforeafter"


def test_a_descriptor_is_closed_although_a_file_made_of_it_is_open() -> None:
    """http.client keeps such a file while it reads an answer (fault F124)."""
    one, other = socket.socketpair()
    with one, other, one.makefile("rb"):
        close_in_child(one)
        descriptor = one.fileno()

        def is_closed() -> bool:
            try:
                os.fstat(descriptor)
            except OSError:
                return True
            return False

        assert code_of_child(is_closed) == 7
        other.sendall(b"still here")
        assert one.recv(100) == b"still here"


def test_nothing_is_kept_alive() -> None:
    """Whatever is noted can be collected (invariant I21)."""
    from exconn_sync.ports import forking

    before = len(forking._descriptors)
    sock = close_in_child(socket.socket())
    assert len(forking._descriptors) == before + 1
    sock.close()
    del sock
    assert len(forking._descriptors) == before
