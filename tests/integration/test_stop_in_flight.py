"""A stop while the exchange does not answer: it ends in time, and everybody who waits is told rightly (fault F147)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from exconn_sync import Config, Connector, ConnectorStopped, ExconnError, OrderRequest, OutcomeUnknown
from exconn_sync._live import assembly
from exconn_sync._runtime.lookup import AddressInfo, LookupPool
from exconn_sync._runtime.threads import library_threads
from exconn_sync.config.settings import Timeouts
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect, quick
from tests.simulator.clients import eventually
from tests.unit.support import Background
from tests.unit.transport.peers import Peer, blackhole, read_head, wait_for_end

NEVER = 3600.0
PATIENT = Timeouts(connect=NEVER, read=NEVER, request=NEVER, snapshot=NEVER)
ORDER = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")


def left() -> list[str]:
    """Return the names of the connector's threads that are there."""
    return [each.name for each in library_threads() if each.name.startswith("exconn-binance")]


def calls(connector: Connector) -> int:
    """Return how many REST calls are in flight."""
    running = connector._core.running
    return 0 if running is None else len(running._http._running._calls)


COMMANDS: dict[str, Callable[[Connector], Any]] = {
    "place": lambda connector: connector.place_order(ORDER),
    "submit": lambda connector: connector.submit_order(ORDER).result(LIMIT),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_the_exchange_never_answers_is_unknown(
    command: Callable[[Connector], Any], quiet: Simulator, connect: Connect
) -> None:
    """(fault F067)"""
    connector = connect(quiet, timeouts=PATIENT)
    with quiet.faults.delay("POST", "/api/v3/order", NEVER):
        placing = Background(lambda: command(connector))
        eventually(lambda: calls(connector) == 1)
        assert Background(lambda: connector.stop(1)).result() == []
        assert left() == []
        with pytest.raises(OutcomeUnknown) as caught:
            placing.result()
    assert caught.value.outcome == "unknown"
    assert caught.value.order is not None
    assert caught.value.order.status == "unknown"


def test_a_question_that_the_exchange_never_answers_ends_with_the_stop(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, timeouts=PATIENT)
    with quiet.faults.delay("GET", "/api/v3/account", NEVER):
        asking = [Background(connector.fetch_balances) for _ in range(3)]
        eventually(lambda: calls(connector) == 3)
        assert Background(lambda: connector.stop(1)).result() == []
        for each in asking:
            with pytest.raises(ConnectorStopped):
                each.result()


def test_a_command_that_is_answered_in_time_ends_well(quiet: Simulator, connect: Connect) -> None:
    """Commands in flight may finish: only the workers' questions are broken off at once."""
    connector = connect(quiet, timeouts=PATIENT)
    with quiet.faults.delay("POST", "/api/v3/order", 0.2):
        placing = Background(lambda: connector.place_order(ORDER))
        eventually(lambda: calls(connector) == 1)
        assert Background(lambda: connector.stop(LIMIT)).result() == []
    assert placing.result().status == "new"


def test_a_stop_without_a_limit_does_not_wait_for_the_workers_questions(quiet: Simulator) -> None:
    with quiet.faults.delay("GET", "/api/v3/exchangeInfo", NEVER):
        connector = Connector(quick(quiet.config(), timeouts=PATIENT))
        connector.start()
        eventually(lambda: calls(connector) >= 1)
        assert Background(lambda: connector.stop(None)).result() == []
    assert left() == []


def to(port: int, host: str = "127.0.0.1") -> Config:
    return quick(
        Config.builder("binance")
        .endpoints(rest=f"http://{host}:{port}", stream=f"ws://{host}:{port}", ws_api=f"ws://{host}:{port}")
        .build(),
        timeouts=PATIENT,
    )


def stopped_while_connecting(config: Config, reached: Callable[[], bool]) -> None:
    connector = Connector(config)
    connector.start()
    eventually(reached)
    asking = Background(connector.fetch_server_time)
    eventually(lambda: calls(connector) == 2)
    assert Background(lambda: connector.stop(1)).result() == []
    assert left() == []
    with pytest.raises(ExconnError) as caught:
        asking.result()
    assert isinstance(caught.value, ConnectorStopped)


def test_a_stop_while_the_exchange_accepts_and_never_answers() -> None:
    with Peer(wait_for_end) as peer:
        stopped_while_connecting(to(peer.port), lambda: peer.connections == 1)


def test_a_stop_while_the_exchange_does_not_even_accept() -> None:
    """(fault F002)"""
    with blackhole() as port:
        stopped_while_connecting(to(port), lambda: True)


def test_a_stop_while_the_resolver_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup is left behind, and nobody waits for it (faults F003, F004)."""
    asked, over = threading.Event(), threading.Event()

    def resolve(host: str, port: int) -> Sequence[AddressInfo]:
        asked.set()
        over.wait(60)
        return []

    pool = LookupPool(resolve)
    monkeypatch.setattr(assembly, "shared_lookups", lambda: pool)
    try:
        stopped_while_connecting(to(1, "localhost"), asked.is_set)
    finally:
        over.set()


def test_a_stop_while_a_proxy_does_not_answer() -> None:
    """(fault F017)"""
    reached = threading.Event()

    def script(sock: socket.socket) -> None:
        read_head(sock)
        reached.set()
        wait_for_end(sock)

    with Peer(script) as between:
        config = (
            Config.builder("binance")
            .endpoints(rest="http://127.0.0.1:9", stream="ws://127.0.0.1:9", ws_api="ws://127.0.0.1:9")
            .network(proxy=f"http://127.0.0.1:{between.port}")
            .build()
        )
        stopped_while_connecting(quick(config, timeouts=PATIENT), reached.is_set)
