"""Risk rules that misbehave: nothing is sent because of it, and whoever places the order is told (fault F140)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from exconn_sync import Connector, ConnectorStopped, Order, OrderRequest, Proposal, RequestTimeout, RiskRejected
from exconn_sync.simulator import Simulator
from tests.faults.conftest import LIMIT, Connect
from tests.unit.support import Background

REQUEST = OrderRequest.limit("BTC-USDT", "buy", "0.001", "20000")


class Rule:
    """A rule that does what it is told."""

    name = "mine"

    def __init__(self) -> None:
        self.asked = 0
        self.act: Callable[[Proposal], object] = lambda proposal: None

    def check(self, proposal: Proposal) -> None:
        self.asked += 1
        return self.act(proposal)  # type: ignore[return-value]


def fail(proposal: Proposal) -> object:
    raise ZeroDivisionError("a defect of the user's")


def leave(proposal: Proposal) -> object:
    raise SystemExit(3)


def answering(answer: object) -> Callable[[Proposal], object]:
    return lambda proposal: answer


@pytest.fixture
def rule() -> Rule:
    return Rule()


@pytest.fixture
def connector(quiet: Simulator, connect: Connect, rule: Rule) -> Iterator[Connector]:
    connector = connect(quiet, rules=(rule,))
    yield connector
    rule.act = lambda proposal: None
    connector.place_order(REQUEST).cancel()


@pytest.mark.parametrize(
    "act",
    [fail, *map(answering, (False, True, "no", RiskRejected("no", rule="x")))],
    ids=["raises", "False", "True", "text", "an error that is not raised"],
)
def test_a_rule_that_raises_or_returns_rubbish_lets_nothing_pass(
    quiet: Simulator, connector: Connector, rule: Rule, act: Callable[[Proposal], object]
) -> None:
    """(fault F140)"""
    rule.act = act
    places: list[Callable[[], object]] = [
        lambda: connector.place_order(REQUEST),
        lambda: connector.submit_order(REQUEST).result(LIMIT),
    ]
    for place in places:
        with pytest.raises(RiskRejected, match="mine") as caught:
            place()
        assert (caught.value.rule, caught.value.outcome) == ("mine", "not_sent")
    assert rule.asked == 2
    assert quiet.accounts.orders() == []
    assert connector.orders.open() == []


def test_a_rule_that_exits_sends_nothing_and_harms_no_thread(
    quiet: Simulator, connector: Connector, rule: Rule
) -> None:
    """SystemExit comes out where the rule was asked (fault F140)."""
    rule.act = leave
    with pytest.raises(SystemExit):
        connector.place_order(REQUEST)
    assert isinstance(connector.submit_order(REQUEST).exception(LIMIT), SystemExit)
    assert quiet.accounts.orders() == []
    assert connector.orders.open() == []


def test_an_order_whose_rule_took_too_long_is_not_sent(quiet: Simulator, connector: Connector, rule: Rule) -> None:
    """Nobody waits for it any more (fault F140)."""
    rule.act = lambda proposal: time.sleep(0.1)
    with pytest.raises(RequestTimeout) as caught:
        connector.place_order(REQUEST, timeout=0.05)
    assert caught.value.outcome == "not_sent"
    assert quiet.accounts.orders() == []


def test_cancels_and_stops_ask_no_rule(quiet: Simulator, connect: Connect, rule: Rule) -> None:
    """(fault F140)"""
    connector = connect(quiet, rules=(rule,))
    placed = [connector.place_order(REQUEST) for _ in range(3)]
    rule.act = fail
    placed[0].cancel()
    connector.cancel_order(placed[1])
    connector.submit_cancel(placed[2]).result(LIMIT)
    assert all(order.wait(timeout=LIMIT) for order in placed)
    assert [order.status for order in placed] == ["canceled"] * 3
    assert connector.stop(LIMIT) == []
    assert rule.asked == 3


def test_a_rule_may_use_the_library(quiet: Simulator, connector: Connector, rule: Rule) -> None:
    """It asks, places and cancels from inside (fault F140)."""
    resting = connector.place_order(REQUEST)
    inner: list[Order] = []

    def act(proposal: Proposal) -> None:
        rule.act = lambda proposal: None
        assert connector.fetch_balances(timeout=LIMIT)
        assert connector.health().state == "ready"
        assert [state.client_order_id for state in connector.orders.open()] == [resting.client_order_id]
        connector.cancel_order(resting)
        inner.append(connector.place_order(REQUEST))

    rule.act = act
    outer = connector.place_order(REQUEST)
    assert resting.wait(timeout=LIMIT)
    assert {state.client_order_id for state in connector.orders.open()} == {
        outer.client_order_id, inner[0].client_order_id,
    }  # fmt: skip
    assert len(quiet.accounts.orders()) == 3
    for order in (outer, *inner):
        order.cancel()


def test_a_rule_that_hangs_holds_up_its_own_caller_only(quiet: Simulator, connect: Connect, rule: Rule) -> None:
    """Others place, cancel and stop meanwhile; its own order is not sent, however late it returns (fault F140)."""
    connector = connect(quiet, rules=(rule,))
    resting = connector.place_order(REQUEST)
    hangs, release = threading.Event(), threading.Event()
    large = OrderRequest.limit("BTC-USDT", "buy", "0.002", "20000")

    def act(proposal: Proposal) -> None:
        if proposal.order.quantity == large.quantity:
            hangs.set()
            release.wait(3 * LIMIT)

    rule.act = act
    stuck = Background(lambda: connector.place_order(large, timeout=LIMIT))
    try:
        assert hangs.wait(LIMIT)
        other = connector.place_order(REQUEST)
        resting.cancel()
        assert connector.kill(timeout=LIMIT) == []
        assert (resting.status, other.status) == ("canceled", "canceled")
        assert connector.stop(LIMIT) == []
        assert stuck.is_running
    finally:
        release.set()
    with pytest.raises((ConnectorStopped, RiskRejected)) as caught:
        stuck.result()
    assert caught.value.outcome == "not_sent"
    assert len(quiet.accounts.orders()) == 2
