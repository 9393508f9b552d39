"""A host program, and an exchange, that make exact numbers and readable logs hard."""

from __future__ import annotations

import decimal
import json
import logging
import queue
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from exconn_sync import Fill, OrderRejected, OrderRequest, OrderState
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect, Errors
from tests.faults.faces import Face, face
from tests.simulator.clients import eventually
from tests.unit.support import in_threads

__all__ = ["face"]

ORDER = "/api/v3/order"
CONTEXTS: list[Callable[[], decimal.Context]] = [
    lambda: decimal.Context(prec=1, rounding=decimal.ROUND_UP),
    lambda: decimal.Context(prec=6, rounding=decimal.ROUND_CEILING, traps=[decimal.Inexact, decimal.Rounded]),
    lambda: decimal.Context(prec=3, Emax=2, Emin=-2, traps=[]),
    lambda: decimal.Context(prec=28, traps=list(decimal.Context().flags)),
]


# --- the host's decimal context -------------------------------------------------------------------------------------


def test_orders_in_threads_with_hostile_decimal_contexts(face: Face, connect: Connect) -> None:
    """What is sent, stored, told and asked is exact; the context of the thread changes nothing (fault F182)."""
    connector = connect(face.exchange)
    contexts: list[decimal.Context] = []
    fills: queue.Queue[Fill] = queue.Queue()
    states: list[OrderState] = []

    def hostile(event: Any) -> None:
        # A callback runs on a thread of the library, and may leave it with a context of its own.
        decimal.setcontext(CONTEXTS[1]())
        (fills.put if isinstance(event, Fill) else states.append)(event)

    connector.on_fill(hostile)
    connector.on_order(hostile)

    def trade(index: int) -> None:
        context = CONTEXTS[index % len(CONTEXTS)]()
        decimal.setcontext(context)
        contexts.append(context)
        resting = connector.place_order(
            OrderRequest.limit("BTC-USDT", "buy", "0.12345", "54321.09", client_order_id=f"rest-{index}")
        )
        assert resting.wait("new", LIMIT)
        assert (resting.price, resting.quantity) == (Decimal("54321.09"), Decimal("0.12345"))
        changed = connector.amend_order(resting, "0.12344")
        assert changed.quantity == Decimal("0.12344")
        taking = connector.place_order(
            OrderRequest.limit("BTC-USDT", "buy", "0.01237", "60010.01", client_order_id=f"take-{index}")
        )
        assert taking.wait("filled", LIMIT)
        assert taking.average_price == Decimal(60_010)
        assert connector.fetch_balances()["USDT"].total > 0
        assert connector.profit("BTC-USDT").realized <= 0
        resting.cancel()
        assert decimal.getcontext() is context, "the host's context is the host's"

    in_threads(len(CONTEXTS), trade)
    assert sorted(fills.get(timeout=LIMIT).quantity for _ in CONTEXTS) == [Decimal("0.01237")] * len(CONTEXTS)
    sent = {order.client_order_id: order for order in face.exchange.accounts.orders()}
    assert sent["take-0"].quantity == Decimal("0.01237")
    assert sent["take-0"].price == Decimal("60010.01")
    bought = 4 * Decimal("0.01237")
    position = connector.positions["BTC-USDT"]
    assert (position.quantity, position.average_price) == (bought - bought / 1000, Decimal("60010"))
    eventually(lambda: connector.balances["BTC"].free == face.exchange.accounts.balances()["BTC"][0])
    assert not any(state.contradictions for state in states)


# --- spellings of one number ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_numbers_in_any_scale_are_the_same(seed: int, quiet: Simulator, connect: Connect) -> None:
    """Numbers that the exchange writes longer, or that do not multiply exactly, change nothing (fault F114)."""
    connector = connect(quiet)
    order = connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.3", "50000.0"))
    (placed,) = quiet.accounts.orders()
    random = Random(seed)

    def number(text: str) -> str:
        zeros = "0" * random.randint(0, 10)
        return text + zeros if "." in text else f"{text}.{zeros}" if zeros else text

    report = {
        "e": "executionReport", "E": 1795000000000, "s": "BTCUSDT", "c": order.client_order_id, "S": "BUY",
        "o": "LIMIT", "f": "GTC", "q": number("0.3"), "p": number("50000"), "P": number("0"), "F": number("0"),
        "g": -1, "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED", "r": "NONE", "i": placed.order_id,
        "l": number("0.29999999"), "z": number("0.29999999"), "L": number("49999.99"), "n": number("0"), "N": "BTC",
        "T": 1795000000000, "t": 999999, "I": 999999, "w": True, "m": True, "M": True, "O": 1795000000000,
        # Not price times quantity: 14999.99650001.
        "Z": number("14999.9965"), "Y": number("14999.9965"), "Q": number("0"), "V": "NONE",
    }  # fmt: skip
    quiet.faults.send_raw(json.dumps({"subscriptionId": 0, "event": report}), "ws_api")
    assert order.wait("partially_filled", LIMIT)
    assert (order.quantity, order.filled_quantity) == (Decimal("0.3"), Decimal("0.29999999"))
    assert order.state.open_quantity == Decimal("1E-8"), "almost filled is not filled"
    assert order.state.contradictions == ()
    assert order.average_price == Decimal("14999.9965") / Decimal("0.29999999")
    assert [fill.quantity for fill in connector.fills()] == [Decimal("0.29999999")]


# --- hostile text ---------------------------------------------------------------------------------------------------

HOSTILE = "refused\r\n2026-01-01 CRITICAL all is lost \x1b[31m\x07\u202e" + "long " * 20_000


def test_text_of_the_exchange_cannot_forge_logs(
    quiet: Simulator, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """In errors, reasons, events and every line of the log (fault F184)."""
    caplog.set_level(logging.DEBUG)
    connector = connect(quiet)
    errors = Errors(connector)
    body = json.dumps({"code": -2010, "msg": HOSTILE})
    quiet.faults.answer("POST", ORDER, 400, body)
    with pytest.raises(OrderRejected) as caught:
        connector.place_order(OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000"))
    (state,) = connector.orders.history()
    quiet.faults.send_raw(json.dumps({"subscriptionId": 0, "event": {"e": HOSTILE}}), "ws_api")
    quiet.faults.send_raw("{" + HOSTILE, "ws_api")
    event = errors.until(lambda event: event.where == "account stream")
    quiet.faults.answer("GET", "/api/v3/trades", 503, HOSTILE)
    with pytest.raises(Exception, match="503") as read:
        connector.fetch_trades("BTC-USDT")
    texts = [str(caught.value), repr(caught.value), state.reason, str(event.error), str(read.value), caplog.text]
    texts += [record.getMessage() for record in caplog.records]
    for text in texts:
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "\u202e" not in text
        assert "\n2026-01-01 CRITICAL" not in text
    assert max(len(line) for text in texts for line in text.splitlines() if line) < 2_000
