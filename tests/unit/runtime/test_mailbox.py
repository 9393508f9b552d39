"""Mailboxes: what gives way when they are full is chosen, counted and told."""

from __future__ import annotations

import queue
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exconn_sync._runtime.mailbox import Batch, Mailbox
from exconn_sync.errors import ValidationError
from tests.unit.support import LIMIT, Background, fixed, until

# What is put (batches of some size), taken one by one, or drained, in some order.
steps = st.lists(st.one_of(st.integers(0, 8), st.sampled_from(["take", "drain"])), max_size=40)


class Model:
    """The obvious way to do it."""

    def __init__(self, capacity: int, policy: str) -> None:
        self.capacity, self.policy = capacity, policy
        self.items: list[int] = []
        self.dropped = self.missed = 0

    def put(self, events: list[int]) -> None:
        for event in events:
            if self.policy == "conflate":
                same = [item for item in self.items if item % 3 == event % 3]
                if same:
                    self.items[self.items.index(same[0])] = event
                    self.lose()
                else:
                    self.items.append(event)
            elif not self.capacity or len(self.items) < self.capacity:
                self.items.append(event)
            else:
                if self.policy == "drop_oldest":
                    self.items = [*self.items[1:], event]
                self.lose()

    def lose(self) -> None:
        self.dropped += 1
        self.missed += 1


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "conflate"])
@pytest.mark.parametrize("capacity", [0, 1, 5])
@fixed
@given(steps)
def test_it_keeps_and_counts_exactly_what_the_policy_says(policy: str, capacity: int, plan: list[Any]) -> None:
    mailbox = Mailbox(capacity, policy, lambda event: int(event) % 3)
    model = Model(capacity, policy)
    number = 0
    for step in plan:
        if step == "take":
            if model.items:
                assert mailbox.take(0) == model.items.pop(0)
                model.missed = 0
            else:
                with pytest.raises(queue.Empty):
                    mailbox.take(0)
        elif step == "drain":
            batch = mailbox.drain(0)
            if model.items:
                before, after = (0, model.missed) if policy == "drop_newest" else (model.missed, 0)
                assert batch == Batch(model.items, before, after)
                model.items, model.missed = [], 0
            else:
                assert batch is None
        else:
            events = list(range(number, number + step))
            number += step
            mailbox.put_batch(events)
            model.put(events)
        assert mailbox.pending == len(model.items)
        assert mailbox.dropped == model.dropped


def test_an_unknown_policy_and_a_conflation_without_symbols_are_refused() -> None:
    with pytest.raises(ValidationError):
        Mailbox(1, "explode")
    with pytest.raises(ValidationError):
        Mailbox(1, "conflate")


def test_a_blocked_writer_waits_for_a_slow_reader_and_loses_nothing() -> None:
    mailbox = Mailbox(3, "block")

    def write() -> None:
        for number in range(0, 200, 2):
            mailbox.put_batch([number, number + 1])

    writer = Background(write)
    got: list[int] = []
    until(lambda: mailbox.pending == 3)
    assert writer.is_running
    while len(got) < 200:
        got.append(mailbox.take(LIMIT))
        assert mailbox.pending <= 3
    writer.result()
    assert got == list(range(200))
    assert mailbox.dropped == 0


def test_a_batch_larger_than_the_mailbox_reaches_a_sleeping_reader() -> None:
    mailbox = Mailbox(2, "block")
    got: list[int] = []

    def read() -> None:
        while len(got) < 50:
            batch = mailbox.drain(LIMIT)
            assert batch is not None
            got.extend(batch.events)

    reader = Background(read)
    Background(lambda: mailbox.put_batch(list(range(50)))).result()
    reader.result()
    assert got == list(range(50))


def test_a_blocked_writer_gives_up_the_oldest_after_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exconn_sync._runtime.mailbox.BLOCK_LIMIT", 0.02)
    mailbox = Mailbox(2, "block")
    Background(lambda: mailbox.put_batch([1, 2, 3, 4])).result()
    assert mailbox.drain(0) == Batch([3, 4], 2, 0)
    assert mailbox.dropped == 2


@pytest.mark.parametrize("end", [Mailbox.seal, Mailbox.discard])
def test_the_end_wakes_readers_and_blocked_writers(end: Any) -> None:
    mailbox = Mailbox(1, "block")
    mailbox.put_batch([1])
    writer = Background(lambda: mailbox.put_batch([2]))
    empty = Mailbox(1, "drop_oldest")
    drainer, started = None, threading.Event()

    def drain() -> Any:
        started.set()
        return empty.drain(None)

    drainer = Background(drain)
    assert started.wait(LIMIT)
    end(mailbox)
    end(empty)
    writer.result()
    assert drainer.result() is None


def test_a_sealed_mailbox_still_gives_what_it_has() -> None:
    mailbox = Mailbox(5, "drop_oldest")
    mailbox.put_batch([1, 2])
    mailbox.seal()
    mailbox.put_batch([3])
    assert mailbox.take(None) == 1
    assert mailbox.drain(None) == Batch([2], 0, 0)
    assert mailbox.drain(None) is None
    with pytest.raises(queue.Empty):
        mailbox.take(None)


def test_a_discarded_mailbox_lets_go_of_everything() -> None:
    mailbox = Mailbox(5, "drop_oldest")
    mailbox.put_batch([1, 2])
    mailbox.discard()
    assert mailbox.pending == 0
    assert mailbox.is_closed
    assert mailbox.drain(None) is None
