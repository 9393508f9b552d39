"""Neither key, secret nor signature is ever seen, whatever is logged, raised or printed."""

from __future__ import annotations

import logging
import re
import traceback

import pytest

from exconn_sync import ExconnError, OrderRequest
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect

SIGNATURE = re.compile(r"[0-9a-f]{64}")


def texts_of(error: BaseException | None) -> list[str]:
    """Return everything an error and its causes show."""
    if error is None:
        return []
    shown = [str(error), repr(error), repr(error.args), repr(vars(error)), "".join(traceback.format_exception(error))]
    return [*shown, *texts_of(error.__cause__), *texts_of(error.__context__)]


def test_no_secret_is_seen_in_logs_errors_and_representations(
    quiet: Simulator, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """(faults F168, F171)"""
    caplog.set_level(logging.DEBUG)
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000"))
    order.cancel()
    seen: list[str] = []
    quiet.faults.answer("POST", "/api/v3/order", 400, '{"code":-1022,"msg":"Signature for this request is not valid."}')
    quiet.faults.execute_then_drop("GET", "/api/v3/account", 2)
    attempts = (
        lambda: connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.1", "50000")),
        lambda: connector.place_order(OrderRequest.limit("BTC-USDT", "sell", "120", "70000")),
        lambda: connector.fetch_balances(timeout=LIMIT),
        lambda: connector.request("GET", "/api/v3/nothing", {"a": "b"}, signed=True),
    )
    for attempt in attempts:
        with pytest.raises(ExconnError) as caught:
            attempt()
        seen += texts_of(caught.value)
    seen += [repr(thing) for thing in (connector, connector.config, order, connector.health(), vars(connector.config))]
    connector.stop()
    seen += [record.getMessage() + str(record.args) + (record.exc_text or "") for record in caplog.records]
    assert any("/api/v3/order" in text for text in seen), "the requests themselves are logged"
    for text in seen:
        assert quiet.api_secret not in text
        assert quiet.api_key not in text
        assert not SIGNATURE.search(text), text
