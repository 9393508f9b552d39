"""How the network is reached: authorities of one's own, and a proxy."""

from __future__ import annotations

import base64
import os
import ssl
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

_PROXY_RULE = "must look like http://host:port or http://user:password@host:port"


@dataclass(frozen=True)
class ProxyAddress:
    """Where a proxy is; ``authorization`` is the value of its ``Proxy-Authorization`` header."""

    host: str
    port: int
    authorization: Secret | None = None


@dataclass(frozen=True)
class Network:
    """How the network is reached.

    Attributes:
        ca_file: path of a PEM file with the authorities that this connector trusts, *instead of* the system's; None for
            the system's. Certificates and host names are always checked (fault F174).
        proxy: an HTTP proxy, ``http://host:port`` or ``http://user:password@host:port``, through which every connection
            goes by CONNECT (fault F017); kept as a ``Secret``. None for none: variables such as ``HTTPS_PROXY`` are not
            looked at (fault F176).

    Raises:
        ValidationError: the file holds no certificate, or the proxy's URL breaks its rule; the URL is not shown.
    """

    ca_file: str | None = None
    proxy: Secret | str | None = None

    def __post_init__(self) -> None:
        if self.ca_file is not None:
            object.__setattr__(self, "ca_file", _checked_file(self.ca_file))
        if self.proxy is not None:
            # Kept hidden before anything is said about it.
            text = self.proxy.reveal() if isinstance(self.proxy, Secret) else self.proxy
            object.__setattr__(self, "proxy", None)
            _address_of(text)
            object.__setattr__(self, "proxy", Secret(text))

    @property
    def proxy_address(self) -> ProxyAddress | None:
        """Where the proxy is, None where there is none."""
        return _address_of(self.proxy.reveal()) if isinstance(self.proxy, Secret) else None


def _checked_file(value: object) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise ValidationError("ca_file", value, "must be the path of a PEM file")
    path = os.fspath(value)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValidationError("ca_file", path, "must hold certificates in PEM form") from None
    except (OSError, ValueError, TypeError) as error:
        raise ValidationError("ca_file", path, f"must be a file that can be read ({type(error).__name__})") from None
    if not context.cert_store_stats()["x509"]:
        raise ValidationError("ca_file", path, "must hold certificates in PEM form")
    return str(path)


def _address_of(url: object) -> ProxyAddress:
    """Return the parts of a proxy's URL; no error shows it, because it may hold a password."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValidationError("proxy", "<hidden>", _PROXY_RULE)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValidationError("proxy", "<hidden>", _PROXY_RULE) from None
    if parts.scheme != "http" or not parts.hostname or not port or parts.path not in ("", "/"):
        raise ValidationError("proxy", "<hidden>", _PROXY_RULE)
    if parts.query or parts.fragment:
        raise ValidationError("proxy", "<hidden>", _PROXY_RULE)
    if parts.username is None:
        return ProxyAddress(parts.hostname, port)
    user, password = unquote(parts.username), unquote(parts.password or "")
    if ":" in user or not parts.username:
        raise ValidationError("proxy", "<hidden>", _PROXY_RULE)
    token = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
    return ProxyAddress(parts.hostname, port, Secret(f"Basic {token}"))
