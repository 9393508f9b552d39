"""What is read of answers of REST."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from exconn_sync.model.wire import RestCall
from exconn_sync.testing.contract import mutations
from exconn_sync.testing.contract.base import ContractBase, news_faults, none_of, read_or_refused
from exconn_sync.testing.contract.material import RECEIVED_AT, answer
from exconn_sync.testing.contract.values import faults_of, plain


def _parse(call: RestCall[Any], body: bytes) -> Any:
    return call.parse(answer(body))


class AnswersContract(ContractBase):
    """Documented answers become exact values; anything else is a ProtocolError and nothing else."""

    def _readers(self) -> dict[str, tuple[bytes, Callable[[bytes], Any]]]:
        offered, answers = self.material.offered(), self.examples.answers
        return {
            name: (answers[name], partial(_parse, calls[0])) for name, calls in offered.items() if name in answers
        }  # fmt: skip

    def test_there_is_an_example_for_each_call(self) -> None:
        offered = self.material.offered()
        known = {*self.examples.answers, *self.examples.left_out}
        problems = [f"{name}: no documented answer" for name in offered if name not in known]
        problems += [
            f"{name}: an answer to what is not offered" for name in self.examples.answers if name not in offered
        ]
        none_of(problems)

    def test_documented_answers_are_read(self) -> None:
        material, problems = self.material, []
        for name, (body, read) in self._readers().items():
            call = material.offered()[name][0]
            error = self.driver.error_of(answer(body), call)
            assert error is None, f"{name}: a success becomes {error!r}"
            value = read(body)
            exchange, symbol = self.driver.name, self.examples.symbol
            if name in ("fetch_instruments", "fetch_balances"):
                symbols = {part for field, part in plain(value) if field == "symbol"}
                problems += [f"{name}: {each!r} is no canonical symbol" for each in symbols if "-" not in each]
                continue
            problems += [f"{name}: {fault}" for fault in faults_of(value, exchange, symbol, RECEIVED_AT)]
        none_of(problems)

    def test_the_symbol_has_rules(self) -> None:
        one = self.material.instrument
        assert one.symbol == f"{one.base}-{one.quote}", "canonical symbols are BASE-QUOTE"
        assert one.tick_size > 0, "without steps of prices orders cannot be rounded"
        assert one.lot_step > 0, "without steps of quantities orders cannot be rounded"
        assert one.is_trading, "the documented symbol is traded"

    def test_the_clock_is_in_nanoseconds(self) -> None:
        found = self._readers()["server_time"][1](self.examples.answers["server_time"])
        assert type(found) is int, f"{found!r} is no whole number of nanoseconds"
        assert 10**18 < found < 10**19, f"{found} is no number of nanoseconds"

    def test_keys_of_the_future_change_nothing(self) -> None:
        problems = []
        for name, (body, read) in self._readers().items():
            before = plain(read(body))
            for changed in mutations.with_news(body, self.examples.open_objects):
                after, problem = read_or_refused(name, changed, read)
                if problem or plain(after) != before:
                    problems.append(problem or f"{name}: an unknown key changes what is read: {changed[:200]!r}")
        none_of(problems[:10])

    def test_damaged_answers_are_values_or_protocol_errors(self) -> None:
        problems = []
        for name, (body, read) in self._readers().items():
            for payload in (*mutations.truncated(body), *mutations.damaged(body), *mutations.hostile()):
                value, problem = read_or_refused(name, payload, read)
                if problem is None and any(isinstance(part, float) for _, part in plain(value)):
                    problem = f"{name}: a float out of {payload[:200]!r}"
                if problem is not None:
                    problems.append(problem)
        none_of(problems[:10])

    def test_news_in_answers_are_told_in_few_short_words(self) -> None:
        problems = []
        for name, (body, _) in self._readers().items():
            call = self.material.offered()[name][0]
            for payload in (body, *mutations.with_news(body, frozenset()), *mutations.hostile()):
                problems += news_faults(name, lambda p=payload, c=call: self.driver.unknown_in_answer(answer(p), c))  # type: ignore[misc]
        none_of(problems[:10])

    def test_what_is_cut_off_is_never_read(self) -> None:
        problems = []
        for name, (body, read) in self._readers().items():
            for payload in mutations.truncated(body):
                value, problem = read_or_refused(name, payload, read)
                if problem is None and value is not None:
                    problems.append(f"{name}: a value out of the {len(payload)} first bytes of an answer")
        none_of(problems[:10])
