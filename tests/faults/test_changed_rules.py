"""Rules and states of symbols that change while a connector runs (fault F065)."""

from __future__ import annotations

import json
import queue
from decimal import Decimal
from typing import Any

import pytest

from exconn_sync import InstrumentEvent, MarketClosed, OrderRequest, ValidationError
from exconn_sync.config.settings import Intervals
from exconn_sync.errors import FilterViolation
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect
from tests.simulator.clients import Rest, eventually

INFO = "/api/v3/exchangeInfo"


def exchange_info(simulator: Simulator) -> Any:
    client = Rest(simulator)
    status, body = client.get(INFO)
    client.close()
    assert status == 200
    return body


@pytest.fixture
def doubting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a doubt renew instruments of any age."""
    monkeypatch.setattr("exconn_sync._live.rest_session._DOUBTED_AGE_NS", 0)


@pytest.mark.parametrize(
    ("status", "phase"),
    [("HALT", "halted"), ("BREAK", "closed"), ("CANCEL_ONLY", "cancel_only"), ("END_OF_DAY", "closed")],
)
def test_the_first_order_for_a_symbol_that_stopped_trading_is_refused_there_the_next_one_here(
    quiet: Simulator, connect: Connect, doubting: None, status: str, phase: str
) -> None:
    connector = connect(quiet, intervals=Intervals(clock=600, ping=600))
    request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")
    order = connector.place_order(request)
    quiet.market.set_status("BTCUSDT", status)
    with pytest.raises(MarketClosed) as refused:
        connector.place_order(request)
    assert refused.value.outcome == "refused"
    eventually(lambda: connector.instruments.get("BTC-USDT").status == status)
    with pytest.raises(ValidationError, match=f"status {status}"):
        connector.place_order(request)
    assert connector.instruments.get("BTC-USDT").phase == phase
    order.cancel()
    assert order.status == "canceled"

    quiet.market.set_status("BTCUSDT", "TRADING")
    connector.fetch_instruments()
    assert connector.place_order(request).status == "new"


def test_a_filter_that_became_stricter_is_known_after_its_first_refusal(
    quiet: Simulator, connect: Connect, doubting: None
) -> None:
    """A price is not rounded to an outdated tick."""
    connector = connect(quiet, intervals=Intervals(clock=600, ping=600))
    assert connector.instruments.get("BTC-USDT").round_price(Decimal("50000.77")) == Decimal("50000.77")
    body = exchange_info(quiet)
    for entry in body["symbols"][0]["filters"]:
        entry.update({"tickSize": "0.50000000"} if entry["filterType"] == "PRICE_FILTER" else {})
    quiet.faults.answer("GET", INFO, 200, json.dumps(body))
    quiet.faults.answer("POST", "/api/v3/order", 400, '{"code":-1013,"msg":"Filter failure: PRICE_FILTER"}')
    request = OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000.77")
    with pytest.raises(FilterViolation):
        connector.place_order(request)
    eventually(lambda: connector.instruments.get("BTC-USDT").tick_size == Decimal("0.5"))
    with pytest.raises(ValidationError) as refused:
        connector.place_order(request)
    assert refused.value.details["nearest"] == Decimal("50000.5")
    assert len(quiet.accounts.orders()) == 0


def test_rules_that_are_not_known_yet_are_survived_and_counted(quiet: Simulator, connect: Connect) -> None:
    body = exchange_info(quiet)
    for symbol in body["symbols"]:
        symbol["filters"].append({"filterType": "MOON_PHASE", "minPrice": ["full"]})
        symbol["status"] = "LUNCH_BREAK" if symbol["symbol"] == "ETHUSDT" else symbol["status"]
    quiet.faults.answer("GET", INFO, 200, json.dumps(body))
    connector = connect(quiet)
    assert connector.instruments.unknown_filters == {"MOON_PHASE": 3}
    assert connector.instruments.get("BTC-USDT").unknown_filters == ("MOON_PHASE",)
    assert connector.instruments.get("ETH-USDT").phase == "unknown"
    assert connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")).status == "new"


def test_a_symbol_that_changed_came_or_went_is_told(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet, intervals=Intervals(clock=600, ping=600))
    told: queue.Queue[InstrumentEvent] = queue.Queue()
    of_one: queue.Queue[InstrumentEvent] = queue.Queue()
    connector.on_instrument(told.put)
    connector.subscribe("instrument.*.ETH-USDT", of_one.put)
    connector.fetch_instruments()

    body = exchange_info(quiet)
    bitcoin, ether = (
        next(item for item in body["symbols"] if item["symbol"] == name) for name in ("BTCUSDT", "ETHUSDT")
    )
    for entry in bitcoin["filters"]:
        entry.update({"tickSize": "0.50000000"} if entry["filterType"] == "PRICE_FILTER" else {})
    ether["status"] = "HALT"
    body["symbols"].append({**bitcoin, "symbol": "MOONUSDT", "baseAsset": "MOON"})
    quiet.faults.answer("GET", INFO, 200, json.dumps(body))
    connector.fetch_instruments()
    changes = {event.symbol: event for event in (told.get(timeout=LIMIT) for _ in range(3))}
    assert changes["BTC-USDT"].changed == ("tick_size",)
    assert changes["BTC-USDT"].before.tick_size == Decimal("0.01")  # type: ignore[union-attr]
    assert changes["BTC-USDT"].after is connector.instruments.get("BTC-USDT")
    assert {"status", "is_trading"} <= set(changes["ETH-USDT"].changed)
    assert (changes["MOON-USDT"].before, changes["MOON-USDT"].changed) == (None, ())
    assert of_one.get(timeout=LIMIT) == changes["ETH-USDT"]

    connector.fetch_instruments()
    back = {event.symbol: event for event in (told.get(timeout=LIMIT) for _ in range(3))}
    assert back["MOON-USDT"].after is None
    assert "MOON-USDT" not in connector.instruments
    assert told.empty(), "the same rules once more are no news"
