"""What a position is worth where prices are known, and that unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exconn_sync.model.profit import Profit, Tops, profit_of
from tests.unit.risk.make import BTC, top

D = Decimal
TOPS: Tops = {BTC: top("110", "120"), "BNB-USDT": top("500", "510")}


def profit(quantity: str, average: str | None = "100", fees: dict[str, str] | None = None, tops: Tops = TOPS) -> Profit:
    exact = {asset: D(fee) for asset, fee in (fees or {}).items()}
    return profit_of(BTC, D(quantity), None if average is None else D(average), D(7), exact, tops)


@pytest.mark.parametrize(
    ("quantity", "average", "fees", "unrealized", "worth", "total"),
    [
        ("0", None, {}, "0", "0", "7"),
        ("2", "100", {}, "20", "0", "27"),
        ("-2", "100", {}, "-40", "0", "-33"),
        ("2", "100", {"BNB": "0.01"}, "20", "5.10", "21.90"),
        ("2", "100", {"BNB": "-0.01"}, "20", "-5.00", "32.00"),
        ("2", "100", {"XRP": "0"}, "20", "0", "27"),
    ],
)
def test_a_position_is_worth_what_closing_it_brings(
    quantity: str, average: str | None, fees: dict[str, str], unrealized: str, worth: str, total: str
) -> None:
    found = profit(quantity, average, fees)
    assert (found.realized, found.unrealized, found.other_fees) == (D(7), D(unrealized), D(worth))
    assert (found.total, found.missing) == (D(total), ())


def test_what_has_no_price_is_unknown_and_so_is_the_total() -> None:
    nothing: Tops = {}
    found = profit("2", fees={"BNB": "1", "XRP": "1"}, tops=nothing)
    assert (found.unrealized, found.other_fees, found.total) == (None, None, None)
    assert found.missing == (BTC, "BNB-USDT", "XRP-USDT")
    found = profit("2", fees={"BNB": "1", "XRP": "1"})
    assert (found.unrealized, found.other_fees, found.total, found.missing) == (D(20), None, None, ("XRP-USDT",))
    found = profit("2", tops={BTC: top(None, "120")})
    assert (found.unrealized, found.other_fees, found.total) == (None, D(0), None)
    assert profit("-2", tops={BTC: top(None, "120")}).unrealized == D(-40)
