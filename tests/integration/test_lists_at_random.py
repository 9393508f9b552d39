"""Order lists in a market that moves at random, over connections that break: in the end all is known."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from exconn_sync import Connector, ExconnError, OrderListRequest, OrderRequest
from exconn_sync.simulator import Simulator
from exconn_sync.simulator.core.orders import SimOrder
from tests.integration.conftest import LIMIT, Connect
from tests.simulator.clients import eventually

STEPS = 40
limit = OrderRequest.limit


def request(random: Random, number: int) -> OrderListRequest:
    """Return a list near the market, whose last price is about 60,000."""
    low, high = 60_000 - random.randint(5, 60), 60_000 + random.randint(15, 60)
    goal = limit("BTC-USDT", "sell", "0.01", high, post_only=True)
    stop = OrderRequest.stop_market("BTC-USDT", "sell", "0.01", low)
    working = limit("BTC-USDT", "buy", "0.01", 60_000 + random.choice((-20, 0, 5, 10)))
    of_all = [
        limit("BTC-USDT", "sell", "received", high, post_only=True),
        OrderRequest.stop_market("BTC-USDT", "sell", "received", low),
    ]
    name = f"list-{number}"
    return random.choice(
        (
            OrderListRequest.oco(goal, stop, list_id=name),
            OrderListRequest.oto(working, goal, list_id=name),
            OrderListRequest.otoco(working, goal, stop, list_id=name),
            OrderListRequest.opo(working, of_all[0], list_id=name),
            OrderListRequest.opoco(working, of_all[0], of_all[1], list_id=name),
        )
    )


def move(quiet: Simulator, random: Random) -> None:
    """Let somebody trade, and somebody else make the market again."""
    quiet.market.trade("BTCUSDT", random.choice(("buy", "sell")), f"0.{random.randint(1, 40):03}")
    middle = 60_000 + random.randint(-60, 60)
    quiet.market.clear("BTCUSDT")
    quiet.market.quote("BTCUSDT", "buy", middle - 5, 1)
    quiet.market.quote("BTCUSDT", "sell", middle + 5, 1)


def step(quiet: Simulator, connector: Connector, random: Random, number: int) -> None:
    what = random.choice(("list", "list", "move", "move", "move", "cancel", "lost", "unanswered", "amend"))
    try:
        if what == "list":
            connector.place_order_list(request(random, number), timeout=LIMIT)
        elif what == "move":
            move(quiet, random)
        elif what == "lost":
            quiet.faults.drop_connections("ws_api")
        elif what == "unanswered":
            asked = request(random, number)
            quiet.faults.execute_then_drop("POST", f"/api/v3/orderList/{asked.kind}")
            connector.place_order_list(asked, timeout=1)
        elif still_open := connector.orders.open():
            chosen = random.choice(still_open)
            if what == "cancel":
                connector.cancel_order(chosen.client_order_id, timeout=LIMIT)
            else:
                connector.amend_order(chosen.client_order_id, "0.006", timeout=LIMIT)
    except ExconnError as error:
        # The market does not fit the list any more, or the order is over; who has no answer does not learn that soon.
        if error.outcome not in ("refused", "not_sent") and what != "unanswered":
            raise


def truth(orders: list[SimOrder]) -> dict[str, tuple[str, Any]]:
    words = {"pending_new": "new", "expired_in_match": "expired"}
    return {
        str(order.order_id): (words.get(order.status.value, order.status.value), order.filled_quantity)
        for order in orders
    }


@pytest.mark.parametrize("seed", range(4))
def test_what_became_of_every_list_is_known_in_the_end(seed: int, quiet: Simulator, connect: Connect) -> None:
    """(faults F068, F112)"""
    random = Random(seed)
    connector = connect(quiet)
    quiet.faults.rate_limits(orders_per_10s=1000)
    quiet.market.rules("BTCUSDT", max_algo_orders=100, max_order_lists=100)
    quiet.market.trade("BTCUSDT", "sell", "0.001")
    for number in range(STEPS):
        step(quiet, connector, random, number)
    real = truth(quiet.accounts.orders(quiet.api_key))
    assert len({status for status, _ in real.values()}) >= 3, "a run that shows little"

    def known() -> dict[str, tuple[str, Any]]:
        return {
            state.exchange_order_id: (str(state.status), state.filled_quantity)
            for state in connector.orders.history()
            if state.exchange_order_id is not None
        }

    eventually(lambda: known() == real)
    lists = {str(item.list_id): item.is_done for item in quiet.accounts.order_lists()}
    assert lists
    eventually(lambda: {name: connector.order_list(name).status == "all_done" for name in lists} == lists)
    assert [state.contradictions for state in connector.orders.history() if state.contradictions] == []
    eventually(lambda: len(connector.fills()) == len(quiet.accounts.fills(quiet.api_key)))
