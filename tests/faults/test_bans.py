"""Reached limits and bans, as an exchange that counts makes them (faults F076 to F079)."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import Connector, OrderRequest, PermissionDenied, RateLimitError, RequestTimeout
from exconn_sync.config.settings import RateLimits
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups
from tests.faults.test_shared_budget import Workers, orders_for
from tests.unit.support import in_threads, until

TRADES = "/api/v3/trades"
REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000")


def test_twenty_threads_that_go_on_are_held_back_until_the_stated_moment(quiet: Simulator, connect: Connect) -> None:
    """Others use the same address; what arrives after the first refusals is counted by the exchange (fault F076)."""
    quiet.faults.rate_limits(weight_window_s=4, strikes_before_ban=1000)
    connector = connect(quiet)
    errors = Errors(connector)
    until(lambda: time.time() % 4 < 1.5)
    # The connector does not know of it: as if somebody else used what is left.
    quiet.faults.rate_limits(weight_per_minute=1)
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def hammer(index: int) -> None:
        for _ in range(20):
            # On a slow machine the first of them may get no answer in time.
            with pytest.raises((RateLimitError, RequestTimeout)) as limited:
                connector.fetch_trades("BTC-USDT", timeout=0.5)
            with lock:
                outcomes[str(limited.value.outcome)] += 1

    in_threads(20, hammer)
    refused = quiet.breaches().weight
    assert 1 <= refused <= 21, "twenty threads, and a worker"
    assert outcomes["not_sent"] >= 379
    told = errors.until(lambda event: event.where == "request budget")
    assert isinstance(told.error, RateLimitError)
    assert 2 < (told.error.retry_after or 0) <= 4
    quiet.faults.rate_limits(weight_per_minute=6000)
    connector.fetch_trades("BTC-USDT", timeout=LIMIT)
    assert [event.where for event in errors.told].count("request budget") == 1
    assert quiet.breaches().weight == refused, "nothing was tried before the moment that was stated"
    assert quiet.breaches().during_ban == 0


def test_nothing_is_asked_during_a_ban_also_by_a_connector_that_starts_then(quiet: Simulator, connect: Connect) -> None:
    """(fault F078)"""
    quiet.faults.rate_limits(weight_window_s=3, strikes_before_ban=0, ban_s=3)
    connector = connect(quiet)
    quiet.faults.rate_limits(weight_per_minute=1)
    with pytest.raises(RateLimitError) as banned:
        connector.fetch_trades("BTC-USDT", timeout=LIMIT)
    assert banned.value.outcome is None
    assert 2 < (banned.value.retry_after or 0) <= 3
    health = connector.health()
    assert 0 < health.silent_for <= 3
    assert "no requests for" in " ".join(health.reasons)
    quiet.faults.rate_limits(weight_per_minute=6000)
    began = time.monotonic()
    connector.restart()
    another = connect(quiet, wait=False)
    with pytest.raises(RateLimitError):
        another.request("GET", "/api/v3/ping", timeout=0.1)
    for each in (connector, another):
        each.wait_ready(LIMIT)
    assert quiet.breaches().during_ban == 0
    assert quiet.cuts() == {"banned": 1}
    assert time.monotonic() - began > 1
    assert connector.health().silent_for == 0


def test_the_market_stream_does_not_dial_during_a_ban(quiet: Simulator, connect: Connect) -> None:
    """Whoever goes on connecting is banned for longer (fault F078)."""
    quiet.faults.rate_limits(weight_window_s=3, strikes_before_ban=0, ban_s=4)
    connector = connect(quiet)
    ups = Ups(connector)
    connector.stream_trades("BTC-USDT")
    connector.wait_ready(LIMIT)
    quiet.faults.rate_limits(weight_per_minute=1)
    with pytest.raises(RateLimitError) as banned:
        connector.fetch_trades("BTC-USDT", timeout=LIMIT)
    ends = time.monotonic() + (banned.value.retry_after or 0)
    quiet.faults.rate_limits(weight_per_minute=6000)
    attempts = len(quiet.connection_log())
    quiet.faults.drop_connections("stream")
    ups.down()
    assert "no new connections for" in " ".join(connector.health().reasons)
    ups.up()
    assert time.monotonic() > ends - 0.5
    dialled = [kind for _, kind in quiet.connection_log()[attempts:]]
    assert dialled.count("stream") == 1
    assert quiet.breaches().during_ban == 0
    until(lambda: connector.health().silent_for == 0)


def test_a_stream_that_is_refused_for_a_ban_is_asked_for_once_more_when_it_ends(
    quiet: Simulator, connect: Connect
) -> None:
    """Also by another connector of the process, and a stop ends the wait (faults F020, F078)."""
    connector, another = connect(quiet, credentials=None), connect(quiet, credentials=None)
    both = [Ups(connector), Ups(another)]
    attempts = len(quiet.connection_log())
    with quiet.faults.refuse_upgrades(418, {"Retry-After": "600"}):
        quiet.faults.drop_connections("stream")
        for ups in both:
            ups.down()
        until(lambda: connector.health().silent_for > 500)
    assert 1 <= len(quiet.connection_log()) - attempts <= 2, "at most once for each"
    assert 500 < another.health().silent_for <= 600
    for each in (connector, another):
        assert "no new connections" in " ".join(each.health().reasons)
        assert each.stop(LIMIT) == []
    assert len(quiet.connection_log()) - attempts <= 2


def test_connections_wait_as_long_as_the_exchange_asks_for_with_429(quiet: Simulator, connect: Connect) -> None:
    """It means the attempts to connect: requests go on (fault F020)."""
    connector, another = connect(quiet, credentials=None), connect(quiet, credentials=None, wait=False, start=False)
    ups, errors = Ups(connector), Errors(another)
    attempts = len(quiet.connection_log())
    with quiet.faults.refuse_upgrades(429, {"Retry-After": "4"}):
        quiet.faults.drop_connections("stream")
        ups.down()
        until(lambda: len(quiet.connection_log()) > attempts)
    asked = time.monotonic()
    another.start()
    told = errors.until(lambda event: event.where.startswith("connections to"))
    assert "the exchange wants no connection" in str(told.error)
    assert connector.fetch_trades("BTC-USDT") is not None
    assert connector.health().silent_for == 0
    ups.up()
    another.wait_ready(LIMIT)
    assert time.monotonic() - asked > 2
    assert len(quiet.connection_log()) - attempts == 3, "one refused, and one for each afterwards"


def test_a_ban_outlasts_the_process_where_the_budget_is_shared(
    quiet: Simulator, connect: Connect, tmp_path: Path
) -> None:
    """Another process of this machine, started during the ban, keeps to it (faults F078, F128)."""
    shared: dict[str, Any] = {"share": "host", "path": str(tmp_path / "budgets.sqlite")}
    quiet.faults.rate_limits(strikes_before_ban=0, ban_s=6)
    connector = connect(quiet, rate_limits=RateLimits(**shared))
    quiet.faults.rate_limits(weight_per_minute=1)
    with pytest.raises(RateLimitError):
        connector.fetch_trades("BTC-USDT", timeout=LIMIT)
    ends = time.monotonic() + 6
    connector.stop(LIMIT)
    quiet.faults.rate_limits(weight_per_minute=6000)
    with Workers(orders_for(quiet, shared, threads=0), 1) as worker:
        assert worker.lines() == ["ready"]
        assert time.monotonic() > ends - 1
        worker.go()
        assert worker.lines() == [{}]
    assert quiet.breaches().during_ban == 0


@pytest.mark.parametrize("header", [None, "soon", "-5", "0", "Sat, 28 Nov 2026 00:00:00 GMT"])
def test_without_a_usable_time_a_whole_window_is_waited(quiet: Simulator, connect: Connect, header: str | None) -> None:
    """(fault F077)"""
    connector = connect(quiet)
    headers = {} if header is None else {"Retry-After": header}
    body = json.dumps({"code": -1003, "msg": "Too many requests queued."})
    quiet.faults.answer("GET", TRADES, 429, body, headers=headers)
    with pytest.raises(RateLimitError) as limited:
        connector.fetch_trades("BTC-USDT")
    assert limited.value.retry_after == 60
    with pytest.raises(RateLimitError) as held:
        connector.fetch_balances(timeout=1)
    assert held.value.outcome == "not_sent"
    assert 55 < (held.value.retry_after or 0) <= 60.1


def place_twice(connector: Connector) -> None:
    for _ in range(2):
        connector.place_order(REQUEST)


def test_too_many_orders_stop_no_cancel_and_no_question(quiet: Simulator, connect: Connect) -> None:
    """Another program places orders with the same account (Binance: 7.4; fault F128)."""
    quiet.faults.rate_limits(order_window_s=2)
    connector = connect(quiet)
    order = connector.place_order(REQUEST)
    quiet.faults.rate_limits(orders_per_10s=1)
    # At the turn of a window the exchange may have counted nothing yet, so one more may pass.
    with pytest.raises(RateLimitError) as limited:
        place_twice(connector)
    assert limited.value.outcome == "refused"
    assert 0 < (limited.value.retry_after or 0) <= 2
    assert connector.health().silent_for == 0
    assert connector.fetch_trades("BTC-USDT", timeout=1) is not None
    order.cancel(timeout=1)
    assert quiet.breaches().orders == 1
    assert connector.place_order(REQUEST, timeout=LIMIT).status == "new"
    assert quiet.breaches().total == 1


def test_a_page_of_a_firewall_is_followed_by_silence(quiet: Simulator, connect: Connect) -> None:
    """It is no answer of the exchange, and going on makes it worse (fault F079)."""
    connector = connect(quiet)
    quiet.faults.answer("GET", TRADES, 403, "<html>" + "blocked " * 50)
    with pytest.raises(PermissionDenied) as blocked:
        connector.fetch_trades("BTC-USDT")
    assert "blocked" not in str(blocked.value)
    with pytest.raises(RateLimitError, match="silence"):
        connector.fetch_balances(timeout=1)
    assert 0 < connector.health().silent_for <= 10


def test_what_others_use_behind_the_same_address_is_left_to_them(quiet: Simulator, connect: Connect) -> None:
    """The figures in the answers tell of it, so no request is one too many (fault F128)."""
    quiet.faults.rate_limits(weight_per_minute=500)
    until(lambda: time.time() % 60 < 50)
    connector = connect(quiet)
    # Somebody else, of whom the connector knows nothing.
    address = "127.0.0.1"
    quiet._server.call(quiet._face._venue.weights.admit, address, 250, quiet._clock.now_ms())  # type: ignore[attr-defined]
    done = 0
    outcome: object = ""
    while not outcome:
        try:
            connector.fetch_trades("BTC-USDT", timeout=1)
            done += 1
        except RateLimitError as error:
            outcome = error.outcome
    assert outcome == "not_sent"
    assert 0 < done < 8
    assert quiet.breaches().total == 0
