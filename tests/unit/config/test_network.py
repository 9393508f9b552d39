"""Authorities and proxies are checked when they are set, and a proxy's password is never shown."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.config import Config
from exconn_sync.config.network import Network, ProxyAddress
from exconn_sync.errors import ValidationError
from exconn_sync.model.secret import Secret

# A throw-away certificate, valid or not: it is only looked at, not trusted.
PEM = """-----BEGIN CERTIFICATE-----
{}
-----END CERTIFICATE-----
"""


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.unit.transport.conftest import Authority

    return Authority(tmp_path_factory.mktemp("ca"), "own").file


def test_nothing_is_set_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """(fault F176)"""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for config in (Config("binance"), Config.from_env("binance"), Config.builder("binance").build()):
        assert config.network == Network(None, None)
        assert config.network.proxy_address is None


def test_a_file_of_authorities_is_kept_by_its_path(pem: Path) -> None:
    assert Config.builder("binance").network(ca_file=str(pem)).build().network.ca_file == str(pem)
    given: Any = pem
    assert Network(given).ca_file == str(pem)


@pytest.mark.parametrize("content", [None, b"", b"hello", PEM.encode(), b"\x00\xff" * 50, PEM.format("AAAA").encode()])
def test_a_file_without_certificates_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        Config.builder("binance").network(ca_file=str(path))
    assert caught.value.field == "ca_file"


@pytest.mark.parametrize("value", [7, b"/etc/hosts", True, False, "", "/", "a\0b"])
def test_what_is_no_path_is_refused(value: Any) -> None:
    """There is no way to switch the check of certificates off (fault F174)."""
    with pytest.raises(ValidationError) as caught:
        Network(value)
    assert caught.value.field == "ca_file"


@pytest.mark.parametrize(
    ("url", "host", "port", "login"),
    [
        ("http://proxy:3128", "proxy", 3128, None),
        ("http://127.0.0.1:8080/", "127.0.0.1", 8080, None),
        ("http://[::1]:8080", "::1", 8080, None),
        ("http://me:pass@proxy:1", "proxy", 1, "Basic bWU6cGFzcw=="),
        ("http://me@proxy:1", "proxy", 1, "Basic bWU6"),
        ("http://m%40e:p%3Aa%2Fs@proxy:1", "proxy", 1, "Basic bUBlOnA6YS9z"),
    ],
)
def test_the_parts_of_a_proxy(url: str, host: str, port: int, login: str | None) -> None:
    for value in (url, Secret(url)):
        address = Network(proxy=value).proxy_address
        assert address == ProxyAddress(host, port, None if login is None else Secret(login))


@pytest.mark.parametrize(
    "value",
    [
        "proxy:3128", "http://proxy", "http://:3128", "https://me:canary@proxy:3128", "socks5://me:canary@proxy:1",
        "http://me:canary@proxy:0", "http://me:canary@proxy:99999", "http://me:canary@proxy:1/path",
        "http://me:canary@proxy:1?a=b", "http://me:canary@proxy:1#x", "http://:canary@proxy:1",
        "http://me:canary@proxy:1\r\nX: y", "http://me:can ary@proxy:1", "http://m%3Ae:canary@proxy:1",
        "http://me:canary\\@proxy:1", "http://[me:canary@proxy:1", "http://müller:canary@proxy:1", "", 7, True,
        Secret("canary"),
    ],
)  # fmt: skip
def test_what_is_no_proxy_is_refused_and_not_shown(value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        Network(proxy=value)
    assert caught.value.field == "proxy"
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
    assert caught.value.__cause__ is None


def test_a_proxy_is_never_shown() -> None:
    """(fault F169)"""
    config = Config.builder("binance").network(proxy="http://me:canary@proxy:1").build()
    shown = [repr(thing) for thing in (config, config.network, config.network.proxy_address, vars(config.network))]
    assert not any("canary" in text or "Y2FuYXJ5" in text or "bWU6" in text for text in shown)
