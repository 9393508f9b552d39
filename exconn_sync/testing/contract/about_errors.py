"""What error answers prove."""

from __future__ import annotations

from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.model.wire import RestCall
from exconn_sync.testing.contract import mutations
from exconn_sync.testing.contract.base import ContractBase, none_of
from exconn_sync.testing.contract.material import answer

_GATEWAY = b"<html><body>502 Bad Gateway</body></html>"


class ErrorsContract(ContractBase):
    """Nothing counts as refused without proof: the rule that orders are not placed twice by."""

    def _command(self) -> RestCall[Any]:
        return (self.material.calls("place_order") or [])[0]

    def _question(self) -> RestCall[Any]:
        return (self.material.calls("fetch_open_orders") or [])[0]

    def _error(self, status: int, body: bytes, call: RestCall[Any]) -> ExconnError:
        found = self.driver.error_of(answer(body, status), call)
        assert found is not None, f"HTTP {status} {body[:100]!r} counts as a success"
        assert found.exchange == self.driver.name, "an error names the exchange"
        assert str(found).isprintable(), "an error is one printable line"
        assert self.examples.api_secret not in str(found)
        return found

    def test_refusals_become_errors_of_their_kind(self) -> None:
        problems = []
        for example in self.examples.refusals:
            found = self._error(example.status, example.body, self._command())
            if type(found) is not example.error:
                problems.append(f"{example.body[:100]!r}: {type(found).__name__} and not {example.error.__name__}")
            if found.outcome != "refused":
                problems.append(f"{example.body[:100]!r}: the outcome is {found.outcome}, and nothing was done")
            if "exchange_code" not in found.details:
                problems.append(f"{example.body[:100]!r}: details have no exchange_code")
        none_of(problems)

    def test_questions_have_no_outcome(self) -> None:
        for example in self.examples.refusals:
            found = self._error(example.status, example.body, self._question())
            assert found.outcome is None, f"{example.body[:100]!r}: a question has the outcome {found.outcome}"

    def test_an_unknown_code_is_no_refusal(self) -> None:
        body = self.examples.unknown_refusal
        for status in (400, 409, 500, 503):
            found = self._error(status, body, self._command())
            assert found.outcome == "unknown", f"HTTP {status} with an unknown code counts as {found.outcome}"

    def test_a_failing_server_proves_nothing(self) -> None:
        for status in (500, 502, 503, 504, 520):
            for body in (b"", _GATEWAY, b"{}", b"null"):
                found = self._error(status, body, self._command())
                assert found.outcome == "unknown", f"HTTP {status} {body!r} counts as {found.outcome}"

    def test_whatever_comes_is_an_error(self) -> None:
        bodies = [example.body for example in self.examples.refusals[:3]]
        strange = [payload for body in bodies for payload in mutations.damaged(body)]
        for body in (*strange, *mutations.hostile()):
            for call in (self._command(), self._question()):
                found = self.driver.error_of(answer(body, 400), call)
                assert isinstance(found, ExconnError), f"HTTP 400 {body[:200]!r} counts as a success"

    def test_texts_of_the_exchange_are_cleaned(self) -> None:
        example = self.examples.refusals[0]
        texts = []
        for payload in mutations.damaged(example.body):
            dirty = payload.replace(b"NEW_WORD", b"line\\nend\\u001b[31m" + b"x" * 1000)
            found = self.driver.error_of(answer(dirty, example.status), self._command())
            # Without its code it may be no error any more, where errors have the status of a success.
            texts += [] if found is None else [str(found)]
        assert texts, "no error was left of any of them"
        none_of([f"not cleaned: {text!r}" for text in texts if not text.isprintable()])
        none_of([f"not shortened: {len(text)} characters" for text in texts if len(text) > 500])
