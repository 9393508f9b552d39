"""An exchange that gives fewer rows at once than others do."""

from __future__ import annotations

import pytest

from exconn_sync import Connector, OrderRequest, ValidationError
from exconn_sync.exchanges._template.driver import TemplateDriver
from exconn_sync.model.wire import HistoryLimits
from tests.contract.imaginary import ImaginaryExchange
from tests.contract.venues import PATIENCE


def test_the_newest_orders_are_as_many_as_there_are_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TemplateDriver, "history_limits", HistoryLimits(longest_ms=86_400_000, rows=20))
    with ImaginaryExchange() as exchange, Connector(exchange.config()) as connector:
        connector.wait_ready(PATIENCE)
        order = connector.place_order(OrderRequest.market("BTC-USDT", "buy", "0.01"))
        assert order.wait("filled", PATIENCE)
        assert [state.status for state in connector.fetch_order_history("BTC-USDT")] == ["filled"]
        with pytest.raises(ValidationError, match="from 1 to 20"):
            connector.fetch_order_history("BTC-USDT", limit=21)
        with pytest.raises(ValidationError, match="does not offer"):
            connector.fetch_allocations("BTC-USDT")
