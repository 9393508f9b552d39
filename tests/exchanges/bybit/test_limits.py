"""What requests cost at Bybit, and what its answers say about that (Bybit: 3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from exconn_sync._machines.request_budget import EVERYTHING, Refused, RequestBudget, When
from exconn_sync._transport.budget import Budget, Grant
from exconn_sync._transport.budget_file import FileStore
from exconn_sync.exchanges.bybit import endpoints as urls
from exconn_sync.exchanges.bybit.driver import DRIVER
from exconn_sync.exchanges.bybit.limits import costs_of, lane_of
from exconn_sync.model.limits import Lane, UsedFigure
from exconn_sync.model.wire import Cost
from tests.exchanges.bybit.support import envelope, read_call, refusal, response

RULES = {rule.limit: rule for rule in DRIVER.rate_rules}


def test_an_address_may_ask_so_much_in_any_five_seconds() -> None:
    """(Bybit: 3.1)"""
    rule = RULES["REQUESTS"]
    assert (rule.amount, rule.interval_ms, rule.is_per_account, rule.is_rolling) == (600, 5_000, False, True)


@pytest.mark.parametrize(
    ("path", "amount"),
    [
        (urls.CREATE, 20), (urls.AMEND, 10), (urls.CANCEL, 20), (urls.CANCEL_ALL, 20), (urls.CREATE_BATCH, 20),
        (urls.AMEND_BATCH, 20), (urls.CANCEL_BATCH, 20), (urls.SET_DCP, 5), (urls.REALTIME, 50), (urls.HISTORY, 50),
        (urls.EXECUTIONS, 50), (urls.WALLET_BALANCE, 50), (urls.FEE_RATE, 5), (urls.TRANSACTION_LOG, 25),
        (urls.KEY_INFO, 10), (urls.COIN_BALANCES, 5),
    ],
)  # fmt: skip
def test_an_account_may_do_so_much_with_an_endpoint_in_any_second(path: str, amount: int) -> None:
    """(Bybit: 3.2)"""
    rule = RULES[path]
    assert (rule.amount, rule.interval_ms, rule.is_per_account, rule.is_rolling) == (amount, 1_000, True, True)
    assert costs_of(path) == (Cost("REQUESTS", 1), Cost(path, 1))


def test_a_batch_costs_its_orders_of_a_budget_of_its_own() -> None:
    """(Bybit: 3.3)"""
    assert costs_of(urls.CREATE_BATCH, 8) == (Cost("REQUESTS", 1), Cost(urls.CREATE_BATCH, 8))


def test_public_data_cost_the_address_only() -> None:
    assert costs_of(urls.TICKERS) == (Cost("REQUESTS", 1),)
    assert costs_of("/v5/from/the-future") == (Cost("REQUESTS", 1),)


def test_cancels_go_first_and_looks_for_orders_are_never_bulk() -> None:
    assert {lane_of("POST", path) for path in (urls.CANCEL, urls.CANCEL_ALL, urls.CANCEL_BATCH)} == {Lane.CANCEL}
    assert lane_of("POST", urls.CREATE) is None
    assert lane_of("GET", urls.REALTIME) is Lane.QUERY
    assert lane_of("GET", urls.KLINE) is None


def told(limit: str, left: str, path: str = urls.CREATE) -> list[UsedFigure]:
    headers = {"x-bapi-limit": limit, "x-bapi-limit-status": left, "x-bapi-limit-reset-timestamp": "1700000000000"}
    return list(DRIVER.used_figures(response(envelope({}), 200, headers), read_call(path)))


def test_the_headers_tell_what_is_used_of_the_endpoint() -> None:
    """(Bybit: 3.1; fault F080)"""
    assert told("20", "17") == [UsedFigure(urls.CREATE, 1_000, 3, 20)]
    assert told("40", "0") == [UsedFigure(urls.CREATE, 1_000, 40, 40)]
    assert told("20", "25") == [UsedFigure(urls.CREATE, 1_000, 0, 20)]
    assert told("0", "0") == [UsedFigure(urls.CREATE, 1_000, 0)]
    assert told("20", "17", urls.TICKERS) == []


@pytest.mark.parametrize("text", ["", "-1", "1.5", "many", "٣", "9" * 10])
def test_a_figure_that_cannot_be_read_says_nothing(text: str) -> None:
    assert told(text, "5") == told("20", text) == []


def test_a_refusal_for_the_limit_means_that_all_of_it_is_used() -> None:
    """Also where the headers do not say so: the next request must not follow at once (fault F080)."""
    answer = response(refusal(10006))
    assert DRIVER.used_figures(answer, read_call(urls.CREATE)) == [UsedFigure(urls.CREATE, 1_000, 20)]
    assert DRIVER.used_figures(answer, read_call(urls.TICKERS)) == []
    assert DRIVER.used_figures(response(refusal(170131)), read_call(urls.CREATE)) == []


def test_processes_of_one_host_share_an_endpoint_and_a_ban(tmp_path: Path) -> None:
    """The same code as for every exchange keeps limits that hold for any span (Bybit: 3.1, 3.2; fault F128)."""
    rules = list(DRIVER.rate_rules)
    one, other = (
        Budget(rules, FileStore(tmp_path / "budgets", "bybit", lambda: RequestBudget(rules))) for _ in range(2)
    )
    for each in (one, other):
        each.enter()

    def moment() -> When:
        return When(1_700_000_000_000)

    costs = costs_of(urls.FEE_RATE)
    grants = [each.take(costs, "me", Lane.QUERY, moment) for each in (one, other, one, other, one)]
    assert all(isinstance(grant, Grant) for grant in grants)
    refused = other.take(costs, "me", Lane.QUERY, moment)
    assert isinstance(refused, Refused)
    assert refused.limit == urls.FEE_RATE
    assert isinstance(one.take(costs, "somebody else", Lane.QUERY, moment), Grant)
    first = grants[0]
    assert isinstance(first, Grant)
    one.settle(first, moment, DRIVER.used_figures(response(envelope({})), read_call(urls.FEE_RATE)), has_succeeded=True)
    one.silence(EVERYTHING, 600.0, 60.0, first.lease.taken_ms, moment)
    banned = other.take(costs_of(urls.TIME), "", Lane.CANCEL, moment)
    assert isinstance(banned, Refused)
    assert (banned.limit, banned.wait) == (EVERYTHING, 600.0)
    for each in (one, other):
        each.leave()
