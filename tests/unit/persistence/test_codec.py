"""Facts as text: what is read equals what was written, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from exconn_sync.model.account import Fact
from exconn_sync.persistence.codec import KINDS, Unreadable, from_text, is_intent, kind_of, to_text
from exconn_sync.persistence.records import Damage, fact_in, facts_in, sealed
from tests.unit.persistence.make import facts, some_facts
from tests.unit.store.make import balance, intent, order


@given(facts())
def test_any_fact_comes_back_bit_for_bit(fact: Fact) -> None:
    again = from_text(kind_of(fact), to_text(fact))
    assert again == fact
    assert repr(again) == repr(fact)
    assert to_text(fact).isascii()


def test_only_what_differs_from_the_defaults_is_written() -> None:
    assert to_text(intent()) == (
        '{"exchange":"binance","symbol":"BTC-USDT","client_order_id":"c1","source":"local","received_at":1,'
        '"status":"pending_new","side":"buy","quantity":"10","is_own":true}'
    )


def test_the_librarys_own_statements_are_intents() -> None:
    assert [is_intent(fact) for fact in some_facts()] == [True, False, False, False, True, *[False] * 5]


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 10}, {"quantity": "NaN"}, {"quantity": "Infinity"}, {"quantity": "ten"}, {"side": "up"},
        {"is_own": 1}, {"received_at": True}, {"received_at": "1"}, {"received_at": 1.5}, {"symbol": None},
        {"new_field": 1}, {"status": ["new"]},
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_belong_there_is_not_read(change: dict[str, Any]) -> None:
    """(fault F151)"""
    said = {**json.loads(to_text(intent())), **change}
    with pytest.raises(Unreadable):
        from_text("order", json.dumps(said))


@pytest.mark.parametrize(
    "part",
    [
        [], ["1"], "1", {"match_id": "1"}, ["1", "2", "3", "4", "5", "6"], ["1", 2, "3", "4", "5", "6", None],
        ["1", "2", "3", "4", "5", "6", None, None], ["1", "Infinity", "3", "4", "5", "6", None],
    ],
)  # fmt: skip
def test_a_part_of_another_form_is_not_read(part: Any) -> None:
    """(fault F151)"""
    said = json.loads(to_text(intent()))
    whole = ["1", "2", "3", "4", "5", "6", None]
    assert from_text("order", json.dumps({**said, "prevented_trades": [whole]}))
    with pytest.raises(Unreadable):
        from_text("order", json.dumps({**said, "prevented_trades": [whole, part]}))


@pytest.mark.parametrize("text", ["", "[]", "1", "{", "{}", '{"exchange":"binance"}', "[" * 100_000])
def test_a_text_that_is_no_fact_is_not_read(text: str) -> None:
    with pytest.raises(Unreadable):
        from_text("order", text)


def test_an_unknown_kind_is_not_read() -> None:
    with pytest.raises(Unreadable, match="no kind"):
        from_text("pickle", "{}")
    assert len(KINDS) == len(set(KINDS.values()))


def test_a_fact_with_a_value_that_does_not_belong_there_is_not_written() -> None:
    wrong: Any = 1.5
    with pytest.raises(TypeError, match="float"):
        to_text(replace(balance("USDT", "1", 1), free=wrong))


@pytest.mark.parametrize("column", range(4))
def test_a_record_that_was_changed_is_noticed(column: int) -> None:
    """(fault F151)"""
    record: list[Any] = list(sealed(7, "order", to_text(order())))
    assert fact_in(sealed(7, "order", to_text(order()))) == order()
    for wrong in (None, b"x", 2.5, "x", 8):
        changed = [*record[:column], wrong, *record[column + 1 :]]
        with pytest.raises(Unreadable):
            fact_in(type(sealed(1, "", ""))(*changed))


def test_a_gap_between_records_is_damage() -> None:
    records = [sealed(number, "order", to_text(order(price=Decimal(number)))) for number in (1, 2, 4)]
    read = facts_in(records)
    assert [next(read), next(read)] == [order(price=Decimal(1)), order(price=Decimal(2))]
    with pytest.raises(Damage, match="record 3: it is missing") as caught:
        next(read)
    assert caught.value.at == 3
