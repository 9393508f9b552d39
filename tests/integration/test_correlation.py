"""One id runs through request, log lines, order, events, errors and journal, and never leaves for the exchange."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from exconn_sync import (
    ErrorEvent,
    Fill,
    OrderRejected,
    OrderRequest,
    OrderState,
    OutcomeUnknown,
    RequestTimeout,
    ValidationError,
    correlation,
)
from exconn_sync.persistence.__main__ import main
from exconn_sync.simulator import Simulator
from tests.integration.conftest import LIMIT, Connect
from tests.unit.support import until

ORDER = "/api/v3/order"
RESTING = OrderRequest.limit("BTC-USDT", "buy", "0.01", "50000")
TAKING = OrderRequest.limit("BTC-USDT", "buy", "0.001", "60010")


class Lines(logging.Handler):
    """Collects the records of the library's logger."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, correlation_id: str | None) -> list[str]:
        return [each.getMessage() for each in self.records if vars(each)["correlation_id"] == correlation_id]


@pytest.fixture
def logged() -> Any:
    logger, lines = logging.getLogger("exconn_sync"), Lines()
    before = logger.level
    logger.addHandler(lines)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(lines)
    logger.setLevel(before)


def test_one_id_from_the_request_to_the_journal(
    quiet: Simulator,
    connect: Connect,
    logged: Lines,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An order whose answer is lost, and that has traded when it is found."""
    monkeypatch.setattr("exconn_sync._live.account_reader._LOGIN_LIMIT_NS", 200_000_000)
    orders: list[OrderState] = []
    fills: list[Fill] = []
    # Without events: nobody but a look can tell what became of it.
    with quiet.faults.withhold_login():
        connector = connect(quiet, wait=False, journal=f"sqlite:{tmp_path / 'j.db'}")
        connector.on_order(orders.append)
        connector.on_fill(fills.append)
        assert connector.rest_ready.wait(LIMIT)
        quiet.faults.execute_then_drop("POST", ORDER)
        order = connector.place_order(TAKING)
        assert order.wait("filled", LIMIT)
    until(lambda: bool(fills))
    known = order.correlation_id
    assert known
    until(lambda: orders[-1].status == "filled")
    assert {state.correlation_id for state in orders} == {known}
    assert {state.status.value for state in orders} > {"pending_new", "unknown"}
    assert [fill.correlation_id for fill in fills] == [known]
    assert [fill.correlation_id for fill in connector.fills()] == [known]
    lines = logged.of(known)
    assert any(f"POST {ORDER} failed" in line for line in lines), lines
    assert any("is unknown" in line for line in lines), lines
    assert any("was looked for and found" in line for line in lines), lines
    assert all(line.endswith(f" [{known}]") for line in lines)
    connector.stop()
    assert main([str(tmp_path / "j.db")]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    intents = [each for each in printed if each.get("source") == "local" and each.get("status") == "pending_new"]
    assert [each["correlation_id"] for each in intents] == [known]
    for seen in quiet.request_log():
        assert known not in repr(seen), "it is ours alone"


def test_the_error_of_a_lost_answer_names_it(quiet: Simulator, connect: Connect, logged: Lines) -> None:
    connector = connect(quiet)
    with quiet.faults.delay("POST", ORDER, 1.0), pytest.raises(OutcomeUnknown) as caught:
        connector.place_order(RESTING, timeout=0.3)
    known = caught.value.details["correlation_id"]
    assert caught.value.order is not None
    assert caught.value.order.correlation_id == known
    assert any("is unknown" in line for line in logged.of(known))


def test_each_command_has_its_own(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    orders = [connector.place_order(RESTING), connector.submit_order(RESTING).result(LIMIT)]
    with pytest.raises(ValidationError) as caught:
        connector.place_order(OrderRequest.limit("NO-SUCH", "buy", "1", "1"))
    ids = [*(order.correlation_id for order in orders), caught.value.details["correlation_id"]]
    assert len(set(ids)) == 3
    assert None not in ids
    orders[0].cancel()
    with pytest.raises(OrderRejected) as refused:
        orders[0].cancel()
    assert refused.value.details["correlation_id"] not in ids


def test_the_user_may_give_it(quiet: Simulator, connect: Connect, logged: Lines) -> None:
    """It follows a command onto a thread of the pool, and through a replacement and a batch."""
    connector = connect(quiet)
    with correlation("rebalance-17"):
        future = connector.submit_order(RESTING)
        direct = connector.place_order(RESTING)
        results = connector.place_orders([RESTING, RESTING])
        made = connector.replace_order(direct, RESTING)
        missing = connector.submit_cancel("no-such-order")
    ours = [future.result(LIMIT), direct, made.new, *(result.order for result in results)]
    assert {order.correlation_id for order in ours} == {"rebalance-17"}
    error = missing.exception(LIMIT)
    assert isinstance(error, ValidationError)
    assert error.details["correlation_id"] == "rebalance-17"
    assert connector.place_order(RESTING).correlation_id != "rebalance-17"


def test_an_order_placed_elsewhere_has_none(quiet: Simulator, connect: Connect) -> None:
    connector = connect(quiet)
    other = connect(quiet)
    own = other.place_order(RESTING)
    until(lambda: connector.orders.get(own.client_order_id) is not None)
    state = connector.orders.get(own.client_order_id)
    assert state is not None
    assert (state.is_own, state.correlation_id) == (False, None)


def test_an_error_that_nobody_waits_for_has_none(quiet: Simulator, connect: Connect, logged: Lines) -> None:
    """Lines that belong to no command say so."""
    connector = connect(quiet)
    events: list[ErrorEvent] = []
    connector.on_error(events.append)

    def broken(book: object) -> None:
        raise RuntimeError("of the user")

    connector.on_order(broken)
    connector.place_order(RESTING)
    until(lambda: bool(events))
    until(lambda: any("raised" in line for line in logged.of(None)))


@pytest.mark.parametrize("value", ["", "a b", "100%s", "x" * 65, "é", None, 7])
def test_another_alphabet_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="correlation_id"):
        correlation(value)


def test_threads_do_not_share_it() -> None:
    found: list[str] = []
    with correlation("mine") as known:
        thread = threading.Thread(target=lambda: found.append(str(_current())))
        thread.start()
        thread.join(LIMIT)
        assert _current() == known == "mine"
    assert (found, _current()) == (["None"], None)


def _current() -> str | None:
    from exconn_sync._runtime.correlation import current

    return current()


def test_an_error_keeps_the_id_of_its_own_command() -> None:
    error = RequestTimeout("late", details={"correlation_id": "first"})
    with pytest.raises(RequestTimeout), correlation("second"):
        raise error
    assert error.details["correlation_id"] == "first"
