"""A TLS socket that lets go of its descriptor when it cannot be made."""

from __future__ import annotations

import errno
import ssl
from typing import Any


class TlsSocket(ssl.SSLSocket):
    """Made by an ``SSLContext`` from a connected socket, as its ``sslsocket_class``.

    Where the peer resets the connection before the handshake begins, CPython (3.10 to 3.13) raises with a half-made
    socket that has taken over the descriptor and that nobody can close.
    """

    def getpeername(self) -> Any:
        """Return the peer's address; called first when it is made, and it must be connected then."""
        try:
            return super().getpeername()
        except OSError as error:
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "the peer left before the TLS handshake") from error
