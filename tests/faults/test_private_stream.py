"""The account stream: ended by the exchange, refused, not answered, revoked."""

from __future__ import annotations

import json
import queue
from decimal import Decimal

import pytest

from exconn_sync import AuthenticationError, Connector, Fill, OrderRequest
from exconn_sync.config import Credentials
from exconn_sync.errors import ClockSkew
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors, Ups, counted, pace
from tests.simulator.clients import eventually

LOGIN = ("WS", "userDataStream.subscribe.signature")


def refusal(code: int, text: str) -> str:
    """Return the body of an error."""
    return json.dumps({"code": code, "msg": text})


def account_attempts(simulator: Simulator) -> list[float]:
    """Return when account connections were attempted."""
    return [when for when, kind in simulator.connection_log() if kind == "ws_api"]


def a_fill_comes(simulator: Simulator, connector: Connector) -> None:
    """Wait until an order is filled and the stream tells it."""
    fills: queue.Queue[Fill] = queue.Queue()
    subscription = connector.on_fill(fills.put)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "60005"))
    simulator.market.trade("BTCUSDT", "sell", "0.01")
    assert order.wait(timeout=LIMIT)
    assert fills.get(timeout=LIMIT).client_order_id == order.client_order_id
    subscription.stop()


def test_what_is_filled_while_the_stream_is_ended_is_found(quiet: Simulator, connect: Connect) -> None:
    """The connection stays, the events end; it is signed in again and everything is compared (fault F061)."""
    metrics = MemoryMetrics()
    connector = connect(quiet, metrics=metrics)
    ups = Ups(connector, "account")
    fills: queue.Queue[Fill] = queue.Queue()
    connector.on_fill(fills.put)
    orders = [
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", quantity, "60005")) for quantity in ("0.2", "0.3")
    ]
    before = counted(metrics, "reconciliations")
    with quiet.faults.delay(*LOGIN, 0.3):
        quiet.faults.end_user_stream()
        assert quiet.subscriptions() == []
        eventually(lambda: not connector.ready.is_set())
        quiet.market.trade("BTCUSDT", "sell", "0.5")
        for order in orders:
            assert order.wait(timeout=LIMIT)
            assert order.status == "filled"
    connector.wait_ready(LIMIT)
    assert sorted(fills.get(timeout=LIMIT).quantity for _ in orders) == [Decimal("0.2"), Decimal("0.3")]
    eventually(lambda: quiet.subscriptions() == ["userDataStream"])
    assert counted(metrics, "reconciliations") > before
    a_fill_comes(quiet, connector)
    assert fills.get(timeout=LIMIT).quantity == Decimal("0.01")
    assert fills.empty(), "each fill is told once"
    assert len(account_attempts(quiet)) == 1, "the connection is still the first one"
    assert ups.told == []


def test_a_stream_that_is_ended_again_and_again_is_not_signed_in_without_pause(
    quiet: Simulator, connect: Connect
) -> None:
    """The second time a new connection is made, after a pause (faults F061, F062)."""
    connector = connect(quiet)
    ups = Ups(connector, "account")
    quiet.faults.end_user_stream()
    eventually(lambda: quiet.subscriptions() == ["userDataStream"])
    connector.wait_ready(LIMIT)
    quiet.faults.end_user_stream()
    assert ups.recover().reason == "the exchange ends the account stream again and again"
    assert len(account_attempts(quiet)) == 2
    connector.wait_ready(LIMIT)
    a_fill_comes(quiet, connector)


def test_a_repeated_announcement_of_the_end_is_one_end(quiet: Simulator, connect: Connect) -> None:
    """(fault F061)"""
    connector = connect(quiet)
    ups = Ups(connector, "account")
    with quiet.faults.delay(*LOGIN, 0.2):
        quiet.faults.end_user_stream()
        quiet.faults.send_raw('{"subscriptionId":0,"event":{"e":"eventStreamTerminated"}}', kind="ws_api", times=30)
        eventually(lambda: not connector.ready.is_set())
    connector.wait_ready(LIMIT)
    a_fill_comes(quiet, connector)
    assert [each.text for each in quiet.client_frames() if each.kind == "ws_api"] == [2]
    assert ups.told == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-1022, "Signature for this request is not valid."),
        (-2014, "API-key format invalid."),
        (-2015, "Invalid API-key, IP, or permissions for action."),
    ],
)
def test_a_refused_key_stops_the_account_and_nothing_else(
    code: int, text: str, lively: Simulator, connect: Connect
) -> None:
    """It is not tried again in a loop: accounts get locked (fault F062)."""
    lively.faults.answer(*LOGIN, 401, refusal(code, text), count=100)
    connector = connect(lively, wait=False, start=False, reconnect=pace(cap=0.2))
    ups, errors = Ups(connector, "account"), Errors(connector)
    trades = connector.stream_trades("BTC-USDT")
    connector.start()
    with pytest.raises(AuthenticationError, match=text.split(".")[0]):
        connector.wait_ready(LIMIT)
    down = ups.down()
    assert text in down.reason
    assert down.retry_in == pytest.approx(2.0), "ten times the longest pause"
    for _ in range(3):
        trades.get(LIMIT)
    assert connector.fetch_trades("BTC-USDT")
    assert connector.stream_ready.is_set()
    assert len(account_attempts(lively)) == 1
    assert [event.where for event in errors.told] == ["account stream"]
    assert isinstance(errors.told[0].error, AuthenticationError)


def test_a_wrong_secret_is_refused_by_the_exchange_itself(quiet: Simulator, connect: Connect) -> None:
    """(fault F062)"""
    connector = connect(quiet, wait=False, credentials=Credentials.of(quiet.api_key, "x" * 64))
    with pytest.raises(AuthenticationError, match="Signature"):
        connector.wait_ready(LIMIT)
    assert "x" * 64 not in str(connector.health())
    assert quiet.subscriptions() == []


def test_a_sign_in_outside_of_the_window_is_made_again_with_a_new_clock(quiet: Simulator, connect: Connect) -> None:
    """(fault F062)"""
    connector = connect(quiet)
    ups, errors = Ups(connector, "account"), Errors(connector)
    quiet.faults.offset_clock(60_000)
    quiet.faults.drop_connections("ws_api")
    ups.down()
    ups.up()
    connector.wait_ready(LIMIT)
    eventually(lambda: abs((connector.health().clock_offset_ms or 0) - 60_000) < 1_000)
    a_fill_comes(quiet, connector)
    assert not [event for event in errors.told if isinstance(event.error, ClockSkew)], "it was mended in silence"


def test_a_key_that_is_revoked_while_the_stream_runs_ends_it(quiet: Simulator, connect: Connect) -> None:
    """The answer comes without an id (faults F062, F167)."""
    connector = connect(quiet, reconnect=pace(cap=0.05))
    ups, errors = Ups(connector, "account"), Errors(connector)
    body = {"id": None, "status": 401, "error": {"code": -2015, "msg": "Invalid API-key, IP, or permissions."}}
    quiet.faults.send_raw(json.dumps(body), kind="ws_api")
    down = ups.down()
    assert "Invalid API-key" in down.reason
    assert not connector.ready.is_set()
    assert isinstance(errors.until(lambda event: event.where == "account stream").error, AuthenticationError)
    assert connector.stream_ready.is_set(), "public data goes on"
    # The key is good after all, and is tried again in the end.
    ups.up()
    connector.wait_ready(LIMIT)
    a_fill_comes(quiet, connector)


def test_a_repeated_sign_in_that_is_refused_as_active_comes_back(quiet: Simulator, connect: Connect) -> None:
    """The end of the events was announced, but the exchange thinks otherwise (fault F062)."""
    connector = connect(quiet)
    quiet.faults.answer(*LOGIN, 400, refusal(-2035, "User Data Stream subscription is already active."))
    quiet.faults.end_user_stream()
    eventually(lambda: quiet.subscriptions() == ["userDataStream"])
    connector.wait_ready(LIMIT)
    a_fill_comes(quiet, connector)


def test_a_sign_in_that_is_never_answered_is_given_up(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open socket is no success; the pauses between attempts grow (fault F063)."""
    monkeypatch.setattr("exconn_sync._live.account_reader._LOGIN_LIMIT_NS", 200_000_000)
    connector = connect(quiet, wait=False, start=False)
    ups = Ups(connector, "account")
    with quiet.faults.withhold_login():
        connector.start()
        assert ups.down().reason == "no answer to the authentication"
        eventually(lambda: len(account_attempts(quiet)) >= 3)
        assert not connector.ready.is_set()
        assert quiet.subscriptions() == []
        assert connector.stream_ready.wait(LIMIT)
    ups.up()
    connector.wait_ready(LIMIT)
    a_fill_comes(quiet, connector)


def test_a_late_answer_to_the_sign_in_counts(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(fault F063)"""
    monkeypatch.setattr("exconn_sync._live.account_reader._LOGIN_LIMIT_NS", 2_000_000_000)
    with quiet.faults.delay(*LOGIN, 0.3):
        connector = connect(quiet, wait=False)
        assert connector.rest_ready.wait(LIMIT)
        connector.wait_ready(LIMIT)
    assert len(account_attempts(quiet)) == 1
    a_fill_comes(quiet, connector)


def test_a_lost_answer_to_the_sign_in_is_not_taken_for_a_success(
    quiet: Simulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exchange executed it (faults F043, F063)."""
    monkeypatch.setattr("exconn_sync._live.account_reader._LOGIN_LIMIT_NS", 300_000_000)
    quiet.faults.lose_replies("ws_api")
    connector = connect(quiet, wait=False, start=False)
    ups = Ups(connector, "account")
    connector.start()
    assert ups.down().reason == "no answer to the authentication"
    ups.up()
    connector.wait_ready(LIMIT)
    eventually(lambda: quiet.subscriptions() == ["userDataStream"])
    a_fill_comes(quiet, connector)
