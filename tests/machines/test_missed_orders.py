"""Orders that are acknowledged and not found: lag, or something to tell (fault F070)."""

from exconn_sync._machines.missed_orders import MissedOrders
from exconn_sync.model.ids import ClientOrderId

ONE, TWO = ClientOrderId("one"), ClientOrderId("two")
SECOND = 1_000_000_000


def test_it_is_looked_for_again_and_told_once_it_lasts() -> None:
    """(fault F070)"""
    missed = MissedOrders(read_lag=2.0)
    assert missed.next_due() is None
    assert not missed.miss(ONE, 10 * SECOND)
    assert not missed.miss(TWO, 11 * SECOND)
    assert missed.next_due() == 12 * SECOND
    assert missed.due(12 * SECOND - 1) == []
    assert missed.due(12 * SECOND) == [ONE]
    assert not missed.miss(ONE, 12 * SECOND - 1), "a look in between proves nothing"
    assert missed.miss(ONE, 12 * SECOND)
    assert missed.due(13 * SECOND) == [TWO]
    missed.found(TWO)
    assert missed.next_due() is None
    assert not missed.miss(TWO, 20 * SECOND), "what was found begins anew"


def test_a_look_that_failed_is_none() -> None:
    """(fault F070)"""
    missed = MissedOrders(read_lag=1.0)
    missed.miss(ONE, 0)
    missed.put_off(ONE, SECOND)
    missed.put_off(TWO, SECOND)
    assert missed.next_due() == 2 * SECOND
    assert missed.due(2 * SECOND) == [ONE]
