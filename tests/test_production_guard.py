"""No test and no example reaches a real exchange; and what watches over that sees the library's own ways."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from exconn_sync import Config, Connector
from exconn_sync.exchanges.binance.driver import DRIVER
from exconn_sync.ports.registry import find_driver
from exconn_sync.simulator import Simulator
from tests.production_guard import contacts, is_real
from tests.unit.support import until

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("exchange", ["binance", "bybit"])
def test_every_address_of_every_environment_is_watched(exchange: str) -> None:
    driver = find_driver(exchange)
    for environment in driver.environments:
        urls = driver.endpoints(environment).values()
        assert urls
        for url in urls:
            assert is_real(urlsplit(url).hostname), url


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "notbinance.com", "binance.com.example", "", None, 7])
def test_other_hosts_are_left_alone(host: object) -> None:
    assert not is_real(host)


@pytest.mark.parametrize("host", ["api.binance.com", "API.BINANCE.COM.", b"stream.binance.com", "binance.vision"])
def test_a_real_host_is_refused_and_told(host: str | bytes) -> None:
    with pytest.raises(OSError, match="never contact"):
        socket.getaddrinfo(host, 443)
    assert contacts.pop()
    assert contacts == []


@pytest.mark.parametrize("environment", DRIVER.environments)
@pytest.mark.parametrize("name", ["rest", "stream"])
def test_a_connector_on_a_real_environment_is_seen_and_gets_nowhere(environment: str, name: str) -> None:
    host = urlsplit(DRIVER.endpoints(environment)[name]).hostname
    with Simulator(running_market=False) as exchange:
        # Streams are opened once the instruments are known, so these come from the simulator then.
        simulated = {} if name == "rest" else {"rest": exchange.rest}
        connector = Connector(Config.builder("binance").environment(environment).endpoints(**simulated).build())
        connector.on_trade("BTC-USDT", print)
        try:
            connector.start()
            until(lambda: host in contacts)
            assert not connector.is_connected
        finally:
            connector.stop(5)
            # These contacts were meant.
            contacts.clear()


def test_a_program_of_its_own_is_watched_too() -> None:
    code = "import socket; socket.getaddrinfo('api.binance.com', 443)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60, env=guarded()
    )
    assert (result.returncode, result.stderr) == (97, "contacted api.binance.com\n")


def guarded() -> dict[str, str]:
    """Return the environment in which programs are watched."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'tests' / 'guarded'}{os.pathsep}{ROOT}"}
