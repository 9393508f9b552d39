"""Keys of every kind, refused, revoked and replaced while a connector runs."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from exconn_sync import AuthenticationError, Connector, ErrorEvent, NotReady, OrderRequest
from exconn_sync.simulator import ClientKey, Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

BUY = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")


def with_provider(connect: Connect, exchange: Simulator, provider: Callable[[], object], **changes: Any) -> Connector:
    return connect(exchange, credentials=None, credentials_provider=provider, **changes)


def errors_of(connector: Connector) -> queue.Queue[ErrorEvent]:
    told: queue.Queue[ErrorEvent] = queue.Queue()
    connector.on_error(told.put)
    return told


class Vault:
    """A credentials provider that says what it is told to say, and counts."""

    def __init__(self, key: ClientKey) -> None:
        self.key = key
        self.asked: list[float] = []
        self.at_once = 0
        self._inside = 0

    def __call__(self) -> tuple[str, str]:
        self._inside += 1
        self.at_once = max(self.at_once, self._inside)
        self.asked.append(time.monotonic())
        self._inside -= 1
        return self.key.api_key, self.key.api_secret


def works(connector: Connector, exchange: Simulator) -> None:
    """Show that orders are placed, and that the account stream brings what becomes of them."""
    order = connector.place_order(BUY)
    exchange.market.trade("BTCUSDT", "sell", "1")
    exchange.market.quote("BTCUSDT", "sell", "50000", "0.1")
    assert order.wait(timeout=LIMIT)
    assert str(order.status) == "filled"


@pytest.mark.parametrize(
    ("kind", "way"), [("rsa", "subscription"), ("ed25519", "subscription"), ("ed25519", "session")]
)
def test_private_keys_of_each_kind_work(quiet: Simulator, connect: Connect, kind: str, way: str) -> None:
    """(Binance: 3.1, 10.2)"""
    config = quiet.config(account=quiet.accounts.add_key(kind=kind), account_sign_in=way)
    connector = connect(quiet, credentials=config.credentials, account_sign_in=config.account_sign_in)
    works(connector, quiet)
    quiet.faults.drop_connections("ws_api")
    eventually(lambda: not connector.account_ready.is_set())
    assert connector.account_ready.wait(LIMIT), "it signs in again"


def test_a_non_ascii_parameter_is_signed_with_every_kind_of_key(quiet: Simulator, connect: Connect) -> None:
    """(Binance: 2, 3.1)"""
    for kind in ("hmac", "rsa", "ed25519"):
        config = quiet.config(account=quiet.accounts.add_key(kind=kind))
        connector = connect(quiet, credentials=config.credentials)
        with pytest.raises(Exception, match="Invalid symbol"):
            connector.request("GET", "/api/v3/openOrders", {"symbol": "\u8fd9\u662f\u6d4b\u8bd5\u5e01456"}, signed=True)
        connector.stop()


# --- a provider -----------------------------------------------------------------------------------------------------


def test_a_provider_is_asked_once_for_a_key_that_works(quiet: Simulator, connect: Connect) -> None:
    vault = Vault(quiet.accounts.client_key())
    connector = with_provider(connect, quiet, vault)
    works(connector, quiet)
    assert len(vault.asked) == 1


@pytest.mark.parametrize("silently", [False, True])
def test_a_key_is_replaced_while_the_connector_runs(quiet: Simulator, connect: Connect, silently: bool) -> None:
    """(fault F167)"""
    vault = Vault(quiet.accounts.client_key())
    connector = with_provider(connect, quiet, vault)
    told = errors_of(connector)
    vault.key = quiet.accounts.add_key(kind="ed25519")
    quiet.accounts.revoke(quiet.api_key, silently=silently)
    if silently:
        with pytest.raises(AuthenticationError) as caught:
            connector.fetch_balances()
        assert caught.value.details["exchange_code"] == -2015
    eventually(lambda: len(vault.asked) > 1 and connector.account_ready.is_set() and quiet.subscriptions() != [])
    works(connector, quiet)
    assert vault.at_once == 1
    while not told.empty():
        event = told.get()
        assert isinstance(event.error, AuthenticationError), event


def test_keys_are_replaced_again_and_again_under_load(quiet: Simulator, connect: Connect) -> None:
    """No key is ever used with the secret of another one (fault F167)."""
    vault = Vault(quiet.accounts.client_key())
    connector = with_provider(connect, quiet, vault)
    codes: list[object] = []
    done = threading.Event()

    def load() -> None:
        # At a pace that the budgets of both sides allow.
        while not done.wait(0.05):
            try:
                connector.request("GET", "/api/v3/openOrders", {"symbol": "BTCUSDT"}, signed=True)
            except AuthenticationError as error:
                codes.append(error.details.get("exchange_code"))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for kind in ("hmac", "ed25519", "hmac", "rsa"):
            former, vault.key = vault.key, quiet.accounts.add_key(kind=kind)
            quiet.accounts.revoke(former.api_key)
            eventually(lambda: connector.account_ready.is_set() and quiet.subscriptions() != [])
    finally:
        done.set()
        for thread in threads:
            thread.join(LIMIT)
    assert set(codes) == {-2015}, "a signature of another key would be -1022"
    assert connector.fetch_balances()


def test_a_provider_that_raises_or_talks_rubbish_harms_nobody(
    quiet: Simulator, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """(faults F165, F171)"""
    caplog.set_level(logging.DEBUG)
    answers: list[object] = [
        KeyError("canary"), SystemExit("canary"), None, ("canary",), ("canary key", "canary"), "canary",
        ("canary", "-----BEGIN PRIVATE KEY-----canary"), ("canary", "canary", "canary"),
    ]  # fmt: skip
    good = quiet.accounts.client_key()

    def provide() -> object:
        answer = answers.pop(0) if answers else (good.api_key, good.api_secret)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    connector = with_provider(connect, quiet, provide, start=False)
    told = errors_of(connector)
    connector.start()
    assert connector.rest_ready.wait(LIMIT)
    assert connector.fetch_trades("BTC-USDT") is not None
    connector.wait_ready(LIMIT * 2)
    works(connector, quiet)
    seen = []
    while not told.empty():
        seen.append(str(told.get().error))
    assert any("KeyError at" in text and "test_keys.py" in text for text in seen), seen
    assert all(text.startswith("the credentials provider") for text in seen), seen
    seen += [record.getMessage() + (record.exc_text or "") for record in caplog.records]
    assert not [text for text in seen if "canary" in text]


def test_a_provider_that_hangs_holds_up_nobody(quiet: Simulator, connect: Connect) -> None:
    release = threading.Event()
    good = quiet.accounts.client_key()

    def provide() -> tuple[str, str]:
        assert release.wait(LIMIT * 3)
        return good.api_key, good.api_secret

    connector = with_provider(connect, quiet, provide, wait=False)
    try:
        assert connector.rest_ready.wait(LIMIT)
        assert connector.stream_ready.wait(LIMIT)
        with pytest.raises(NotReady, match="credentials provider") as caught:
            connector.fetch_balances()
        assert caught.value.outcome == "not_sent"
        with pytest.raises(NotReady, match="account"):
            connector.wait_ready(0.1)
        began = time.monotonic()
        assert connector.stop(LIMIT) == []
        assert time.monotonic() - began < LIMIT / 2, "nobody waits for it"
        connector.start()
    finally:
        release.set()
    connector.wait_ready(LIMIT)


def test_a_provider_that_keeps_giving_a_refused_key_is_asked_less_and_less(quiet: Simulator, connect: Connect) -> None:
    """(fault F167)"""
    wrong = ClientKey("w" * 64, "x" * 64, "hmac", "demo")
    vault = Vault(wrong)
    connector = with_provider(connect, quiet, vault, wait=False)
    eventually(lambda: len(vault.asked) >= 4)
    pauses = [after - before for before, after in pairwise(vault.asked)]
    # quick() gives a base of 0.05 s.
    assert min(pauses) >= 0.049
    assert not connector.account_ready.is_set()
    assert "Invalid API-key" in " ".join(connector.health().reasons)
    vault.key = quiet.accounts.client_key()
    connector.wait_ready(LIMIT)


# --- refused keys without a provider --------------------------------------------------------------------------------


def test_a_key_that_dies_is_told_and_public_data_goes_on(lively: Simulator, connect: Connect) -> None:
    """(faults F062, F167)"""
    connector = connect(lively)
    told = errors_of(connector)
    lively.accounts.revoke(lively.api_key)
    error = told.get(timeout=LIMIT).error
    assert isinstance(error, AuthenticationError)
    eventually(lambda: not connector.ready.is_set())
    with pytest.raises(AuthenticationError):
        connector.wait_ready(LIMIT)
    assert connector.stream_trades("BTC-USDT").get(LIMIT)


def test_a_key_that_may_not_trade_is_told_so_and_goes_on_looking(quiet: Simulator, connect: Connect) -> None:
    """(fault F166)"""
    config = quiet.config(account=quiet.accounts.add_key(can_trade=False))
    connector = connect(quiet, credentials=config.credentials)
    with pytest.raises(AuthenticationError) as caught:
        connector.place_order(BUY)
    assert caught.value.outcome == "refused"
    assert "permission" in str(caught.value.details["hint"])
    assert connector.fetch_balances()
    assert connector.state == "ready"


def test_a_provider_of_a_key_that_may_not_trade_is_not_asked_for_ever(quiet: Simulator, connect: Connect) -> None:
    vault = Vault(quiet.accounts.add_key(can_trade=False))
    connector = with_provider(connect, quiet, vault)
    with pytest.raises(AuthenticationError):
        connector.place_order(BUY)
    eventually(lambda: len(vault.asked) > 1)
    assert connector.fetch_balances(), "the key is good for something, so nobody asks for another one any more"
    asked = len(vault.asked)
    connector.wait_ready(LIMIT)
    assert len(vault.asked) <= asked + 1
