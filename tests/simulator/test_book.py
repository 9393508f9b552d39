"""The book against a model that does everything the slow way."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exconn_sync.simulator.core.book import Match, OrderBook, Step
from exconn_sync.simulator.core.events import BookChange, Level
from exconn_sync.simulator.core.orders import Side


class ModelBook:
    """Resting orders in one list; the best is searched for each time."""

    def __init__(self) -> None:
        self.resting: list[tuple[int, Side, Decimal, Decimal]] = []

    def take(self, taker: Side, limit: Decimal, quantity: Decimal) -> list[Match]:
        matches = []
        while quantity:
            makers = [order for order in self.resting if order[1] is taker.opposite]
            makers = [order for order in makers if (order[2] <= limit if taker is Side.BUY else order[2] >= limit)]
            if not makers:
                break
            # min() keeps the first of equals, which is the oldest.
            best = min(makers, key=lambda order: order[2] if taker is Side.BUY else -order[2])
            part = min(quantity, best[3])
            matches.append(Match(best[0], best[2], part))
            quantity -= part
            index = self.resting.index(best)
            left = best[3] - part
            self.resting[index : index + 1] = [(best[0], best[1], best[2], left)] if left else []
        return matches

    def levels(self, side: Side) -> list[Level]:
        prices = {order[2] for order in self.resting if order[1] is side}
        return [
            (price, sum((o[3] for o in self.resting if o[1] is side and o[2] == price), Decimal(0)))
            for price in sorted(prices, reverse=side is Side.BUY)
        ]


def take(book: OrderBook, side: Side, limit: Decimal | None, quantity: Decimal) -> list[Step]:
    """A plan changes nothing; what it says is what is done."""
    before = [book.levels(side) for side in Side]
    matches = book.plan(side, limit, quantity)
    assert [book.levels(side) for side in Side] == before
    book.apply(side, matches)
    return matches


COMMANDS = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(90, 110), st.integers(1, 20), st.booleans()), max_size=60
)


@given(COMMANDS)
def test_matches_like_the_model(commands: list[tuple[Side, int, int, bool]]) -> None:
    mirror: dict[tuple[Side, Decimal], Decimal] = {}
    ids: list[int] = []

    def apply(change: BookChange) -> None:
        ids.append(change.update_id)
        mirror[change.side, change.price] = change.quantity

    book, model = OrderBook("X", apply), ModelBook()
    for order_id, (side, ticks, size, removes) in enumerate(commands):
        if removes and model.resting:
            victim = model.resting.pop(size % len(model.resting))
            book.remove(victim[0], victim[1], victim[2])
            continue
        price, quantity = Decimal(ticks), Decimal(size)
        matches = take(book, side, price, quantity)
        assert matches == model.take(side, price, quantity)
        traded = sum((match.quantity for match in matches if isinstance(match, Match)), Decimal(0))
        if traded < quantity:
            book.add(order_id, side, price, quantity - traded)
            model.resting.append((order_id, side, price, quantity - traded))
    for side in Side:
        assert book.levels(side) == model.levels(side)
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
