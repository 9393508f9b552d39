"""Keeps tests and examples away from real exchanges, whatever they try (Binance: 1).

An audit hook sees every look-up and every connection of the process, through whichever library. It cannot be taken away
again, so it stays for the whole run. This module imports nothing of the library: programs under test load it first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

REAL_HOSTS = (
    "binance.com", "binance.vision", "binance.us", "bybit.com", "bytick.com", "bybit.com.hk",
    "bybit.nl", "bybit.tr", "bybit-tr.com", "bybit.kz", "bybitgeorgia.ge", "bybit.ae", "bybit.id", "bybit.eu",
    "manepa.jp",
)  # fmt: skip
"""Names of real exchanges; whatever ends with one of them is out of reach."""

_LOOK_UPS = {"socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.connect": 1}
"""Which argument of an audit event names the host."""

contacts: list[str] = []
"""The real hosts that somebody tried to reach."""


def is_real(host: object) -> bool:
    """Return whether a host belongs to a real exchange."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if not isinstance(name, str):
        return False
    return any(name.lower().rstrip(".") == real or name.lower().rstrip(".").endswith("." + real) for real in REAL_HOSTS)


def install(on_contact: Callable[[str], None]) -> None:
    """Have every attempt to reach a real exchange told and refused."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        position = _LOOK_UPS.get(event)
        if position is None:
            return
        address = arguments[position]
        host = address[0] if isinstance(address, tuple) and address else address
        if is_real(host):
            on_contact(str(host))
            raise OSError(f"tests and examples never contact {host}")

    sys.addaudithook(hook)
