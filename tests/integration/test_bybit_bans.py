"""An address that Bybit has shut out: nothing is sent and nothing dialled for ten minutes (Bybit: 2.2, 3.1)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exconn_sync import Connector, OrderRequest, RateLimitError
from exconn_sync.simulator import Simulator
from tests.faults.conftest import Errors, Ups
from tests.integration.conftest import LIMIT, Connect
from tests.quiet import quiet_exchange
from tests.unit.support import until


@pytest.fixture
def bybit() -> Iterator[Simulator]:
    """BTCUSDT has one bid at 60000 and one ask at 60010, one BTC each; nothing moves by itself."""
    with quiet_exchange("bybit") as simulator:
        yield simulator


def is_shut_out(connector: Connector) -> bool:
    health = connector.health()
    return 500 < health.silent_for <= 600 and any("this address is banned" in why for why in health.reasons)


def test_after_a_403_of_rest_no_connection_is_dialled(bybit: Simulator, connect: Connect) -> None:
    """Also by another connector, and with orders in the queue; it is told until when (faults F078, F079)."""
    connector, another = connect(bybit), connect(bybit)
    both = [Ups(connector), Ups(another)]
    for each in (connector, another):
        each.stream_trades("BTC-USDT")
        each.wait_ready(LIMIT)
    errors = Errors(another)
    bybit.faults.answer("GET", "/v5/market/tickers", status=403, body="<html>access too frequent</html>")
    with pytest.raises(RateLimitError) as caught:
        another.fetch_ticker("BTC-USDT")
    assert caught.value.retry_after == pytest.approx(600, abs=60)
    told = errors.until(lambda event: event.where == "request budget")
    assert isinstance(told.error, RateLimitError)
    assert told.error.retry_after == pytest.approx(600, abs=60)
    assert is_shut_out(connector)
    assert is_shut_out(another)
    asked, dialled = len(bybit.request_log()), len(bybit.connection_log())
    bybit.faults.drop_connections("public")
    bybit.faults.drop_connections("private")
    for ups in both:
        ups.down()
    with pytest.raises(RateLimitError) as refused:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"), timeout=1)
    assert refused.value.outcome == "not_sent"
    for each in (connector, another):
        assert each.stop(LIMIT) == [], "the wait ends with the connector"
    assert (len(bybit.request_log()), len(bybit.connection_log())) == (asked, dialled)


def test_a_403_of_a_handshake_silences_the_address(bybit: Simulator, connect: Connect) -> None:
    connector, another = connect(bybit), connect(bybit)
    both = [Ups(connector), Ups(another)]
    for each in (connector, another):
        each.stream_trades("BTC-USDT")
        each.wait_ready(LIMIT)
    dialled = len(bybit.connection_log())
    with bybit.faults.refuse_upgrades(403):
        bybit.faults.drop_connections("public")
        for ups in both:
            ups.down()
        until(lambda: is_shut_out(connector) and is_shut_out(another))
    asked = len(bybit.request_log())
    for each in (connector, another):
        with pytest.raises(RateLimitError):
            each.fetch_server_time(timeout=1)
    assert len(bybit.request_log()) == asked
    assert 1 <= len(bybit.connection_log()) - dialled <= 2, "at most once for each"


def test_the_exchange_refuses_connections_of_an_address_that_it_has_shut_out(
    bybit: Simulator, connect: Connect
) -> None:
    """The simulator's own count of them: nobody knocks."""
    connector = connect(bybit)
    ups = Ups(connector, "account")
    bybit.faults.rate_limits(requests_per_5s=0)
    with pytest.raises(RateLimitError):
        connector.fetch_server_time(timeout=LIMIT)
    bybit.faults.drop_connections("private")
    ups.down()
    assert is_shut_out(connector)
    assert connector.stop(LIMIT) == []
    assert (bybit.breaches().bans, bybit.breaches().during_ban) == (1, 0)
