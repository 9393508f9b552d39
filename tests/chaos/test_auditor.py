"""The judge itself: it finds nothing where nothing is wrong, and each wrong that it is there for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from exconn_sync.model.account import Balance, Position
from exconn_sync.model.enums import FactSource, OrderStatus, Side
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.orders import Fill, OrderFact, OrderState
from exconn_sync.simulator import SeenRequest
from exconn_sync.simulator.core.order_words import OrderType, TimeInForce
from exconn_sync.simulator.core.order_words import Side as SimSide
from exconn_sync.simulator.core.orders import Fill as SimFill
from exconn_sync.simulator.core.orders import OrderStatus as There
from exconn_sync.simulator.core.orders import SimOrder
from tests.chaos.auditor import audit
from tests.chaos.history import Call, Exposed, Record, Truth, Verdict, View
from tests.unit.store.make import Kept

ONE, PRICE = Decimal(1), Decimal(100)
FACTS = (
    OrderFact(
        "binance", "BTC-USDT", ClientOrderId("a"), FactSource.LOCAL, 1, status=OrderStatus.PENDING_NEW, side=Side.BUY,
        quantity=ONE, is_own=True,
    ),
    OrderFact(
        "binance", "BTC-USDT", ClientOrderId("a"), FactSource.STREAM, 2, status=OrderStatus.NEW, side=Side.BUY,
        quantity=ONE, exchange_order_id=ExchangeOrderId("7"),
    ),
    Fill(
        "binance", "BTC-USDT", TradeId("5"), ExchangeOrderId("7"), PRICE, ONE, Side.BUY, Decimal(0), "BTC", False, 3, 3,
        FactSource.STREAM, ClientOrderId("a"),
    ),
)  # fmt: skip
ORDER = SimOrder(
    7, "demo", "BTCUSDT", SimSide.BUY, OrderType.LIMIT, TimeInForce.GTC, "a", ONE, PRICE, Decimal(0), 1, 1,
    There.FILLED, ONE,
)  # fmt: skip
FILL = SimFill(5, 7, "demo", "BTCUSDT", SimSide.BUY, PRICE, ONE, Decimal(0), "BTC", False, 3)
PLACED = Verdict("place", "a", "done")
SENT = SeenRequest(2, "POST", "/api/v3/order", "", 200, 0, "symbol=BTCUSDT&newClientOrderId=a")


def call(*verdicts: Verdict, took: float = 0.1) -> Call:
    return Call(0, 0, "place", 0.0, took, 1.0, verdicts)


class Case:
    """A run in which nothing is wrong, to be spoilt."""

    def __init__(self) -> None:
        kept = Kept()
        kept.store.apply(FACTS[:2])
        kept.store.apply(FACTS[2:])
        self.states: list[OrderState] = [value for _, _, value in kept.events if isinstance(value, OrderState)]
        fills = [value for _, _, value in kept.events if isinstance(value, Fill)]
        self.record = Record([call(PLACED)], list(self.states), [list(fills), list(fills)], [], {"a": 1_000_000})
        balances = {"BTC": Balance("binance", "BTC", ONE, Decimal(0), 3, 3, FactSource.STREAM)}
        self.view = View(
            kept.store.orders(), kept.store.fills(), balances, kept.store.positions(), list(kept.journal.replay())
        )
        self.truth = Truth("binance", [ORDER], [FILL], {"BTC": (ONE, Decimal(0))}, [SENT])

    def problems(self) -> list[str]:
        return audit(self.record, self.view, self.truth, 1)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert Case().problems() == []


def spoil_orders(case: Case, **changes: object) -> None:
    case.view = replace(case.view, orders=[replace(state, **changes) for state in case.view.orders])  # type: ignore[arg-type]


def expose(case: Case, **changes: object) -> None:
    nothing = Exposed({}, 0, {}, ONE)
    case.view = replace(case.view, exposed=replace(nothing, **changes))  # type: ignore[arg-type]


def verdict(case: Case, *verdicts: Verdict, status: There = There.FILLED) -> None:
    case.record.calls = [call(*verdicts)]
    case.truth = replace(case.truth, orders=[replace(ORDER, status=status)])


def foreign(case: Case) -> None:
    case.truth = replace(case.truth, orders=[replace(ORDER, status=There.CANCELED)], foreign=frozenset({"a"}))


def backwards(case: Case) -> None:
    case.record.orders.reverse()


def reopened(case: Case) -> None:
    case.record.orders.append(replace(case.states[-1], sequence=9, status=OrderStatus.PARTIALLY_FILLED))


SPOILT: dict[str, tuple[Callable[[Case], object], str]] = {
    "status": (lambda case: spoil_orders(case, status=OrderStatus.CANCELED), "is ('canceled'"),
    "filled": (lambda case: spoil_orders(case, filled_quantity=Decimal(2)), "there"),
    "quantity": (lambda case: spoil_orders(case, quantity=Decimal(2)), "is of 2 here"),
    "unsettled": (lambda case: spoil_orders(case, status=OrderStatus.UNKNOWN), "is still unknown"),
    "contradictory": (lambda case: spoil_orders(case, contradictions=("x",)), "has contradictions"),
    "taken for foreign": (lambda case: spoil_orders(case, is_own=False), "taken for foreign"),
    "not known": (lambda case: setattr(case, "view", replace(case.view, orders=[])), "not known here"),
    "not there": (lambda case: setattr(case, "truth", replace(case.truth, orders=[])), "is not there"),
    "fill": (lambda case: setattr(case, "view", replace(case.view, fills=[])), "there only"),
    "balance": (lambda case: setattr(case, "view", replace(case.view, balances={})), "BTC is None here"),
    "position": (lambda case: setattr(case, "view", replace(case.view, positions={})), "the position of BTCUSDT"),
    "wrong refusal": (lambda case: verdict(case, replace(PLACED, outcome="refused")), "called refused"),
    "wrong success": (
        lambda case: setattr(case.record, "calls", [call(PLACED, Verdict("place", "b", "done"))]),
        "b was called done, and is not there",
    ),
    "wrong cancel": (lambda case: verdict(case, PLACED, Verdict("cancel", "a", "done")), "cancel of a was called done"),
    "cancelled all the same": (
        lambda case: verdict(case, PLACED, Verdict("cancel", "a", "refused"), status=There.CANCELED),
        "every cancel of it was called refused",
    ),
    "amended all the same": (
        lambda case: verdict(case, PLACED, Verdict("amend", "a", "refused", "", ONE)),
        "every amendment to that was called refused",
    ),
    "not amended": (
        lambda case: verdict(case, PLACED, Verdict("amend", "a", "done", "", Decimal(2))), "was called amended to 2",
    ),
    "nobody was told": (lambda case: setattr(case.record, "calls", []), "nobody was told of it"),
    "somebody else's": (foreign, "of somebody else was cancelled"),
    "sent twice": (lambda case: setattr(case, "truth", replace(case.truth, requests=[SENT, SENT])), "was sent 2 times"),
    "no intent": (lambda case: case.record.intents.update(a=3_000_000), "before the journal had it"),
    "backwards": (backwards, "went back"),
    "reopened": (reopened, "and became partially_filled"),
    "told twice": (lambda case: case.record.fills[0].append(case.record.fills[0][0]), "came 2 times to 0"),
    "not told": (lambda case: case.record.fills[1].clear(), "0 fills were delivered to 1"),
    "late": (lambda case: setattr(case.record, "calls", [call(PLACED, took=99.0)]), "took 99.0 s"),
    "crash": (lambda case: case.record.crashes.append("KeyError"), "KeyError"),
    "reserved": (lambda case: expose(case, reserved={"USDT": ONE}), "1 USDT are still reserved"),
    "open": (lambda case: expose(case, open_orders=1), "1 orders count as open, and 0 are"),
    "pending": (lambda case: expose(case, pending={"buy": ONE}), "1 count as pending to buy, and 0 are"),
    "exposure": (lambda case: expose(case, position=Decimal(2)), "a position of 2 counts, and it is 1"),
    "replay": (lambda case: setattr(case, "view", replace(case.view, facts=case.view.facts[:2])), "after a replay"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_each_wrong_is_found(name: str) -> None:
    case = Case()
    spoil, words = SPOILT[name]
    spoil(case)
    assert any(words in problem for problem in case.problems()), case.problems()


def test_a_command_whose_time_was_refused_may_be_sent_again() -> None:
    case = Case()
    case.truth = replace(case.truth, requests=[replace(SENT, status=400, code=-1021), SENT])
    assert case.problems() == []


def test_placements_at_bybit_are_counted_one_by_one() -> None:
    case = Case()
    batch = '{"category":"spot","request":[{"orderLinkId":"a"},{"orderLinkId":"b"}]}'
    single = '[{"category":"spot","orderLinkId":"b"}]'
    requests = [
        SeenRequest(2, "POST", "/v5/order/create-batch", "", 200, 0, batch),
        SeenRequest(2, "WS", "order.create", "", 200, 0, single),
    ]
    case.record.intents["b"] = 1
    case.truth = replace(case.truth, requests=requests)
    assert case.problems() == ["b was sent 2 times"]


def test_positions_are_those_of_the_fills() -> None:
    case = Case()
    wrong = {"BTC-USDT": Position("binance", "BTC-USDT", Decimal(2), PRICE, Decimal(0), (), 3)}
    case.view = replace(case.view, positions=wrong)
    assert case.problems() == ["the position of BTCUSDT is 2 here and 1 there"]
