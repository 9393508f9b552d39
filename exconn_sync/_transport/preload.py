"""Loads the libraries below the transport at a moment of the caller's choice.

They are not loaded with the package, which is to be quick. They must not be loaded by a worker thread either: a fork at
that moment would leave the child with a module whose import never ends (fault F125).
"""

from __future__ import annotations


def load_libraries() -> None:
    """Import everything that connections need; quick after the first time."""
    # Also what Python itself loads for the first name that is looked up.
    import encodings.idna

    import pybreaker
    import pyrate_limiter
    import urllib3
    import websocket

    from exconn_sync._transport import bounded

    del bounded, encodings, pybreaker, pyrate_limiter, urllib3, websocket
