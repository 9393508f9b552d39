"""Waiting for conditions: what ends a wait, and what a new beginning forgets."""

from __future__ import annotations

import pytest

from exconn_sync._runtime.readiness import Readiness
from exconn_sync._runtime.stop_signal import StopSignal
from exconn_sync.errors import ConnectorStopped
from tests.unit.support import Background, until


def test_a_stop_ends_a_wait_that_has_begun() -> None:
    """A worker that is replaced does not wait on for what its connector lacks (fault F144)."""
    readiness, stop = Readiness({"rest": ["clock"]}), StopSignal()
    waiting = Background(lambda: readiness.wait("rest", None, stop))
    until(lambda: readiness._changed._waiters)  # type: ignore[attr-defined]
    stop.set()
    with pytest.raises(ConnectorStopped):
        waiting.result()


def test_a_new_beginning_has_not_been_ready() -> None:
    readiness = Readiness({"rest": ["clock"]})
    readiness.met("clock")
    readiness.lost("clock")
    states = [readiness.has_been("rest")]
    readiness.reopen()
    states.append(readiness.has_been("rest"))
    assert states == [True, False]
