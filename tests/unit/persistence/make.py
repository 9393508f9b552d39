"""Facts of every kind, drawn at random or by hand, and journals to keep them."""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from exconn_sync.model.account import BalanceChange, Fact, FillDelivery
from exconn_sync.model.carried import Archived, Carried
from exconn_sync.model.enums import FactSource, OrderListKind, OrderListStatus, OrderStatus
from exconn_sync.model.ids import ClientOrderId, ExchangeOrderId, TradeId
from exconn_sync.model.order_lists import OrderListFact
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from tests.unit.store.make import SYMBOL, balance, fill, intent, order

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False)


def some_facts() -> list[Fact]:
    """Return facts of every kind."""
    own = ClientOrderId("c1")
    return [
        intent(),
        order(exchange_id="x1", price=Decimal("100.10"), reason="€ and \ud800", is_working=True),
        fill("1", "0.50", client_id="c1"),
        balance("USDT", "1.000", 3),
        OrderListFact("binance", SYMBOL, ClientOrderId("l1"), FactSource.LOCAL, 4, status=OrderListStatus.PENDING,
                      kind=OrderListKind.OCO, legs=(own, ClientOrderId("c2")), leg_ids=(ExchangeOrderId("7"),)),
        BalanceChange("binance", "BTC", Decimal("-0.1"), 5, 6, is_lock=True),
        FillDelivery("binance", SYMBOL, TradeId("1"), ExchangeOrderId("x1"), 7),
        order(status=OrderStatus.FILLED, exchange_id="x1", filled_quantity=Decimal("1E+1"),
              cumulative_fees=(("BNB", Decimal("0.10")), ("USDT", Decimal(2)))),
        Carried("binance", SYMBOL, True, Decimal("1.50"), Decimal(3), Decimal("-0.1"), 8, (("BNB", Decimal("0.10")),),
                (("9", "x9"),)),
        Archived("binance", 1, "AAAAAAAAAAA=", 9),
    ]  # fmt: skip


def facts() -> st.SearchStrategy[Fact]:
    """Draw facts with any values that their types allow."""
    kinds: tuple[type[Any], ...] = get_args(Fact)
    return st.one_of(*[_drawn(kind) for kind in kinds])


def _drawn(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: _value(hint) for name, hint in get_type_hints(kind).items()})


def _value(hint: Any) -> st.SearchStrategy[Any]:
    hint = getattr(hint, "__supertype__", hint)
    if get_origin(hint) is types.UnionType:
        return st.one_of(*[_value(part) for part in get_args(hint)])
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        if parts[-1] is not Ellipsis:
            return st.tuples(*[_value(part) for part in parts])
        return st.lists(_value(parts[0]), max_size=3).map(tuple)
    if is_dataclass(hint) and isinstance(hint, type):
        return st.builds(hint, **{name: _value(inner) for name, inner in get_type_hints(hint).items()})
    own = {Decimal: NUMBERS, str: st.text(st.characters())}
    return own[hint] if hint in own else st.from_type(hint)


class OwnJournal:
    """A journal as a user may write it: no more than the protocol asks for."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []

    def append(self, fact: Fact) -> None:
        self._facts.append(fact)

    def replay(self) -> Iterable[Fact]:
        return list(self._facts)

    def close(self) -> None:
        return None


def journal_of(kind: str, folder: Path) -> Any:
    """Return a new journal of a kind."""
    if kind == "sqlite":
        return SqliteJournal(folder / "journal.db")
    return MemoryJournal() if kind == "memory" else OwnJournal()
