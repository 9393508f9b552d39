"""Who goes first where not all can go."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync._machines.lanes import Lanes, Ticket
from exconn_sync.model.limits import Lane

WEIGHT, ORDERS = frozenset({"weight"}), frozenset({"weight", "orders"})


def waiting(lanes: Lanes, *wanted: tuple[Lane, frozenset[str], str | None]) -> list[Ticket]:
    tickets = []
    for number, (lane, limits, lacks) in enumerate(wanted):
        ticket = Ticket(lane, number, limits, lacks)
        lanes.wait(ticket)
        tickets.append(ticket)
    return tickets


def test_the_first_of_a_lane_is_served_first() -> None:
    """(fault F160)"""
    lanes = Lanes()
    first, second, third = waiting(lanes, *[(Lane.QUERY, WEIGHT, None)] * 3)
    assert [lanes.blocker(each) for each in (first, second, third)] == [None, first, first]
    assert lanes.leave(first) == [second]
    assert lanes.leave(third) == [second], "one that gives up lets nobody past the others"
    assert lanes.leave(second) == []
    assert len(lanes) == 0


def test_a_cancel_goes_before_orders_before_questions_before_bulk() -> None:
    """(faults F159, F160)"""
    lanes = Lanes()
    order = [Lane.BULK, Lane.QUERY, Lane.ORDER, Lane.CANCEL]
    tickets = waiting(lanes, *[(lane, WEIGHT, None) for lane in order])
    served = []
    while len(lanes):
        ready = [each for each in tickets if lanes.blocker(each) is None]
        served.append(ready[-1].lane)
        lanes.leave(ready[-1])
        tickets.remove(ready[-1])
    assert served == [Lane.CANCEL, Lane.ORDER, Lane.QUERY, Lane.BULK]


def test_who_arrives_waits_behind_those_who_wait_for_what_he_needs() -> None:
    """(fault F160)"""
    lanes = Lanes()
    (before,) = waiting(lanes, (Lane.QUERY, WEIGHT, "weight"))
    assert lanes.blocker(Ticket(Lane.QUERY, 9, WEIGHT)) is before
    assert lanes.blocker(Ticket(Lane.ORDER, 9, ORDERS)) is None
    assert lanes.blocker(Ticket(Lane.BULK, 9, frozenset())) is None


def test_what_waits_for_another_limit_holds_up_nobody() -> None:
    """(fault F160)"""
    lanes = Lanes()
    (order,) = waiting(lanes, (Lane.ORDER, ORDERS, "orders"))
    assert lanes.blocker(Ticket(Lane.QUERY, 9, WEIGHT)) is None
    assert lanes.blocker(Ticket(Lane.ORDER, 9, ORDERS)) is order
    order.lacks = None
    assert lanes.blocker(Ticket(Lane.QUERY, 9, WEIGHT)) is order, "it may need the weight in a moment"


def test_in_silence_everybody_keeps_his_place() -> None:
    """(fault F076)"""
    lanes = Lanes()
    (first,) = waiting(lanes, (Lane.QUERY, WEIGHT, ""))
    assert lanes.blocker(Ticket(Lane.BULK, 9, frozenset())) is first
    assert lanes.blocker(Ticket(Lane.CANCEL, 9, WEIGHT)) is None


def test_those_who_have_tried_are_not_woken_by_others() -> None:
    lanes = Lanes()
    cancel, query, order = waiting(
        lanes, (Lane.CANCEL, WEIGHT, None), (Lane.QUERY, WEIGHT, "weight"), (Lane.ORDER, ORDERS, None)
    )
    assert lanes.leave(cancel) == [order]
    assert lanes.leave(order) == []
    assert lanes.blocker(query) is None


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(list(Lane)), st.booleans()), max_size=30), st.integers(0, 9))
def test_everybody_is_served_and_nobody_is_forgotten(plan: list[tuple[Lane, bool]], seed: int) -> None:
    """Whoever leaves, those whose turn it then is are named: nobody sleeps for ever (fault F160)."""
    lanes, draw = Lanes(), random.Random(seed)
    tickets = waiting(lanes, *[(lane, ORDERS if is_order else WEIGHT, None) for lane, is_order in plan])
    awake = {each.number for each in tickets if lanes.blocker(each) is None}
    served: list[Ticket] = []
    while len(lanes):
        assert awake
        ticket = next(each for each in tickets if each.number == draw.choice(sorted(awake)))
        served.append(ticket)
        tickets.remove(ticket)
        awake.remove(ticket.number)
        awake |= {each.number for each in lanes.leave(ticket)}
    assert served == sorted(served)
