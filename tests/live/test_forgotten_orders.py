"""What an exchange has forgotten is not taken for something that never was (fault F090)."""

from __future__ import annotations

from exconn_sync import OrderStatus, OutcomeUnknown
from exconn_sync._live.resolver import Resolver
from exconn_sync._machines.absence import AbsenceProof
from exconn_sync.errors import ExconnError
from exconn_sync.model.enums import FactSource
from exconn_sync.model.ids import ClientOrderId
from tests.live.test_resolver import ID, LONG_ENOUGH, PROCESSING_MS, WINDOW_MS, Desk

DAY_S = 24 * 3600
DAY_MS = DAY_S * 1000


class ForgetfulDesk(Desk):
    """An exchange that forgets unfilled orders a day after their end."""

    def __init__(self, offline_s: float) -> None:
        super().__init__()
        self.told: list[tuple[ClientOrderId, ExconnError]] = []
        self.clock.advance(offline_s)
        now = self.clock.monotonic_ns()
        self.server_clock.add(now, now, self.clock.time_ns())
        self.resolver = Resolver(
            self.store, self.clock, self.server_clock, WINDOW_MS, PROCESSING_MS, self.look, lambda: None,
            memory_ms=DAY_MS, report=lambda *told: self.told.append(told),
        )  # fmt: skip
        self.resolver.track(ID)
        self.clock.advance(LONG_ENOUGH)


def test_an_order_that_may_have_been_forgotten_stays_unknown() -> None:
    """A process that was away for 26 hours cannot know whether its order arrived (fault F090)."""
    desk = ForgetfulDesk(26 * 3600)
    desk.resolver.resolve()
    desk.clock.advance(1.5)
    assert desk.resolver.resolve() is None, "nothing is gained by looking every second"
    assert desk.status() is OrderStatus.UNKNOWN
    ((client_order_id, error),) = desk.told
    assert client_order_id == ID
    assert isinstance(error, OutcomeUnknown)
    assert "older than what the exchange remembers" in str(error)
    assert desk.resolver.unresolved == [ID], "it counts as unknown on"
    looks = desk.looks
    desk.clock.advance(10)
    desk.resolver.resolve()
    assert desk.looks == looks
    desk.store.apply([desk.fact(OrderStatus.FILLED, FactSource.RECONCILIATION)])
    desk.resolver.resolve()
    assert desk.resolver.unresolved == [], "whoever finds it settles it"


def test_an_order_that_cannot_have_been_forgotten_yet_is_proven_absent() -> None:
    """(fault F090)"""
    desk = ForgetfulDesk(20 * 3600)
    desk.resolver.resolve()
    desk.clock.advance(1.5)
    assert desk.resolver.resolve() is None
    assert (desk.status(), desk.told) == (OrderStatus.REJECTED, [])


def test_where_nothing_is_forgotten_age_does_not_matter() -> None:
    """(fault F090)"""
    proof = AbsenceProof(0, 1.0)
    assert not proof.may_be_forgotten(0, 1)
    for second in (1, 3):
        proof.look(second * 1_000_000_000, found_nothing=True)
    assert proof.is_proven
    assert not proof.may_be_forgotten(0, None)
    assert proof.may_be_forgotten(0, 2_999)
    assert not proof.may_be_forgotten(0, 3_000)
