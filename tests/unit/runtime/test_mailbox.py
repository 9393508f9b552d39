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
from tests.unit.support import LIMIT, SECOND, Background, fixed, until

# What is put (batches of some size), taken one by one, or drained, in some order.
steps = st.lists(st.one_of(st.integers(0, 8), st.sampled_from(["take", "drain"])), max_size=40)


class Lost:
    """Stands in the model where one event was lost."""


class Model:
    """The obvious way to do it: one list of events and losses, in their order."""

    def __init__(self, capacity: int, policy: str) -> None:
        self.capacity, self.policy = capacity, policy
        self.sequence: list[int | Lost] = []
        self.dropped = 0

    @property
    def items(self) -> list[int]:
        return [item for item in self.sequence if isinstance(item, int)]

    def put(self, events: list[int]) -> None:
        for event in events:
            same = [item for item in self.items if item % 3 == event % 3]
            if self.policy == "conflate" and same:
                place = self.sequence.index(same[0])
                self.sequence[place : place + 1] = [self.lost(), event]
            elif self.policy == "conflate" or not self.capacity or len(self.items) < self.capacity:
                self.sequence.append(event)
            elif self.policy == "drop_newest":
                self.sequence.append(self.lost())
            else:
                self.sequence[self.sequence.index(self.items[0])] = self.lost()
                self.sequence.append(event)

    def lost(self) -> Lost:
        self.dropped += 1
        return Lost()

    def take(self) -> tuple[int, int]:
        """Return the first event and the number of those lost before it."""
        event = self.items[0]
        missed = self.sequence.index(event)
        del self.sequence[: missed + 1]
        return event, missed

    def drain(self) -> list[int | str]:
        """Return everything, with losses as texts."""
        shown, self.sequence = shown_of(self.sequence), []
        return shown


def shown_of(sequence: list[int | Lost]) -> list[int | str]:
    shown: list[int | str] = []
    lost = 0
    for item in [*sequence, None]:
        if isinstance(item, Lost):
            lost += 1
            continue
        if lost:
            shown.append(f"lost {lost}")
            lost = 0
        if item is not None:
            shown.append(item)
    return shown


def shown(batch: Batch) -> list[Any]:
    """Return events and gaps of a batch in their order."""
    gaps = {number - batch.first: count for number, count in batch.gaps}
    found: list[Any] = []
    for place in range(len(batch.events) + 1):
        found += [f"lost {gaps[place]}"] if place in gaps else []
        found += batch.events[place : place + 1]
    return found


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "conflate", "block"])
@pytest.mark.parametrize("capacity", [0, 1, 5])
@fixed
@given(steps)
def test_it_keeps_counts_and_tells_in_sequence_exactly_what_the_policy_says(
    policy: str, capacity: int, plan: list[Any]
) -> None:
    """Faults F156, F157."""
    mailbox = Mailbox(capacity, policy, lambda event: int(event) % 3)
    mailbox.let_writers_wait(False)
    model = Model(capacity, policy)
    number = 0
    for step in plan:
        if step == "take" and model.items:
            assert (mailbox.take(0), mailbox.missed) == model.take()
        elif step == "take":
            with pytest.raises(queue.Empty):
                mailbox.take(0)
        elif step == "drain" and model.items:
            batch = mailbox.drain(0)
            assert batch is not None
            assert shown(batch) == model.drain()
        elif step == "drain":
            assert mailbox.drain(0) is None
        else:
            events = list(range(number, number + step))
            number += step
            mailbox.put_batch(events)
            model.put(events)
        assert mailbox.pending == len(model.items)
        assert mailbox.dropped == model.dropped
        assert (mailbox.waiting_since is None) == (not model.items)


@pytest.mark.parametrize("policy", ["drop_oldest", "drop_newest", "conflate", "block"])
@fixed
@given(st.lists(st.one_of(st.integers(1, 8), st.sampled_from(["take", "drain"])), max_size=40))
def test_the_age_of_the_oldest_is_known(policy: str, plan: list[Any]) -> None:
    now = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("exconn_sync._runtime.mailbox.monotonic_ns", lambda: now)
        # Every event is of its own symbol, so that none replaces another.
        mailbox = Mailbox(5, policy, lambda event: event)
        mailbox.let_writers_wait(False)
        waiting: list[int] = []
        for step in plan:
            now += 20_000_000
            if step == "take" and waiting:
                waiting.remove(mailbox.take(0))
            elif step == "drain" and waiting:
                batch = mailbox.drain(0)
                assert batch is not None
                since = [
                    [at for begin, at in batch.marks if begin <= batch.first + place][-1]
                    for place in range(len(batch.events))
                ]
                assert since == batch.events
                waiting = []
            elif isinstance(step, int):
                # An event is the time when it came.
                mailbox.put_batch([now] * step if policy != "conflate" else [now])
                count = 1 if policy == "conflate" else step
                room = 5 - len(waiting)
                new = [now] * (min(count, room) if policy == "drop_newest" else count)
                waiting = (waiting + new) if policy == "conflate" else (waiting + new)[-5:]
            assert mailbox.waiting_since == (waiting[0] if waiting else None)


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


def test_a_blocked_writer_gives_up_the_oldest_after_its_limit() -> None:
    mailbox = Mailbox(2, "block", block_limit=0.02)
    Background(lambda: mailbox.put_batch([1, 2, 3, 4])).result()
    batch = mailbox.drain(0)
    assert batch is not None
    assert shown(batch) == ["lost 2", 3, 4]
    assert mailbox.dropped == 2


def test_a_reader_that_took_nothing_within_the_limit_is_waited_for_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A callback that never returns holds up the connection once, not with each batch (fault F136)."""
    mailbox = Mailbox(1, "block", block_limit=3.0)
    waits: list[float] = []
    now = 0

    def wait(seconds: float) -> bool:
        nonlocal now
        waits.append(seconds)
        now += int(seconds * SECOND)
        return False

    beats: list[float] = []
    monkeypatch.setattr("exconn_sync._runtime.mailbox.monotonic_ns", lambda: now)
    monkeypatch.setattr("exconn_sync._runtime.mailbox.beat", lambda: beats.append(now / SECOND))
    monkeypatch.setattr(mailbox.not_full, "wait", wait)
    mailbox.put_batch([1, 2])
    assert (waits, beats) == ([1.0, 1.0, 1.0], [0.0, 1.0, 2.0])
    mailbox.put_batch([3, 4])
    assert len(waits) == 3
    assert mailbox.take(0) == 4
    assert mailbox.missed == 3
    mailbox.put_batch([5, 6])
    assert len(waits) == 6


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
    batch = mailbox.drain(None)
    assert batch is not None
    assert batch.events == [2]
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
