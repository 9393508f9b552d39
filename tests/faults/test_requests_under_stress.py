"""Many threads on one request budget, an exchange that fails, and what the client makes of it (F160 to F162)."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from exconn_sync import CircuitOpen, ConnectorStopped, ExconnError, OrderRequest, RateLimitError
from exconn_sync._live.admission import Admission
from exconn_sync._live.key_ring import KeyRing
from exconn_sync._live.pipeline import Pipeline
from exconn_sync._live.rest_client import RestClient
from exconn_sync._live.server_clock import ServerClock
from exconn_sync._runtime.bus import Bus
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync._transport.breaker import Breaker
from exconn_sync._transport.budget import Budget
from exconn_sync._transport.http import HttpClient
from exconn_sync.exchanges.signers import HmacSha256Signer
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.limits import Lane
from exconn_sync.model.wire import Cost, RateRule, RestCall
from exconn_sync.ports.clock import SystemClock
from exconn_sync.simulator import Simulator
from tests.faults.conftest import Connect
from tests.live.market import DRIVER
from tests.unit.support import LIMIT, Background, in_threads, until
from tests.unit.transport.peers import Peer, read_head

AHEAD_NS = 5_000_000_000
"""How far the exchange's clock is ahead of ours."""

REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000")


class Exchange:
    """Notes the timestamp of each request and the time of its arrival, in ms of its own clock."""

    def __init__(self, answer: Callable[[int], tuple[int, str]] = lambda number: (200, "{}")) -> None:
        self.seen: list[tuple[int, int]] = []
        self._answer = answer
        self._lock = threading.Lock()

    def script(self, sock: socket.socket) -> None:
        while True:
            target = read_head(sock).split()[1]
            at = (time.time_ns() + AHEAD_NS) // 1_000_000
            with self._lock:
                status, body = self._answer(len(self.seen))
                self.seen.append((int(parse_qs(urlsplit(target).query)["timestamp"][0]), at))
            sock.sendall(f"HTTP/1.1 {status} OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())


def question(path: str = "/q") -> RestCall[int]:
    return RestCall("GET", path, lambda response: response.status, is_signed=True, costs=(Cost("weight", 1),))


@contextmanager
def client_of(
    exchange: Exchange,
    rule: RateRule,
    breaker: Breaker | None = None,
    stop: StopSignal | None = None,
    budget: Budget | None = None,
) -> Iterator[RestClient]:
    clock = SystemClock()
    server_clock = ServerClock(clock)
    now = clock.monotonic_ns()
    server_clock.add(now, now, time.time_ns() + AHEAD_NS)
    with Peer(exchange.script) as peer:
        http = HttpClient(
            f"http://127.0.0.1:{peer.port}", clock, connect_timeout=LIMIT, read_timeout=LIMIT, max_body_bytes=1 << 16
        )
        stop, metrics = stop or StopSignal(), MemoryMetrics()
        pipeline = Pipeline("binance", Bus(), clock, metrics)
        admission = Admission("binance", budget or Budget([rule]), lambda: "", clock, server_clock, pipeline, stop)
        try:
            yield RestClient(
                DRIVER, KeyRing(HmacSha256Signer("key", b"secret")), 5000, http, admission,
                breaker or Breaker("binance", clock), clock, server_clock, metrics, stop, lambda: None,
            )  # fmt: skip
        finally:
            http.close()


def test_sixty_four_threads_stay_within_the_budget_and_sign_when_they_are_let_in() -> None:
    """By the end of each window no more was signed than the windows so far allow (fault F160).

    That holds however slow the machine is, because a timestamp is never taken before the budget is.
    """
    amount, window, exchange = 32, 250, Exchange()
    with client_of(exchange, RateRule("weight", amount, window)) as client:
        in_threads(64, lambda index: [client.call(question(), LIMIT) for _ in range(2)])
    assert len(exchange.seen) == 128
    first = min(timestamp for timestamp, _ in exchange.seen) // window
    for end in range(first, max(timestamp for timestamp, _ in exchange.seen) // window + 1):
        signed = sum(timestamp // window <= end for timestamp, _ in exchange.seen)
        assert signed <= amount * (end - first + 1)
    # As the exchange checks it: not from the future, and not older than the window of a signed request.
    assert all(-1000 < at - timestamp < 5000 for timestamp, at in exchange.seen)


def test_who_cannot_get_budget_in_time_is_told_at_once_and_a_stop_ends_every_wait() -> None:
    """Nothing of it was sent (fault F160)."""
    exchange, stop = Exchange(), StopSignal()
    with client_of(exchange, RateRule("weight", 1, 86_400_000), stop=stop) as client:
        client.call(question(), LIMIT)
        with pytest.raises(RateLimitError) as limited:
            client.call(question(), 0.05)
        assert limited.value.outcome == "not_sent"
        assert limited.value.retry_after is not None
        waiting = [Background(lambda: client.call(question(), None)) for _ in range(64)]
        assert all(each.is_running for each in waiting)
        stop.set()
        for each in waiting:
            with pytest.raises(ConnectorStopped):
                each.result()
    assert len(exchange.seen) == 1


def test_an_outage_is_not_answered_by_more_requests(quiet: Simulator, connect: Connect) -> None:
    """A question whose connection breaks is asked twice, any other once; nothing above repeats it (fault F161)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    sent = "rest.requests{exchange=binance,path=/api/v3/account"

    def asked(times: int) -> int:
        before = sum(count for key, count in metrics.counts().items() if key.startswith(sent))
        for _ in range(times):
            with pytest.raises(ExconnError):
                connector.fetch_balances(timeout=LIMIT)
        return sum(count for key, count in metrics.counts().items() if key.startswith(sent)) - before

    quiet.faults.answer("GET", "/api/v3/account", 503, "", count=4)
    assert asked(4) == 4
    assert connector.fetch_balances()
    quiet.faults.execute_then_drop("GET", "/api/v3/account", count=4)
    assert asked(2) == 4
    assert connector.fetch_balances()


def test_an_outage_uses_up_the_retries_of_all_together() -> None:
    """The exchange gets less than a tenth more than it was asked, from whichever connector (fault F161)."""
    asked: list[str] = []

    class Broken(Exchange):
        def script(self, sock: socket.socket) -> None:
            asked.append(read_head(sock))

    rule, clock = RateRule("weight", 10_000, 60_000), SystemClock()
    budget = Budget([rule])
    breakers = [Breaker("binance", clock, failures=10**6) for _ in range(2)]
    with (
        client_of(Broken(), rule, breakers[0], budget=budget) as one,
        client_of(Broken(), rule, breakers[1], budget=budget) as other,
    ):
        for number in range(200):
            with pytest.raises(ExconnError):
                (one if number % 2 else other).call(question(), LIMIT)
    assert 204 <= len(asked) <= 220


def test_in_an_outage_each_command_is_sent_once(quiet: Simulator, connect: Connect) -> None:
    """Every answer is lost: there are as many orders as were asked for (faults F161, F068)."""
    connector = connect(quiet)
    quiet.faults.execute_then_drop("POST", "/api/v3/order", count=100)
    placed = [connector.place_order(REQUEST, timeout=LIMIT) for _ in range(4)]
    known = {order.client_order_id for order in quiet.accounts.orders()}
    assert known == {order.client_order_id for order in placed}
    assert len(quiet.accounts.orders()) == 4


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.6, 0.9, 1.0])
def test_failures_in_a_row_open_the_breaker_at_any_rate(rate: float) -> None:
    """It is open from the fifth failure in a row on, whatever came before, and not earlier (fault F162)."""
    draw = random.Random(int(rate * 10))
    is_failure = [draw.random() < rate for _ in range(60)]
    rows = [index for index in range(60) if index >= 4 and all(is_failure[index - 4 : index + 1])]
    last = rows[0] if rows else 59
    exchange = Exchange(lambda number: (503, "") if is_failure[number] else (200, "{}"))
    outcomes: list[bool | None] = []
    with client_of(exchange, RateRule("weight", 1000, 60_000)) as client:
        for _ in range(60):
            try:
                outcomes.append(client.call(question(), LIMIT) != 200)
            except CircuitOpen:
                outcomes.append(None)
            except ExconnError:
                outcomes.append(True)
    assert outcomes == [*is_failure[: last + 1], *[None] * (59 - last)]
    assert len(exchange.seen) == last + 1


def test_refusals_and_reached_limits_open_no_breaker() -> None:
    """They prove that the exchange is there (fault F162)."""
    answers = [(400, '{"code":-2010,"msg":"no"}')] * 20 + [(429, '{"code":-1003,"msg":"too many"}')]
    exchange = Exchange(lambda number: answers[number])
    breaker = Breaker("binance", SystemClock(), failures=3)
    with client_of(exchange, RateRule("weight", 1000, 60_000), breaker) as client:
        for _ in answers:
            with pytest.raises(ExconnError) as caught:
                client.call(question(), LIMIT)
            assert not isinstance(caught.value, CircuitOpen)
    assert len(exchange.seen) == 21
    assert breaker.state == "closed"


def test_one_probe_is_let_through_and_the_others_wait_for_what_becomes_of_it() -> None:
    """(fault F162)"""
    go_on, there = threading.Event(), threading.Event()

    def answer(number: int) -> tuple[int, str]:
        if number < 3:
            return 503, ""
        there.set()
        assert go_on.wait(LIMIT)
        return 200, "{}"

    exchange = Exchange(answer)
    clock = Later()
    breaker = Breaker("binance", clock, failures=3, pause=0.02)
    with client_of(exchange, RateRule("weight", 1000, 60_000), breaker) as client:
        for _ in range(3):
            with pytest.raises(ExconnError):
                client.call(question(), LIMIT)
        with pytest.raises(CircuitOpen):
            client.call(question(), LIMIT)
        # The library behind the breaker counts its pause on a clock of its own.
        time.sleep(0.02)
        clock.later_ns = 1_000_000_000
        probe = Background(lambda: client.call(question(), LIMIT))
        assert there.wait(LIMIT)
        for _ in range(8):
            with pytest.raises(CircuitOpen):
                client.call(question(), LIMIT)
        go_on.set()
        assert probe.result() == 200
        assert client.call(question(), LIMIT) == 200
    assert len(exchange.seen) == 5
    until(lambda: breaker.state == "closed")


class Later(SystemClock):
    """A clock that stands still until it is moved."""

    later_ns = 0

    def monotonic_ns(self) -> int:
        return 1_000_000_000 + self.later_ns


@pytest.mark.parametrize("lane", [Lane.CANCEL, Lane.QUERY])
def test_cancels_and_looks_for_orders_go_out_whatever_failed_before(lane: Lane) -> None:
    """An open breaker holds up what can wait, and nothing that lessens a risk (fault F162)."""
    exchange = Exchange(lambda number: (503, "") if number < 5 else (200, "{}"))
    breaker = Breaker("binance", SystemClock(), failures=3)
    urgent = replace(question(), lane=lane)
    with client_of(exchange, RateRule("weight", 1000, 60_000), breaker) as client:
        for _ in range(3):
            with pytest.raises(ExconnError):
                client.call(question(), LIMIT)
        for blocked in (question(), replace(question(), lane=Lane.BULK), replace(question(), lane=Lane.SNAPSHOT)):
            with pytest.raises(CircuitOpen):
                client.call(blocked, LIMIT)
        for _ in range(2):
            with pytest.raises(ExconnError) as caught:
                client.call(urgent, LIMIT)
            assert not isinstance(caught.value, CircuitOpen)
        assert client.call(urgent, LIMIT) == 200
        with pytest.raises(CircuitOpen):
            client.call(question(), LIMIT)
    assert len(exchange.seen) == 6
