"""The book against a model that does everything the slow way."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from exconn_sync.simulator.core.book import Match, OrderBook, Step
from exconn_sync.simulator.core.events import BookChange, Level
from exconn_sync.simulator.core.orders import Side


@dataclass
class Resting:
    """One order of the model; an iceberg order shows at most ``part`` of what is left."""

    order_id: int
    side: Side
    price: Decimal
    shown: Decimal
    hidden: Decimal
    part: Decimal


class ModelBook:
    """Resting orders in one list; the best is searched for each time."""

    def __init__(self) -> None:
        self.resting: list[Resting] = []

    def add(self, order_id: int, side: Side, price: Decimal, quantity: Decimal, part: Decimal) -> None:
        shown = min(quantity, part)
        self.resting.append(Resting(order_id, side, price, shown, quantity - shown, part))

    def take(self, taker: Side, limit: Decimal, quantity: Decimal) -> list[Match]:
        matches = []
        while quantity:
            makers = [order for order in self.resting if order.side is taker.opposite]
            makers = [
                order for order in makers if (order.price <= limit if taker is Side.BUY else order.price >= limit)
            ]
            if not makers:
                break
            # min() keeps the first of equals, which is the oldest.
            best = min(makers, key=lambda order: order.price if taker is Side.BUY else -order.price)
            part = min(quantity, best.shown)
            matches.append(Match(best.order_id, best.price, part))
            quantity -= part
            best.shown -= part
            if not best.shown:
                self.resting.remove(best)
                if best.hidden:
                    self.add(best.order_id, best.side, best.price, best.hidden, best.part)
        return matches

    def levels(self, side: Side) -> list[Level]:
        prices = {order.price for order in self.resting if order.side is side}
        return [
            (price, sum((o.shown for o in self.resting if o.side is side and o.price == price), Decimal(0)))
            for price in sorted(prices, reverse=side is Side.BUY)
        ]


def take(book: OrderBook, side: Side, limit: Decimal | None, quantity: Decimal) -> list[Step]:
    """A plan changes nothing; what it says is what is done."""
    before = [book.levels(side) for side in Side]
    plan = book.plan(side, limit, quantity)
    assert [book.levels(side) for side in Side] == before
    book.apply(side, plan.steps)
    return plan.steps


COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(90, 110),
        st.integers(1, 20),
        st.sampled_from(["place", "remove", "reduce"]),
        st.integers(1, 20),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(COMMANDS)
def test_matches_like_the_model(commands: list[tuple[Side, int, int, str, int]]) -> None:
    mirror: dict[tuple[Side, Decimal], Decimal] = {}
    ids: list[int] = []

    def apply(change: BookChange) -> None:
        ids.append(change.update_id)
        mirror[change.side, change.price] = change.quantity

    book, model = OrderBook("X", apply), ModelBook()
    for order_id, (side, ticks, size, what, part) in enumerate(commands):
        if what != "place" and model.resting:
            victim = model.resting[size % len(model.resting)]
            if what == "remove":
                book.remove(victim.order_id, victim.side, victim.price)
                model.resting.remove(victim)
            else:
                less = min(Decimal(part), victim.shown + victim.hidden)
                book.reduce(victim.order_id, victim.side, victim.price, less)
                from_hidden = min(less, victim.hidden)
                victim.hidden -= from_hidden
                victim.shown -= less - from_hidden
                if not victim.shown:
                    model.resting.remove(victim)
            continue
        price, quantity = Decimal(ticks), Decimal(size)
        matches = take(book, side, price, quantity)
        assert matches == model.take(side, price, quantity)
        traded = sum((match.quantity for match in matches if isinstance(match, Match)), Decimal(0))
        if traded < quantity:
            book.add(order_id, side, price, quantity - traded, Decimal(part))
            model.add(order_id, side, price, quantity - traded, Decimal(part))
    for side in Side:
        assert book.levels(side) == model.levels(side)
        left = [order.shown + order.hidden for order in model.resting if order.side is side]
        assert book.total(side) == sum(left, Decimal(0))
        assert {price: quantity for (s, price), quantity in mirror.items() if s is side and quantity} == dict(
            book.levels(side)
        )
    assert ids == list(range(2, len(ids) + 2))
    assert book.update_id == len(ids) + 1


def test_first_come_first_served() -> None:
    book = OrderBook("X")
    for order_id in (1, 2, 3):
        book.add(order_id, Side.SELL, Decimal(10), Decimal(2))
    assert take(book, Side.BUY, None, Decimal(3)) == [
        Match(1, Decimal(10), Decimal(2)),
        Match(2, Decimal(10), Decimal(1)),
    ]
    assert book.levels(Side.SELL) == [(Decimal(10), Decimal(3))]
