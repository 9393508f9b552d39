"""What every journal does, whoever has written it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exconn_sync.model.account import Balance, Fact
from exconn_sync.persistence import MemoryJournal, SqliteJournal
from exconn_sync.ports.journal import Journal
from tests.unit.persistence.make import journal_of, some_facts
from tests.unit.store.make import Kept, balance, fill, intent, order
from tests.unit.support import LIMIT

KINDS = ("memory", "sqlite", "own")


@pytest.fixture(params=KINDS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = journal_of(request.param, tmp_path)
    yield made
    made.close()


def in_order(facts: Any) -> tuple[list[Fact], dict[str, Fact]]:
    """Return the facts in order, and of the balances the newest of each asset: older ones may be left out."""
    known = list(facts)
    balances = {fact.asset: fact for fact in known if isinstance(fact, Balance)}
    return [fact for fact in known if not isinstance(fact, Balance)], dict(balances)


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert list(journal.replay()) == []


def test_what_was_appended_comes_back_in_order_and_digit_by_digit(journal: Journal) -> None:
    for fact in some_facts():
        journal.append(fact)
    assert in_order(journal.replay()) == in_order(some_facts())
    assert repr(in_order(journal.replay())) == repr(in_order(some_facts()))


def test_a_replay_is_not_changed_by_what_is_appended_since(journal: Journal) -> None:
    journal.append(intent())
    first = journal.replay()
    journal.append(fill("1"))
    assert list(first) == [intent()]
    assert list(journal.replay()) == [intent(), fill("1")]


def test_the_newest_balance_of_each_asset_is_kept(journal: Journal) -> None:
    for number in range(3):
        journal.append(balance("USDT", str(number), number))
        journal.append(balance("BTC", "1", number))
    assert in_order(journal.replay()) == ([], {"USDT": balance("USDT", "2", 2), "BTC": balance("BTC", "1", 2)})


def test_many_threads_lose_nothing_and_each_keeps_its_order(journal: Journal) -> None:
    def write(index: int) -> None:
        for number in range(50):
            journal.append(intent(f"{index}-{number}") if number % 10 == 0 else fill(str(index * 100 + number + 1)))

    threads = [threading.Thread(target=write, args=(index,)) for index in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    kept = list(journal.replay())
    assert len(kept) == len(set(kept)) == 300
    trades = [int(fact.trade_id) for fact in kept if hasattr(fact, "trade_id")]
    for index in range(6):
        own = [trade for trade in trades if trade // 100 == index]
        assert own == sorted(own)


def test_it_can_be_closed_twice(journal: Journal) -> None:
    journal.append(intent())
    journal.close()
    journal.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_restored_has_the_same_state(kind: str, tmp_path: Path) -> None:
    """Bit for bit, also after a second replay of the same (fault F149, invariant I8)."""
    journal = journal_of(kind, tmp_path)
    kept = Kept(journal)
    kept.store.apply([intent(), order(exchange_id="x1"), fill("1", "2.50"), fill("2", "1", "x9", fee_asset="BNB")])
    kept.store.apply([balance("USDT", "5.00", 2), order("c2", exchange_id="x9"), fill("1", "2.50"), fill("3", "7.5")])
    if kind == "sqlite":
        journal.close()
        journal = SqliteJournal(tmp_path / "journal.db")
    again = Kept(MemoryJournal())
    for _ in range(2):
        again.store.restore(journal.replay())
        assert state_of(again) == state_of(kept)
    assert again.events == []
    journal.close()


def state_of(kept: Kept) -> str:
    store = kept.store
    orders = [(repr(state).replace(f"sequence={state.sequence}", ""), store.order_history(state.client_order_id))
              for state in store.orders()]  # fmt: skip
    return repr((orders, store.fills(), dict(store.balances()), dict(store.positions()), store.open_orders() == []))
