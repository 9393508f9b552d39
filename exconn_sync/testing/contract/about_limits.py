"""Budgets and limits."""

from __future__ import annotations

from exconn_sync.model.limits import Lane
from exconn_sync.testing.contract.base import ContractBase, none_of
from exconn_sync.testing.contract.material import answer


class LimitsContract(ContractBase):
    """The tables of limits are sane, and every call takes from rules that there are."""

    def test_rate_rules_are_sane(self) -> None:
        rules = self.driver.rate_rules
        assert rules, "an exchange without any limit is none"
        problems = [f"{rule}: not positive" for rule in rules if rule.amount < 1 or rule.interval_ms < 1]
        keys = [(rule.limit, rule.interval_ms) for rule in rules]
        problems += [f"{key}: two rules of one limit and window" for key in keys if keys.count(key) > 1]
        none_of(problems)

    def test_costs_name_rules_that_there_are(self) -> None:
        known = {rule.limit for rule in self.driver.rate_rules}
        problems = []
        for name, calls in self.material.offered().items():
            for call in calls:
                if not call.costs:
                    problems.append(f"{name}: costs nothing")
                problems += [f"{name}: no rule for {cost.limit}" for cost in call.costs if cost.limit not in known]
                problems += [f"{name}: {cost.amount} of {cost.limit}" for cost in call.costs if cost.amount < 1]
        problems += [f"the account stream: {cost}" for cost in self.driver.account_costs if cost.limit not in known]
        none_of(problems)

    def test_cancels_go_first(self) -> None:
        offered = self.material.offered()
        late = [
            name
            for name in ("cancel_order", "cancel_all", "cancel_list")
            for call in offered.get(name, ())
            if call.lane is not Lane.CANCEL
        ]
        none_of([f"{name}: not in the lane of cancels" for name in late])

    def test_limits_of_streams_and_history_are_sane(self) -> None:
        limits, history = self.driver.stream_limits, self.driver.history_limits
        numbers = (
            limits.topics_per_connection, limits.topics_per_request, limits.requests_per_second, limits.connections,
            limits.connections_period, history.longest_ms, history.rows, self.driver.processing_limit_ms,
        )  # fmt: skip
        assert all(number > 0 for number in numbers), f"a limit is not positive: {numbers}"
        assert limits.topics_per_request <= limits.topics_per_connection
        assert limits.ping_every is None or limits.ping_every > 0
        assert self.driver.ping_frame is None or self.driver.ping_frame.decode(), "a ping is a text"

    def test_an_answer_that_says_nothing_of_budgets_says_nothing(self) -> None:
        for name, calls in self.material.offered().items():
            for call in calls:
                body = self.examples.answers.get(name, b"{}")
                # Without the headers of the exchange nothing may be made up.
                assert not self.driver.used_figures(answer(body), call), f"{name}: figures out of nothing"

    def test_stated_rules_are_sane(self) -> None:
        for name, calls in self.material.offered().items():
            if name in self.examples.answers:
                for rule in self.driver.stated_rules(answer(self.examples.answers[name]), calls[0]):
                    assert rule.limit, f"{name}: {rule}"
                    assert rule.amount > 0, f"{name}: {rule}"
                    assert rule.interval_ms > 0, f"{name}: {rule}"
