"""How the simulator is given its certificate."""

import ssl
from pathlib import Path

Tls = tuple[str | Path, str | Path] | ssl.SSLContext
"""The files of a certificate chain and its private key (PEM), or a context for the server's side."""


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return a context to serve with; OSError (also ssl.SSLError) when a file cannot be used."""
    if isinstance(tls, ssl.SSLContext):
        return tls
    certificate, key = tls
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
