"""Signing in to the account stream, and its frames."""

from __future__ import annotations

from functools import partial
from typing import Any

from exconn_sync.model.account import Balance
from exconn_sync.model.orders import Fill, OrderFact
from exconn_sync.model.wire import LoginReply, Pong, ServerNotice, Unrecognized
from exconn_sync.ports.driver import PartlyKnown
from exconn_sync.testing.contract import mutations
from exconn_sync.testing.contract.base import ContractBase, none_of, read_or_refused
from exconn_sync.testing.contract.material import RECEIVED_AT, TIMESTAMP_MS, WINDOW_MS
from exconn_sync.testing.contract.values import faults_of, plain

_MESSAGES = (PartlyKnown, LoginReply, ServerNotice, Pong, Unrecognized)


class AccountContract(ContractBase):
    """Facts of the account are exact, and none is made up."""

    def _read(self, frame: bytes) -> Any:
        return self.driver.parse_account(frame, RECEIVED_AT, self.material.instruments)

    def test_the_sign_in_names_the_key_and_covers_the_time(self) -> None:
        signer = self.material.signer
        frame = self.driver.encode_login(signer, TIMESTAMP_MS, WINDOW_MS, 7)
        assert self.examples.api_key in frame.decode(), "the sign-in does not name the key"
        for other in ((TIMESTAMP_MS + 1, 7), (TIMESTAMP_MS, 8)):
            assert frame != self.driver.encode_login(signer, other[0], WINDOW_MS, other[1]), "time and id stand in it"
        one, two = (self.driver.encode_account_subscribe(number) for number in (7, 8))
        assert one.decode() != two.decode(), "the id of a request is not in it"

    def test_there_are_frames_of_each_kind(self) -> None:
        found = [self._read(frame) for frame in self.examples.account_frames]
        facts = [fact for each in found for fact in _facts(each)]
        for kind in (OrderFact, Fill, Balance):
            assert any(isinstance(fact, kind) for fact in facts), f"no documented frame with a {kind.__name__}"
        replies = [each for each in found if isinstance(each, LoginReply)]
        assert any(reply.error is None for reply in replies), "no documented answer to a sign-in that succeeded"

    def test_frames_become_facts(self) -> None:
        problems, name, symbol = [], self.driver.name, self.examples.symbol
        for frame in self.examples.account_frames:
            for fact in _facts(self._read(frame)):
                problems += faults_of(fact, name, symbol, RECEIVED_AT)
                if isinstance(fact, (OrderFact, Fill)) and fact.source != "stream":
                    problems.append(f"the source is {fact.source}: it came over the stream")
        none_of(problems)

    def test_keys_of_the_future_change_nothing(self) -> None:
        problems = []
        for frame in self.examples.account_frames:
            before = plain(self._read(frame))
            for payload in mutations.with_news(frame, self.examples.open_objects):
                value, problem = read_or_refused("account", payload, self._read)
                if problem or plain(value) != before:
                    problems.append(problem or f"account: an unknown key changes what is read: {payload[:200]!r}")
        none_of(problems[:10])

    def test_damaged_frames_are_facts_or_protocol_errors(self) -> None:
        problems = []
        for frame in self.examples.account_frames:
            for payload in (*mutations.truncated(frame), *mutations.damaged(frame), *mutations.hostile()):
                value, problem = read_or_refused("account", payload, self._read)
                if problem is None and any(isinstance(part, float) for _, part in plain(value)):
                    problem = f"account: a float out of {payload[:200]!r}"
                is_message = value is None or isinstance(value, (*_MESSAGES, list, tuple))
                if problem is None and not is_message:
                    problem = f"account: {value!r} out of {payload[:200]!r}"
                problems += [] if problem is None else [problem]
        none_of(problems[:10])

    def test_unknown_frames_are_counted(self) -> None:
        new = self._read(b'{"a_kind_of_the_future": {"deep": []}}')
        assert isinstance(new, Unrecognized), f"an unknown frame is counted as such, and is {new}"

    def test_unknown_words_are_survived(self) -> None:
        """A status of the future is no crash, and no status that was made up."""
        read = partial(read_or_refused, "account", read=self._read)
        for frame in self.examples.account_frames:
            known = {fact.status for fact in _facts(self._read(frame)) if isinstance(fact, OrderFact)}
            for payload in mutations.damaged(frame):
                value, problem = read(payload)
                assert problem is None, problem
                if b'"NEW_WORD"' in payload:
                    made = {fact.status for fact in _facts(value) if isinstance(fact, OrderFact)}
                    assert made <= known | {None}, f"{made - known} out of {payload[:200]!r}"


def _facts(message: Any) -> list[Any]:
    if isinstance(message, PartlyKnown):
        return list(message.facts)
    return list(message) if isinstance(message, (list, tuple)) else []
