"""Topics and frames of the public stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import Channel
from exconn_sync.model.market import BookDiff, MarketEvent
from exconn_sync.model.wire import Pong, ServerNotice, SubscriptionReply, Topic, Unrecognized
from exconn_sync.testing.contract import mutations
from exconn_sync.testing.contract.base import ContractBase, news_faults, none_of, read_or_refused, refused
from exconn_sync.testing.contract.material import RECEIVED_AT
from exconn_sync.testing.contract.values import faults_of, plain

_CONTROLS = (SubscriptionReply, ServerNotice, Pong, Unrecognized)


class StreamsContract(ContractBase):
    """Names of topics lead there and back; frames become exact events, whole or not at all."""

    def _topics(self) -> list[Topic]:
        streams = self.driver.capabilities(self.driver.environments[0]).streams
        symbol = self.examples.symbol
        return [
            Topic(Channel(word), symbol, self.driver.variant(Channel(word), variant))
            for word, variants in streams.items()
            for variant in variants
        ]

    def _reader(self, topic: Topic) -> Callable[[bytes], list[MarketEvent]]:
        decode, span = self.driver.decoder(topic), self.driver.span(topic)

        def read(frame: bytes) -> list[MarketEvent]:
            events: list[MarketEvent] = []
            try:
                decode(frame, RECEIVED_AT, events.append)
            except ExconnError:
                assert not events, f"{topic.name}: a frame that is refused has emitted something: {frame[:200]!r}"
                raise
            for event in events if span is not None else ():
                first, last = span(event) if span is not None else (0, 0)
                assert first <= last, f"{topic.name}: the numbers of an event go backwards: {first}, {last}"
            return events

        return read

    def test_a_topic_has_one_spelling_and_a_name_of_its_own(self) -> None:
        topics, one = self._topics(), self.material.instrument
        for topic in topics:
            assert self.driver.variant(topic.channel, topic.variant) == topic.variant, f"{topic.name}: two spellings"
        names = [self.driver.topic_name(topic, one) for topic in topics]
        assert len(set(names)) == len(topics), f"two topics share a name: {names}"
        for word, variants in self.driver.capabilities(self.driver.environments[0]).streams.items():
            assert self.driver.variant(Channel(word)) == variants[0], f"{word}: the usual variant comes first"

    def test_what_is_not_offered_is_refused(self) -> None:
        for channel in Channel:
            if channel not in self.driver.channels:
                refused(channel, lambda c=channel: self.driver.variant(c))  # type: ignore[misc]
            else:
                refused(channel, lambda c=channel: self.driver.variant(c, "no such variant"))  # type: ignore[misc]

    def test_subscriptions_name_their_topics(self) -> None:
        one = self.material.instrument
        names = [self.driver.topic_name(topic, one) for topic in self._topics()]
        begin, end = self.driver.encode_subscribe(names, 7), self.driver.encode_unsubscribe(names, 7)
        assert begin != end, "subscribing and ending are the same frame"
        assert begin != self.driver.encode_subscribe(names, 8), "the id of a request is not in it"
        for frame in (begin, end):
            assert isinstance(json.loads(frame), (dict, list)), "a request is JSON"
            assert all(name in frame.decode() for name in names), "a topic is not named"
        listing = self.driver.encode_list(7)
        assert listing is None or listing.decode(), "a question is a text"

    def test_there_are_frames_of_each_channel(self) -> None:
        known = {key.partition(".")[0] for key in self.examples.frames} | set(self.examples.left_out)
        none_of([f"{channel}: no documented frame" for channel in self.driver.channels if channel not in known])

    def test_frames_name_their_topic(self) -> None:
        for key, frames in self.examples.frames.items():
            name = self.driver.topic_name(self.material.topic(key), self.material.instrument)
            for frame in frames:
                found = self.driver.topic_of_frame(frame)
                assert found == name, f"{key}: the frame belongs to {found!r} and not to {name!r}"
        for frame in self.examples.control_frames:
            assert self.driver.topic_of_frame(frame) is None, f"a control frame has a topic: {frame[:200]!r}"

    def test_frames_become_events(self) -> None:
        problems = []
        for key, frames in self.examples.frames.items():
            for frame in frames:
                events = self._reader(self.material.topic(key))(frame)
                assert events, f"{key}: nothing out of {frame[:200]!r}"
                problems += [
                    f"{key}: {fault}"
                    for event in events
                    for fault in faults_of(event, self.driver.name, self.examples.symbol, RECEIVED_AT)
                ]
        none_of(problems)

    def test_damaged_frames_are_events_or_protocol_errors(self) -> None:
        problems = []
        for key, frames in self.examples.frames.items():
            read = self._reader(self.material.topic(key))
            for frame in frames:
                before = plain(read(frame))
                for payload in (*mutations.truncated(frame), *mutations.damaged(frame), *mutations.hostile()):
                    value, problem = read_or_refused(key, payload, read)
                    problem = problem or _floats(key, value, payload)
                    problems += [] if problem is None else [problem]
                for payload in mutations.with_news(frame, self.examples.open_objects):
                    value, problem = read_or_refused(key, payload, read)
                    if problem or plain(value) != before:
                        problems.append(problem or f"{key}: an unknown key changes what is read: {payload[:200]!r}")
        none_of(problems[:10])

    def test_news_in_frames_are_told_in_few_short_words(self) -> None:
        problems = []
        for frame in (*(each for frames in self.examples.frames.values() for each in frames), *mutations.hostile()):
            problems += news_faults("frame", lambda f=frame: self.driver.unknown_in_frame(f))  # type: ignore[misc]
        for frame in self.examples.account_frames:
            for payload in mutations.with_news(frame, frozenset()):
                problems += news_faults("account", lambda f=payload: self.driver.unknown_in_frame(f))  # type: ignore[misc]
        none_of(problems[:10])

    def test_control_frames_are_understood(self) -> None:
        found = [self.driver.parse_control(frame) for frame in self.examples.control_frames]
        replies = [reply for reply in found if isinstance(reply, SubscriptionReply)]
        assert any(not reply.error for reply in replies), "no example of a subscription that succeeded"
        assert any(reply.error for reply in replies), "no example of a subscription that was refused"
        new = self.driver.parse_control(b'{"a_kind_of_the_future": {"deep": []}}')
        assert isinstance(new, Unrecognized), f"an unknown frame is counted as such, and is {new}"

    def test_damaged_control_frames_are_values_or_protocol_errors(self) -> None:
        problems = []
        for frame in self.examples.control_frames:
            for payload in (*mutations.truncated(frame), *mutations.damaged(frame), *mutations.hostile()):
                value, problem = read_or_refused("control", payload, self.driver.parse_control)
                if problem is None and value is not None and not isinstance(value, _CONTROLS):
                    problem = f"control: {value!r} out of {payload[:200]!r}"
                problems += [] if problem is None else [problem]
                _, problem = read_or_refused("topic", payload, self.driver.topic_of_frame)
                problems += [] if problem is None else [problem]
        none_of(problems[:10])

    def test_books_notice_what_is_missing(self) -> None:
        if Channel.ORDER_BOOK not in self.driver.channels:
            return
        judged = [self.driver.judge_diff(1000, self._diff(number)) for number in (1000, 1001, 1050)]
        assert judged == ["ignore", "apply", "gap"], f"known, next and far ahead are judged {judged}"

    def _diff(self, number: int) -> BookDiff:
        name, symbol = self.driver.name, self.examples.symbol
        return BookDiff(name, symbol, number, number, [], [], None, RECEIVED_AT)


def _floats(what: str, value: Any, payload: bytes) -> str | None:
    has_one = any(isinstance(part, float) for _, part in plain(value))
    return f"{what}: a float out of {payload[:200]!r}" if has_one else None
