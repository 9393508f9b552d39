"""Keys, secrets, private keys and passphrases are searched for wherever something could hold or show them."""

from __future__ import annotations

import gc
import logging
import re
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import Config, Connector, ErrorEvent, ExconnError, OrderRequest
from exconn_sync._runtime.faultpoints import installed
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import OrderStatus
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from exconn_sync.persistence.archive import texts
from exconn_sync.persistence.sqlite_file import JournalFile
from exconn_sync.simulator import ClientKey, Simulator
from tests.integration.conftest import LIMIT, quick
from tests.keys import private_pem, public_pem, rsa_key
from tests.simulator.clients import eventually
from tests.unit.store.make import balance, intent

PASSPHRASE = "canary-passphrase-8d21"
BUY = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")
PACKAGE = Path(__file__).parents[2] / "exconn_sync"
POINTS = sorted(set(re.findall(r'reach\("([^"]+)"\)', "".join(path.read_text() for path in PACKAGE.rglob("*.py")))))
OF_A_HUB = ["stop.after_signal"]
OF_A_SOCKET = ["socket.before_send", "socket.after_send"]
"""Of the socket for commands, which Binance has and this library does not use."""
KINDS = ["hmac", "rsa"]


class Canaries:
    """A configuration whose secrets are known, and the texts that nothing may show."""

    def __init__(self, exchange: Simulator, kind: str, **changes: Any) -> None:
        if kind == "hmac":
            key = exchange.accounts.client_key()
            self.config = quick(exchange.config(), **changes)
            self.secrets = [key.api_secret]
        else:
            key = exchange.accounts.add_key(public_key=public_pem(rsa_key()))
            pem = private_pem(rsa_key(), PASSPHRASE)
            builder = Config.builder("binance").credentials(key.api_key, pem, PASSPHRASE)
            urls = {"rest": exchange.rest, "stream": exchange.stream, "ws_api": exchange.ws_api}
            self.config = quick(builder.endpoints(**urls).build(), **changes)
            opened = private_pem(rsa_key()).splitlines()
            self.secrets = [PASSPHRASE, *pem.splitlines()[1:-1], *opened[1:-1]]
        self.api_key = key.api_key

    def no_secret(self, texts: list[str]) -> None:
        assert texts
        for text in texts:
            assert not [secret for secret in self.secrets if secret in text], "a secret is shown"

    def nothing(self, texts: list[str]) -> None:
        self.no_secret(texts)
        assert not [text for text in texts if self.api_key in text], "the API key is shown"


@pytest.fixture(params=KINDS)
def canaries(request: pytest.FixtureRequest, quiet: Simulator) -> Canaries:
    return Canaries(quiet, request.param)


def everything_in(value: Any, seen: set[int]) -> Iterator[str]:
    """Yield what an error, and all that hangs on it, shows."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield repr(value)
    if isinstance(value, BaseException):
        yield str(value)
        told = traceback.TracebackException.from_exception(value, capture_locals=True)
        yield "".join(told.format())
        parts: list[Any] = [value.args, vars(value), value.__cause__, value.__context__]
    elif isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set)):
        parts = list(value)
    else:
        parts = [vars(value)] if type(value).__module__.startswith("exconn_sync") and hasattr(value, "__dict__") else []
    for part in parts:
        yield from everything_in(part, seen)


def is_ours(kind: type) -> bool:
    # A foreign class may make anything of its ``__module__``.
    module = str(kind.__module__)
    return module.startswith("exconn_sync.") and not module.startswith("exconn_sync.simulator")


def use(connector: Connector) -> list[BaseException]:
    """Place and cancel an order, ask, and return what was raised."""
    raised: list[BaseException] = []
    for attempt in (
        lambda: connector.place_order(BUY, timeout=1.0).cancel(timeout=1.0),
        lambda: connector.fetch_balances(timeout=1.0),
        lambda: connector.submit_order(BUY, timeout=1.0).result(LIMIT),
    ):
        try:
            attempt()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is searched
            raised.append(error)
    return raised


class Boom(RuntimeError):
    """Raised where a defect would be."""


def boom() -> None:
    raise Boom("a defect")


@pytest.mark.parametrize("point", [point for point in POINTS if point not in OF_A_SOCKET])
def test_a_defect_at_any_fault_point_shows_no_secret(
    point: str, canaries: Canaries, quiet: Simulator, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """Tracebacks are rendered with the variables of each frame (faults F168, F170, F171)."""
    config = replace(canaries.config, journal=f"sqlite:{tmp_path / 'journal'}")
    if point == "journal.rewritten":
        # What was said over and over is put in short when the file is opened again.
        with closing(SqliteJournal(tmp_path / "journal")) as former:
            for number in range(1100):
                former.append(balance("USDT", str(number), number))
    if point.startswith("archive."):
        # What ended long ago is moved into an archive when the file is opened again.
        config = replace(config, archive_after=100_000.0)
        with closing(JournalFile(tmp_path / "journal")) as file:
            asked = [intent(f"old-{number}") for number in range(550)]
            ended = [replace(each, status=OrderStatus.REJECTED, reason="refused") for each in asked]
            file.write(list(texts([*asked, *ended])), is_flushed=True)
    canaries.no_secret(shown_by_a_defect(point, config, quiet, caplog))


@pytest.mark.parametrize("point", OF_A_SOCKET)
def test_a_defect_at_the_socket_for_commands_shows_no_secret(point: str, caplog: pytest.LogCaptureFixture) -> None:
    """(faults F168, F170, F171)"""
    with Simulator("bybit", running_market=False) as exchange:
        canaries = Canaries(exchange, "hmac", commands="socket")
        canaries.no_secret(shown_by_a_defect(point, canaries.config, exchange, caplog))


def shown_by_a_defect(point: str, config: Config, quiet: Simulator, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Use a connector that meets a defect once, and return all that it told, raised and logged."""
    caplog.set_level(logging.DEBUG)
    connector = Connector(config)
    told: list[ErrorEvent] = []
    connector.on_error(told.append)
    connector.on_fill(lambda fill: None)
    connector.stream_trades("BTC-USDT")
    raised: list[BaseException] = []
    hit = threading.Event()

    def once() -> None:
        if not hit.is_set():
            hit.set()
            boom()

    with installed(point, once):
        try:
            connector.start()
            connector.wait_ready(LIMIT)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is searched
            raised.append(error)
        raised += use(connector)
        if point == "stream.before_delivery":
            quiet.market.trade("BTCUSDT", "sell", "0.01")
            eventually(hit.is_set)
        if point == "fill.before_note":
            connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
            eventually(hit.is_set)
        try:
            connector.stop(LIMIT)
        except Boom as error:
            raised.append(error)
            connector.stop(LIMIT)
    assert hit.is_set() or point in OF_A_HUB
    texts = [text for error in [*raised, *(event.error for event in told)] for text in everything_in(error, set())]
    for record in caplog.records:
        texts += [record.getMessage(), repr(record.args), record.exc_text or ""]
        if record.exc_info and record.exc_info[1] is not None:
            texts += everything_in(record.exc_info[1], set())
    return texts


def test_nothing_that_lives_shows_a_secret(canaries: Canaries) -> None:
    """Every object of every class of the library, found by the garbage collector (faults F169, F172)."""
    connector = Connector(canaries.config)
    with connector:
        connector.wait_ready(LIMIT)
        assert not use(connector)
        # Simulator and tests live in this process too, and know the secrets by right.
        ours = [thing for thing in gc.get_objects() if is_ours(type(thing))]
        names = {type(thing).__name__ for thing in ours}
        assert {"Config", "Credentials", "Assembly", "RestClient", "KeyRing", "AccountFeed", "Core"} <= names
        assert {"HmacSha256Signer", "PrivateKeySigner"} & names
        canaries.nothing([repr(thing) for thing in ours])
        canaries.no_secret([repr(vars(thing)) for thing in ours if hasattr(thing, "__dict__")])


def test_threads_metrics_journal_and_events_hold_no_secret(quiet: Simulator) -> None:
    """(fault F173)"""
    metrics, journal = MemoryMetrics(), MemoryJournal()
    canaries = Canaries(quiet, "hmac", metrics=metrics, journal=journal)
    with Connector(canaries.config) as connector:
        events: list[object] = []
        connector.on_connection(events.append)
        connector.on_error(events.append)
        connector.on_order(events.append)
        connector.wait_ready(LIMIT)
        assert not use(connector)
        quiet.faults.drop_connections("ws_api")
        eventually(lambda: len([event for event in events if "ConnectionEvent" in repr(event)]) >= 2)
        texts = [thread.name for thread in threading.enumerate()]
        texts += [repr(metrics.counts()), repr(connector.workers()), repr(connector.health()), str(connector.health())]
        texts += [repr(record) for record in journal.replay()]
        texts += [repr(event) for event in events]
        texts += [repr(connector.thread_dump())]
    assert any("exconn-binance-account" in text for text in texts)
    canaries.nothing(texts)


REFUSALS = [
    (401, '{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}'),
    (400, '{"code":-1022,"msg":"Signature for this request is not valid."}'),
    (403, "<html>firewall</html>"), (429, '{"code":-1003,"msg":"Too many requests queued."}'), (500, ""), (200, "[{"),
    (301, ""), (418, "teapot"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body"), REFUSALS)
def test_no_refusal_holds_a_secret_in_any_of_its_attributes(
    canaries: Canaries, quiet: Simulator, status: int, body: str
) -> None:
    """(fault F171)"""
    with Connector(canaries.config) as connector:
        connector.wait_ready(LIMIT)
        told: list[ErrorEvent] = []
        connector.on_error(told.append)
        quiet.faults.answer("POST", "/api/v3/order", status, body)
        with pytest.raises(ExconnError) as caught:
            connector.place_order(BUY, timeout=1.0)
        texts = list(everything_in(caught.value, set()))
        canaries.no_secret(texts)
        shown = [str(caught.value), repr(caught.value), repr(caught.value.args), repr(caught.value.details)]
        canaries.nothing(shown)


@pytest.mark.parametrize("code", [-2015, -1022])
def test_a_refused_sign_in_holds_no_secret(canaries: Canaries, quiet: Simulator, code: int) -> None:
    """(faults F062, F171)"""
    told: list[ErrorEvent] = []
    connector = Connector(canaries.config)
    connector.on_error(told.append)
    body = f'{{"code":{code},"msg":"no"}}'
    quiet.faults.answer("WS", "userDataStream.subscribe.signature", 401, body, count=100)
    with connector, pytest.raises(ExconnError):
        connector.wait_ready(LIMIT)
    assert told
    canaries.no_secret([text for event in told for text in everything_in(event.error, set())])


def test_keys_of_the_simulator_are_not_shown_either(quiet: Simulator) -> None:
    key = quiet.accounts.add_key(kind="ed25519")
    assert isinstance(key, ClientKey)
    assert key.api_secret not in repr(key)
