"""Environments: what each takes and refuses, on the simulator's addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from exconn_sync import AuthenticationError, Config, Connector, OrderRequest, ValidationError
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT


def market_data_of(simulator: Simulator) -> Config:
    builder = Config.builder("binance").environment("market_data")
    return builder.endpoints(rest=simulator.rest, stream=simulator.stream).build()


def test_market_data_alone_takes_no_key() -> None:
    builder = Config.builder("binance").credentials("k" * 64, "s" * 64).environment("market_data")
    with pytest.raises(ValidationError) as caught:
        builder.build()
    assert (caught.value.field, caught.value.value) == ("credentials", "<hidden>")
    assert "s" * 64 not in str(caught.value)
    with pytest.raises(ValidationError, match="knows only rest, stream"):
        Config("binance", environment="market_data", endpoints={"ws_api": "ws://127.0.0.1:1"})


def test_market_data_alone_gives_all_public_data(lively: Simulator) -> None:
    with Connector(market_data_of(lively)) as connector:
        trades = connector.stream_trades("BTC-USDT")
        connector.wait_ready(LIMIT)
        assert trades.get(LIMIT).symbol == "BTC-USDT"
        assert connector.fetch_klines("BTC-USDT", "1m")
        assert connector.fetch_ticker("BTC-USDT", window="1h").symbol == "BTC-USDT"
        assert connector.fetch_book_tickers()
        assert connector.request("GET", "/api/v3/ticker/price", {"symbol": "BTCUSDT"})["symbol"] == "BTCUSDT"
        assert set(lively.subscriptions()) == {"btcusdt@trade"}


REFUSED: list[Callable[[Connector], Any]] = [
    lambda connector: connector.fetch_trades("BTC-USDT", from_id=1),
    lambda connector: connector.fetch_ticker("BTC-USDT", window="day"),
    lambda connector: connector.request("GET", "/api/v3/executionRules"),
    lambda connector: connector.fetch_balances(),
]


def test_what_those_hosts_do_not_have_is_refused_before_sending(quiet: Simulator) -> None:
    with Connector(market_data_of(quiet)) as connector:
        connector.rest_ready.wait(LIMIT)
        for ask in REFUSED:
            with pytest.raises(ValidationError) as caught:
                ask(connector)
            assert (caught.value.field, caught.value.outcome) == ("environment", "not_sent")
        with pytest.raises(AuthenticationError) as refused:
            connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
        assert refused.value.outcome == "not_sent"
        assert quiet.accounts.orders() == []
