"""Market data over a raw stream connection: the URL of streams ends with ``/ws``, and events name themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync import Connector, ValidationError
from exconn_sync.config.settings import MarketStreams
from exconn_sync.metrics import MemoryMetrics
from exconn_sync.model.enums import Channel
from exconn_sync.simulator import Simulator
from tests.faults.conftest import Errors, Ups, counted
from tests.integration.conftest import LIMIT, Connect
from tests.integration.test_faults import wait_live

HOUR_NS = 3600 * 10**9


def raw(simulator: Simulator) -> dict[str, str]:
    """Return the endpoints of a simulator with raw streams."""
    return {"rest": simulator.rest, "stream": simulator.stream + "/ws", "ws_api": simulator.ws_api}


@pytest.mark.parametrize("microseconds", [False, True])
def test_every_kind_that_names_itself_comes_over_one_raw_connection(
    lively: Simulator, connect: Connect, microseconds: bool
) -> None:
    metrics = MemoryMetrics()
    settings = MarketStreams(microseconds=microseconds)
    connector = connect(lively, endpoints=raw(lively), metrics=metrics, market_streams=settings)
    errors = Errors(connector)
    books = connector.stream_order_book("BTC-USDT")
    others: list[Any] = [
        make(symbol)
        for symbol in ("BTC-USDT", "ETH-USDT")
        for make in (
            connector.stream_trades,
            connector.stream_aggregate_trades,
            connector.stream_book_ticker,
            lambda name: connector.stream_klines(name, "1m"),
            connector.stream_ticker,
            connector.stream_mini_ticker,
            connector.stream_average_price,
        )
    ]
    hours = connector.stream_ticker("BTC-USDT", window="1h")
    quick = connector.stream_klines("BTC-USDT", "1s")
    for subscription in (*others, hours, quick):
        assert subscription.get(timeout=LIMIT)
    assert {each.get(timeout=LIMIT).symbol for each in others[:7]} == {"BTC-USDT"}
    assert {each.get(timeout=LIMIT).symbol for each in others[7:]} == {"ETH-USDT"}
    assert [quick.get(timeout=LIMIT).interval for _ in range(3)] == ["1s"] * 3
    wait_live(connector, books)
    trade = others[0].get(timeout=LIMIT)
    # Read in the other unit it would lie thousands of years away.
    assert abs(trade.exchange_time - trade.received_at) < HOUR_NS
    assert errors.told == []
    assert counted(metrics, "stream.unwanted") == counted(metrics, "stream.unrecognized") == 0


def test_a_raw_connection_is_restored_and_replaced_without_a_gap(lively: Simulator, connect: Connect) -> None:
    connector = connect(lively, endpoints=raw(lively))
    ups = Ups(connector)
    trades = connector.stream_trades("BTC-USDT")
    numbers = [int(trades.get(timeout=LIMIT).trade_id)]
    lively.faults.announce_shutdown("stream")
    while connector.metrics.counts().get("connection.replaced{connection=market,exchange=binance}") is None:  # type: ignore[attr-defined]
        numbers.append(int(trades.get(timeout=LIMIT).trade_id))
    numbers += [int(trades.get(timeout=LIMIT).trade_id) for _ in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    lively.faults.drop_connections("stream")
    ups.down()
    ups.up()
    assert int(trades.get(timeout=LIMIT).trade_id) > numbers[-1]


@pytest.mark.parametrize(
    ("subscribe", "field"),
    [
        (lambda connector: connector.stream_partial_book("BTC-USDT"), "channel"),
        (lambda connector: connector.on_partial_book("BTC-USDT", print), "channel"),
        (lambda connector: connector.stream_klines("BTC-USDT", "1m", utc_offset="+08:00"), "variant"),
    ],
)
def test_what_does_not_name_itself_is_refused(
    quiet: Simulator, connect: Connect, subscribe: Callable[[Connector], object], field: str
) -> None:
    connector = connect(quiet, endpoints=raw(quiet), credentials=None)
    with pytest.raises(ValidationError, match="without /ws has it") as refused:
        subscribe(connector)
    assert refused.value.field == field
    assert Channel.PARTIAL_BOOK.value not in connector.capabilities.streams
    assert connector.capabilities.streams[Channel.ORDER_BOOK.value] == ("",)
    assert "1m@+08:00" not in connector.capabilities.streams[Channel.KLINE.value]


def test_slow_books_are_refused_when_the_configuration_is_made(quiet: Simulator, connect: Connect) -> None:
    settings = MarketStreams(book_interval_ms=1000)
    with pytest.raises(ValidationError, match="without /ws has it"):
        connect(quiet, endpoints=raw(quiet), market_streams=settings)


def test_a_restart_keeps_the_form_of_its_streams(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, credentials=None)
    other = connect(quiet, endpoints=raw(quiet), credentials=None, start=False)
    with pytest.raises(ValidationError, match="must keep the form"):
        connector.restart(other._core.config)
    assert connector.state == "ready"
